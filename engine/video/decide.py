"""What is decided about a video before its frames are enhanced: model, sizes, encoder, names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.imaging.context import JobContext
from engine.imaging.task import model_and_size, settings_comment
from engine.pixels.sizing import SizePlan
from engine.storage.output_names import goal_text
from engine.types import EnhanceSettings
from engine.video.choice import choose_video_model
from engine.video.colors import can_convert
from engine.video.deinterlace import Fields, deinterlacer_for, looks_telecined
from engine.video.encoder import EncoderSpec, container_format, make_spec
from engine.video.frames_in import open_frames
from engine.video.frames_out import FramesSpec, disk_warnings, frames_spec
from engine.video.options import VideoOptions
from engine.video.sequence import check_options, gaps, is_sequence, name_of, probe_sequence, profile_name
from utils.engine_config import EngineConfig
from utils.video_files import VideoInfo, VideoLimits, probe_video

ANIMATIONS = {".gif": "gif", ".webp": "webp"}
"""Suffixes of animated pictures -> their format."""
MOST_ANIMATION_FRAMES = 1500


@dataclass(frozen=True)
class VideoTask:
    """Everything that is decided. ``spec`` is None for animated pictures and where frames are written as pictures.

    ``deinterlacer`` is None where frames are whole, ``frames`` where they are not written as pictures.

    ``source`` is the file; ``info`` is the same with the rate and the time base of the frames that are made of it.
    """

    input_path: Path
    output_path: Path
    source: VideoInfo
    info: VideoInfo
    model: str
    model_reason: str
    settings: EnhanceSettings
    options: VideoOptions
    size: SizePlan
    spec: EncoderSpec | None
    warnings: tuple[str, ...]
    deinterlacer: Fields | None = None
    frames: FramesSpec | None = None

    @property
    def bit_depth(self) -> int:
        """Of the arrays that go through the network's pipeline: 8 or 16."""
        if self.frames is not None:
            return self.frames.bit_depth
        return 16 if self.spec is not None and self.spec.deep else 8

    @property
    def written_as(self) -> str:
        """The codec, or the format of pictures."""
        if self.frames is not None:
            return self.frames.format
        return self.spec.codec if self.spec is not None else ANIMATIONS[self.output_path.suffix.lower()]

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


def decide_video(
    input_path: Path,
    output_path: Path,
    settings: EnhanceSettings,
    options: VideoOptions,
    context: JobContext,
) -> VideoTask:
    """Check the input and decide. Raises the kinds of ``InvalidVideoError`` and of ``InvalidSettingsError``."""
    source = probe_source(input_path, options, context.config)
    deinterlacer = deinterlacer_for(source, options)
    info = source if deinterlacer is None else deinterlacer.of(source)
    frames = frames_spec(output_path, source)
    film = frames is None and output_path.suffix.lower() not in ANIMATIONS
    kind = container_format(output_path) if film else None
    choice = model_and_size(
        (info.width, info.height),
        settings,
        context,
        lambda scale: choose_video_model(context.manager, scale, lambda: _a_frame(source, options), settings.mode),
    )
    size = choice.size
    spec = make_spec(options, info, kind, size.canvas) if kind is not None else None
    lines = _lines(source, options, deinterlacer)
    if frames is None:
        lost = _warnings(info, settings, options, size, spec)
    else:
        lost = _frames_warnings(info, settings, frames)
        expected = open_frames(source, *options.range, deinterlacer).expected
        lost += disk_warnings(frames, size.canvas, expected)
    warnings = (*choice.warnings, *_pictures_warnings(info, frames), *lines, *lost)
    return VideoTask(
        input_path,
        output_path,
        source,
        info,
        choice.model,
        choice.reason,
        settings,
        options,
        size,
        spec,
        warnings,
        deinterlacer,
        frames,
    )


def probe_source(path: Path, options: VideoOptions, config: EngineConfig) -> VideoInfo:
    """A film's facts, or those of numbered pictures. Raises as ``probe_video`` and ``probe_sequence`` do."""
    check_options(path, options)
    return probe_sequence(path, options, config) if is_sequence(path) else probe_video(path, VideoLimits.of(config))


def _pictures_warnings(info: VideoInfo, frames: FramesSpec | None) -> list[str]:
    """What a person should know of numbered pictures."""
    if not info.pictures:
        return []
    found = []
    if missing := gaps(info.numbers):
        found.append(f"Numbers are missing among the pictures: {missing}. The frames follow each other without a gap.")
    if frames is None and (profile := profile_name(info)):
        found.append(f"The pictures' colour profile ({profile}) was left out: players show films like sRGB.")
    return found


