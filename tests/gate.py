"""A gate in the network: a test says how many windows may go through, and the others wait, in whatever process.

What has to happen in the middle of a picture then does, however quick the machine is. ``python tests/gate.py`` is
``main.py`` with the gate in it, in its worker processes as well. The two sides meet in a folder: a file "closed", a file
for each window that may still pass, and one for each that waits.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PROGRAM = Path(__file__).resolve()
FOLDER = "TEST_GATE"
"""The environment variable that tells the program where its gate's folder is."""
_LOOK_SECONDS = 0.02
_GIVE_UP_SECONDS = 180.0


class Gate:
    """The test's side; open at first.

    Args:
        folder: of the gate alone; made here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """What the program has to find in its environment."""
        return {FOLDER: str(self.folder)}

    def close(self, after: int = 0) -> None:
        """Let ``after`` more windows through, and no others.

        A small picture is one window. The first windows of a larger one come to the gate two or three at a time, in no
        certain order.
        """
        for mark in self.folder.glob("waits-*"):
            mark.unlink(missing_ok=True)  # of a program that was killed; who still waits marks it again
        for number in range(after):
            (self.folder / f"pass-{number}").touch()
        (self.folder / "closed").touch()

    def open(self) -> None:
        """Let all of them through."""
        (self.folder / "closed").unlink(missing_ok=True)
        for ticket in self.folder.glob("pass-*"):
            ticket.unlink(missing_ok=True)

    def wait_for_windows(self, count: int = 1) -> None:
        """Until that many windows stand at the closed gate: the program is inside a picture, and stays there."""
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while len(list(self.folder.glob("waits-*"))) < count:
            assert time.monotonic() < deadline, f"{count} windows never came to the gate"
            time.sleep(_LOOK_SECONDS)


def _take_one(folder: Path) -> bool:
    for ticket in folder.glob("pass-*"):
        try:
            ticket.unlink()
        except FileNotFoundError:  # another window was quicker
            continue
        return True
    return False


class _Passage:
    """The program's side: the windows of one process, of which the one that came first passes first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._waiting: set[int] = set()
        self._lock = threading.Lock()

    def pass_through(self, check: Callable[[], None]) -> None:
        """Wait until the gate is open, or a place is free; ``check`` raises where the job is cancelled."""
        with self._lock:
            number = next(self._numbers)
            self._waiting.add(number)
        mark = self._folder / f"waits-{os.getpid()}-{number}"
        try:
            check()
            while (self._folder / "closed").exists() and not self._may_pass(number):
                mark.touch()
                time.sleep(_LOOK_SECONDS)
                check()
        finally:
            with self._lock:
                self._waiting.discard(number)
            mark.unlink(missing_ok=True)

    def _may_pass(self, number: int) -> bool:
        with self._lock:
            return number == min(self._waiting) and _take_one(self._folder)


def gated(run: Callable[[Any, Any], Any], folder: Path) -> Callable[[Any, Any], Any]:
    """``Upscaler._through_network`` behind the gate of that folder: who waits has the network's turn, as in a slow one."""
    passage = _Passage(folder)

    def run_gated(self: Any, window: Any) -> Any:
        passage.pass_through(self._control.check)
        return run(self, window)

    return run_gated


def install() -> None:
    """Put the gate into every network of this process, for good."""
    from engine.imaging.upscaler import Upscaler

    Upscaler._through_network = gated(Upscaler._through_network, Path(os.environ[FOLDER]))  # type: ignore


if __name__ in ("__main__", "__mp_main__"):  # the latter is what a worker process makes of the program that began it
    sys.path.insert(0, str(REPOSITORY))
    install()

if __name__ == "__main__":
    from cli.app import main

    raise SystemExit(main())
