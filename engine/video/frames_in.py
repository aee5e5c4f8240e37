"""Where a film's frames come from: its file, or numbered pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.video.reader import FrameReader, SourceFrame
from engine.video.sequence import SequenceReader
from utils.errors import EmptyVideoError
from utils.video_files import VideoInfo

if TYPE_CHECKING:
    from engine.video.deinterlace import Fields


def open_frames(
    info: VideoInfo,
    start: float | None = None,
    end: float | None = None,
    deinterlacer: Fields | None = None,
    *,
    alpha: bool = False,
) -> FrameReader | SequenceReader:
    """A reader for a film or, where ``info`` has ``pictures``, for a sequence of them.

    ``alpha``: keep a sequence's transparency as a fourth channel.
    """
    if not info.pictures:
        return FrameReader(info, start, end, deinterlacer)
    return SequenceReader(info, start, end, alpha=alpha)


def frame_at(info: VideoInfo, seconds: float, deinterlacer: Fields | None = None) -> SourceFrame:
    """The first frame from ``seconds`` on, as a player counts; after the end the last one.

    Its time is in ticks of ``FrameReader.time_base``. Raises ``EmptyVideoError``.
    """
    try:
        return next(open_frames(info, max(0.0, seconds), None, deinterlacer).frames())
    except EmptyVideoError:
        late = max(0.0, (info.duration or 0.0) - 2) or None
        *_, last = open_frames(info, late, None, deinterlacer).frames()
        return last


__all__ = ["frame_at", "open_frames"]
