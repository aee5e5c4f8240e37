"""What every queue of jobs answers about those that wait."""

from __future__ import annotations

import threading
from collections import deque

from engine.jobs.job import JobHandle
from engine.jobs.job_list import MoveTo, moved


class JobQueue:
    """Jobs in the order in which they will run; ``_changed`` guards them. Any thread may call any method."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[JobHandle] = deque()

    def position(self, handle: JobHandle) -> int:
        """A job's place among those that wait: 1 = next, 0 = it does not wait."""
        with self._changed:
            return 1 + self._waiting.index(handle) if handle in self._waiting else 0

    def move(self, handle: JobHandle, to: MoveTo) -> bool:
        """Run a waiting job before others; False when it does not wait."""
        with self._changed:
            if handle not in self._waiting:
                return False
            self._waiting = deque(moved(self._waiting, handle, to))
            return True


__all__ = ["JobQueue"]
