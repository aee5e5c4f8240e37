"""One video on its way: decode, enhance and encode at the same time, safe from crashes in segments."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from engine.batch import BatchControl
from engine.imaging.context import JobContext
from engine.types import Timings
from engine.video.counters import Counts, Speedometer
from engine.video.decide import VideoTask
from engine.video.encoder import SegmentWriter
from engine.video.enhancer import FrameEnhancer
from engine.video.frames_in import open_frames
from engine.video.mux import MuxPlan, join
from engine.video.options import VideoProgress, VideoResult
from engine.video.parallel import in_order
from engine.video.reader import SourceFrame
from engine.video.segments import SegmentStore, length, totals
from engine.video.temporal import FlickerFilter, MarkedFrame, mark_duplicates
from utils.errors import JobCancelled
from utils.gpu import available_host_memory, peak_memory_mb

if TYPE_CHECKING:
    from engine.model_manager import LoadedModel

_MOST_FLIGHT_BYTES = 2**30
_TELLING_FRAMES = 8
"""Frames from which on a film says how fast its network is; the first of them waits until all is under way."""


class VideoJob:
    """One decided video on its way. ``animation`` and ``frames_out`` use its parts for what is no video file.

    Args:
        context: its control is told of progress.
        control: stops the frames.
        started: the ``time.perf_counter()`` that the total time counts from.
    """

    def __init__(self, task: VideoTask, context: JobContext, control: BatchControl, started: float) -> None:
        self.task, self._context, self.control, self._started = task, context, control, started
        self.reader = open_frames(
            task.source,
            task.options.start,
            task.options.end,
            task.deinterlacer,
            alpha=task.frames is not None and task.frames.alpha,
        )
        self.speed = Speedometer()
        self.counts = Counts()
        self.network_share = 0.0
        self._warnings = list(task.warnings)
        self._before = 0

    def enhancer(self) -> FrameEnhancer:
        """The network and what follows it, for this video's frames."""
        return FrameEnhancer(self.task, self._context, self.control)

    def going_on_from(self, frames: int) -> None:
        """So many are done already."""
        self._before = frames

    def warn(self, sentence: str) -> None:
        """Add to what the result says."""
        self._warnings.append(sentence)

    def run(self, store: SegmentStore) -> VideoResult:
        """Enhance what is left, then put the output together."""
        task = self.task
        self._before = store.frames
        complete = True
        with self.enhancer() as enhancer:
            try:
                self._encode(store, enhancer)
            except JobCancelled:
                complete = False
                if not store.segments:
                    raise
            self._warnings += self._join(store, complete)
            result = self.result(enhancer, store.frames, complete, totals(store), length(store, task.info.time_base))
        if complete or not self.task.options.resume:
            store.remove()
        else:
            store.own(self.task.output_path)
        return result

    def frames(self, enhancer: FrameEnhancer, after: int | None) -> Generator[tuple[SourceFrame, np.ndarray, bool]]:
        """Enhanced frames in order, ``(H, W, 3) uint8 | uint16``, and whether they repeat the one before."""

        def work(numbered: tuple[int, MarkedFrame]) -> np.ndarray | None:
            number, step = numbered
            return None if step.duplicate else enhancer.enhance(number, step.frame.pixels)

        calm = FlickerFilter(self.task.options.smoothing)
        last: np.ndarray | None = None
        enhanced = 0
        self.speed.begin()
        workers = enhancer.workers
        with closing(
            in_order(self._numbered(after), work, workers=workers, depth=self._depth(workers))  # type: ignore[type-var]
        ) as pairs:
            for (_, step), pixels in pairs:
                if pixels is not None:
                    enhanced += 1
                    last = calm.apply(step.frame.pixels, pixels)
                assert last is not None
                yield step.frame, last, step.duplicate
        self._measure()
        if enhancer.model is not None and enhanced >= _TELLING_FRAMES:
            self._tell_speed(enhancer.model, enhanced)

    def _numbered(self, after: int | None) -> Generator[tuple[int, MarkedFrame]]:
        frames = self.reader.frames(after)
        yield from enumerate(mark_duplicates(frames, self.task.options.skip_duplicates))

    def _measure(self) -> None:
        self.network_share = self.control.network_queue.busy_seconds / self.speed.seconds if self.speed.seconds else 0.0

    def _tell_speed(self, model: LoadedModel, enhanced: int) -> None:
        """For the next estimate, where each frame went through the network once."""
        task, busy = self.task, self.control.network_queue.busy_seconds
        if model.info.scale >= task.size.scale:
            pixels = enhanced * task.info.width * task.info.height
            self._context.manager.speeds.note(model.info, model.session.device, pixels, busy)

    def _depth(self, workers: int) -> int:
        """Frames in flight, so that they stay within a quarter of the free memory and a gigabyte."""
        task = self.task
        wide = 2 if task.bit_depth == 16 else 1
        width, height = task.size.canvas
        # The bands of a frame at work are 16 bits wide; finished ones have the output's width.
        each = task.info.width * task.info.height * 3 * wide + width * height * 3 * (2 + wide)
        room = min(_MOST_FLIGHT_BYTES, available_host_memory() // 4)
        return max(2, min(workers + 3, room // max(1, each)))

    def _encode(self, store: SegmentStore, enhancer: FrameEnhancer) -> None:
        """Write segment after segment; what is finished when the person cancels becomes a segment too."""
        task = self.task
        assert task.spec is not None
        after = store.segments[-1].stamps[-1] if store.segments else None
        self.tell(store.frames)
        with closing(self.frames(enhancer, after)) as frames:
            ended = False
            while not ended:
                before = Counts(self.counts.duplicates, enhancer.fallbacks, self.counts.repaired)
                path = store.next_path()
                cancelled: JobCancelled | None = None
                with SegmentWriter(path, task.spec) as writer:
                    try:
                        ended = self._fill(writer, frames, store.frames)
                    except JobCancelled as error:
                        ended, cancelled = True, error
                    if writer.stamps:
                        writer.finish()
                    else:
                        writer.discard()
                if writer.stamps:
                    counts = {
                        "duplicates": self.counts.duplicates - before.duplicates,
                        "fallbacks": enhancer.fallbacks - before.fallbacks,
                        "repaired": self.counts.repaired - before.repaired,
                    }
                    store.add(path, writer.stamps, writer.last_duration, writer.reorder, counts)
                if cancelled is not None:
                    self._measure()
                    raise cancelled

    def _fill(self, writer: SegmentWriter, frames: Iterator[tuple[SourceFrame, np.ndarray, bool]], done: int) -> bool:
        """Encode up to a segment's number of frames; True when there are no more."""
        for frame, pixels, duplicate in frames:
            writer.add(pixels, frame.stamp, frame.duration)
            self.note(frame, duplicate)
            self.tell(done + len(writer.stamps))
            if len(writer.stamps) >= self.task.options.segment_frames:
                return False
        return True

    def note(self, frame: SourceFrame, duplicate: bool) -> None:
        """Count a frame that is done, one more of those alike where it repeats the one before."""
        self.speed.tick()
        self.counts.duplicates += duplicate
        self.counts.repaired += frame.repaired

    def tell(self, done: int) -> None:
        """Report ``done`` frames, those of an earlier run included."""
        total = self.reader.expected or 0
        fresh = done - self._before
        left = max(0, total - done)
        eta = self.speed.seconds / fresh * left if fresh and total else None
        fraction = min(0.99, done / total) if total else 0.0
        self._context.control.report(VideoProgress("Enhancing", done, total, fraction, eta, self.speed.lately))

    def _join(self, store: SegmentStore, complete: bool) -> list[str]:
        task, segments = self.task, store.segments
        base, options = task.info.time_base, task.options
        first = segments[0].stamps[0]
        until = segments[-1].stamps[-1] + segments[-1].last_duration
        plan = MuxPlan(
            None if task.source.pictures else task.input_path,
            _kind(task),
            base,
            rate=task.info.fps,
            shift=first if options.start is not None else 0,
            first=first * base if options.start is not None else None,
            last=Fraction(until) * base if options.end is not None or not complete else None,
            audio=options.copy_audio,
            subtitles=options.copy_subtitles,
            comment=task.comment,
        )
        return join(segments, store.paths, plan, task.output_path)

    def result(
        self,
        enhancer: FrameEnhancer,
        frames: int,
        complete: bool,
        counts: Counts,
        duration: float,
        size: int | None = None,
    ) -> VideoResult:
        """What the job gave. ``size``: of the output in bytes, where it is not one file."""
        task, model = self.task, enhancer.model
        seconds = time.perf_counter() - self._started
        warnings = [*self._warnings, *enhancer.warnings, *self._findings(frames, complete, counts)]
        self._context.control.report(VideoProgress("Done", frames, frames, 1.0, 0.0, self.speed.average))
        return VideoResult(
            input_path=task.input_path,
            output_path=task.output_path,
            input_size=(task.info.width, task.info.height),
            output_size=task.output_size,
            frames=frames,
            duplicates=counts.duplicates,
            fallbacks=counts.fallbacks,
            repaired=counts.repaired,
            resumed_frames=self._before,
            duration=duration,
            codec=task.written_as,
            model=task.model,
            model_reason=task.model_reason,
            backend=model.session.backend if model else "pillow",
            device=model.session.device if model else "cpu",
            precision=model.session.precision if model else "fp32",
            tile=enhancer.window,
            scale=round(task.size.scale, 4),
            timings=Timings(enhancer.load_seconds, self.speed.seconds, seconds),
            fps=self.speed.average,
            network_share=self.network_share,
            bytes=task.output_path.stat().st_size if size is None else size,
            complete=complete,
            warnings=tuple(dict.fromkeys(warnings)),
            peak_memory_mb=peak_memory_mb(),
        )

    def _findings(self, frames: int, complete: bool, counts: Counts) -> list[str]:
        found = []
        expected = self.reader.expected
        if not complete:
            of = f" of {expected}" if expected else ""
            kept = self.task.options.resume and (self.task.spec or self.task.frames)
            again = " The same command goes on from there." if kept else ""
            if self.task.frames is not None:
                found.append(f"Cancelled: the first {frames}{of} frames were written.{again}")
            else:
                found.append(f"Cancelled: the file holds the first {frames}{of} frames.{again}")
        elif self.reader.cut_off or (self.reader.counted and expected and frames < expected - max(2, expected // 50)):
            found.append(f"The input is cut off or damaged: {frames} of {expected or 'its'} frames could be read.")
        if counts.repaired:
            found.append(f"{counts.repaired} frames could not be decoded; each repeats the one before it.")
        if counts.fallbacks:
            found.append(f"The network failed on {counts.fallbacks} frames; they were enlarged by interpolation.")
        return found


def _kind(task: VideoTask) -> str:
    from engine.video.encoder import container_format

    return container_format(task.output_path)


__all__ = ["VideoJob"]
