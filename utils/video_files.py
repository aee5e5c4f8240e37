"""Facts about a video file: what its header says and what its first frame shows. No other frame is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.engine_config import InputLimits
from utils.errors import EmptyVideoError, TruncatedVideoError, VideoTooLargeError
from utils.video_containers import check_file, looks_cut_off, opened, video_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_ANIMATED = ("gif", "apng", "webp_pipe", "webp")
_MB = 10**6
SUFFIXES = frozenset(
    (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".m2ts", ".wmv", ".flv", ".3gp", ".gif")
)
_GRID = 16
_HALVED = "4:2:0"
_CHROMA = {(1, 1): "4:4:4", (2, 1): "4:2:2", (1, 2): "4:4:0", (4, 1): "4:1:1", (4, 2): "4:1:0", (4, 4): "4:1:0"}
"""Pixels that a sample of colour stands for, across and down -> what that is called; all others count as halved."""
_DYNAMIC_HDR = ("DYNAMIC_HDR_PLUS", "DOVI_METADATA", "DOVI_RPU_BUFFER")


@dataclass(frozen=True)
class VideoLimits:
    """Bounds on input videos; ``max_pixels`` is that of one frame."""

    max_bytes: int = 2000 * _MB
    max_seconds: float = 600 * 60.0
    max_pixels: int = 200 * _MB

    @classmethod
    def of(cls, config: InputLimits) -> VideoLimits:
        """Those of the application's configuration."""
        return cls(
            int(config.max_video_mb * _MB),
            float(config.max_video_minutes) * 60,
            int(config.max_image_megapixels * _MB),
        )


@dataclass(frozen=True)
class ColorTags:
    """How the numbers of a frame are to be read, in the code points of ITU-T H.273 (2 = not said).

    RGB frames use their full range whatever ``full_range`` says.
    """

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2
    full_range: bool = False

    @property
    def is_hdr(self) -> bool:
        """Whether brightness goes beyond white: PQ (16) or HLG (18)."""
        return self.transfer in (16, 18)


