"""What goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.storage.presets import NAME_LENGTH, merge_settings
from engine.types import MAX_SCALE, MIN_SCALE, EnhanceSettings, Mode

TARGET_SIDES = {"2k": 2048, "4k": 3840, "8k": 7680}
"""Target resolution -> longest side in pixels."""

TargetResolution = Literal["2k", "4k", "8k"]
Format = Literal["auto", "png", "jpeg", "webp", "avif", "jxl", "tiff", "gif", "pdf"]
MODEL_NAME = r"^[A-Za-z0-9_.+\-() ]{1,100}$"
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"


class Enlargement(BaseModel):
    """What pictures and films are asked for alike. At most one of ``scale`` and ``target_resolution``."""

    model_config = ConfigDict(extra="forbid")

    scale: float | None = Field(None, ge=MIN_SCALE, le=MAX_SCALE, description="Enlargement; by default the model's own")
    target_resolution: TargetResolution | None = Field(
        None, description="Longest side: 2k = 2048, 4k = 3840, 8k = 7680 pixels"
    )
    model: str | None = Field(None, pattern=MODEL_NAME, description="Model name or auto")
    preset: str | None = Field(
        None, min_length=1, max_length=NAME_LENGTH, description="Preset to start from; the request wins over it"
    )

    @model_validator(mode="after")
    def _one_goal(self) -> Self:
        if self.scale is not None and self.target_resolution is not None:
            raise ValueError("give scale or target_resolution, not both")
        return self


class UpscaleOptions(Enlargement):
    """How a picture is enlarged."""

    mode: Mode | None = Field(None, description="What an automatic model is chosen for; auto is best")
    enhance_faces: bool | Literal["auto"] = Field(
        "auto", description="Restore faces, where a face model is installed; auto leaves sharp ones alone"
    )
    face_strength: float | None = Field(None, ge=0, le=1, description="Share of the restored face; 0.8 by default")
    face_model: str | None = Field(None, pattern=MODEL_NAME, description="Face model's name or auto")
    format: Format = Field("auto", description="Format of the result; auto keeps the input's")
    quality: int = Field(95, ge=1, le=100, description="Quality of lossy formats")
    pages: str | None = Field(
        None, max_length=500, description="Pages of a TIFF or PDF, counted from 1: 1-3,7 or 5-; by default all"
    )
    pdf_dpi: float | None = Field(
        None, ge=36, le=1200, description="Resolution of PDF pages that are no scanned pictures; 150 by default"
    )
    salvage: bool = Field(
        False, description="Take what can still be decoded of a damaged picture; warnings and metrics say what is gone"
    )

    def settings(self, default_model: str, preset: Mapping[str, Any]) -> EnhanceSettings:
        """The engine's settings: defaults, over them the preset, over it what the request names.

        Raises:
            InvalidSettingsError: values that do not go together.
        """
        named: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "scale",
                "model",
                "mode",
                "face_strength",
                "face_model",
                "format",
                "quality",
                "pages",
                "pdf_dpi",
                "salvage",
            )
            if name in self.model_fields_set and getattr(self, name) is not None
        }
        if self.target_resolution is not None:
            named |= {"long_edge": TARGET_SIDES[self.target_resolution], "skip_if_large_enough": True}
        if "enhance_faces" in self.model_fields_set:
            named["face_enhance"] = self.enhance_faces
        return merge_settings({"model": default_model, "face_enhance": "auto", **preset}, named)


class UploadOptions(UpscaleOptions):
    """The fields of a multipart request, beside its one file."""

    include_base64: bool = Field(True, description="Put the result into the answer as base64, up to 50 MB")
    callback_url: str | None = Field(None, max_length=2048, description="Where to send the signed outcome (jobs only)")


class UpscaleRequest(UploadOptions):
    """A picture and what to do with it. Exactly one of ``image_b64`` and ``img_url``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"image_b64": _PIXEL, "scale": 4},
                {"image_b64": _PIXEL, "target_resolution": "4k", "format": "webp", "include_base64": False},
            ]
        },
    )

    image_b64: str | None = Field(
        None, min_length=1, description="The picture's file as base64 (a data: prefix is fine)"
    )
    img_url: str | None = Field(
        None, min_length=1, max_length=2048, description="The picture's web address, if allowed"
    )

    @model_validator(mode="after")
    def _one_picture(self) -> UpscaleRequest:
        if (self.image_b64 is None) == (self.img_url is None):
            raise ValueError("give exactly one of image_b64 and img_url")
        return self


