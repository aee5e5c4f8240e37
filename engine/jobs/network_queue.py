"""Whose window goes through the network next, when several pictures or frames are in flight; and for how long."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.1


class NetworkTime:
    """Seconds in which at least one window of a picture was in a network. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._since = 0.0
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """Counted up to the last window that has left."""
        with self._lock:
            return self._seconds

    def add(self, seconds: float) -> None:
        """Count some more."""
        with self._lock:
            self._seconds += seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Held while a window is in the network, where nobody else's windows are counted with it."""
        with self._lock:
            if not self._running:
                self._since = time.monotonic()
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    self._seconds += time.monotonic() - self._since


class NetworkQueue:
    """Lets the earliest picture go first; later ones fill the time in which it is decoded, blended or encoded.

    Without an order equal pictures would run in step: all of them decoding, then all of them in the network.
    Thread-safe.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._tickets = itertools.count()
        self._ranks = itertools.count(1)
        self._running: list[tuple[int, int, NetworkTime]] = []
        self._since = 0.0
        self._busy = 0.0

    def next_rank(self) -> int:
        """A rank behind all that were given before: whoever begins first goes first, of several batches too."""
        return next(self._ranks)

    @property
    def busy_seconds(self) -> float:
        """Time in which at least one window was in the network."""
        with self._changed:
            self._count()
            return self._busy

    @contextmanager
    def turn(
        self, rank: int, width: int, its: NetworkTime | None = None, check: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Wait for a place among the ``width`` windows that may run at a time; the lowest rank gets it first.

        Args:
            its: where the time is counted. While windows of several pictures run, only the first one's is.
            check: called now and then while waiting; what it raises ends the waiting.
        """
        number = next(self._tickets)
        ticket = (rank, number)
        entry = (rank, number, its or NetworkTime())
        with self._changed:
            heapq.heappush(self._waiting, ticket)
            try:
                while not (len(self._running) < width and self._waiting[0] == ticket):
                    self._changed.wait(_LOOK_SECONDS if check else None)
                    if check is not None:
                        check()
            except BaseException:
                self._waiting.remove(ticket)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
                raise
            heapq.heappop(self._waiting)
            self._count()
            self._running.append(entry)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._count()
                self._running.remove(entry)
                self._changed.notify_all()

    def _count(self) -> None:
        """Add the time since the last change."""
        now = time.monotonic()
        if self._running:
            self._busy += now - self._since
            min(self._running, key=lambda entry: entry[:2])[2].add(now - self._since)
        self._since = now
