"""Whose job runs next: a bounded, fair queue over the people who use the interface at the same time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.jobs.job_list import MoveTo, moved
from utils.errors import QueueFullError


@dataclass(eq=False)
class Turn:
    """A place in the queue. Leave it when the job is over, or use it as a context manager.

    ``number`` orders the turns of one owner; moving one exchanges them.
    """

    owner: str
    number: int
    _queue: FairQueue = field(repr=False)

    @property
    def position(self) -> int:
        """0 = it may run now, 1 = next, and so on."""
        return self._queue.position(self)

    def leave(self) -> None:
        self._queue.leave(self)

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


class FairQueue:
    """Lets ``running`` jobs run at a time. Of those that wait, the one whose owner was served longest ago is next.

    So nobody waits behind another's ten jobs with one of their own. Thread-safe.
    """

    def __init__(self, running: int = 1, waiting: int = 32) -> None:
        self._most_running, self._most_waiting = running, waiting
        self._running: list[Turn] = []
        self._waiting: list[Turn] = []
        self._fixed: list[Turn] = []  # waiting ones that somebody put first, in this order
        self._served: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()

    def enter(self, owner: str) -> Turn:
        """Queue up. Raises ``QueueFullError`` when as many jobs wait as may wait."""
        with self._changed:
            if len(self._waiting) >= self._most_waiting:
                raise QueueFullError(f"{len(self._waiting)} jobs are waiting already. Try again in a moment.")
            turn = Turn(owner, next(self._numbers), self)
            self._waiting.append(turn)
            self._advance()
            return turn

    def wait(self, turn: Turn, stop: Callable[[], bool], seconds: float = 0.2) -> bool:
        """Block until ``turn`` may run (True), or until ``stop()`` says so (False)."""
        with self._changed:
            while turn not in self._running:
                if stop():
                    return False
                self._changed.wait(seconds)
            return True

    def position(self, turn: Turn) -> int:
        """0 = it may run now, or has left; 1 = next, and so on."""
        with self._changed:
            return 1 + self._order().index(turn) if turn in self._waiting else 0

    def move(self, turn: Turn, to: MoveTo, *, among_own: bool) -> bool:
        """Serve a waiting turn earlier; False when it does not wait.

        Args:
            among_own: exchange places with turns of the same owner alone, so that everybody else keeps theirs. Else the
                turn goes before others, and those that it leaves ahead of itself stay ahead, whoever comes.
        """
        with self._changed:
            if turn not in self._waiting:
                return False
            order = self._order()
            if among_own:
                own = [one for one in order if one.owner == turn.owner]
                wanted = moved(own, turn, to)
                places = [index for index, one in enumerate(self._fixed) if one.owner == turn.owner]
                for index, one in zip(places, wanted, strict=False):
                    self._fixed[index] = one
                for one, number in zip(wanted, sorted(one.number for one in own), strict=True):
                    one.number = number
            else:
                wanted = moved(order, turn, to)
                kept = len(self._fixed) + (turn not in self._fixed)
                self._fixed = wanted[: max(kept, 1 + wanted.index(turn))]
            return True

    def leave(self, turn: Turn) -> None:
        """Give the place up; doing so twice is fine."""
        with self._changed:
            for places in (self._running, self._waiting, self._fixed):
                if turn in places:
                    places.remove(turn)
            self._advance()

    def _order(self) -> list[Turn]:
        """Those who wait, in the order in which they would be served."""
        served, order = dict(self._served), list(self._fixed)
        left = [turn for turn in self._waiting if turn not in order]
        clock = itertools.count(max(served.values(), default=0) + 1)
        for turn in order:
            served[turn.owner] = next(clock)
        while left:
            turn = min(left, key=lambda one: (served.get(one.owner, 0), one.number))
            left.remove(turn)
            served[turn.owner] = next(clock)
            order.append(turn)
        return order

    def _advance(self) -> None:
        while self._waiting and len(self._running) < self._most_running:
            turn = self._order()[0]
            self._waiting.remove(turn)
            if turn in self._fixed:
                self._fixed.remove(turn)
            self._running.append(turn)
            self._served[turn.owner] = max(self._served.values(), default=0) + 1
        if not self._waiting and not self._running:
            self._served.clear()  # nobody is behind anybody
        self._changed.notify_all()
