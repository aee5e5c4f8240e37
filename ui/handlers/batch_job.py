"""A batch as the list of all jobs sees it."""

from __future__ import annotations

import time

from engine.batch import BackgroundBatch, Phase
from engine.jobs.job_list import JobKind, JobView, MoveTo, QueueState
from utils.names import as_text


class BatchJob:
    """One browser's batch, see ``engine.jobs.job_list.ManagedJob``.

    Args:
        owner: the browser's key.
    """

    kind = JobKind.BATCH

    def __init__(self, batch: BackgroundBatch, owner: str) -> None:
        self._batch, self.owner = batch, owner
        first, *others = [as_text(path.name) for path in batch.request.inputs]
        self.name = f"{first} +{len(others)}" if others else first
        self.created = time.time()

    def view(self) -> JobView | None:
        """The batch now; None once it has ended."""
        batch, began = self._batch.snapshot(with_items=False), self._batch.began
        if not batch.active:
            return None
        if batch.phase is Phase.WAITING:
            return None if self._batch.cancelled else JobView(QueueState.QUEUED, max(1, batch.ahead))
        fraction, eta = 0.0, None
        if batch.progress is not None:
            fraction, eta = batch.progress.fraction, batch.progress.eta_seconds
        if self._batch.cancelled:
            return JobView(QueueState.STOPPING, 0, fraction, None, began)
        if batch.phase is Phase.PAUSED:
            return JobView(QueueState.PAUSED, 0, fraction, None, began)
        return JobView(QueueState.RUNNING, 0, fraction, eta, began)

    def cancel(self) -> None:
        """What is done stays."""
        self._batch.cancel()

    def move(self, to: MoveTo, *, among_own: bool) -> bool:
        """Begin before other people's batches; a browser has one batch, so among its own there is nothing to move."""
        if among_own:
            view = self.view()
            return view is not None and view.state is QueueState.QUEUED
        return self._batch.move(to)


__all__ = ["BatchJob"]
