"""The video job as one call for scripts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from engine.imaging.direct_call import direct_call
from engine.model_manager import ModelManager
from engine.storage.output_names import reserved
from engine.types import JobControl, Progress
from engine.video.decide import default_video_path
from engine.video.options import VideoOptions
from engine.video.run import enhance_video
from utils.engine_config import EngineConfig
from utils.json_types import JsonObject


def enhance_video_direct(
    video: str | Path,
    model_name: str = "auto",
    scale: float | None = None,
    fp32: bool = False,
    tile: int = 0,
    auto_tile: bool = True,
    denoise_strength: float | None = None,
    gpu_id: int | None = None,
    model_manager: ModelManager | None = None,
    config: EngineConfig | None = None,
    *,
    output_path: Path | str | None = None,
    progress: Callable[[Progress], None] | None = None,
    control: JobControl | None = None,
    video_options: VideoOptions | None = None,
    **settings: object,
) -> tuple[str, str, str, JsonObject]:
    """Enhance one video file.

    Args:
        model_name: name as listed by ``models list``; "auto" picks a quick one that suits the video.
        gpu_id: which GPU; ignored on a machine without one.
        model_manager, config: shared ones; made when not given. ``config`` may be the ``Config`` class itself.
        output_path: where to write (its suffix is the container); by default a new name in ``config.output_dir``.
        progress: called with ``VideoProgress``; ``control`` instead also cancels.
        video_options: codec, quality, range and the like.
        settings: any further field of ``EnhanceSettings``.

    Returns:
        (result path, input path, status sentence, metrics).

    Raises:
        EngineError: see ``enhance_video``.
    """
    given: dict[str, object] = {"model": model_name, "scale": scale, "tile": tile, "auto_tile": auto_tile}
    given |= {"denoise_strength": denoise_strength, **settings}
    with direct_call(model_manager, config, gpu_id, fp32, given) as (chosen, manager, limits), ExitStack() as names:
        named = default_video_path(video, limits.output_dir, chosen)
        result = enhance_video(
            video,
            Path(output_path) if output_path else names.enter_context(reserved(named)),
            chosen,
            video_options,
            manager=manager,
            config=limits,
            control=control or JobControl(on_progress=progress),
            overwrite=bool(output_path),
        )
    done = "Enhanced" if result.complete else "Cancelled after"
    status = (
        f"{done} {result.frames} frames from {result.input_size[0]}x{result.input_size[1]} to "
        f"{result.output_size[0]}x{result.output_size[1]} with {result.model} ({result.backend}, {result.device}, "
        f"{result.precision}) in {result.timings.total:.1f} s, {result.fps:.2f} frames a second."
    )
    status += "".join(f" {warning}" for warning in result.warnings)
    return str(result.output_path), str(result.input_path), status, result.to_json()


__all__ = ["enhance_video_direct"]
