"""What is counted while a video is enhanced: what happened to frames, and how fast they come."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field


@dataclass
class Counts:
    """What happened to frames."""

    duplicates: int = 0
    fallbacks: int = 0
    repaired: int = 0


@dataclass
class Speedometer:
    """Frames a second, lately and altogether."""

    started: float | None = None
    frames: int = 0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=31))

    def tick(self) -> None:
        """Count a frame that is done now."""
        now = time.perf_counter()
        self._recent.append(now)
        self.frames += 1

    def begin(self) -> None:
        """The first frame is about to be enhanced: time counts from here."""
        self.started = time.perf_counter()
        self._recent.append(self.started)

    @property
    def seconds(self) -> float:
        """Since ``begin``; 0 before."""
        return 0.0 if self.started is None else time.perf_counter() - self.started

    @property
    def lately(self) -> float | None:
        """Frames a second over the last 30, or None while there are too few."""
        if len(self._recent) < 2 or self._recent[-1] <= self._recent[0]:
            return None
        return (len(self._recent) - 1) / (self._recent[-1] - self._recent[0])

    @property
    def average(self) -> float:
        """Frames a second since ``begin``."""
        return self.frames / self.seconds if self.seconds else 0.0


__all__ = ["Counts", "Speedometer"]
