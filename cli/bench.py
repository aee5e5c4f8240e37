"""``bench``: the main job against the original package's way of running it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Annotated

import typer

from utils import pytorch
from utils.errors import BackendError


def bench(
    side: Annotated[int, typer.Option(min=16, help="Side of the square test picture in pixels.")] = 256,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each, the median is printed.")] = 3,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:0 ...")] = "auto",
    quick: Annotated[bool, typer.Option("--quick", help="An installed model alone, in 10 seconds.")] = False,
    model: Annotated[str, typer.Option(help="With --quick: which model.")] = "auto",
) -> None:
    """RRDBNet-23 end to end (decode to encode) against a plain torch fp32 loop, in one run."""
    if quick:
        _quick(model)
        return
    pytorch.require("`bench` without --quick")
    try:
        from benchmarks.main_job import run
    except ImportError as error:
        raise BackendError("The benchmarks are in the source only. Here, `bench --quick` measures a model.") from error

    run(side=side, runs=runs, device=device)


def _quick(model: str) -> None:
    from config import Config
    from engine.machine.benchmark import machine_test
    from engine.model_manager import ModelManager

    with closing(ModelManager.from_config(Config())) as manager:
        print(json.dumps(machine_test(manager, model).to_json(), indent=1))
