"""Enhanced frames as numbered pictures, for other programs to go on with; a killed run goes on where it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.video.counters import Counts
from engine.video.options import VideoResult
from engine.video.reader import SourceFrame
from engine.video.segments import Segment, SegmentStore, length, totals
from engine.video.sequence import Pattern
from utils import image_io
from utils.errors import InvalidSettingsError, JobCancelled, OutputError
from utils.picture import Metadata, Picture
from utils.video_files import VideoInfo
from utils.writers import SaveOptions

if TYPE_CHECKING:
    from engine.video.enhancer import FrameEnhancer
    from engine.video.job import VideoJob

FRAME_FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff"}
"""Suffixes of frames -> their format."""
_BYTES = {"png": 0.55, "tiff": 0.7, "jpeg": 0.12, "webp": 0.1}
"""What a sample takes on the disk, in parts of its size in memory."""
_WRITING = "writing"


@dataclass(frozen=True)
class FramesSpec:
    """How frames are written: their names, format, bits a channel (8 or 16), and whether transparency is kept."""

    pattern: Pattern
    format: str
    bit_depth: int
    alpha: bool


def frames_spec(path: Path, info: VideoInfo) -> FramesSpec | None:
    """What a name like ``out/%04d.png`` asks for; None for other names. Raises ``InvalidSettingsError``."""
    pattern = Pattern.of(path)
    if pattern is None:
        return None
    kind = FRAME_FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InvalidSettingsError(
            f"'{path.name}' cannot be written: frames are saved as .png, .jpg, .webp or .tif; films have no number in "
            "their names."
        )
    deep = info.bit_depth > 8 and kind in ("png", "tiff")
    return FramesSpec(pattern, kind, 16 if deep else 8, bool(info.pictures) and info.has_alpha and kind != "jpeg")


def disk_warnings(spec: FramesSpec, size: tuple[int, int], frames: int | None) -> list[str]:
    """A sentence where the frames will hardly fit on the disk."""
    samples = size[0] * size[1] * (4 if spec.alpha else 3) * spec.bit_depth // 8
    needed = round((frames or 0) * samples * _BYTES[spec.format])
    folder = spec.pattern.folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed <= free:
        return []
    return [f"The results will take about {needed / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free on that disk."]


class FrameStore(SegmentStore):
    """The frames that are written already, and the journal that says so, in a folder beside them."""

    def __init__(self, spec: FramesSpec, key: str, *, resume: bool = True) -> None:
        self._spec = spec
        self._own: set[str] = set()
        super().__init__(spec.pattern.folder, key, resume=resume)
        self._own |= {segment.name for segment in self.segments}
        with suppress(OSError):
            self._own.add((self.folder / _WRITING).read_text("utf-8"))

    def check(self, info: VideoInfo, overwrite: bool) -> None:
        """Raise ``OutputError`` where frames would take the place of others, or of the input's."""
        existing = self._spec.pattern.existing()
        inputs = {path.resolve() for path in info.pictures}
        for path in existing.values():
            if path.resolve() in inputs:
                raise OutputError(f"The result would overwrite its own input '{path}'. Choose another name.")
        strange = [path for path in existing.values() if _beside(path) not in self._own]
        if strange and not overwrite:
            raise OutputError(f"'{strange[0]}' exists already. Choose another name, or allow overwriting (--force).")

    def write(self, number: int, picture: Picture, save: SaveOptions, frame: SourceFrame, counts: Counts) -> None:
        """Write one frame; once it returns, a crash does not lose it."""
        path = self._spec.pattern.path(number)
        # A kill may come after the file has its name and before the journal says so: it is ours all the same.
        (self.folder / _WRITING).write_text(_beside(path), "utf-8")
        image_io.save(picture, path, save)
        told = {"duplicates": counts.duplicates, "fallbacks": counts.fallbacks, "repaired": counts.repaired}
        self.record(Segment(_beside(path), (frame.stamp,), frame.duration, 0, path.stat().st_size, told))

    def older(self) -> int:
        """How many files of the same names' kind there are besides those that were written."""
        ours = {segment.name for segment in self.segments}
        return sum(_beside(path) not in ours for path in self._spec.pattern.existing().values())


def _beside(path: Path) -> str:
    """How the journal names a file beside its folder."""
    return f"../{path.name}"


def write_frames(job: VideoJob, spec: FramesSpec, store: FrameStore) -> VideoResult:
    """Enhance what is left and write it, frame by frame."""
    task = job.task
    complete = True
    job.going_on_from(store.frames)
    with job.enhancer() as enhancer:
        try:
            save = SaveOptions(format=spec.format, quality=task.options.quality, comment=task.comment)
            for frame, pixels, number, counts in _numbered(job, spec, store, enhancer):
                store.write(number, _picture(frame, pixels, spec), save, frame, counts)
                job.tell(store.frames)
        except JobCancelled:
            complete = False
            if not store.segments:
                raise
        if older := store.older():
            job.warn(f"{older} older pictures with such names lie in '{spec.pattern.folder}' beside the frames.")
        duration = length(store, task.info.time_base)
        result = job.result(enhancer, store.frames, complete, totals(store), duration, store.bytes)
    if complete or not task.options.resume:
        store.remove()
    return result


def _numbered(
    job: VideoJob, spec: FramesSpec, store: FrameStore, enhancer: FrameEnhancer
) -> Iterator[tuple[SourceFrame, np.ndarray, int, Counts]]:
    """Enhanced frames with their numbers: the input's, or counted from ``start_number`` (1) for a film's."""
    numbers = job.task.info.numbers
    following = (1 if job.task.options.start_number is None else job.task.options.start_number) + store.frames
    after = store.segments[-1].stamps[-1] if store.segments else None
    job.tell(store.frames)
    with closing(job.frames(enhancer, after)) as frames:
        for frame, pixels, duplicate in frames:
            fallbacks = enhancer.fallbacks - job.counts.fallbacks
            job.counts.fallbacks = enhancer.fallbacks
            job.note(frame, duplicate)
            number = numbers[frame.stamp] if numbers else following
            following += 1
            yield frame, pixels, number, Counts(int(duplicate), fallbacks, int(frame.repaired))


def _picture(frame: SourceFrame, pixels: np.ndarray, spec: FramesSpec) -> Picture:
    if spec.bit_depth == 8 and pixels.dtype == np.uint16:
        pixels = (pixels.astype(np.uint32) * 255 + 32767) // 65535
        pixels = pixels.astype(np.uint8)
    metadata = frame.metadata or Metadata()
    if pixels.shape[2] == 4:
        return Picture(np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3]), metadata)
    return Picture(np.ascontiguousarray(pixels), None, metadata)


__all__ = ["FRAME_FORMATS", "FrameStore", "FramesSpec", "disk_warnings", "frames_spec", "write_frames"]
