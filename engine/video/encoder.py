"""Frames into one segment: a small file of its own, closed so that it can be joined to others without decoding."""

from __future__ import annotations

import os
from bisect import bisect_left
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from engine.video.colors import light_text, mastering_text, to_frame
from engine.video.options import Speed, VideoOptions
from engine.video.priority import ordinary_priority
from utils.errors import InvalidSettingsError, OutputError
from utils.gpu import cpu_count
from utils.video_files import ColorTags, VideoInfo

if TYPE_CHECKING:
    from av import Packet, VideoFrame

_Encoder = Literal["libx264", "libx265", "libsvtav1"]
_ENCODERS: dict[str, _Encoder] = {"h264": "libx264", "h265": "libx265", "av1": "libsvtav1"}
_PRESETS: dict[str, dict[Speed, str]] = {
    "h264": {"fast": "veryfast", "medium": "medium", "slow": "slow"},
    "h265": {"fast": "superfast", "medium": "fast", "slow": "slow"},
    "av1": {"fast": "10", "medium": "8", "slow": "5"},
}
_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_HOLDS = {
    "mp4": ("h264", "h265", "av1"),
    "mov": ("h264", "h265"),
    "matroska": ("h264", "h265", "av1"),
    "webm": ("av1",),
}
_H264_SIDE = 4096
"""Most decoders take H.264 up to level 5.2: 4096 pixels wide."""
_LARGEST_SIDE = 8192
"""H.265's level 6.2 and AV1's 6.3."""

_CHROMA_STEPS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}
"""How colour is written -> what width and height have to be multiples of."""
_KEEPS_CHROMA = ("h264", "h265")
"""Codecs whose encoders here take all of those; the others halve colour both ways."""
PLACE_BASE = Fraction(1, 25)
"""Time base of segment files, whose time stamps are the frames' places."""
_LARGEST_REORDER = 32
"""Frames that a packet may come ahead of its place: twice what the standards' picture buffers hold."""


@dataclass(frozen=True)
class EncoderSpec:
    """How frames are encoded; equal specs give segments that can be joined."""

    codec: str
    width: int
    height: int
    pixel_format: str
    time_base: Fraction
    rate: Fraction
    quality: int
    speed: Speed
    color: ColorTags
    aspect: Fraction
    mastering: bytes | None
    light: bytes | None

    @property
    def deep(self) -> bool:
        """Whether frames are encoded with 10 bits a channel."""
        return self.pixel_format.endswith("10le")

    @property
    def chroma(self) -> str:
        """How colour is sampled, as ``VideoInfo.chroma`` says it."""
        return ":".join(self.pixel_format[3:6])

    @property
    def crf(self) -> int:
        """The encoder's constant rate factor: ``quality`` 80 is 18, 20 and 27."""
        start, slope = {"h264": (50, 0.4), "h265": (52, 0.4), "av1": (63, 0.45)}[self.codec]
        return max(1, round(start - slope * self.quality))

    def settings(self) -> dict[str, str]:
        """The encoder's own options."""
        options = {"crf": str(self.crf), "preset": _PRESETS[self.codec][self.speed]}
        if self.codec == "h265":
            parameters = ["log-level=none"]
            if self.color.is_hdr and (mastering := mastering_text(self.mastering, integers=True)):
                parameters += ["hdr10=1", "hdr10-opt=1", f"master-display={mastering}"]
            if self.color.is_hdr and (light := light_text(self.light)):
                parameters.append(f"max-cll={light}")
            options["x265-params"] = ":".join(parameters)
        if self.codec == "av1" and self.color.is_hdr:
            parameters = []
            if mastering := mastering_text(self.mastering, integers=False):
                parameters.append(f"mastering-display={mastering}")
            if light := light_text(self.light):
                parameters.append(f"content-light={light}")
            if parameters:
                options["svtav1-params"] = ":".join(parameters)
        return options


def container_format(path: Path) -> str:
    """FFmpeg's name of the container that a file name asks for. Raises ``InvalidSettingsError``."""
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InvalidSettingsError(
            f"'{path.name}' cannot be written: videos are saved as {', '.join(_FORMATS)}, short clips also as .gif "
            "and .webp."
        )
    return kind


def choose_codec(options: VideoOptions, info: VideoInfo, kind: str, size: tuple[int, int]) -> str:
    """The codec for a container, by what the video needs. Raises ``InvalidSettingsError`` where they do not fit."""
    possible = _HOLDS[kind]
    if options.codec != "auto":
        if options.codec not in possible:
            raise InvalidSettingsError(
                f"{kind.upper()} files do not hold {options.codec.upper()} here; choose {' or '.join(possible)}, or "
                "save as .mkv."
            )
        codec: str = options.codec
    elif "h265" not in possible:
        codec = possible[0]
    else:
        codec = "h265" if info.bit_depth > 8 or info.color.is_hdr or max(size) > _H264_SIDE else "h264"
    if max(size) > _LARGEST_SIDE * (2 if codec == "h264" else 1):
        raise InvalidSettingsError(
            f"A video of {size[0]}x{size[1]} pixels cannot be encoded as {codec.upper()}: at most {_LARGEST_SIDE} a "
            "side. Choose a smaller scale."
        )
    return codec


