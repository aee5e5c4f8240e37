"""Whose window goes through the network next, when several pictures or frames are in flight."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class NetworkTurns:
    """Lets the earliest picture go first; later ones fill the time in which it is decoded, blended or encoded.

    Without an order equal pictures would run in step: all of them decoding, then all of them in the network.
    Thread-safe.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._tickets = itertools.count()
        self._ranks = itertools.count(1)
        self._running = 0
        self._busy_since = 0.0
        self._busy = 0.0

    def next_rank(self) -> int:
        """A rank behind all that were given before: whoever begins first goes first, of several batches too."""
        return next(self._ranks)

    @property
    def busy_seconds(self) -> float:
        """Time in which at least one window was in the network."""
        with self._changed:
            return self._busy + (time.monotonic() - self._busy_since if self._running else 0.0)

    @contextmanager
    def turn(self, rank: int, width: int) -> Iterator[None]:
        """Wait for a place among the ``width`` windows that may run at a time; the lowest rank gets it first."""
        ticket = (rank, next(self._tickets))
        with self._changed:
            heapq.heappush(self._waiting, ticket)
            self._changed.wait_for(lambda: self._running < width and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            if not self._running:
                self._busy_since = time.monotonic()
            self._running += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                if not self._running:
                    self._busy += time.monotonic() - self._busy_since
                self._changed.notify_all()
