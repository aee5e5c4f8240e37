"""``bench``: the main job against the original package's way of running it."""

from __future__ import annotations

from typing import Annotated

import typer


def bench(
    side: Annotated[int, typer.Option(help="Side of the square test picture in pixels.")] = 256,
    runs: Annotated[int, typer.Option(help="Runs of each, the median is printed.")] = 3,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:0 ...")] = "auto",
) -> None:
    """RRDBNet-23 end to end (decode to encode) against a plain torch fp32 loop, in one run."""
    from benchmarks.main_job import run

    run(side=side, runs=runs, device=device)
