"""Short clips as animated pictures: GIF and WebP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from engine.video.decide import MOST_ANIMATION_FRAMES
from engine.video.options import VideoResult
from engine.video.reader import SourceFrame
from utils import image_io
from utils.errors import InvalidSettingsError, JobCancelled
from utils.picture import Metadata, Picture
from utils.writers import SaveOptions

if TYPE_CHECKING:
    from engine.video.enhancer import FrameEnhancer
    from engine.video.job import VideoJob


def write_animated(job: VideoJob, kind: str) -> VideoResult:
    """Enhance the frames and write them as ``kind`` ("gif" or "webp"), playing for ever.

    Raises ``InvalidSettingsError`` where the clip is too long for such a file.
    """
    expected = job.reader.expected or 0
    if expected > MOST_ANIMATION_FRAMES:
        raise InvalidSettingsError(
            f"{kind.upper()} is for short clips: {expected} frames are more than {MOST_ANIMATION_FRAMES}. Choose a "
            "range (start, end) or save as .mp4."
        )
    task = job.task
    save = SaveOptions(format=kind, quality=task.options.quality, comment=task.comment)
    state = _State()
    with job.enhancer() as enhancer:
        frames = _timed(_until_cancelled(job, enhancer, state), job, 10 if kind == "gif" else 1, state)
        image_io.write_animation(frames, task.output_path, 0, save, Metadata())
        duration = float(state.ticks * task.info.time_base)
        return job.result(enhancer, state.frames, state.complete, job.counts, duration)


class _State:
    def __init__(self) -> None:
        self.frames = 0
        self.ticks = 0
        self.complete = True


def _until_cancelled(job: VideoJob, enhancer: FrameEnhancer, state: _State) -> Iterator[tuple[SourceFrame, np.ndarray]]:
    """Enhanced frames; cancelling ends them, and only before the first one it is an error."""
    job.tell(0)
    with closing(job.frames(enhancer, None)) as frames:
        try:
            for frame, pixels, duplicate in frames:
                state.frames += 1
                if state.frames > MOST_ANIMATION_FRAMES:
                    raise InvalidSettingsError(
                        f"The clip has more than {MOST_ANIMATION_FRAMES} frames. Choose a range, or save as .mp4."
                    )
                job.note(frame, duplicate)
                job.tell(state.frames)
                yield frame, pixels
        except JobCancelled:
            if not state.frames:
                raise
            state.complete = False


def _timed(
    frames: Iterator[tuple[SourceFrame, np.ndarray]], job: VideoJob, step: int, state: _State
) -> Iterator[tuple[Picture, int]]:
    """Frames with how long they are shown, in multiples of ``step`` milliseconds whose errors do not add up."""
    base = job.task.info.time_base
    first, shown = None, 0
    previous: tuple[SourceFrame, np.ndarray] | None = None

    def until(stamp: int) -> int:
        nonlocal shown
        total = round((stamp - (first or 0)) * base * 1000 / step) * step
        duration, shown = max(step, total - shown), max(shown + step, total)
        return duration

    for frame, pixels in frames:
        if first is None:
            first = frame.stamp
        if previous is not None:
            yield Picture(previous[1]), until(frame.stamp)
        previous = frame, pixels
    if previous is not None:
        end = previous[0].stamp + previous[0].duration
        state.ticks = end - (first or 0)
        yield Picture(previous[1]), until(end)


__all__ = ["write_animated"]
