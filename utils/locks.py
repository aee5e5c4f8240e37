"""Whether a file lock is held, asked so that those who ask at the same time do not take each other for its holder."""

from __future__ import annotations

from pathlib import Path

QUESTION_SECONDS = 1.0
"""For how long whoever takes a lock that others ask about should try: a question holds it for an instant."""


def is_held(path: Path) -> bool:
    """Whether a ``FileLock`` of any process or thread is held; False where its file is not there."""
    try:
        import fcntl
    except ImportError:  # Windows knows no shared lock; a question in the way of another one is soon over
        return _refused(path)
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # closing the file lets go of it
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def _refused(path: Path) -> bool:
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=QUESTION_SECONDS, poll_interval=0.01):
            return False
    except Timeout:
        return True
    except OSError:
        return False
