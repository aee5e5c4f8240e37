"""Pausing, resuming and cancelling a run of many pictures or frames."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from engine.jobs.network_queue import NetworkQueue
from engine.types import JobControl, Progress


@dataclass
class BatchControl(JobControl):
    """A ``JobControl`` that can also pause: ``check`` then waits, so work stops within one tile. Thread-safe.

    Attributes:
        network_queue: shared by all pictures of a batch.
        rank: place in the queue for the network; lower goes first.
    """

    network_queue: NetworkQueue = field(default_factory=NetworkQueue)
    rank: int = 0
    _running: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._running.set()

    @classmethod
    def cancelled_with(cls, control: JobControl) -> BatchControl:
        """A control of one's own that is cancelled (and paused, where that is possible) together with another."""
        return control.child(None) if isinstance(control, BatchControl) else cls(None, control._cancelled)

    def pause(self) -> None:
        """Stop everything at its next ``check``, until ``resume``."""
        self._running.clear()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether ``pause`` was called last."""
        return not self._running.is_set()

    def cancel(self) -> None:
        """As ``JobControl.cancel``; ends a pause."""
        super().cancel()
        self._running.set()  # whoever waits must wake up to see it

    def check(self) -> None:
        """Wait while paused, then as ``JobControl.check``."""
        self._running.wait()
        super().check()

    def turn(self, width: int) -> AbstractContextManager[None]:
        """Held while a window is in the network; waits for those of a lower rank."""
        return self.network_queue.turn(self.rank, width, self.network)

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until ``cancel``."""
        self._cancelled.wait(seconds)

    def child(self, on_progress: Callable[[Progress], None] | None, rank: int = 0) -> BatchControl:
        """A control with a listener and a rank of its own that pauses and cancels together with this one."""
        made = BatchControl(on_progress, self._cancelled, network_queue=self.network_queue, rank=rank)
        made._running = self._running
        return made
