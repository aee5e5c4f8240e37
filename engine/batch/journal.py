"""What a batch has done, one JSON object a line, on disk before the next step: a killed batch can be resumed.

A picture is ``started`` (with the output's name and what stood there before), then ``done`` or ``failed``. A line that
was cut off by a crash is ignored. Outputs appear under their names whole, so a ``started`` picture whose output has
appeared since is done, even where the crash came before its ``done`` line.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from utils.errors import InvalidImageError, OutputError
from utils.json_types import JsonObject
from utils.locks import QUESTION_SECONDS, is_held

JOURNAL_NAME = ".realesrgan-batch.jsonl"
LOCK_NAME = str(Path(JOURNAL_NAME).with_suffix(".lock"))
_CHUNK = 2**20


def json_bytes(value: object, indent: int | None = None) -> bytes:
    """JSON in UTF-8; of a file name that is not UTF-8 it holds escapes, and reads back as the same name."""
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Stamp:
    """A file's state: size, time of its last change and SHA-256."""

    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Raises ``InvalidImageError`` when the file cannot be read."""
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                facts = os.fstat(file.fileno())
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except FileNotFoundError:
            raise InvalidImageError(f"'{path}' does not exist.") from None
        except (OSError, ValueError) as error:
            raise InvalidImageError(f"'{path}' cannot be read: {getattr(error, 'strerror', None) or error}.") from error
        return cls(facts.st_size, facts.st_mtime_ns, digest.hexdigest())

    def still_fits(self, path: Path) -> bool:
        """Whether the file is unchanged. Its content is read only where size agrees and time does not."""
        try:
            facts = path.stat()
        except (OSError, ValueError):
            return False
        if facts.st_size != self.size:
            return False
        try:
            return facts.st_mtime_ns == self.mtime_ns or Stamp.of(path).sha256 == self.sha256
        except InvalidImageError:  # it can no longer be read: its own turn in the batch will say so
            return False


@dataclass(frozen=True)
class Entry:
    """The last thing known about one picture with one set of settings."""

    event: str
    target: Path
    stamp: Stamp
    values: JsonObject

    @property
    def finished_output(self) -> bool:
        """Whether the output is there: recorded as done, or appeared after the start."""
        facts = _facts(self.target)
        if facts is None:
            return False
        if self.event == "done":
            return facts[1] == self.values.get("bytes")
        return self.event == "started" and facts != self.values.get("before")


class Journal:
    """The journal of one output folder. Thread-safe; one process at a time, held by a lock file.

    Raises ``OutputError`` when another process holds it, or when it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock, Timeout

        self._folder = folder
        path = folder / JOURNAL_NAME
        self._lock = threading.Lock()
        self._file_lock = FileLock(folder / LOCK_NAME)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file_lock.acquire(timeout=QUESTION_SECONDS)
            self._file = path.open("ab")
            if self._file.tell():
                self._file.write(b"\n")  # ends a line that a crash cut off; empty lines are ignored
        except Timeout:
            raise OutputError(
                f"Another batch is writing to '{folder}'. Wait for it, or choose another output folder."
            ) from None
        except OSError as error:
            self._file_lock.release()
            raise OutputError(f"Cannot write to '{folder}': {error.strerror or error}.") from error

    def started(self, identity: str, key: str, target: Path, stamp: Stamp) -> None:
        """Note that a picture is begun, and what lies under its output's name. Raises ``OutputError``."""
        self._add("started", identity, key, target, stamp, {"before": _facts(target)})

    def done(self, identity: str, key: str, target: Path, stamp: Stamp, values: JsonObject) -> None:
        """Note a finished picture; ``values`` are kept with it. Raises ``OutputError``."""
        self._add("done", identity, key, target, stamp, values)

    def failed(self, identity: str, key: str, target: Path, stamp: Stamp, values: JsonObject) -> None:
        """Note a failed picture; ``values`` are kept with it. Raises ``OutputError``."""
        self._add("failed", identity, key, target, stamp, values)

    def _add(self, event: str, identity: str, key: str, target: Path, stamp: Stamp, values: JsonObject) -> None:
        relative = target.relative_to(self._folder) if target.is_relative_to(self._folder) else target
        line = {
            "event": event,
            "input": identity,
            "settings": key,
            "output": relative.as_posix(),
            "stamp": asdict(stamp),
            "time": round(time.time(), 3),
            **values,
        }
        with self._lock:
            try:
                self._file.write(json_bytes(line) + b"\n")
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise OutputError(
                    f"Cannot write the journal in '{self._folder}': {error.strerror or error}."
                ) from error

    def close(self) -> None:
        """Close the file and let other batches write into the folder."""
        try:
            self._file.close()
        finally:
            self._file_lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_running(folder: Path) -> bool:
    """Whether a batch, of any process, is writing to an output folder now."""
    return is_held(folder / LOCK_NAME)


def _facts(path: Path) -> list[int] | None:
    """What changes when a file is replaced: time and size; None without a file. A list, as JSON gives it back."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None
    return [facts.st_mtime_ns, facts.st_size]


Entries = dict[tuple[str, str], Entry]
"""(identity of the input, key of the settings) -> the last thing known."""


@dataclass(frozen=True)
class Known:
    """What a journal holds. ``targets``: every result it names, of pictures that have changed since too."""

    entries: Entries = field(default_factory=dict)
    targets: set[Path] = field(default_factory=set)


def read_journal(folder: Path) -> Known:
    """The journal of an output folder; empty where there is none. Raises ``OutputError`` when it cannot be read."""
    known = Known()
    path = folder / JOURNAL_NAME
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return known
    except OSError as error:
        raise OutputError(f"Cannot read '{path}': {error.strerror or error}.") from error
    for line in lines:
        try:
            values = json.loads(line)
            stamp = Stamp(**values.pop("stamp"))
            target = folder / values.pop("output")
            where = (values.pop("input"), values.pop("settings"))
            known.entries[where] = Entry(values.pop("event"), target, stamp, values)
            known.targets.add(target)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # cut off by a crash, or empty
    return known
