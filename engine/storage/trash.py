"""The system's trash: files go there, and on Linux come back from there.

The freedesktop.org Trash specification 1.0 says where a file lies in it, and where it came from.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from utils.errors import OutputError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trashed:
    """A file in the trash, and the note that tells where it came from."""

    file: Path
    note: Path


def to_trash(path: Path) -> None:
    """Move a file to the system's trash.

    Raises:
        OutputError: there is no trash for its disk, or it may not be moved; the file is where it was.
    """
    from send2trash import send2trash

    mode = path.stat().st_mode
    protected = not os.access(path, os.W_OK)
    try:
        if protected:  # moving needs no right to the file itself, but trashes refuse without
            path.chmod(mode | stat.S_IWUSR)
        send2trash(path)
    except Exception as error:  # each system's trash raises its own
        logger.info("No trash for '%s'", path, exc_info=True)
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"'{path}' cannot be moved to the trash: {reason.rstrip('.')}. It stays as it is; name a folder for the "
            "originals instead (--backup)."
        ) from error
    finally:
        if protected:
            with suppress(OSError):
                path.chmod(mode)


def trash_can_be_read() -> bool:
    """Whether files can be brought back from this system's trash by a program."""
    return sys.platform not in ("win32", "darwin")


def find_in_trash(path: Path, fits: Callable[[Path], bool]) -> Trashed | None:
    """The file that was moved to the trash from ``path`` and is the one that is meant; None where it is not there."""
    for trash, top in _trashes(path):
        for note in sorted((trash / "info").glob("*.trashinfo")):
            file = trash / "files" / note.name.removesuffix(".trashinfo")
            if _origin(note, top) == os.path.abspath(path) and file.is_file() and fits(file):
                return Trashed(file, note)
    return None


def _trashes(path: Path) -> Iterator[tuple[Path, Path | None]]:
    """Folders of trash that a file may be in, and what their relative paths start from."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    yield data / "Trash", data
    top = Path(os.path.realpath(path.parent))
    while not os.path.ismount(top):
        top = top.parent
    user = str(os.getuid()) if hasattr(os, "getuid") else ""
    yield top / ".Trash" / user, top
    yield top / f".Trash-{user}", top


def _origin(note: Path, top: Path | None) -> str | None:
    """Where the file of a note came from."""
    try:
        lines = note.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    named = next((line.partition("=")[2] for line in lines if line.startswith("Path=")), None)
    return None if named is None else os.path.abspath(os.path.join(top or "/", os.fsdecode(unquote_to_bytes(named))))


__all__ = ["Trashed", "find_in_trash", "to_trash", "trash_can_be_read"]
