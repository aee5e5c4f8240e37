"""What became of originals that were replaced: one file of JSON lines a run, on disk before the next step."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from utils.errors import OutputError
from utils.files import sha256_of

FOLDER = "in-place"
_SUFFIX = ".jsonl"
ReplacementState = Literal["begun", "ready", "placed", "dropped", "undone"]
"""``begun``: the result is being made; ``ready``: it is whole, beside the original; ``placed``: it has the original's
place; ``dropped``: it came to nothing, the original is as it was; ``undone``: the original was brought back."""


@dataclass(frozen=True)
class FileFacts:
    """What tells a file from any other. ``mode``, ``mtime_ns``: to give them back."""

    size: int
    sha256: str
    mode: int = 0
    mtime_ns: int = 0

    @classmethod
    def of(cls, path: Path) -> FileFacts:
        """Raises ``OSError``."""
        found = path.stat()
        return cls(found.st_size, sha256_of(path), found.st_mode & 0o7777, found.st_mtime_ns)

    def fit(self, path: Path) -> bool:
        """Whether the path holds a file of this content."""
        try:
            return path.is_file() and path.stat().st_size == self.size and sha256_of(path) == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class Replacement:
    """One original on its way to be replaced.

    Attributes:
        number: of its own within the run.
        source: where the original lies; ``target``: where the result goes, another name where the format changes.
        staged: the result until it has its place, hidden beside the original.
        kept: where the original was moved to; None = the system's trash.
    """

    number: str
    state: ReplacementState
    source: Path
    target: Path
    staged: Path
    original: FileFacts
    result: FileFacts | None = None
    kept: Path | None = None
    trashed: bool = False

    def to_json(self) -> dict[str, object]:
        """As it stands in the journal."""
        values = asdict(self)
        for name in ("source", "target", "staged", "kept"):
            values[name] = None if values[name] is None else str(values[name])
        return values


def _from_json(values: dict[str, object]) -> Replacement:
    paths = {name: Path(str(values[name])) for name in ("source", "target", "staged")}
    original, result = values["original"], values["result"]
    assert isinstance(original, dict)
    return Replacement(
        number=str(values["number"]),
        state=values["state"],  # type: ignore[arg-type]
        original=FileFacts(**original),
        result=FileFacts(**result) if isinstance(result, dict) else None,
        kept=Path(str(values["kept"])) if values["kept"] else None,
        trashed=bool(values["trashed"]),
        **paths,
    )


class InPlaceJournal:
    """One run's journal. Thread-safe; one process at a time. A context manager.

    Raises ``OutputError`` where another process holds it, or where it cannot be written.
    """

    def __init__(self, data_dir: Path, run: str) -> None:
        from filelock import FileLock, Timeout

        self.path = Path(data_dir) / FOLDER / f"{run}{_SUFFIX}"
        self._lock = threading.Lock()
        self._file_lock = FileLock(self.path.with_suffix(".lock"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file_lock.acquire(timeout=0)
        except Timeout:
            raise OutputError(f"Another program is replacing originals of '{self.path.stem}'. Wait for it.") from None
        except OSError as error:
            raise OutputError(f"Cannot write to '{self.path.parent}': {error.strerror or error}.") from error
        self.entries = {one.number: one for one in read_replacements(self.path)}

    def note(self, one: Replacement, **changes: object) -> Replacement:
        """Write a step down, and give it back. Raises ``OutputError``."""
        noted = replace(one, **changes)  # type: ignore[arg-type]
        line = json.dumps({"time": round(time.time(), 3), **noted.to_json()}).encode()
        with self._lock:
            try:
                with self.path.open("ab") as file:
                    if file.tell():
                        file.write(b"\n")  # ends a line that a crash cut off
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise OutputError(f"Cannot write '{self.path}': {error.strerror or error}.") from error
            self.entries[noted.number] = noted
        return noted

    def close(self) -> None:
        """Let others have it; a journal in which nothing is left to undo goes."""
        if all(one.state in ("dropped", "undone") for one in self.entries.values()):
            self.path.unlink(missing_ok=True)
        self._file_lock.release()

    def __enter__(self) -> InPlaceJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_replacements(path: Path) -> Iterator[Replacement]:
    """The last step of every replacement, in the order in which they began; nothing where there is no journal."""
    found: dict[str, Replacement] = {}
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"Cannot read '{path}': {error.strerror or error}.") from error
    for line in lines:
        try:
            one = _from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AssertionError):
            continue  # cut off by a crash, or empty
        found[one.number] = one
    yield from found.values()


def runs(data_dir: Path) -> list[str]:
    """Names of the runs that have a journal, the newest first."""
    found: list[tuple[int, str]] = []
    for path in (Path(data_dir) / FOLDER).glob(f"*{_SUFFIX}"):
        try:
            found.append((path.stat().st_mtime_ns, path.stem))
        except OSError:  # gone meanwhile
            continue
    return [name for _, name in sorted(found, reverse=True)]


def new_run() -> str:
    """A name for a run of now."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def batch_run(output_dir: Path, settings_key: str) -> str:
    """The name of a batch's run, the same when it is gone on with."""
    text = f"{os.path.realpath(output_dir)}\n{settings_key}"
    return f"batch-{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"


@contextmanager
def opened(data_dir: Path, run: str) -> Iterator[InPlaceJournal | None]:
    """A run's journal; None while another process holds it."""
    try:
        journal = InPlaceJournal(data_dir, run)
    except OutputError:
        yield None
        return
    with journal:
        yield journal
