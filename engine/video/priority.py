"""Keeps an encoder from making this program's threads real-time ones.

SVT-AV1 gives its threads, and the thread that opens it, the real-time policy SCHED_FIFO at the highest priority where
it may (as root, so in most containers). Such threads stop everything else on the machine, and child processes inherit
it: a browser or a worker started later would starve the very server that it waits for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def ordinary_priority() -> Iterator[None]:
    """Threads that became real-time inside are ordinary again afterwards; those that were before stay as they are."""
    if not hasattr(os, "sched_setscheduler"):  # not Linux
        yield
        return
    before = _real_time_threads()
    try:
        yield
    finally:
        for thread in _real_time_threads() - before:
            with suppress(OSError):  # it has ended, or we may not
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _real_time_threads() -> set[int]:
    found = set()
    for name in os.listdir("/proc/self/task"):
        try:
            if os.sched_getscheduler(int(name)) in (os.SCHED_FIFO, os.SCHED_RR):
                found.add(int(name))
        except OSError:
            continue
    return found
