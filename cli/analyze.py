"""``analyze``: what the engine sees in pictures and what it would do with them."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from utils.errors import EngineError


def analyze(
    inputs: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a picture on standard output.")] = False,
) -> None:
    """Say what is in pictures, and which settings suit them, with reasons."""
    from config import Config
    from engine.imaging.task import limits_of
    from engine.intelligent_enhancer import IntelligentEnhancer
    from engine.model_manager import ModelManager

    config = Config()
    worst = 0
    with closing(ModelManager.from_config(config)) as manager:
        enhancer = IntelligentEnhancer(manager, limits=limits_of(config))
        for path in inputs:
            try:
                found = enhancer.get_intelligent_settings(path)
            except EngineError as error:
                print(f"{path}: {error}", file=sys.stderr)
                worst = max(worst, error.exit_code)
                continue
            if as_json:
                print(json.dumps({"input": str(path), **found}, ensure_ascii=False))
            else:
                _print(path, found)
    if worst:
        raise typer.Exit(worst)


def _print(path: Path, found: dict[str, object]) -> None:
    settings, reasons = found["settings"], found["reasoning"]
    assert isinstance(settings, dict) and isinstance(reasons, list)
    print(path)
    for reason in reasons:
        print(f"  - {reason}")
    chosen = ", ".join(f"{name}={value}" for name, value in settings.items() if value is not None)
    print(f"  settings: {chosen}")
