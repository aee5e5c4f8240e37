"""What an executor asks of a place where jobs run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from engine.jobs.job import Job
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from utils.json_types import JsonObject


@dataclass(frozen=True)
class RunnerStats:
    """One runner. ``state`` is asleep (no process, no model), idle or busy."""

    name: str
    state: str
    device: str
    pid: int | None = None
    memory_mb: float | None = None
    losses: int = 0
    details: JsonObject = field(default_factory=dict)


class RunnerUnavailable(Exception):
    """The place where the runner works is gone for now; the job is not to blame and goes to another runner."""


class JobRunner(Protocol):
    """Where jobs run, ``places`` of them at a time."""

    name: str
    places: int
    retries: int
    """How often a job that lost its worker is given to a fresh one."""

    def run(self, job: Job, control: JobControl) -> EnhanceResult:
        """Do the job.

        Raises:
            EngineError: the job's own; ``WorkerLostError`` when the place broke, which is retried.
            RunnerUnavailable: another runner has to do it.
        """

    def available(self) -> bool:
        """Whether jobs can be run now; asked again and again after ``RunnerUnavailable``."""

    def prepare(self, settings: EnhanceSettings, pixels: int = 0) -> None:
        """A job with such settings, for an input of so many pixels, is likely to come: have process, libraries and
        network ready. Raises nothing."""

    def rest(self) -> None:
        """Nothing to do for a while: give the memory back. No job runs here meanwhile."""

    def close(self) -> None:
        """Stop for good, whatever runs. May be called from another thread, more than once."""

    def stats(self, busy: bool) -> RunnerStats:
        """What the runner is and does now; ``busy``: whether it has a job, as the executor knows."""


__all__ = ["JobRunner", "RunnerStats", "RunnerUnavailable"]
