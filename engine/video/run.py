"""The video job: decode, enhance and encode at the same time, safe from crashes in segments."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from engine.batch.control import BatchControl
from engine.model_manager import ModelManager
from engine.output_names import check_output
from engine.types import RESAMPLERS, EnhanceSettings, JobControl, Timings
from engine.video.decide import ANIMATIONS, VideoTask, decide
from engine.video.encoder import SegmentWriter
from engine.video.enhancer import FrameEnhancer
from engine.video.mux import MuxPlan, join
from engine.video.options import VideoOptions, VideoProgress, VideoResult
from engine.video.parallel import in_order
from engine.video.reader import FrameReader, SourceFrame
from engine.video.segments import SegmentStore, input_identity, work_key
from engine.video.tally import Counts, Speedometer
from engine.video.temporal import FlickerFilter, Step, mark_duplicates
from utils.errors import JobCancelled
from utils.gpu import available_host_memory, peak_memory_mb

logger = logging.getLogger(__name__)

_MOST_FLIGHT_BYTES = 2**30


def enhance_video(
    input_path: Path | str,
    output_path: Path | str,
    settings: EnhanceSettings,
    options: VideoOptions | None = None,
    *,
    manager: ModelManager,
    config: Any,
    control: JobControl | None = None,
    overwrite: bool = False,
) -> VideoResult:
    """Enhance a video file; sound, subtitles, chapters and every time stamp stay.

    Args:
        output_path: its suffix is the container: .mp4, .mov, .m4v, .mkv, .webm, or .gif and .webp for short clips.
        config: limits (``max_video_mb``, ``max_video_minutes``, ``max_image_megapixels``, ``max_output_megapixels``)
            and ``gpu_memory_reserve_mb``.
        control: receives ``VideoProgress``; cancelling keeps what was done until then as a playable file.
        overwrite: replace an existing output (never the input itself).

    Raises:
        EngineError: one of its kinds; then no output exists or an older one is untouched, and with
            ``options.resume`` the same call goes on from the last finished segment.
        JobCancelled: cancelled before the first frame was done.
    """
    started = time.perf_counter()
    options = options or VideoOptions.create()
    source, target = Path(input_path), Path(output_path)
    own = BatchControl.cancelled_with(control) if control is not None else BatchControl()
    task = decide(source, target, settings, options, manager, config)
    job = VideoJob(
        task, manager, own, control or own, int(getattr(config, "gpu_memory_reserve_mb", 512)) * 2**20, started
    )
    if task.spec is None:
        from engine.video.animation import write_animated

        check_output(source, target, overwrite)
        return write_animated(job, ANIMATIONS[target.suffix.lower()])
    key = work_key(
        input_identity(source),
        settings.model_dump(exclude={"format", "exif", "lossless", "quality", "embed_settings"}),
        options.model_dump(exclude={"resume", "segment_frames", "copy_audio", "copy_subtitles"}),
        task.model,
        None if task.model in RESAMPLERS else manager.file(task.model).sha256,
        task.spec,
    )
    with SegmentStore(target.parent, key, resume=options.resume) as store:
        check_output(source, target, overwrite or store.owns(target))
        return job.run(store)


class VideoJob:
    """One decided video on its way. ``animation`` uses its parts for files that are not videos."""

    def __init__(
        self,
        task: VideoTask,
        manager: ModelManager,
        control: BatchControl,
        listener: JobControl,
        reserve: int,
        started: float,
    ) -> None:
        self.task, self._manager, self.control = task, manager, control
        self._listener, self._reserve, self._started = listener, reserve, started
        self.reader = FrameReader(task.info, task.options.start, task.options.end)
        self.speed = Speedometer()
        self.counts = Counts()
        self.network_share = 0.0
        self._warnings = list(task.warnings)
        self._before = 0

    def enhancer(self) -> FrameEnhancer:
        task = self.task
        return FrameEnhancer(
            task.model,
            task.size,
            task.settings,
            self._manager,
            self.control,
            reserve=self._reserve,
            bit_depth=task.bit_depth,
        )

    def run(self, store: SegmentStore) -> VideoResult:
        """Enhance what is left, then put the output together."""
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
            result = self.result(enhancer, store.frames, complete, _totals(store), _length(store, self.task))
        if complete or not self.task.options.resume:
            store.remove()
        else:
            store.own(self.task.output_path)
        return result

    def frames(self, enhancer: FrameEnhancer, after: int | None) -> Generator[tuple[SourceFrame, np.ndarray, bool]]:
        """Enhanced frames in order, ``(H, W, 3) uint8 | uint16``, and whether they repeat the one before."""

        def work(numbered: tuple[int, Step]) -> np.ndarray | None:
            number, step = numbered
            return None if step.duplicate else enhancer.enhance(number, step.frame.pixels)

        calm = FlickerFilter(self.task.options.smoothing)
        last: np.ndarray | None = None
        self.speed.begin()
        workers = enhancer.workers
        with closing(
            in_order(self._numbered(after), work, workers=workers, depth=self._depth(workers))  # type: ignore[type-var]
        ) as pairs:
            for (_, step), pixels in pairs:
                if pixels is not None:
                    last = calm.apply(step.frame.pixels, pixels)
                assert last is not None
                yield step.frame, last, step.duplicate
        self._measure()

    def _numbered(self, after: int | None) -> Generator[tuple[int, Step]]:
        frames = self.reader.frames(after)
        yield from enumerate(mark_duplicates(frames, self.task.options.skip_duplicates))

    def _measure(self) -> None:
        self.network_share = self.control.turns.busy_seconds / self.speed.seconds if self.speed.seconds else 0.0

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
        self._listener.report(VideoProgress("Enhancing", done, total, fraction, eta, self.speed.lately))

    def _join(self, store: SegmentStore, complete: bool) -> list[str]:
        task, segments = self.task, store.segments
        base, options = task.info.time_base, task.options
        first = segments[0].stamps[0]
        until = segments[-1].stamps[-1] + segments[-1].last_duration
        plan = MuxPlan(
            task.input_path,
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
        self, enhancer: FrameEnhancer, frames: int, complete: bool, counts: Counts, duration: float
    ) -> VideoResult:
        task, model = self.task, enhancer.model
        seconds = time.perf_counter() - self._started
        warnings = [*self._warnings, *enhancer.warnings, *self._findings(frames, complete, counts)]
        self._listener.report(VideoProgress("Done", frames, frames, 1.0, 0.0, self.speed.average))
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
            codec=task.spec.codec if task.spec is not None else ANIMATIONS[task.output_path.suffix.lower()],
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
            bytes=task.output_path.stat().st_size,
            complete=complete,
            warnings=tuple(dict.fromkeys(warnings)),
            peak_memory_mb=peak_memory_mb(),
        )

    def _findings(self, frames: int, complete: bool, counts: Counts) -> list[str]:
        found = []
        expected = self.reader.expected
        if not complete:
            of = f" of {expected}" if expected else ""
            again = " The same command goes on from there." if self.task.options.resume and self.task.spec else ""
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


def _totals(store: SegmentStore) -> Counts:
    def total(name: str) -> int:
        return sum(segment.counts[name] for segment in store.segments)

    return Counts(total("duplicates"), total("fallbacks"), total("repaired"))


def _length(store: SegmentStore, task: VideoTask) -> float:
    first, last = store.segments[0], store.segments[-1]
    return float((last.stamps[-1] + last.last_duration - first.stamps[0]) * task.info.time_base)


__all__ = ["enhance_video"]
