"""A short part of a film as a small file that every browser plays: H.264 of 8 bits in MP4, without sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from engine.video.encoder import EncoderSpec, SegmentWriter
from engine.video.frames_in import open_frames
from engine.video.mux import MuxPlan, join
from engine.video.reader import SourceFrame
from engine.video.segments import Segment
from utils.opencv import cv2
from utils.pixels import to_eight_bits
from utils.video_files import ColorTags, VideoInfo

if TYPE_CHECKING:
    from engine.types import JobControl
    from engine.video.deinterlace import Fields

MOST_SIDE = 3840
"""Pixels: larger frames are reduced, as decoders of H.264 in browsers end at about 4096."""
_QUALITY = 90
_BT709 = 1
_BT2020, _UNKNOWN = 9, 2


@dataclass(frozen=True)
class Cut:
    """The file that was made. ``size`` is (width, height) of its frames in pixels, ``seconds`` how long it plays."""

    path: Path
    size: tuple[int, int]
    frames: int
    seconds: float


def write_cut(
    info: VideoInfo,
    target: Path,
    start: float | None = None,
    end: float | None = None,
    *,
    fields: Fields | None = None,
    control: JobControl | None = None,
) -> Cut:
    """Write the frames of ``info`` from ``start`` to ``end`` (seconds as a player counts; None = all) to ``target``.

    Args:
        fields: whole frames are made by it, as ``deinterlacer_for`` says.
        control: may cancel.

    Raises:
        EmptyVideoError: there is no frame in that range.
        OutputError: the file cannot be written.
        JobCancelled: cancelled; then there is no file.
    """
    frames = open_frames(info, start, end, fields).frames()
    return _write(_watched(frames, control), target, info if fields is None else fields.of(info))


def write_clip(pictures: Iterable[np.ndarray], target: Path, rate: int) -> Cut:
    """The same of pictures, ``(H, W, 3) uint8``, ``rate`` of them a second. Raises ``OutputError``."""
    frames = (SourceFrame(number, 1, picture) for number, picture in enumerate(pictures))
    return _write(frames, target, None, Fraction(rate))


def _watched(frames: Iterable[SourceFrame], control: JobControl | None) -> Iterator[SourceFrame]:
    for frame in frames:
        if control is not None:
            control.check()
        yield frame


def _write(frames: Iterator[SourceFrame], target: Path, info: VideoInfo | None, rate: Fraction = Fraction(25)) -> Cut:
    first = next(frames)
    size = _size(first.pixels)
    spec = _spec(size, info, rate)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="realesrgan-cut-") as folder:
        whole = Path(folder) / "frames.mp4"
        with SegmentWriter(whole, spec) as writer:
            writer.add(_fitting(first.pixels, size), first.stamp, first.duration)
            for frame in frames:
                writer.add(_fitting(frame.pixels, size), frame.stamp, frame.duration)
            writer.finish()
        part = Segment(whole.name, tuple(writer.stamps), writer.last_duration, writer.reorder, 0, {})
        join([part], [whole], MuxPlan(None, "mp4", spec.time_base, rate=spec.rate, shift=first.stamp), target)
    ticks = writer.stamps[-1] + max(1, writer.last_duration) - first.stamp
    return Cut(target, (spec.width, spec.height), len(writer.stamps), float(ticks * spec.time_base))


def _spec(size: tuple[int, int], info: VideoInfo | None, rate: Fraction) -> EncoderSpec:
    return EncoderSpec(
        codec="h264",
        width=size[0] + size[0] % 2,
        height=size[1] + size[1] % 2,
        pixel_format="yuv420p",
        time_base=1 / rate if info is None else info.time_base,
        rate=rate if info is None else info.fps or rate,
        quality=_QUALITY,
        speed="fast",
        color=_tags(info.color if info is not None else ColorTags()),
        aspect=Fraction(1),
        mastering=None,
        light=None,
    )


def _tags(color: ColorTags) -> ColorTags:
    """All of them said: browsers guess what is not by the size, which differs between before and after."""
    matrix = _BT2020 if color.is_hdr else _BT709
    primaries, transfer = (matrix if one == _UNKNOWN else one for one in (color.primaries, color.transfer))
    return ColorTags(matrix, primaries, transfer, full_range=False)


def _size(pixels: np.ndarray) -> tuple[int, int]:
    """(width, height) that is written."""
    height, width = pixels.shape[:2]
    factor = min(1.0, MOST_SIDE / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _fitting(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``(H, W, 3) uint8`` of that size."""
    eight = to_eight_bits(pixels)
    if eight.shape[:2] == (size[1], size[0]):
        return eight
    return cv2.resize(eight, size, interpolation=cv2.INTER_AREA)


__all__ = ["MOST_SIDE", "Cut", "write_clip", "write_cut"]
