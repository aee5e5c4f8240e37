"""The frames of a video in the order of showing, with their exact time stamps. None is ever left out."""

from __future__ import annotations

import heapq
import logging
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.video.colors import to_pixels
from utils.errors import EmptyVideoError
from utils.picture import Metadata
from utils.video_containers import opened, video_stream
from utils.video_files import VideoInfo

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from engine.video.deinterlace import Fields

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """One frame of the input.

    Attributes:
        stamp, duration: in ticks of the reader's ``time_base``.
        pixels: upright ``(H, W, 3) uint8 | uint16``; 4 channels where a sequence's transparency is kept.
        repaired: it could not be decoded; the pixels are those of the frame before (the next, at the start).
        metadata: of a picture that was a file of its own.
    """

    stamp: int
    duration: int
    pixels: np.ndarray
    repaired: bool = False
    metadata: Metadata | None = None


class FrameReader:
    """Reads frames from ``start`` to ``end`` (seconds as a player counts; None = all), whole ones by ``deinterlacer``.

    ``time_base`` is what the frames' times count in: the video's, or a part of it where ``deinterlacer`` changes the
    rate.

    After reading, ``repaired`` counts the frames that could not be decoded, and ``cut_off`` says whether the file
    ended in the middle.
    """

    def __init__(
        self,
        info: VideoInfo,
        start: float | None = None,
        end: float | None = None,
        deinterlacer: Fields | None = None,
    ) -> None:
        self._info, self._start, self._end = info, start, end
        self._deinterlacer = deinterlacer
        self._ticks = 1 if deinterlacer is None else deinterlacer.ticks
        self.time_base = info.time_base / self._ticks
        self.repaired = 0
        self.cut_off = False

    @cached_property
    def expected(self) -> int | None:
        """How many frames there will be: as the file's index counts them, else a guess by length and average rate."""
        found = self._in_file()
        ratio = 1 if self._deinterlacer is None else self._deinterlacer.ratio
        return None if found is None else max(1, round(found * ratio))

    def _in_file(self) -> int | None:
        """The same for the frames that the file holds."""
        info = self._info
        if self._start is None and self._end is None:
            return info.frames
        if self.counted:
            return self._indexed
        if not info.fps or not info.duration:
            return None
        return max(1, round((min(self._end or info.duration, info.duration) - (self._start or 0.0)) * info.fps))

    @property
    def counted(self) -> bool:
        """Whether ``expected`` is a count and no guess."""
        whole = self._start is None and self._end is None
        return self._info.counted and (whole or self._indexed > 0)

    @cached_property
    def _indexed(self) -> int:
        """Frames of the range in the index, or 0 where it does not tell."""
        low, high = self._bounds(self._info.time_base)
        with opened(self._info.path) as container:
            stream = video_stream(container, self._info.path.name)
            stamps = [entry.timestamp for entry in stream.index_entries if not entry.is_discard]
            first = stream.start_time
        if first is None or len(stamps) != self._info.frames or (low is not None and low > stamps[-1]):
            return 0
        # The index holds decoding times: those of showing, but as many frames later as there are before the first one.
        early = bisect_left(stamps, first)
        begin = 0 if low is None else max(0, bisect_left(stamps, low) - early)
        if high is None or (self._info.duration or float("inf")) <= (self._end or 0.0):
            return len(stamps) - begin
        return max(0, bisect_left(stamps, high) - early - begin)

    def frames(self, after: int | None = None) -> Iterator[SourceFrame]:
        """Yield the frames; with ``after`` only those later than that time stamp.

        Raises ``EmptyVideoError`` where there is none at all (never with ``after``).
        """
        low, high = self._bounds(self.time_base)
        count = 0
        for frame in self._ordered(self._seek_target(after, low)):
            if (after is not None and frame.stamp <= after) or (low is not None and frame.stamp < low):
                continue
            if high is not None and frame.stamp >= high:
                break
            count += 1
            self.repaired += frame.repaired
            yield frame
        if count == 0 and after is None:
            name = self._info.path.name
            where = "" if low is None and high is None else " in that range"
            raise EmptyVideoError(f"'{name}' holds no frames{where}.")

    def _bounds(self, time_base: Fraction) -> tuple[int | None, int | None]:
        """First tick of ``time_base`` and the tick after the last; a thousandth is forgiven to binary fractions."""

        def tick(seconds: float | None) -> int | None:
            if seconds is None:
                return None
            exact = (Fraction(seconds) + Fraction(self._info.start)) / time_base
            return -int(-(exact - Fraction(1, 1000)) // 1)

        return tick(self._start), tick(self._end)

    def _seek_target(self, after: int | None, low: int | None) -> int | None:
        """The file's tick from which frames are needed; None = from the beginning."""
        if self._deinterlacer is not None and self._deinterlacer.from_one_place:
            after = None  # going on begins where the first reading did
        targets = [tick for tick in (after, low) if tick is not None]
        return max(targets) // self._ticks if targets else None

    def _ordered(self, target: int | None) -> Iterator[SourceFrame]:
        if target is not None:
            with opened(self._info.path) as container:
                frames = self._decoded(container, target)
                first = next(frames, None) if self._sought(container, target) else None
                if first is not None and first.stamp <= target * self._ticks:
                    yield first
                    yield from frames
                    return
        # From the beginning; also where seeking came out behind the target, as MPEG streams without an index do.
        with opened(self._info.path) as container:
            yield from self._decoded(container, None)

    def _sought(self, container: InputContainer, target: int) -> bool:
        """Go to the last key frame up to ``target``; False where the container cannot."""
        import av

        try:
            container.seek(target, stream=video_stream(container, self._info.path.name), backward=True)
        except av.FFmpegError:
            return False
        return True

    def _decoded(self, container: InputContainer, target: int | None) -> Iterator[SourceFrame]:
        """Frames from where the container stands; ``target`` None = it stands at the beginning."""
        video = video_stream(container, self._info.path.name)
        video.thread_type = "AUTO"
        order = _Order(self._info, self._deinterlacer, from_start=target is None)
        raw = self._raw(container, video, order)
        for frame in raw if self._deinterlacer is None else self._deinterlacer().frames(raw):
            yield from order.place(frame, to_pixels(frame, self._info))
        yield from order.rest()

    def _raw(self, container: InputContainer, stream: VideoStream, order: _Order) -> Iterator[VideoFrame]:
        """Every frame that decodes; damaged packets are passed over, ``order`` fills their places."""
        import av

        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                logger.warning("'%s' ends early: %s", self._info.path.name, error)
                self.cut_off = True
                packet = None
            if packet is None:
                break
            order.expect(packet)
            try:
                yield from packet.decode()
            except av.error.EOFError:
                return
            except av.FFmpegError as error:
                logger.warning("A frame of '%s' cannot be decoded: %s", self._info.path.name, error)
        if self.cut_off:
            try:
                yield from stream.codec_context.decode(None)
            except av.FFmpegError:
                return


class _Order:
    """Gives every frame a rising time stamp, and finds those that were in the file but never came out."""

    def __init__(self, info: VideoInfo, fields: Fields | None, *, from_start: bool) -> None:
        shown = info if fields is None else fields.of(info)
        self._step = max(1, round(1 / (shown.fps * shown.time_base))) if shown.fps else 1
        self._ticks = 1 if fields is None else fields.ticks
        self._more = fields is not None and fields.ratio > 1
        # Frames that are made of several ones of the file cannot be told to be missing.
        self._awaited: list[int] | None = None if fields is not None and fields.ratio < 1 else []
        self._from_start = from_start
        self._last: SourceFrame | None = None

    def expect(self, packet: Packet) -> None:
        """Note a packet's time stamp: a frame must come out for it."""
        if self._awaited is None or packet.size == 0 or packet.is_discard:
            return
        if packet.pts is None:
            self._awaited = None  # such a file does not say when frames are shown, so none can be missed
        else:
            heapq.heappush(self._awaited, packet.pts * self._ticks)

    def place(self, frame: VideoFrame, pixels: np.ndarray) -> Iterator[SourceFrame]:
        last = self._last
        stamp = frame.pts
        if stamp is None:
            stamp = 0 if last is None else last.stamp + max(1, last.duration)
        shown = SourceFrame(stamp, frame.duration or self._step, pixels)
        for missing in self._missed(stamp):
            if last is not None:
                last = replace(last, stamp=missing, repaired=True)
                yield last
            elif self._from_start:
                yield replace(shown, stamp=missing, repaired=True)
        if last is not None and stamp <= last.stamp:
            shown = replace(shown, stamp=last.stamp + 1)  # encoders refuse two frames at one time
        self._last = shown
        yield shown

    def _missed(self, stamp: int) -> list[int]:
        """The awaited time stamps before ``stamp``."""
        missed: list[int] = []
        if self._awaited is None:
            return missed
        while self._awaited and self._awaited[0] < stamp:
            missed.append(heapq.heappop(self._awaited))
        if not missed and self._more and (not self._awaited or self._awaited[0] > stamp):
            return []  # the second frame that was made of one of the file's
        if not self._awaited or self._awaited[0] != stamp:
            # The decoder counts time in another way than the file does: nothing can be compared.
            self._awaited = None
            return []
        heapq.heappop(self._awaited)
        return missed

    def rest(self) -> Iterator[SourceFrame]:
        """Frames at the very end that never came out."""
        for stamp in sorted(self._awaited or ()):
            if self._last is not None and stamp > self._last.stamp:
                yield replace(self._last, stamp=stamp, repaired=True)


__all__ = ["FrameReader", "SourceFrame"]