@dataclass(frozen=True)
class VideoInfo:
    """What is known about a video before its frames are enhanced.

    Attributes:
        width, height: of an upright frame, in pixels.
        turn: quarter turns clockwise, 0 to 3, that make a stored frame upright; ``mirrored``: flipped before that.
        fps: frames a second on average; None where the file does not say.
        frames: their number as the header gives it, else estimated from duration and rate, else None.
        counted: whether ``frames`` is the own number of the header or the index.
        duration: seconds, or None.
        start: seconds at which players begin to count.
        time_base: seconds a tick of the time stamps.
        chroma: how many samples colour has for four of brightness in two lines of an upright frame: ``4:4:4`` (RGB
            too), ``4:2:2``, ``4:4:0``, ``4:1:1``, ``4:1:0``, ``4:2:0``; the last also for gray, and for animated
            pictures, which are made into films to be played everywhere.
        mastering, light: HDR10's static metadata as FFmpeg's structures, or None.
        dynamic_hdr: whether it has HDR10+ or Dolby Vision, which belong to the frames as they were.
        codecs: of all streams, as ``video: h264``.
        pictures, numbers: of a sequence of numbered pictures, its files and their numbers; empty for films.
    """

    path: Path
    container: str
    codec: str
    width: int
    height: int
    turn: int
    mirrored: bool
    fps: Fraction | None
    frames: int | None
    counted: bool
    duration: float | None
    start: float
    time_base: Fraction
    pixel_format: str
    bit_depth: int
    chroma: str
    has_alpha: bool
    interlaced: bool
    color: ColorTags
    aspect: Fraction
    mastering: bytes | None
    light: bytes | None
    dynamic_hdr: bool
    stream_index: int
    codecs: tuple[str, ...]
    file_bytes: int
    pictures: tuple[Path, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def audio_tracks(self) -> int:
        """How many tracks of sound there are."""
        return sum(codec.startswith("audio") for codec in self.codecs)

    @property
    def subtitle_tracks(self) -> int:
        """How many tracks of subtitles there are."""
        return sum(codec.startswith("subtitle") for codec in self.codecs)


def probe_video(path: Path | str, limits: VideoLimits | None = None) -> VideoInfo:
    """Read a video's header and first frame.

    Raises:
        EmptyVideoError, TruncatedVideoError, NoVideoStreamError, InvalidVideoError: it cannot be read.
        VideoTooLargeError: over a limit.
    """
    limits, path = limits or VideoLimits(), Path(path)
    check_file(path)
    size = path.stat().st_size
    if size > limits.max_bytes:
        raise VideoTooLargeError(
            f"'{path.name}' has {size / _MB:.1f} MB; the limit is {limits.max_bytes / _MB:g} MB "
            "(REALESRGAN_MAX_VIDEO_MB)."
        )
    with opened(path) as container:
        stream = video_stream(container, path.name)
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > limits.max_pixels:
            raise VideoTooLargeError(
                f"A frame of '{path.name}' has {width}x{height} pixels; the limit is "
                f"{limits.max_pixels / _MB:g} megapixels (REALESRGAN_MAX_IMAGE_MEGAPIXELS)."
            )
        info = _info(path, container, stream, _first_frame(container, stream, path), size)
    if info.duration is not None and info.duration > limits.max_seconds:
        raise VideoTooLargeError(
            f"'{path.name}' lasts {info.duration / 60:.1f} minutes; the limit is {limits.max_seconds / 60:g} "
            "(REALESRGAN_MAX_VIDEO_MINUTES)."
        )
    return info


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    """The first frame that decodes; damaged ones before it are passed over."""
    import av

    fault: Exception | None = None
    try:
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    return frame
            except av.error.InvalidDataError as error:
                fault = error
    except av.FFmpegError as error:
        fault = error
    if looks_cut_off(path) or fault is not None:
        raise TruncatedVideoError(
            f"'{path.name}' is cut off or damaged: none of its frames can be decoded. Copy or download it again."
        )
    raise EmptyVideoError(f"'{path.name}' holds no frames.")


def _shown(stream: VideoStream, container: str) -> int:
    """The header's number of frames, less those that an edit list hides: a beginning cut off without encoding anew.

    An AVI's header counts empty chunks too, which its index names only by the numbers that are left out. Where the
    index ends long before the header's number the file is cut off, and that number is what it once had.
    """
    entries, told = stream.index_entries, stream.frames
    whole = len(entries) == told
    if container == "avi" and len(entries):
        whole = entries[-1].timestamp >= told - 1 - max(2, told // 50)
    return sum(not entry.is_discard for entry in entries) if whole else told


def _chroma(frame: VideoFrame, turn: int) -> str:
    """How colour is sampled, see ``VideoInfo.chroma``."""
    from av.video.format import VideoFormat

    if frame.format.has_palette:
        return "4:4:4"
    parts = VideoFormat(frame.format.name, _GRID, _GRID).components  # the frame's own sides may be too small to tell
    if len(parts) < 3:
        return _HALVED
    across, down = (_GRID // min(side) for side in zip(*((part.width, part.height) for part in parts), strict=True))
    return _CHROMA.get((down, across) if turn % 2 else (across, down), _HALVED)


def _info(path: Path, container: InputContainer, stream: VideoStream, frame: VideoFrame, file_bytes: int) -> VideoInfo:
    turn, mirrored = _orientation(frame)
    width, height = (frame.height, frame.width) if turn % 2 else (frame.width, frame.height)
    duration = _duration(container, stream)
    fps = stream.average_rate or stream.guessed_rate
    counted = stream.frames > 0
    frames = _shown(stream, container.format.name) if counted else round(duration * fps) if duration and fps else None
    components = frame.format.components
    aspect = stream.sample_aspect_ratio or Fraction(1)
    side = _side_data(frame)
    return VideoInfo(
        path=path,
        container=container.format.name,
        codec=stream.codec_context.name,
        width=width,
        height=height,
        turn=turn,
        mirrored=mirrored,
        fps=Fraction(fps) if fps else None,
        frames=frames,
        counted=counted,
        duration=duration,
        start=max(0.0, (container.start_time or 0) / 1_000_000),
        time_base=Fraction(stream.time_base or Fraction(1, 90_000)),
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in components),
        chroma=_HALVED if container.format.name in _ANIMATED else _chroma(frame, turn),
        has_alpha=any(component.is_alpha for component in components) and not frame.format.has_palette,
        interlaced=bool(frame.interlaced_frame),
        color=_color(frame),
        aspect=1 / Fraction(aspect) if turn % 2 and aspect else Fraction(aspect or 1),
        mastering=side.get("MASTERING_DISPLAY_METADATA"),
        light=side.get("CONTENT_LIGHT_LEVEL"),
        dynamic_hdr=not side.keys().isdisjoint(_DYNAMIC_HDR),
        stream_index=stream.index,
        codecs=tuple(f"{one.type}: {getattr(one, 'name', None) or 'unknown'}" for one in container.streams),
        file_bytes=file_bytes,
    )


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None


def _color(frame: VideoFrame) -> ColorTags:
    """The frame's tags. Where the matrix is not said it is what players assume: by the number of lines."""
    matrix = int(frame.colorspace)
    is_rgb = frame.format.is_rgb
    if matrix in (0, 2, 3) or is_rgb:
        matrix = 1 if is_rgb or min(frame.width, frame.height) >= 720 else 6
    full = not is_rgb and (int(frame.color_range) == 2 or frame.format.name.startswith("yuvj"))
    return ColorTags(matrix, int(frame.color_primaries), int(frame.color_trc), full)


def _side_data(frame: VideoFrame) -> dict[str, bytes]:
    side: Any = frame.side_data  # PyAV declares one piece where it gives all of them
    return {
        one.type.name: bytes(one)
        for one in side
        if one.type.name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL", "DISPLAYMATRIX", *_DYNAMIC_HDR)
    }


def _orientation(frame: VideoFrame) -> tuple[int, bool]:
    """(quarter turns clockwise, mirrored left to right before) from the display matrix; other angles are left out."""
    raw = _side_data(frame).get("DISPLAYMATRIX")
    if raw is None or len(raw) < 36:
        return 0, False
    matrix = np.frombuffer(raw[:36], np.int32).reshape(3, 3)[:2, :2] / 65536.0
    mirrored = bool(np.linalg.det(matrix) < 0)
    if mirrored:
        matrix = np.diag([-1.0, 1.0]) @ matrix
    # A stored column vector maps to (a*x + c*y, b*x + d*y), y downwards: (0, 1; -1, 0) turns clockwise.
    angle = np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0]))
    turn = round(angle / 90)
    return (turn % 4, mirrored) if abs(angle - 90 * turn) < 1 else (0, mirrored)


def upright(pixels: np.ndarray, info: VideoInfo) -> np.ndarray:
    """A stored frame, ``(H, W, C)``, as it is to be seen."""
    if info.mirrored:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(np.rot90(pixels, -info.turn)) if info.turn or info.mirrored else pixels


__all__ = ["SUFFIXES", "ColorTags", "VideoInfo", "VideoLimits", "probe_video", "upright"]
