"""Uploads that a long job keeps for itself: Gradio removes its own after a day, and a film may wait or run longer."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from pathlib import Path

from filelock import FileLock, Timeout

from utils.errors import InvalidVideoError, OutputError

_FOLDER = "video-input"


class KeptUpload:
    """One upload, linked or copied into a folder of its own below ``folder``, until ``release``.

    It is locked until then, so that ``sweep_kept`` leaves it alone, and whatever ends the program unlocks it.

    Raises ``InvalidVideoError`` where the upload is gone, ``OutputError`` where there is no room for it.
    """

    def __init__(self, upload: Path, folder: Path) -> None:
        self.path = folder / _FOLDER / secrets.token_hex(8) / upload.name
        self.path.parent.mkdir(parents=True)
        # Released by another thread than the one that took it.
        self._lock = FileLock(_lock_of(self.path.parent), thread_local=False)
        self._lock.acquire(timeout=0)
        try:
            self._take(upload)
        except BaseException:
            self.release()
            raise

    def _take(self, upload: Path) -> None:
        try:
            os.link(upload, self.path)
        except OSError:
            try:
                shutil.copyfile(upload, self.path)
            except FileNotFoundError as error:
                raise InvalidVideoError(
                    f"'{upload.name}' is not here any more: uploads are kept for a day. Choose the file again."
                ) from error
            except OSError as error:
                raise OutputError(f"'{upload.name}' cannot be kept: {error.strerror or error}.") from error

    def release(self) -> None:
        """The job needs it no more."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        self._lock.release()
        _lock_of(self.path.parent).unlink(missing_ok=True)


def sweep_kept(root: Path, keep_seconds: float) -> int:
    """Remove what a program that was killed left in any browser's folder, once it is older than that.

    Returns how many uploads went.
    """
    oldest, removed = time.time() - keep_seconds, 0
    for place in root.glob(f"session-*/{_FOLDER}/*"):
        try:
            if not place.is_dir() or place.stat().st_mtime > oldest:
                continue
            with FileLock(_lock_of(place), timeout=0):
                shutil.rmtree(place, ignore_errors=True)
        except (Timeout, OSError):
            continue
        _lock_of(place).unlink(missing_ok=True)
        removed += 1
    return removed


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


__all__ = ["KeptUpload", "sweep_kept"]
