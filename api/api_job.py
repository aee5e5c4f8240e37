"""A job of the REST API as the list of all jobs sees it."""

from __future__ import annotations

from typing import Protocol

from api.films import FilmHandle
from engine.jobs.job import JobHandle, JobState
from engine.jobs.job_list import API_OWNER, JobKind, JobView, MoveTo, QueueState


class Queue(Protocol):
    """Where jobs wait: the executor, or the queue of films."""

    def position(self, handle: JobHandle) -> int:
        """Its place among those that wait: 1 = next, 0 = it does not wait."""

    def move(self, handle: JobHandle, to: MoveTo) -> bool:
        """Run a waiting job before others; False when it does not wait."""


class ApiJob:
    """See ``engine.jobs.job_list.ManagedJob``. Its number there is not the job's id: who knows that has the result."""

    owner = API_OWNER

    def __init__(self, handle: JobHandle, queue: Queue) -> None:
        self._handle, self._queue = handle, queue
        self.kind = JobKind.VIDEO if isinstance(handle, FilmHandle) else JobKind.PICTURE
        self.name = handle.job.input_path.name
        self.created = handle.job.created

    def view(self) -> JobView | None:
        """The job now; None once it has ended."""
        status = self._handle.status
        if status.state.final:
            return None
        if status.state is JobState.QUEUED:
            return JobView(QueueState.QUEUED, max(1, self._queue.position(self._handle)))
        fraction = status.progress.fraction if status.progress is not None else 0.0
        if self._handle.control.cancelled:
            return JobView(QueueState.STOPPING, 0, fraction, None, status.started)
        eta = status.progress.eta_seconds if status.progress is not None else None
        return JobView(QueueState.RUNNING, 0, fraction, eta, status.started)

    def cancel(self) -> None:
        """At once while it waits, else after the tile that is running."""
        self._handle.cancel()

    def move(self, to: MoveTo, *, among_own: bool) -> bool:
        """Run it earlier. All of the API's jobs are one owner's, so ``among_own`` is of no use to anybody and refused
        by the routes."""
        return self._queue.move(self._handle, to)


__all__ = ["ApiJob"]
