"""What goes over the wire for films."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import TARGET_SIDES, Enlargement, Size, TargetResolution
from engine.storage.presets import merge_settings
from engine.types import EnhanceSettings, Mode
from engine.video import Codec, Deinterlace, Speed, VideoOptions

Container = Literal["same", "mp4", "mkv", "mov", "webm", "gif", "webp"]
_OPTIONS = (
    "codec",
    "quality",
    "speed",
    "start",
    "end",
    "deinterlace",
    "smoothing",
    "skip_duplicates",
    "copy_audio",
    "copy_subtitles",
)


class VideoUpload(Enlargement):
    """How a film is enlarged: the fields of a multipart request, beside its one file."""

    target_resolution: TargetResolution | None = Field(
        None, description="Longest side: 2k = 2048, 4k = 3840, 8k = 7680 pixels; a film that has it is refused"
    )
    mode: Mode | None = Field(None, description="What an automatic model is chosen for; auto is quick")
    container: Container = Field("same", description="File type of the result; same keeps the input's where it can")
    codec: Codec = Field("auto", description="Codec of the result; auto: AV1 into WebM, H.265 for HDR, else H.264")
    quality: int = Field(80, ge=1, le=100, description="Constant quality of the encoder")
    speed: Speed = Field("medium", description="Time the encoder takes to save bytes")
    start: float | None = Field(None, ge=0, le=10**6, description="First second to enhance")
    end: float | None = Field(None, gt=0, le=10**6, description="Second to stop at")
    deinterlace: Deinterlace = Field("auto", description="What becomes of interlaced and telecined films")
    smoothing: float = Field(0.0, ge=0, le=1, description="Calms flicker where nothing moves; 0 = off")
    skip_duplicates: bool = Field(True, description="Frames that repeat the one before are not enhanced again")
    copy_audio: bool = Field(True, description="Keep the sound")
    copy_subtitles: bool = Field(True, description="Keep the subtitles")
    callback_url: str | None = Field(None, max_length=2048, description="Where to send the signed outcome")

    def settings(self, default_model: str, preset: Mapping[str, Any]) -> EnhanceSettings:
        """How frames are enhanced. Raises ``InvalidSettingsError``."""
        named = {name: getattr(self, name) for name in ("scale", "model", "mode") if getattr(self, name) is not None}
        if self.target_resolution is not None:
            named["long_edge"] = TARGET_SIDES[self.target_resolution]
        return merge_settings({"model": default_model, **preset}, named)

    def video_options(self) -> VideoOptions:
        """How the film is read and written. Raises ``InvalidSettingsError``."""
        return VideoOptions.create(**{name: getattr(self, name) for name in _OPTIONS})


class VideoRequest(VideoUpload):
    """A film by its web address, and what to do with it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"video_url": "https://example.com/film.mp4", "scale": 2, "container": "mkv"}]},
    )

    video_url: str = Field(min_length=1, max_length=2048, description="The film's web address, if allowed")


class VideoResponse(BaseModel):
    """A finished film."""

    job_id: str
    file_path: str = Field(description="Where to download the result, relative to this server's address")
    original_size: Size
    upscaled_size: Size
    total_scale: float
    frames: int
    duration: float = Field(description="Seconds")
    codec: str
    model: str
    processing_time: float = Field(description="Seconds in the worker")
    metrics: dict[str, Any]
    warnings: list[str]


__all__ = ["VideoRequest", "VideoResponse", "VideoUpload"]