def _frames_warnings(info: VideoInfo, settings: EnhanceSettings, frames: FramesSpec) -> list[str]:
    """What is lost where frames are written as pictures."""
    found = []
    if info.has_alpha and not frames.alpha:
        found.append("Transparency became black." if info.pictures else "The video's transparency was left out.")
    if info.bit_depth > frames.bit_depth:
        found.append(f"{frames.format.upper()} holds 8 bits a channel; the input's {info.bit_depth} were reduced.")
    if info.color.is_hdr:
        found.append("The frames hold the HDR film's values as they are coded (PQ or HLG); pictures do not say so.")
    if info.audio_tracks:
        found.append("Pictures have no sound: it was left out.")
    if settings.face_enhance:
        found.append("Face restoration is for pictures: frame by frame it would flicker. It was left out.")
    return found


def _lines(info: VideoInfo, options: VideoOptions, fields: Fields | None) -> list[str]:
    """What a person should know of lines that belong to two moments."""
    if options.deinterlace == "telecine":
        if looks_telecined(info, options):
            return []
        return ["No telecine was found in the video; one frame in five was left out of it all the same."]
    if options.deinterlace == "auto":
        found = []
        if fields is not None:
            found.append(
                "The video is interlaced: its frames were made whole (bwdif). `--deinterlace off` leaves them."
            )
        if looks_telecined(info, options):
            found.append(
                "The video looks telecined (cinema spread over 29.97 frames a second): `--deinterlace telecine` gives "
                "the 23.976 a second back that it was made of."
            )
        return found
    if info.interlaced and fields is None:
        return ["The video is interlaced: its lines belong to two moments, and were left so."]
    return []


def _a_frame(info: VideoInfo, options: VideoOptions) -> np.ndarray:
    """A frame some way into the video: the first is often black."""
    start = options.start or 0.0
    end = min(options.end or info.duration or start, info.duration or start)
    return next(open_frames(info, start + (end - start) / 3).frames()).pixels if end > start else _first(info)


def _first(info: VideoInfo) -> np.ndarray:
    return next(open_frames(info).frames()).pixels


def _warnings(
    info: VideoInfo, settings: EnhanceSettings, options: VideoOptions, size: SizePlan, spec: EncoderSpec | None
) -> list[str]:
    found = []
    if info.has_alpha:
        found.append("Transparency became black." if info.pictures else "The video's transparency was left out.")
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
    found += _chroma_warnings(info, spec)
    if info.bit_depth > 8 and spec.codec == "h264":
        found.append("Many players cannot show H.264 with 10 bits; H.265 is the usual choice.")
    if info.bit_depth > 10:
        found.append(f"The video's {info.bit_depth} bits a channel became 10.")
    return found


def _chroma_warnings(info: VideoInfo, spec: EncoderSpec) -> list[str]:
    """What is lost where colour gets fewer samples than it had."""
    if info.chroma == spec.chroma:
        return []
    name = spec.codec.upper()
    if info.chroma == "4:4:4":
        return [
            f"The video has colour at full resolution (4:4:4); {name} is written with half of it (4:2:0) here. H.264 "
            "and H.265 in .mkv or .mp4 keep it."
        ]
    if info.chroma == "4:2:2":
        return [
            f"The video has colour in every line (4:2:2); {name} is written with that of every other one (4:2:0) here. "
            "H.264 and H.265 in .mkv or .mp4 keep it."
        ]
    return [f"The video's colour is sampled as {info.chroma}, which no encoder here writes; it became {spec.chroma}."]


def default_video_path(input_path: Path | str, folder: Path | str, settings: EnhanceSettings) -> Path:
    """``<folder>/<stem>_<goal>.<suffix>``; containers that cannot hold the result become ``.mkv``.

    Numbered pictures become ``.mp4``, named as their folder is.
    """
    source = Path(input_path)
    if is_sequence(source):
        return Path(folder) / f"{name_of(source)}_{goal_text(settings)}.mp4"
    suffix = source.suffix.lower()
    if suffix not in (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".gif"):
        suffix = ".mkv"
    return Path(folder) / f"{source.stem}_{goal_text(settings)}{suffix}"


__all__ = ["ANIMATIONS", "MOST_ANIMATION_FRAMES", "VideoTask", "decide_video", "default_video_path", "probe_source"]
