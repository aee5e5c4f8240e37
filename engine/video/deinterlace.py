"""Interlaced films: made whole frames by FFmpeg's ``bwdif``, and pulled-down cinema undone by ``fieldmatch``.

bwdif (Bob Weaver deinterlacing filter) joins yadif's choice of edges with the interpolation of the BBC's w3fdif. One
frame comes out for each that goes in, at its own time, so that sound, subtitles and the rate stay as they are; with
``double`` two, one for each moment, so that motion is as smooth as it was. ``telecine`` finds for each field of cinema
spread by 3:2 pulldown its other half, and leaves one frame in five out, the repeated one: 29.97 a second become 23.976.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from engine.video.fields import (
    PULLDOWN_CYCLE,
    is_interlaced,
    is_telecined,
    some_cycles,
    some_frames,
    upper_lines_first,
)
from engine.video.options import VideoOptions
from utils.errors import InvalidSettingsError
from utils.video_files import VideoInfo

if TYPE_CHECKING:
    from av.filter import Graph
    from av.video.frame import VideoFrame

_LEAST_LINES = 240
"""Lines that an interlaced film has at least."""
_NEVER_INTERLACED = ("gif", "webp", "apng", "av1", "vp8", "vp9")
_PULLED_DOWN_RATES = (29.0, 31.0)

Way = Literal["flagged", "every", "double", "telecine"]
"""``flagged``: whole frames of those that the decoder calls interlaced; ``every``: of all; ``double``: two of each."""


@dataclass(frozen=True)
class Fields:
    """How a film's fields become frames; called, it gives what does so, one for each reading.

    Attributes:
        parity: which lines come first, where the file does not say it: ``tff`` or ``bff``.
        rate: of the film's frames, needed to undo telecine.
    """

    way: Way
    parity: Literal["auto", "tff", "bff"] = "auto"
    rate: Fraction | None = None

    @property
    def ticks(self) -> int:
        """Parts that a tick of the file's is divided into, so that the frames' times are exact."""
        return {"double": 2, "telecine": PULLDOWN_CYCLE - 1}.get(self.way, 1)

    @property
    def ratio(self) -> Fraction:
        """Frames that come out / frames of the file."""
        return {"double": Fraction(2), "telecine": Fraction(PULLDOWN_CYCLE - 1, PULLDOWN_CYCLE)}.get(
            self.way, Fraction(1)
        )

    @property
    def from_one_place(self) -> bool:
        """Whether it depends on where reading began which frames come out."""
        return self.way == "telecine"

    def of(self, info: VideoInfo) -> VideoInfo:
        """The film as its frames will be: their rate, number and time base."""
        return replace(
            info,
            fps=info.fps and info.fps * self.ratio,
            frames=info.frames and round(info.frames * self.ratio),
            time_base=info.time_base / self.ticks,
        )

    def __call__(self) -> Deinterlacer:
        """What does the work, for one reading."""
        return Deinterlacer(self)


def deinterlacer_for(info: VideoInfo, options: VideoOptions) -> Fields | None:
    """How a film's fields become whole frames; None where they are whole or wanted as they are.

    Raises ``InvalidSettingsError`` where telecine is to be undone in a film that cannot have it.
    """
    way = options.deinterlace
    if way == "off" or info.pictures:
        return None
    if way == "telecine":
        if info.fps is None or not _can_be_pulled_down(info):
            fps = "unknown" if info.fps is None else f"{float(info.fps):.3f}"
            raise InvalidSettingsError(
                f"Telecine is undone in films of 29.97 frames a second; '{info.path.name}' has {fps}. Choose another "
                "`--deinterlace`."
            )
        parity: Literal["tff", "bff"] = "tff" if upper_lines_first(some_cycles(info, options)) else "bff"
        return Fields("telecine", "auto" if info.interlaced else parity, info.fps)
    if way == "double":
        said = info.interlaced or upper_lines_first(some_cycles(info, options))
        return Fields("double", ("auto" if info.interlaced else "tff") if said else "bff")
    if way == "on":
        return Fields("every")
    if info.interlaced:  # the decoder tells such frames from others
        return Fields("flagged")
    possible = info.height >= _LEAST_LINES and info.codec not in _NEVER_INTERLACED
    return Fields("every") if possible and is_interlaced(some_frames(info, options)) else None


def _can_be_pulled_down(info: VideoInfo) -> bool:
    return info.fps is not None and _PULLED_DOWN_RATES[0] < info.fps < _PULLED_DOWN_RATES[1]


def looks_telecined(info: VideoInfo, options: VideoOptions) -> bool:
    """Whether a film of 29.97 frames a second shows the pattern of 3:2 pulldown."""
    return not info.pictures and _can_be_pulled_down(info) and is_telecined(some_cycles(info, options))


class Deinterlacer:
    """Frames through FFmpeg's filters, in order. Times come out in the parts of ticks that ``Fields.ticks`` says."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._graph: Graph | None = None
        self._kind: tuple[object, ...] = ()
        self._base = Fraction(1)
        self._origin = 0

    def frames(self, decoded: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """As many frames as the way gives (see ``Fields.ratio``), at their times."""
        for frame in decoded:
            kind = (frame.width, frame.height, frame.format.name, frame.time_base)
            if kind != self._kind:
                yield from self._rest()
                self._open(frame)
                self._kind = kind
                self._origin = (frame.pts or 0) if self._fields.way == "telecine" else 0
            if frame.pts is not None:
                frame.pts -= self._origin
            assert self._graph is not None  # opened with the first frame
            self._graph.vpush(frame)
            yield from self._ready(self._graph)
        yield from self._rest()

    def _open(self, frame: VideoFrame) -> None:
        import av

        fields = self._fields
        graph = av.filter.Graph()
        base: Fraction = frame.time_base or Fraction(1, 90_000)
        self._base = base / fields.ticks
        rate = fields.rate
        told = f":frame_rate={rate.numerator}/{rate.denominator}" if rate is not None else ""
        last = graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:pixel_aspect=1/1:"
            f"time_base={base.numerator}/{base.denominator}{told}",
        )
        for name, options in _filters(fields):
            following = graph.add(name, options)
            last.link_to(following)
            last = following
        last.link_to(graph.add("buffersink"))
        graph.configure()
        self._graph = graph

    def _ready(self, graph: Graph) -> Iterator[VideoFrame]:
        import av

        while True:
            try:
                frame = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert frame.time_base is not None
            base = self._base
            ratio = frame.time_base / base
            frame.pts = None if frame.pts is None else round(frame.pts * ratio) + self._origin * self._fields.ticks
            frame.duration = round(frame.duration * ratio)
            frame.time_base = base
            yield frame

    def _rest(self) -> Iterator[VideoFrame]:
        if self._graph is None:
            return
        self._graph.vpush(None)
        yield from self._ready(self._graph)
        self._graph = None


def _filters(fields: Fields) -> list[tuple[str, str]]:
    """FFmpeg's filters, one after another, with their options."""
    if fields.way != "telecine":
        mode = "send_field" if fields.way == "double" else "send_frame"
        deint = "interlaced" if fields.way == "flagged" else "all"
        return [("bwdif", f"mode={mode}:parity={fields.parity}:deint={deint}")]
    assert fields.rate is not None
    rate = f"{fields.rate.numerator}/{fields.rate.denominator}"
    return [
        ("fps", f"fps={rate}"),  # a frame that is missing would move all that follow: the next filters count
        ("fieldmatch", f"order={fields.parity}:combmatch=full"),
        ("bwdif", "mode=send_frame:parity=auto:deint=interlaced"),  # what finds no other half
        ("decimate", f"cycle={PULLDOWN_CYCLE}"),
    ]


__all__ = ["Deinterlacer", "Fields", "deinterlacer_for", "looks_telecined"]
