"""``compare``: the numbers about a picture before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def compare(
    original: Annotated[Path, typer.Argument(help="The picture before.")],
    enhanced: Annotated[Path, typer.Argument(help="The picture after.")],
    reference: Annotated[Path | None, typer.Option(help="The true picture at the size after, where known.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say how a result compares with its input, or with the truth."""
    from config import Config
    from engine.imaging.task import result_limits_of
    from utils.metrics import calculate_image_metrics

    metrics = calculate_image_metrics(original, enhanced, reference, limits=result_limits_of(Config()))
    if as_json:
        print(json.dumps(metrics, ensure_ascii=False))
        return
    for name, value in metrics.items():
        print(f"{name.replace('_', ' '):24} {value}")
