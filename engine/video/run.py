"""A video from file to file: decided, then done in the way that its result asks for."""

from __future__ import annotations

import time
from pathlib import Path

from engine.batch import BatchControl
from engine.imaging.context import JobContext
from engine.model_manager import ModelManager
from engine.storage.output_names import check_output
from engine.types import RESAMPLERS, EnhanceSettings, JobControl
from engine.video.animation import write_animated
from engine.video.decide import ANIMATIONS, decide_video
from engine.video.frames_out import FrameStore, write_frames
from engine.video.job import VideoJob
from engine.video.options import VideoOptions, VideoResult
from engine.video.segments import SegmentStore, input_identity, work_key
from engine.video.sequence import sequence_identity
from utils.engine_config import EngineConfig


def enhance_video(
    input_path: Path | str,
    output_path: Path | str,
    settings: EnhanceSettings,
    options: VideoOptions | None = None,
    *,
    manager: ModelManager,
    config: EngineConfig,
    control: JobControl | None = None,
    overwrite: bool = False,
) -> VideoResult:
    """Enhance a video file; sound, subtitles, chapters and every time stamp stay.

    Args:
        input_path: a film, or numbered pictures as its frames: a pattern (``frames/%04d.png``) or their folder.
        output_path: its suffix is the container: .mp4, .mov, .m4v, .mkv, .webm, or .gif and .webp for short clips; a
            pattern (``out/%04d.png``; .jpg, .webp, .tif) writes the frames as pictures.
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
    context = JobContext(manager, config, control or own, overwrite)
    task = decide_video(source, target, settings, options, context)
    job = VideoJob(task, context, own, started)
    if task.spec is None and task.frames is None:
        check_output(source, target, overwrite)
        return write_animated(job, ANIMATIONS[target.suffix.lower()])
    key = work_key(
        sequence_identity(task.source) if task.source.pictures else input_identity(source),
        settings.model_dump(exclude={"format", "exif", "lossless", "quality", "embed_settings"}),
        options.model_dump(exclude={"resume", "segment_frames", "copy_audio", "copy_subtitles"}),
        task.model,
        None if task.model in RESAMPLERS else manager.file(task.model).sha256,
        task.spec or (task.frames, target.name),
    )
    if task.frames is not None:
        with FrameStore(task.frames, key, resume=options.resume) as written:
            written.check(task.source, overwrite)
            return write_frames(job, task.frames, written)
    with SegmentStore(target.parent, key, resume=options.resume) as store:
        check_output(source, target, overwrite or store.owns(target))
        return job.run(store)


__all__ = ["enhance_video"]