def make_spec(options: VideoOptions, info: VideoInfo, kind: str, size: tuple[int, int]) -> EncoderSpec:
    """Everything about the encoding. ``size`` is that of the frames, before they are made even."""
    codec = choose_codec(options, info, kind, size)
    # Drawn films and recorded screens have edges between colours of like brightness, and halved colour blurs them.
    chroma = info.chroma if info.chroma in _CHROMA_STEPS and codec in _KEEPS_CHROMA else "4:2:0"
    width, height = (-(-side // step) * step for side, step in zip(size, _CHROMA_STEPS[chroma], strict=True))
    return EncoderSpec(
        codec=codec,
        width=width,
        height=height,
        pixel_format=f"yuv{chroma.replace(':', '')}p{'10le' if info.bit_depth > 8 else ''}",
        time_base=info.time_base,
        rate=info.fps or Fraction(25),
        quality=options.quality,
        speed=options.speed,
        color=info.color,
        aspect=info.aspect,
        mastering=info.mastering,
        light=info.light,
    )


class SegmentWriter:
    """Encodes the frames of one segment into an MP4 file. In it frames are numbered, not timed.

    So no container's rounding and no encoder's decoding times can touch the time stamps, which are kept apart.

    A context manager: leaving it with an error removes the file. Only ``finish`` makes the file whole.
    """

    def __init__(self, path: Path, spec: EncoderSpec) -> None:
        import av

        os.environ.setdefault("SVT_LOG", "1")  # else the AV1 library prints its settings to standard error
        self.path, self._spec = path, spec
        self.stamps: list[int] = []
        self.last_duration = 0
        self.reorder = 0
        self._packets = 0
        self._threads = min(8, cpu_count())
        try:
            self._container = av.open(str(path), "w", format="mp4")
            self._stream = self._container.add_stream(_ENCODERS[spec.codec], rate=spec.rate, options=spec.settings())
            self._configure()
        except av.FFmpegError as error:
            raise self._fault(error) from error

    def _configure(self) -> None:
        stream, spec = self._stream, self._spec
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, spec.pixel_format
        context = stream.codec_context
        context.time_base, stream.time_base = spec.time_base, PLACE_BASE
        context.sample_aspect_ratio = spec.aspect
        context.colorspace = 9 if spec.color.matrix == 10 else spec.color.matrix
        context.color_range = 2 if spec.color.full_range else 1
        context.color_primaries, context.color_trc = spec.color.primaries, spec.color.transfer
        # About ten seconds between key frames, as players that seek expect.
        context.gop_size = max(12, min(300, round(spec.rate * 10)))

    def add(self, pixels: np.ndarray, stamp: int, duration: int) -> None:
        """The next frame, ``(H, W, 3) uint8 | uint16``, shown from ``stamp`` on, in the spec's time base."""
        frame = to_frame(_padded(pixels, self._spec), self._spec.pixel_format, self._spec.color, self._threads)
        self.stamps.append(stamp)
        self.last_duration = duration
        frame.pts, frame.time_base = stamp - self.stamps[0], self._spec.time_base
        frame.duration = duration
        self._encode(frame)

    def _encode(self, frame: VideoFrame | None) -> None:
        import av

        # The encoder is opened by its first frame.
        opening = ordinary_priority() if len(self.stamps) == 1 else nullcontext()
        try:
            with opening:
                packets = self._stream.encode(frame)
            for packet in packets:
                self._write(packet)
        except av.FFmpegError as error:
            raise self._fault(error) from error

    def _write(self, packet: Packet) -> None:
        assert packet.pts is not None  # encoders give it
        place = bisect_left(self.stamps, packet.pts + self.stamps[0])
        self.reorder = max(self.reorder, self._packets - place)
        packet.pts, packet.dts, packet.duration = place, self._packets - _LARGEST_REORDER, 1
        packet.time_base = PLACE_BASE
        self._packets += 1
        self._container.mux(packet)

    def finish(self) -> None:
        """Flush the encoder and close the file. Raises ``OutputError`` where not every frame came out."""
        import av

        self._encode(None)
        try:
            self._container.close()
        except av.FFmpegError as error:
            raise self._fault(error) from error
        if self._packets != len(self.stamps):
            raise OutputError(
                f"The {self._spec.codec.upper()} encoder gave {self._packets} pictures for {len(self.stamps)} frames; "
                "choose another codec."
            )

    def discard(self) -> None:
        """Close and remove a segment without frames."""
        from contextlib import suppress

        with suppress(Exception):  # a file without frames cannot be closed properly
            self._container.close()
        self.path.unlink(missing_ok=True)

    def _fault(self, error: Exception) -> OutputError:
        text = getattr(error, "strerror", None) or error
        return OutputError(f"The video cannot be encoded as {self._spec.codec.upper()} to '{self.path}': {text}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()


def _padded(pixels: np.ndarray, spec: EncoderSpec) -> np.ndarray:
    """Odd sides get one more row or column, a repetition of the last: nothing is squeezed."""
    below, right = spec.height - pixels.shape[0], spec.width - pixels.shape[1]
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else pixels


__all__ = ["EncoderSpec", "SegmentWriter", "choose_codec", "container_format", "make_spec"]
