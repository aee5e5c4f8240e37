"""A JSON file of a person's own making: never half-written, backed up, shared between threads and processes."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils.errors import OutputError
from utils.json_types import JsonObject

logger = logging.getLogger(__name__)

LOCK_SECONDS = 20.0


class BrokenFileError(ValueError):
    """The file's content is not what it should be."""


class SafeJsonFile:
    """One JSON object in one file.

    Every change takes a lock that processes share (freed by the system when its holder dies), writes a temporary file
    to the disk, keeps the former content as ``<name>.bak`` and then takes the file's name over. So a reader, who needs
    no lock, sees the content before or after a change and nothing between.

    Args:
        check: raises ``BrokenFileError`` for content that cannot be used. Such a file, and one that is no JSON, is
            set aside as ``<stem>.broken-<time><suffix>`` and the backup, else an empty object, takes its place.
    """

    def __init__(self, path: Path, check: Callable[[JsonObject], None] = lambda content: None) -> None:
        self.path = Path(path)
        self._check = check
        self._backup = self.path.with_name(f"{self.path.name}.bak")
        self._notices: list[str] = []

    @property
    def notices(self) -> tuple[str, ...]:
        """What went wrong with the file and what was done, in sentences for the person."""
        return tuple(self._notices)

    def read(self) -> JsonObject:
        """The content; empty where there is no file. A broken file is set aside first, see ``notices``."""
        try:
            return self._parse(self.path)
        except FileNotFoundError:
            return {}
        except BrokenFileError:
            with self._locked():
                return self._read_locked()
        except OSError as error:
            raise OutputError(f"'{self.path}' cannot be read: {error.strerror or error}.") from error

    def update(self, change: Callable[[JsonObject], None]) -> JsonObject:
        """Read, let ``change`` alter the content in place, write; no other writer comes between.

        Raises:
            OutputError: the file cannot be written, or is locked by another process for too long.
        """
        with self._locked():
            content = self._read_locked()
            change(content)
            self._check(content)
            self._write(content)
        return content

    def _parse(self, path: Path) -> JsonObject:
        raw = path.read_bytes()
        try:
            content = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise BrokenFileError(f"is not JSON ({error})") from error
        if not isinstance(content, dict):
            raise BrokenFileError("does not hold an object")
        self._check(content)
        return content

    def _read_locked(self) -> JsonObject:
        try:
            return self._parse(self.path)
        except FileNotFoundError:
            return {}
        except BrokenFileError as error:
            return self._set_aside(error)

    def _set_aside(self, fault: BrokenFileError) -> JsonObject:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        aside = self.path.with_name(f"{self.path.stem}.broken-{stamp}-{time.time_ns() % 10**9:09d}{self.path.suffix}")
        os.replace(self.path, aside)
        try:
            content = self._parse(self._backup)
            self._write(content, keep_backup=False)
            instead = "the last backup is used"
        except (OSError, BrokenFileError):
            content, instead = {}, "defaults are used"
        notice = f"'{self.path}' {fault}; it was kept as '{aside.name}' and {instead}."
        self._notices.append(notice)
        logger.warning(notice)
        return content

    def _write(self, content: JsonObject, *, keep_backup: bool = True) -> None:
        if keep_backup and self.path.exists():
            self._place(lambda new: shutil.copyfile(self.path, new), self._backup)
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
        self._place(lambda new: new.write_text(text + "\n", "utf-8"), self.path)

    def _place(self, fill: Callable[[Path], object], target: Path) -> None:
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self._temporary_prefix, suffix=".tmp")
        os.close(handle)
        try:
            fill(Path(name))
            with open(name, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise

    @property
    def _temporary_prefix(self) -> str:
        return f".{self.path.name}."

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Not a singleton: every caller gets a lock of its own, so threads exclude each other as processes do.
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=LOCK_SECONDS):
                # Only the holder of the lock writes, so what lies here was left by a process that was killed.
                for stale in self.path.parent.glob(f"{self._temporary_prefix}*.tmp"):
                    stale.unlink(missing_ok=True)
                yield
        except Timeout as error:
            raise OutputError(f"'{self.path}' is in use by another process; try again.") from error
        except OSError as error:
            raise OutputError(f"'{self.path}' cannot be written: {error.strerror or error}.") from error


__all__ = ["BrokenFileError", "SafeJsonFile"]
