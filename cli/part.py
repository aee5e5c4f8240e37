"""``part``: a square of a picture at full quality, to judge settings before the whole runs."""

from __future__ import annotations

import functools
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from cli.settings import with_settings
from cli.terminal import cancel_on_interrupt, output_file, start
from engine.types import EnhanceSettings, JobControl
from utils.errors import InvalidSettingsError

_Option = typer.Option


@functools.partial(with_settings, without=("max_megabytes", "skip_if_large_enough", "seamless", "pages", "pdf_dpi"))
def part(
    input_path: Annotated[Path, typer.Argument(metavar="IN", help="Picture file.")],
    output: Annotated[
        Path, _Option("--output", "-o", parser=output_file, metavar="FILE", help="Where the enhanced part goes.")
    ],
    *,
    settings: EnhanceSettings,
    at: Annotated[str | None, _Option(metavar="X,Y", help="Its middle; by default where most detail is.")] = None,
    side: Annotated[int, _Option(help="Its side in pixels of the input, 32 to 1024.")] = 256,
    force: Annotated[bool, _Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Enhance a small part of a picture as the whole would be."""
    from engine.imaging.region import enhance_region
    from engine.imaging.task import save_options
    from engine.model_manager import ModelManager
    from engine.processor import enhance_file
    from engine.storage.output_names import check_output, output_format
    from utils import image_io

    center = None if at is None else _point(at)
    check_output(input_path, output, force)
    kind = output_format(settings, "png", output)
    config = start(False)
    control = JobControl()
    with closing(ModelManager.from_config(config)) as manager, cancel_on_interrupt(control):
        made = enhance_region(
            input_path,
            center,
            settings,
            enhance=functools.partial(enhance_file, manager=manager, config=config),
            manager=manager,
            config=config,
            side=side,
            control=control,
        )
    missing = made.before.metadata.missing_percent
    image_io.save(made.after, output, save_options(settings, kind, missing))
    if missing is not None:
        print(f"Note: {made.before.metadata.warnings[-1]}", file=sys.stderr)
    left, top, width, height = made.box
    print(f"{output}: {width}x{height} at {left},{top} -> {made.after.width}x{made.after.height}, {made.model}")


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(value) for value in text.split(","))
    except ValueError:
        raise InvalidSettingsError(f"--at is X,Y in pixels, for instance 300,200 (given: {text!r}).") from None
    return x, y
