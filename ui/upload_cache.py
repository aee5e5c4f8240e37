"""Uploads that a long job keeps for itself: Gradio removes its own after a day, and a film may wait or run longer."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from engine.video import STALE_SECONDS
from utils.errors import InvalidVideoError, OutputError
from utils.files import last_changed, replaced

_FOLDER = "video-input"
_REQUEST = ".json"


class CachedUpload:
    """One upload in a folder of its own, until ``release``.

    It is locked until then, so that ``sweep_kept`` leaves it alone, and whatever ends the program unlocks it. What is
    to be done with it is written beside it, so that the next start of the program can offer that again.

    Args:
        path: the file there. Use ``keep`` or ``unfinished``.
        request: what is to be done, as JSON.
    """

    def __init__(self, path: Path, lock: FileLock, request: dict[str, Any] | None = None) -> None:
        self.path, self._lock, self.request = path, lock, request or {}

    @classmethod
    def keep(
        cls, upload: Path, folder: Path, request: dict[str, Any] | None = None, pictures: Sequence[Path] = ()
    ) -> CachedUpload:
        """Link or copy an upload below ``folder``; ``pictures`` into a folder there that is called like ``upload``.

        Raises ``InvalidVideoError`` where the upload is gone, ``OutputError`` where there is no room for it.
        """
        place = folder / _FOLDER / secrets.token_hex(8)
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise OutputError(f"'{upload.name}' cannot be kept: {error.strerror or error}.") from error
        made = cls(place / upload.name, _locked(place), request)
        try:
            if pictures:
                made.path.mkdir()
                for picture in pictures:
                    _take(picture, made.path / picture.name)
            else:
                _take(upload, made.path)
            if request is not None:
                with replaced(_request_of(place)) as new:
                    new.write_text(json.dumps(request), "utf-8")
        except BaseException:
            made.release()
            raise
        return made

    def release(self) -> None:
        """The job needs it no more."""
        _request_of(self.path.parent).unlink(missing_ok=True)
        shutil.rmtree(self.path.parent, ignore_errors=True)
        self._lock.release()
        _lock_of(self.path.parent).unlink(missing_ok=True)

    def leave(self) -> None:
        """The job did not come to its end, and is to be offered again."""
        self._lock.release()


def _take(upload: Path, target: Path) -> None:
    """Link or copy one file."""
    try:
        os.link(upload, target)
    except OSError:
        try:
            shutil.copy2(upload, target)  # with its time, which tells pictures apart
        except FileNotFoundError as error:
            raise InvalidVideoError(
                f"'{upload.name}' is not here any more: uploads are kept for a day. Choose the file again."
            ) from error
        except OSError as error:
            raise OutputError(f"'{upload.name}' cannot be kept: {error.strerror or error}.") from error


def unfinished(folder: Path) -> list[CachedUpload]:
    """What was to be done with uploads below a browser's ``folder`` and is done by nobody now, the oldest first.

    Each is locked as a new one is: ``leave`` or ``release`` it.
    """
    found = []
    for record in sorted((folder / _FOLDER).glob(f"*{_REQUEST}"), key=last_changed):
        place = record.with_name(record.name.removesuffix(_REQUEST))
        try:
            lock = _locked(place)
        except (Timeout, OSError):
            continue
        try:
            request = json.loads(record.read_text("utf-8"))
            (path,) = place.iterdir()
        except (OSError, ValueError):
            lock.release()
            continue
        found.append(CachedUpload(path, lock, request if isinstance(request, dict) else {}))
    return found


def sweep_kept(root: Path, keep_seconds: float) -> int:
    """Remove what a program that was killed left in any browser's folder, once it is older than that; what is offered
    again stays for a week, as long as the film's finished parts. Returns how many uploads went.
    """
    oldest, removed = time.time() - keep_seconds, 0
    offered = time.time() - max(keep_seconds, STALE_SECONDS)
    for place in root.glob(f"session-*/{_FOLDER}/*"):
        try:
            limit = offered if _request_of(place).exists() else oldest
            if not place.is_dir() or place.stat().st_mtime > limit:
                continue
            with FileLock(_lock_of(place), timeout=0):
                shutil.rmtree(place, ignore_errors=True)
        except (Timeout, OSError):
            continue
        _lock_of(place).unlink(missing_ok=True)
        _request_of(place).unlink(missing_ok=True)
        removed += 1
    return removed


def _locked(place: Path) -> FileLock:
    """A lock that another thread may release. Raises ``Timeout`` where somebody holds it."""
    lock = FileLock(_lock_of(place), thread_local=False)
    lock.acquire(timeout=0)
    return lock


def _request_of(place: Path) -> Path:
    return place.with_name(f"{place.name}{_REQUEST}")


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


__all__ = ["CachedUpload", "sweep_kept", "unfinished"]
