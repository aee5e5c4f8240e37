"""What a job says of its progress, and how it is cancelled. ``engine.types`` hands both on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from engine.jobs.network_queue import NetworkTime
from utils.errors import JobCancelled


@dataclass(frozen=True)
class Progress:
    """One step of a job. ``fraction`` is 0..1; ``eta_seconds`` is None until it can be estimated.

    ``waiting``: its place in the queue of the workers, 1 = next; 0 where it runs.
    """

    stage: str
    done: int
    total: int
    fraction: float
    eta_seconds: float | None = None
    waiting: int = field(default=0, kw_only=True)


WAITING, STARTING = "Waiting", "Starting"
"""Stages of a job that waits for a worker, and of one that a worker has just taken."""


@dataclass
class JobControl:
    """Handed down through the engine: who listens to progress, and whether the person cancelled.

    ``report`` may be called from any thread. ``check`` raises ``JobCancelled`` once ``cancel`` was called.
    ``network`` is the time in which this job's windows were in a network.
    """

    on_progress: Callable[[Progress], None] | None = None
    _cancelled: threading.Event = field(default_factory=threading.Event)
    network: NetworkTime = field(default_factory=NetworkTime)

    def cancel(self) -> None:
        """Ask the job to end; it does at its next ``check``, after the tile that is running."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise ``JobCancelled`` once ``cancel`` was called."""
        if self._cancelled.is_set():
            raise JobCancelled("Cancelled; nothing was written.")

    def turn(self, width: int) -> AbstractContextManager[None]:
        """Held while a window is in a network that runs ``width`` of them at a time. One job alone never waits."""
        return self.network.running()

    def report(self, progress: Progress) -> None:
        """Tell the listener, where there is one."""
        if self.on_progress is not None:
            self.on_progress(progress)

    def part(self, start: float, end: float) -> JobControl:
        """A control for one stage of the job: the same cancelling and turns, its progress mapped to start..end."""
        return _StageControl(self, start, end)

    def one_of(self, index: int, count: int, started: float) -> JobControl:
        """A control for one of ``count`` equal parts: its progress and time left are those of all of them.

        Args:
            index: from 0.
            started: ``time.monotonic()`` when the first part began.
        """
        return _PartControl(self, index, count, started)

    def page(self, index: int, count: int, started: float) -> JobControl:
        """As ``one_of``, for a document: its progress counts pages, and moves within them."""
        return _PageControl(self, index, count, started)


class _StageControl(JobControl):
    def __init__(self, whole: JobControl, start: float, end: float) -> None:
        super().__init__(None, whole._cancelled, whole.network)
        self._whole, self._start, self._end = whole, start, end

    def check(self) -> None:
        self._whole.check()

    def turn(self, width: int) -> AbstractContextManager[None]:
        return self._whole.turn(width)

    def report(self, progress: Progress) -> None:
        fraction = self._start + (self._end - self._start) * progress.fraction
        self._whole.report(replace(progress, fraction=fraction))


class _PartControl(_StageControl):
    def __init__(self, whole: JobControl, index: int, count: int, started: float) -> None:
        super().__init__(whole, index / count, (index + 1) / count)
        self._index, self._count, self._started = index, count, started

    def report(self, progress: Progress) -> None:
        done, total = self._index * progress.total + progress.done, self._count * progress.total
        share = (self._index + progress.fraction) / self._count
        eta = (time.monotonic() - self._started) * (1 - share) / share if share > 0 else None
        self._whole.report(replace(progress, done=done, total=total, fraction=share, eta_seconds=eta))


class _PageControl(_PartControl):
    def report(self, progress: Progress) -> None:
        share = (self._index + progress.fraction) / self._count
        eta = (time.monotonic() - self._started) * (1 - share) / share if share > 0 else None
        done = self._index + (progress.fraction >= 1)
        self._whole.report(Progress("Pages", done, self._count, share, eta))


__all__ = ["STARTING", "WAITING", "JobControl", "Progress"]
