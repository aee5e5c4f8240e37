"""Every job of the running program in one list, wherever it came from and whichever queue it waits in.

Whoever starts a job (the interface, a batch, the REST API) adds it; it leaves the list by itself when it ends. A
person acts on their own jobs; who may act on all of them is decided at the edges.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from utils.errors import JobAccessError, JobNotFoundError, JobNotWaitingError

T = TypeVar("T")


class JobKind(StrEnum):
    """What a listed job does."""

    PICTURE = "picture"
    PART = "part"
    BATCH = "batch"
    VIDEO = "video"
    FRAME = "frame"
    BENCHMARK = "benchmark"
    DOWNLOAD = "download"


class QueueState(StrEnum):
    """Where a listed job is; one that has ended leaves the list."""

    QUEUED = "queued"
    WAITING = "waiting"
    """It is its turn, and all workers are busy: its place in their queue is not its owner's to change."""
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    """Cancelled, and finishing the tile that is in the network."""


class MoveTo(StrEnum):
    """Where a waiting job goes: one place up, or to the front of its queue."""

    UP = "up"
    FRONT = "front"


@dataclass(frozen=True)
class JobView:
    """A job at one moment.

    Attributes:
        position: place in its queue, 1 = next; 0 where it does not wait.
        fraction: 0..1.
        eta_seconds: None until it can be estimated.
        started: seconds since 1970; None before it began.
    """

    state: QueueState
    position: int = 0
    fraction: float = 0.0
    eta_seconds: float | None = None
    started: float | None = None


class ManagedJob(Protocol):
    """What the list asks of a job. All methods may be called from any thread, and are quick."""

    @property
    def kind(self) -> JobKind:
        """What it does."""

    @property
    def owner(self) -> str:
        """Whose it is: a browser's key, or ``API_OWNER``."""

    @property
    def name(self) -> str:
        """File name, for its owner's eyes alone; "" where there is none."""

    @property
    def created(self) -> float:
        """When it was asked for, in seconds since 1970."""

    def view(self) -> JobView | None:
        """The job now; None once it has ended."""

    def cancel(self) -> None:
        """Ask it to end."""

    def move(self, to: MoveTo, *, among_own: bool) -> bool:
        """Change its place; False when it does not wait.

        Args:
            among_own: only the order of its owner's jobs may change, and nobody else's place.
        """


API_OWNER = "api"
"""Owner of all jobs of the REST API."""


@dataclass(frozen=True)
class ListedJob:
    """A line of the list. ``number`` names the job for as long as the program runs."""

    number: int
    kind: JobKind
    owner: str
    name: str
    created: float
    view: JobView


class JobList:
    """The jobs that run or wait. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._jobs: dict[int, ManagedJob] = {}

    def add(self, job: ManagedJob) -> int:
        """Add a job; returns its number."""
        self.jobs()  # forgets those that have ended, where nobody looks
        with self._lock:
            number = next(self._numbers)
            self._jobs[number] = job
            return number

    def jobs(self) -> tuple[ListedJob, ...]:
        """All that run or wait: first what runs, then what waits by its place, the oldest first among equals."""
        with self._lock:
            known = list(self._jobs.items())
        found = [(number, job, job.view()) for number, job in known]
        with self._lock:
            for number, _, view in found:
                if view is None:
                    self._jobs.pop(number, None)
        lines = [
            ListedJob(number, job.kind, job.owner, job.name, job.created, view)
            for number, job, view in found
            if view is not None
        ]
        return tuple(sorted(lines, key=lambda line: (line.view.position, line.number)))

    def cancel(self, number: int, owner: str | None) -> None:
        """Ask a job to end.

        Args:
            owner: who asks; None = somebody who may act on all jobs.

        Raises:
            JobNotFoundError: there is none of that number, or it has ended.
            JobAccessError: it is another's.
        """
        self._of(number, owner).cancel()

    def move(self, number: int, to: MoveTo, owner: str | None) -> None:
        """Move a waiting job; an owner's own only before other jobs of the same owner.

        Raises:
            JobNotFoundError, JobAccessError: as ``cancel``.
            JobNotWaitingError: it runs already.
        """
        if not self._of(number, owner).move(to, among_own=owner is not None):
            raise JobNotWaitingError(f"Job {number} does not wait any more, so its place cannot be changed.")

    def _of(self, number: int, owner: str | None) -> ManagedJob:
        with self._lock:
            job = self._jobs.get(number)
        if job is None or job.view() is None:
            raise JobNotFoundError(f"There is no job {number} (any more).")
        if owner is not None and job.owner != owner:
            raise JobAccessError(f"Job {number} is another person's.")
        return job


def moved(order: Sequence[T], one: T, to: MoveTo) -> list[T]:
    """The order with ``one``, which is in it, moved."""
    order = list(order)
    index = order.index(one)
    target = 0 if to is MoveTo.FRONT else max(0, index - 1)
    return [*order[:target], one, *order[target:index], *order[index + 1 :]]


__all__ = [
    "API_OWNER",
    "JobKind",
    "JobList",
    "JobView",
    "ManagedJob",
    "MoveTo",
    "QueueState",
    "ListedJob",
    "moved",
]
