"""Waiting for a state, however long a busy machine takes to come to it."""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 200.0
"""Seconds after which something is taken never to happen; longer than any machine needs for it."""


def until(happened: Callable[[], object], seconds: float = LONG) -> None:
    """Ask again and again; fails where it does not happen."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)
