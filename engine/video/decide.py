"""What is decided about a video before its frames are enhanced: model, sizes, encoder, names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.model_manager import ModelManager
from engine.output_names import goal_text
from engine.sizing import SizePlan
from engine.task import choose_model, settings_comment
from engine.types import EnhanceSettings
from engine.video.choice import choose_video_model
from engine.video.colors import can_convert
from engine.video.encoder import HOLDS_FULL_COLOR, EncoderSpec, container_format, make_spec
from engine.video.options import VideoOptions
from engine.video.reader import FrameReader
from utils.video_files import VideoInfo, VideoLimits, probe_video

ANIMATIONS = {".gif": "gif", ".webp": "webp"}
"""Suffixes of animated pictures -> their format."""
MOST_ANIMATION_FRAMES = 1500


@dataclass(frozen=True)
class VideoTask:
    """Everything that is decided. ``spec`` is None for animated pictures."""

    input_path: Path
    output_path: Path
    info: VideoInfo
    model: str
    model_reason: str
    settings: EnhanceSettings
    options: VideoOptions
    size: SizePlan
    spec: EncoderSpec | None
    warnings: tuple[str, ...]

    @property
    def bit_depth(self) -> int:
        """Of the arrays that go through the network's pipeline: 8 or 16."""
        return 16 if self.spec is not None and self.spec.deep else 8

    @property
    def output_size(self) -> tuple[int, int]:
        """(width, height) of the output's frames, in pixels."""
        return (self.spec.width, self.spec.height) if self.spec is not None else self.size.canvas

    @property
    def comment(self) -> str | None:
        """The settings, as they are written into the output."""
        if not self.settings.embed_settings:
            return None
        return settings_comment(self.settings.model_copy(update={"model": self.model}))


def decide(
    input_path: Path,
    output_path: Path,
    settings: EnhanceSettings,
    options: VideoOptions,
    manager: ModelManager,
    config: Any,
) -> VideoTask:
    """Check the input and decide. Raises the kinds of ``InvalidVideoError`` and of ``InvalidSettingsError``."""
    info = probe_video(input_path, VideoLimits.of(config))
    kind = None if output_path.suffix.lower() in ANIMATIONS else container_format(output_path)
    choice = choose_model(
        info.width,
        info.height,
        settings,
        manager,
        config,
        lambda scale: choose_video_model(manager, scale, lambda: _a_frame(info, options), settings.mode),
    )
    size = choice.size
    spec = make_spec(options, info, kind, size.canvas) if kind is not None else None
    warnings = (*choice.warnings, *_warnings(info, settings, options, size, spec))
    return VideoTask(
        input_path, output_path, info, choice.model, choice.reason, settings, options, size, spec, warnings
    )


def _a_frame(info: VideoInfo, options: VideoOptions) -> Any:
    """A frame some way into the video: the first is often black."""
    start = options.start or 0.0
    end = min(options.end or info.duration or start, info.duration or start)
    return next(FrameReader(info, start + (end - start) / 3).frames()).pixels if end > start else _first(info)


def _first(info: VideoInfo) -> Any:
    return next(FrameReader(info).frames()).pixels


def _warnings(
    info: VideoInfo, settings: EnhanceSettings, options: VideoOptions, size: SizePlan, spec: EncoderSpec | None
) -> list[str]:
    found = []
    if info.interlaced:
        found.append("The video is interlaced: its lines belong to two moments. Deinterlace it first for clean edges.")
    if info.has_alpha:
        found.append("The video's transparency was left out.")
    if info.dynamic_hdr:
        found.append("HDR10+ or Dolby Vision fits the frames as they were; it was left out. HDR10's own data is kept.")
    if not can_convert(info.color):
        found.append("The video's colour matrix is not known here; it was read as BT.709.")
    if settings.face_enhance:
        found.append("Face restoration is for pictures: frame by frame it would flicker. It was left out.")
    if settings.max_megabytes is not None:
        found.append("A file size cannot be asked for a video; use the video quality. It was ignored.")
    if spec is None:
        if info.audio_tracks and options.copy_audio:
            found.append("Animated pictures have no sound: it was left out.")
        return found
    if (spec.width, spec.height) != size.canvas:
        found.append(
            f"{spec.codec.upper()} needs even sides: {size.canvas[0]}x{size.canvas[1]} became "
            f"{spec.width}x{spec.height} by repeating the last row or column."
        )
    if info.full_color and spec.codec not in HOLDS_FULL_COLOR:
        found.append(
            f"The video has colour at full resolution (4:4:4); {spec.codec.upper()} is written with half of it (4:2:0) "
            "here. H.264 and H.265 in .mkv or .mp4 keep it."
        )
    if info.bit_depth > 8 and spec.codec == "h264":
        found.append("Many players cannot show H.264 with 10 bits; H.265 is the usual choice.")
    if info.bit_depth > 10:
        found.append(f"The video's {info.bit_depth} bits a channel became 10.")
    return found


def default_video_path(input_path: Path | str, folder: Path | str, settings: EnhanceSettings) -> Path:
    """``<folder>/<stem>_<goal>.<suffix>``; containers that cannot hold the result become ``.mkv``."""
    source = Path(input_path)
    suffix = source.suffix.lower()
    if suffix not in (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".gif"):
        suffix = ".mkv"
    return Path(folder) / f"{source.stem}_{goal_text(settings)}{suffix}"


__all__ = ["ANIMATIONS", "MOST_ANIMATION_FRAMES", "VideoTask", "decide", "default_video_path"]