class Size(BaseModel):
    width: int
    height: int


class UpscaleResponse(BaseModel):
    """A finished picture."""

    job_id: str
    file_path: str = Field(description="Where to download the result, relative to this server's address")
    base64: str | None = Field(None, description="The result's file")
    original_size: Size
    upscaled_size: Size
    total_scale: float
    upscaling_strategy: str = Field(examples=["x4 (RealESRGAN_x4plus), resize to 3840x2160"])
    model: str
    faces_detected: int
    faces_enhanced: int
    processing_time: float = Field(description="Seconds in the worker")
    metrics: dict[str, Any]
    warnings: list[str]


class Fault(BaseModel):
    type: str = Field(examples=["InvalidImageError"])
    message: str = Field(examples=["'upload.png' is damaged or cut off."])


class ErrorResponse(BaseModel):
    """What every error answers: its kind, and a sentence about it."""

    error: Fault


class JobResponse(BaseModel):
    """A job at this moment. ``progress`` is 0..1, times are seconds since 1970."""

    job_id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float
    stage: str | None = None
    eta_seconds: float | None = None
    attempts: int
    created: float
    started: float | None = None
    finished: float | None = None
    error: Fault | None = None
    result_url: str | None = None


class QueuedJob(BaseModel):
    """A job of the running program. ``progress`` is 0..1, times are seconds since 1970."""

    number: int = Field(description="Names the job for as long as the program runs")
    kind: Literal["picture", "part", "batch", "video", "frame", "benchmark", "download"]
    source: Literal["api", "interface"]
    name: str | None = Field(None, description="File name of jobs of the API")
    state: Literal["queued", "waiting", "running", "paused", "stopping"] = Field(
        description="waiting: it is its turn, and all workers are busy"
    )
    position: int | None = Field(None, description="Place in its queue, or the workers', while it waits; 1 = next")
    progress: float
    eta_seconds: float | None = None
    created: float
    started: float | None = None


class QueueResponse(BaseModel):
    """All jobs that run or wait, those that run first."""

    manageable: bool = Field(description="Whether whoever asks may cancel and move jobs")
    jobs: list[QueuedJob]


class MoveRequest(BaseModel):
    """Where a waiting job goes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "front"}]})

    to: Literal["up", "front"] = Field("front", description="One place up, or to the front")


class LibraryPath(BaseModel):
    """A picture below one of the library's folders."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"path": "holiday/beach.jpg"}]})

    path: str = Field(min_length=1, max_length=1024, description="Path below a library folder")


class LibraryRequest(UpscaleOptions, LibraryPath):
    """A picture of the library, and how to enlarge it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"path": "holiday/beach.jpg", "scale": 4}]}
    )

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the goal is asked for."""
        return self.model_fields_set <= {"path", "scale", "target_resolution", "format"}


class LibraryResponse(BaseModel):
    path: str
    file_path: str = Field(description="Where to download the result, relative to this server's address")
    cached: bool = Field(description="Whether the result was there already")
    width: int
    height: int


class LibraryEntry(BaseModel):
    path: str
    file_path: str
    bytes: int
    modified: float


class LibraryListing(BaseModel):
    total: int
    items: list[LibraryEntry]


class LibraryRemoval(BaseModel):
    removed: list[str]


class Limits(BaseModel):
    """What a request may bring, for one target resolution."""

    longest_side: int | None = Field(None, description="Of the result")
    max_request_mb: float
    max_input_side: int


class HealthResponse(BaseModel):
    status: Literal["ok"] = "ok"
    limits: Limits
    supported_resolutions: dict[str, Limits]
    max_scale: float = MAX_SCALE
    img_url: bool
    library: bool
    max_video_mb: float | None = Field(description="Largest film; null where films are not taken")


class ReadyResponse(BaseModel):
    ready: bool
    reason: str | None = None


class CleanupResponse(BaseModel):
    removed: int
