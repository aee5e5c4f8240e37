"""Files that appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils.errors import OutputError

_MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
_TEMPORARY = re.compile(rf"\.{_MACHINE}-(\d+)-[0-9a-f]+\.part")


def temporary_for(target: Path) -> Path:
    """A hidden name beside the target, for a file or folder; it tells whose it is: machine, process, a random part."""
    return target.parent / f".{_MACHINE}-{os.getpid()}-{secrets.token_hex(6)}.part"


def sweep_temporaries(folder: Path) -> int:
    """Delete what processes of this machine that no longer run left in a folder; returns how many files."""
    import psutil

    return _sweep(folder, lambda pid: not psutil.pid_exists(pid))


def remove_temporaries(folder: Path, pid: int) -> int:
    """Delete what one process, which has ended, left in a folder; returns how many files."""
    return _sweep(folder, lambda its: its == pid)


def _sweep(folder: Path, ended: Callable[[int], bool]) -> int:
    swept = 0
    with suppress(OSError):
        for path in folder.iterdir():
            name = _TEMPORARY.fullmatch(path.name)
            if name is not None and ended(int(name[1])):
                with suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    swept += 1
    return swept


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A temporary path on the target's disk, to be written; it takes the target's name when the block ends well.

    Raises:
        OutputError: something cannot be written; the target is as it was.
    """
    temporary = temporary_for(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"Cannot write '{target}': {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def prune(folder: Path, pattern: str, most_bytes: int, keep: Path | None = None) -> None:
    """Remove the files that were used longest ago, beyond the space that those of the pattern may take together.

    The newest stays, and ``keep``. Other processes may prune at the same time; what cannot be removed stays, as a
    file does that is open on Windows.
    """
    files: list[tuple[float, int, Path]] = []
    for path in folder.glob(pattern):
        with suppress(OSError):  # gone meanwhile
            facts = path.stat()
            files.append((max(facts.st_mtime, facts.st_atime), facts.st_size, path))
    total = 0
    for place, (_, size, path) in enumerate(sorted(files, reverse=True)):
        total += size
        if place and total > most_bytes and path != keep:
            with suppress(OSError):
                _unlink(path)


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except PermissionError:  # Windows removes no file that is marked read-only, as OpenVINO marks its own
        path.chmod(0o600)
        path.unlink()


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """A temporary folder on the target's disk, gone when the block ends.

    Raises:
        OutputError: it cannot be made.
    """
    folder = temporary_for(target)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"Cannot write beside '{target}': {error.strerror or error}.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


__all__ = ["folder_beside", "prune", "remove_temporaries", "replaced", "sweep_temporaries", "temporary_for"]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def last_changed(path: Path) -> float:
    """When a file or folder was changed last, in seconds since 1970; 0 where nobody can tell."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
