"""One frame, before and after: what a video will look like, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.batch import BatchControl
from engine.imaging.context import JobContext
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings, JobControl
from engine.video.decide import decide_video
from engine.video.enhancer import FrameEnhancer
from engine.video.frames_in import frame_at
from engine.video.options import VideoOptions
from utils.engine_config import EngineConfig
from utils.picture import Picture


@dataclass(frozen=True, eq=False)
class FramePreview:
    """A frame before and after, when it is shown (seconds as a player counts), and the model that did it."""

    before: Picture
    after: Picture
    seconds: float
    model: str


def preview_video_frame(
    input_path: Path | str,
    seconds: float,
    settings: EnhanceSettings,
    options: VideoOptions | None = None,
    *,
    manager: ModelManager,
    config: EngineConfig,
    control: JobControl | None = None,
) -> FramePreview:
    """Enhance the frame that is shown at ``seconds``; after the end, the last one.

    Raises what ``enhance_video`` does.
    """
    own = BatchControl.cancelled_with(control) if control is not None else BatchControl()
    context = JobContext(manager, config, own)
    task = decide_video(Path(input_path), Path("preview.mkv"), settings, options or VideoOptions.create(), context)
    frame = frame_at(task.source, seconds, task.deinterlacer)
    with FrameEnhancer(task, context, own) as enhancer:
        after = enhancer.enhance(0, frame.pixels)
    shown = float(frame.stamp * task.info.time_base) - task.info.start
    return FramePreview(Picture(frame.pixels), Picture(after), shown, task.model)


__all__ = ["FramePreview", "preview_video_frame"]
