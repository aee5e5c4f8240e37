"""Finished parts of a video on disk, and the journal that tells them from unfinished ones after a crash."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.video.counters import Counts
from utils.errors import OutputError
from utils.files import sweep_temporaries

_JOURNAL = "journal.jsonl"
_PREFIX = ".realesrgan-video-"
_EDGE = 2**20
STALE_SECONDS = 7 * 24 * 3600.0
"""Age after which the parts of a run that nobody went on with are removed."""


@dataclass(frozen=True)
class Segment:
    """A finished part.

    Attributes:
        stamps: of its frames, in ticks, in the order of showing; ``last_duration`` is the last frame's.
        reorder: how many frames a packet may come ahead of its place.
        counts: of frames: duplicates, fallbacks, repaired.
    """

    name: str
    stamps: tuple[int, ...]
    last_duration: int
    reorder: int
    bytes: int
    counts: dict[str, int]


def input_identity(path: Path) -> str:
    """Tells files apart without reading gigabytes: the size and both ends."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_EDGE))
        file.seek(max(0, size - _EDGE))
        digest.update(file.read(_EDGE))
    return digest.hexdigest()


def work_key(identity: str, *decisions: object) -> str:
    """Identifies a piece of work: the same input, settings, model, encoder and library versions."""
    import av

    text = json.dumps([identity, *map(repr, decisions), av.__version__, sorted(av.library_versions.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class SegmentStore:
    """The folder of one piece of work, beside its output; one process at a time.

    Args:
        folder: where the output will be.
        resume: take finished segments of an earlier run over; else begin anew.

    Raises ``OutputError`` when another process works on the same, or the disk cannot be written.
    """

    def __init__(self, folder: Path, key: str, *, resume: bool = True) -> None:
        from filelock import FileLock, Timeout

        self.folder = folder / f"{_PREFIX}{key}"
        self._lock = FileLock(folder / f"{_PREFIX}{key}.lock")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            remove_stale(folder)
            sweep_temporaries(folder)  # of a run that was killed
            self._lock.acquire(timeout=0)
            if not resume:
                shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(exist_ok=True)
            self.segments = self._read()
            self._remove_unfinished()
        except Timeout:
            raise OutputError("This video is being enhanced with these settings already; wait for it.") from None
        except OSError as error:
            self._release()
            raise OutputError(f"Cannot write to '{folder}': {error.strerror or error}.") from error
        self.resumed = len(self.segments)

    @property
    def paths(self) -> Sequence[Path]:
        """Finished segments, in order."""
        return [self.folder / segment.name for segment in self.segments]

    @property
    def frames(self) -> int:
        """Frames in the finished segments."""
        return sum(len(segment.stamps) for segment in self.segments)

    @property
    def bytes(self) -> int:
        """Size of the finished segments."""
        return sum(segment.bytes for segment in self.segments)

    def next_path(self) -> Path:
        """Where the next segment is to be written."""
        return self.folder / f"{len(self.segments):06d}.part.mp4"

    def add(self, path: Path, stamps: Sequence[int], last_duration: int, reorder: int, counts: dict[str, int]) -> None:
        """Record a finished segment; from here on a crash does not lose it."""
        final = path.with_name(path.name.replace(".part", ""))
        try:
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(path, final)
            segment = Segment(final.name, tuple(stamps), last_duration, reorder, final.stat().st_size, dict(counts))
        except OSError as error:
            raise OutputError(f"Cannot write to '{self.folder}': {error.strerror or error}.") from error
        self.record(segment)

    def record(self, segment: Segment) -> None:
        """Write a finished part into the journal. Raises ``OutputError``."""
        try:
            with (self.folder / _JOURNAL).open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(asdict(segment)) + "\n")
                journal.flush()
                os.fsync(journal.fileno())
        except OSError as error:
            raise OutputError(f"Cannot write to '{self.folder}': {error.strerror or error}.") from error
        self.segments.append(segment)

    def _read(self) -> list[Segment]:
        """The segments of the journal whose files are whole; what follows a missing one is left out."""
        found: list[Segment] = []
        with suppress(FileNotFoundError):
            for line in (self.folder / _JOURNAL).read_text("utf-8", "replace").splitlines():
                try:
                    values = json.loads(line)
                    segment = Segment(**{**values, "stamps": tuple(values["stamps"])})
                    whole = (self.folder / segment.name).stat().st_size == segment.bytes
                except (ValueError, KeyError, TypeError, OSError):
                    break  # cut off by a crash
                if not whole or not segment.stamps:
                    break
                found.append(segment)
        return found

    def _remove_unfinished(self) -> None:
        """Files that no journal line speaks of, and lines that were cut off."""
        names = {segment.name for segment in self.segments}
        for path in self.folder.glob("*.mp4"):
            if path.name not in names:
                path.unlink(missing_ok=True)
        text = "".join(json.dumps(asdict(segment)) + "\n" for segment in self.segments)
        (self.folder / _JOURNAL).write_text(text, "utf-8")

    def own(self, output: Path) -> None:
        """Remember that a file holds only what was done until the person cancelled: going on may replace it."""
        facts = output.stat()
        self._partial.write_text(json.dumps([str(output.resolve()), facts.st_size, facts.st_mtime_ns]), "utf-8")

    def owns(self, output: Path) -> bool:
        """Whether a file is such a one, unchanged."""
        try:
            facts = output.stat()
            return json.loads(self._partial.read_text("utf-8")) == [
                str(output.resolve()),
                facts.st_size,
                facts.st_mtime_ns,
            ]
        except (OSError, ValueError):
            return False

    @property
    def _partial(self) -> Path:
        return self.folder / "partial.json"

    def remove(self) -> None:
        """Delete all parts: the output is whole, or nobody is to go on."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _release(self) -> None:
        self._lock.release()
        with suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.segments:
            self.remove()
        self._release()


def totals(store: SegmentStore) -> Counts:
    """What happened to all frames of the finished parts."""

    def total(name: str) -> int:
        return sum(segment.counts[name] for segment in store.segments)

    return Counts(total("duplicates"), total("fallbacks"), total("repaired"))


def length(store: SegmentStore, time_base: Fraction) -> float:
    """Seconds from the first frame's beginning to the last one's end."""
    first, last = store.segments[0], store.segments[-1]
    return float((last.stamps[-1] + last.last_duration - first.stamps[0]) * time_base)


def remove_stale(folder: Path) -> None:
    """Delete what runs that were given up over a week ago left in a folder."""
    limit = time.time() - STALE_SECONDS
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            newest = max((one.stat().st_mtime for one in path.glob("*")), default=path.stat().st_mtime)
            if newest < limit:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


__all__ = ["Segment", "SegmentStore", "input_identity", "length", "remove_stale", "totals", "work_key"]
