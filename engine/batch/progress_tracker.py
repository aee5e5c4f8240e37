"""The statuses of a batch's pictures, and what they add up to."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from engine.batch.status import BatchProgress, ItemState, ItemStatus

_ENDED = (ItemState.FAILED, ItemState.SKIPPED, ItemState.CANCELLED)


class ProgressTracker:
    """Holds every picture's last status and tells of changes, one call at a time. Thread-safe.

    Args:
        on_item, on_progress: listeners; called from the batch's threads.
    """

    def __init__(
        self,
        on_item: Callable[[ItemStatus], None] | None = None,
        on_progress: Callable[[BatchProgress], None] | None = None,
    ) -> None:
        self._on_item, self._on_progress = on_item, on_progress
        self._lock = threading.Lock()
        self._statuses: dict[int, ItemStatus] = {}
        self._work: dict[int, float] = {}
        self._states: Counter[ItemState] = Counter()
        self._done_work = self._left_work = 0.0
        self._started = time.monotonic()

    def add(self, status: ItemStatus, work: float) -> None:
        """A picture that waits; ``work`` is its share of the whole, in any unit. Known ones are left as they are."""
        with self._lock:
            if status.number not in self._statuses:
                self._work[status.number] = work
                self._put(status)

    def tell(self, status: ItemStatus) -> None:
        """A picture's new status."""
        with self._lock:
            self._take(self._statuses[status.number])
            self._put(status)
            if self._on_item is not None:
                self._on_item(status)
            if self._on_progress is not None:
                self._on_progress(self._progress())

    @property
    def statuses(self) -> tuple[ItemStatus, ...]:
        """In the order of the plan."""
        with self._lock:
            return tuple(self._statuses[number] for number in sorted(self._statuses))

    @property
    def seconds(self) -> float:
        """Since the batch began."""
        return time.monotonic() - self._started

    def _put(self, status: ItemStatus) -> None:
        self._statuses[status.number] = status
        self._count(status, 1)

    def _take(self, status: ItemStatus) -> None:
        self._count(status, -1)

    def _count(self, status: ItemStatus, sign: int) -> None:
        self._states[status.state] += sign
        if status.state not in _ENDED:  # what failed or was skipped says nothing about the time to come
            work = self._work[status.number]
            self._done_work += sign * work * status.fraction
            self._left_work += sign * work * (1 - status.fraction)

    def _progress(self) -> BatchProgress:
        done, left = max(0.0, self._done_work), max(0.0, self._left_work)
        elapsed = self.seconds
        return BatchProgress(
            done=self._states[ItemState.DONE],
            failed=self._states[ItemState.FAILED],
            skipped=self._states[ItemState.SKIPPED],
            total=len(self._statuses),
            fraction=done / (done + left) if done + left > 0 else 1.0,
            elapsed_seconds=elapsed,
            eta_seconds=elapsed / done * left if done > 0 else None,
        )
