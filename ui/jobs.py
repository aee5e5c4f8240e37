"""Jobs of the interface: they wait for their turn, run in a thread, and are watched by the windows that show them.

A job outlives a refresh of its page: the new page watches it again. One that nobody watches for a while is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.jobs.job_list import JobKind, JobView, MoveTo, QueueState
from engine.types import JobControl, Progress
from ui.fair_queue import FairQueue
from utils.errors import EngineError, JobCancelled

logger = logging.getLogger(__name__)

T = TypeVar("T")
_TICK = 0.1
ABANDONED_AFTER = 60.0
"""Seconds without a watcher after which a job is cancelled."""


@dataclass(frozen=True)
class Step:
    """What is known about a job at one moment. ``position``: 0 = runs, 1 = next in the queue, first in that of its tab,
    then in that of the workers."""

    position: int = 0
    progress: Progress | None = None


class UiJob(Generic[T]):
    """One long piece of work of a tab.

    Args:
        work: called in a thread of its own with the job's ``JobControl``; raises ``EngineError``.
        owner: whose turn it takes.
        kind, name: what the list of all jobs says of it.
        needs_watcher: cancel it when nobody has watched it for a while.
        at_end: called when the job is over, however it ended, also when it never began.

    Raises:
        QueueFullError: too many wait already.
    """

    def __init__(
        self,
        work: Callable[[JobControl], T],
        queue: FairQueue,
        owner: str,
        *,
        kind: JobKind,
        name: str = "",
        needs_watcher: bool = True,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        self.control = JobControl(on_progress=self._note)
        self._work, self._queue, self._needs_watcher = work, queue, needs_watcher
        self._at_end = at_end or (lambda: None)
        self.kind, self.owner, self.name, self.created = kind, owner, name, time.time()
        self._started: float | None = None
        self.number = 0
        """In the list of all jobs."""
        self._turn = queue.enter(owner)
        self._progress: Progress | None = None
        self._value: T | None = None
        self._error: BaseException | None = None
        self._finished = threading.Event()
        self._watchers = 0
        self._alone_since = time.monotonic()
        threading.Thread(target=self._run, name=f"ui-job-{self._turn.number}", daemon=True).start()

    @property
    def finished(self) -> bool:
        return self._finished.is_set()

    @property
    def step(self) -> Step:
        if self.finished:
            return Step(0, self._progress)
        waiting = self._progress.waiting if self._progress is not None else 0
        return Step(self._turn.position or waiting, self._progress)

    def cancel(self) -> None:
        self.control.cancel()

    def view(self) -> JobView | None:
        """As ``engine.jobs.job_list.ManagedJob`` asks; one that was cancelled and has not begun is gone at once."""
        step = self.step
        if self.finished or (self.control.cancelled and self._started is None):
            return None
        if self._turn.position or self._started is None:
            return JobView(QueueState.QUEUED, max(1, self._turn.position))
        if step.position:
            return JobView(QueueState.WAITING, step.position)
        progress = step.progress
        fraction, eta = (progress.fraction, progress.eta_seconds) if progress is not None else (0.0, None)
        if self.control.cancelled:
            return JobView(QueueState.STOPPING, 0, fraction, None, self._started)
        return JobView(QueueState.RUNNING, 0, fraction, eta, self._started)

    def move(self, to: MoveTo, *, among_own: bool) -> bool:
        """Run it earlier; False when it does not wait."""
        return self._queue.move(self._turn, to, among_own=among_own)

    def join(self, timeout: float) -> bool:
        """Wait for the end; False when it has not come in time."""
        return self._finished.wait(timeout)

    def result(self) -> T:
        """What ``work`` gave, or raises what it raised; waits for the end."""
        self._finished.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    async def watch(self) -> AsyncIterator[Step]:
        """Every change, until the job has finished."""
        self._watchers += 1
        shown: Step | None = None
        try:
            while not self.finished:
                step = self.step
                if step != shown:
                    shown = step
                    yield step
                await asyncio.sleep(_TICK)
        finally:
            self._watchers -= 1
            self._alone_since = time.monotonic()

    def _run(self) -> None:
        try:
            if not self._queue.wait(self._turn, self._should_stop):
                raise JobCancelled("Cancelled before it began.")
            self.control.check()
            self._started = time.time()
            self._value = self._work(self.control)
        except EngineError as error:
            self._error = error
        except Exception as error:
            logger.exception("A job of the interface failed")
            self._error = EngineError(f"An unforeseen fault: {error}. The log has the details.")
        finally:
            # The next one begins when all of this one is over: nothing that is shown holds both.
            try:
                self._at_end()
            finally:
                self._turn.leave()
                self._finished.set()

    def _note(self, progress: Progress) -> None:
        self._progress = progress
        self._should_stop()

    def _should_stop(self) -> bool:
        alone = self._needs_watcher and not self._watchers
        if alone and time.monotonic() - self._alone_since > ABANDONED_AFTER:
            self.cancel()
        return self.control.cancelled
