"""One frame, before and after: what a video will look like, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.batch.control import BatchControl
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings, JobControl
from engine.video.decide import decide
from engine.video.enhancer import FrameEnhancer
from engine.video.options import VideoOptions
from engine.video.reader import frame_at
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
    *,
    manager: ModelManager,
    config: Any,
    control: JobControl | None = None,
) -> FramePreview:
    """Enhance the frame that is shown at ``seconds``; after the end, the last one.

    Raises what ``enhance_video`` does.
    """
    own = BatchControl.cancelled_with(control) if control is not None else BatchControl()
    task = decide(Path(input_path), Path("preview.mkv"), settings, VideoOptions.create(), manager, config)
    info = task.info
    frame = frame_at(info, seconds)
    reserve = int(getattr(config, "gpu_memory_reserve_mb", 512)) * 2**20
    with FrameEnhancer(
        task.model, task.size, settings, manager, own, reserve=reserve, bit_depth=task.bit_depth
    ) as enhancer:
        after = enhancer.enhance(0, frame.pixels)
    shown = float(frame.stamp * info.time_base) - info.start
    return FramePreview(Picture(frame.pixels), Picture(after), shown, task.model)


__all__ = ["FramePreview", "preview_video_frame"]
