"""Waiting for a submitted job as if it were done here: its progress goes up, cancelling goes down."""

from __future__ import annotations

from collections.abc import Callable

from engine.jobs.job import JobHandle, JobStatus
from engine.types import STARTING, WAITING, EnhanceResult, JobControl, Progress

_LOOK_SECONDS = 0.1


def follow(handle: JobHandle, control: JobControl, place_of: Callable[[JobHandle], int]) -> EnhanceResult:
    """The job's result. While it waits for a runner, its place is what ``control`` hears of.

    Args:
        place_of: a job's place among those that wait, 0 where it does not.

    Raises:
        EngineError: the job's own; ``JobCancelled`` once ``control`` was cancelled.
    """

    def pass_on(status: JobStatus) -> None:
        if status.progress is not None:
            control.report(status.progress)

    handle.subscribe(pass_on)
    before = 0
    while not handle.wait(_LOOK_SECONDS):
        if control.cancelled:
            handle.cancel()
        place = place_of(handle)
        if place and place != before:
            control.report(Progress(WAITING, 0, 0, 0.0, waiting=place))
        elif before and not place:
            control.report(handle.status.progress or Progress(STARTING, 0, 0, 0.0))
        before = place
    return handle.result()


__all__ = ["follow"]
