"""One call in a process of its own: for what imports torch, or opens what others made, and must not harm this one."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from engine.models.checkpoints import PassingFault, inspect_checkpoints
from engine.models.files import is_pair
from engine.models.info import CheckpointInfo
from utils.errors import UnsupportedModelError, WorkerLostError

Answer = TypeVar("Answer")


def run_isolated(function: Callable[..., Answer], *arguments: object) -> Answer:
    """``function(*arguments)`` in a fresh child process; function and values are picklable.

    The child ends with the function, or with this process, also where that one is killed.

    Raises:
        WorkerLostError: the child crashed or was killed. What the function raises is raised here.
    """
    from utils.opencv import finish_importing

    finish_importing()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_end_with_parent) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            name = getattr(function, "__name__", "the work")
            raise WorkerLostError(f"The process that ran {name} ended before it answered.") from error


def _end_with_parent() -> None:
    """A child of a pool holds both ends of the pipe that it waits at, so it would wait for ever for who was killed."""
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def inspect_isolated(paths: Sequence[Path]) -> list[CheckpointInfo | str]:
    """``inspect_checkpoints`` in a child process: torch is not imported here, and a file that crashes it is named.

    ncnn pairs of known architectures need no torch and are told apart here, in milliseconds.
    The system kills for lack of memory as well, so a crash is a ``PassingFault``.
    """
    quick = {path: facts for path in paths if is_pair(path) and (facts := _recognised(path)) is not None}
    if quick:
        others = [path for path in paths if path not in quick]
        found = dict(zip(others, inspect_isolated(others) if others else (), strict=True))
        return [quick.get(path) or found[path] for path in paths]
    try:
        return run_isolated(inspect_checkpoints, list(paths))
    except WorkerLostError:
        if len(paths) == 1:
            return [
                PassingFault(
                    f"'{paths[0]}' crashed the process that looked at it, perhaps for lack of memory; "
                    "the next start tries again."
                )
            ]
        return [found for path in paths for found in inspect_isolated([path])]


def _recognised(path: Path) -> CheckpointInfo | str | None:
    """The facts of an ncnn pair, or why it cannot be used; None for graphs that must be run to know them."""
    from engine.models.ncnn import read_pair

    try:
        return read_pair(path).known
    except UnsupportedModelError as error:
        return str(error)


__all__ = ["inspect_isolated", "run_isolated"]
