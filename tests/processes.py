"""Other processes, as tests look at them."""

from __future__ import annotations

import psutil


def is_alive(pid: int) -> bool:
    """Whether it runs: one that has ended and that nobody has asked for its exit code does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
