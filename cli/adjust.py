"""``adjust``: a finished picture's fidelity moved without running the network again."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer

from cli.settings import with_settings
from cli.terminal import output_file
from engine.types import EnhanceSettings

_Option = typer.Option
_SETTINGS = ("fidelity", "quality", "width", "height", "fit", "exif", "normal_map")


@functools.partial(with_settings, only=_SETTINGS)
def adjust(
    result: Annotated[Path, typer.Argument(help="What `enhance` wrote.")],
    original: Annotated[Path, typer.Argument(help="The picture that it was made from.")],
    output: Annotated[
        Path, _Option("--output", "-o", parser=output_file, metavar="FILE", help="Where the adjusted picture goes.")
    ],
    to: Annotated[float, _Option(help="Wanted share of the original, 0 to 1.")],
    *,
    settings: EnhanceSettings,
    force: Annotated[bool, _Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Move the share of the plainly enlarged original in a finished picture.

    Give --fidelity, --quality, --normal-map and a cropping --fit as they were given to `enhance`.
    """
    from cli.terminal import start
    from engine.imaging.readjust import readjust_fidelity
    from engine.storage.output_names import check_output

    check_output(result, output, force)
    check_output(original, output, force)
    readjust_fidelity(result, original, settings, to, output, config=start(False))
    print(f"{output}: fidelity {to:g}")
