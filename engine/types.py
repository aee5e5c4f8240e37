"""The value objects that flow through the engine. All are frozen; all go to JSON and back.

Import nothing heavy here: the command line builds its ``--help`` from these names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.jobs.control import STARTING, WAITING, JobControl, Progress
from utils.errors import InvalidSettingsError
from utils.json_types import JsonObject
from utils.page_numbers import PDF_DPI, page_ranges
from utils.validation import MAX_SCALE, MAX_TILE, MIN_SCALE, MIN_TILE, RESAMPLERS

Mode = Literal["auto", "quick", "balanced", "best", "faithful"]
Precision = Literal["auto", "fp32", "fp16", "bf16", "int8"]
Fit = Literal["fit", "fill", "pad", "stretch"]
OutputFormat = Literal["auto", "png", "jpeg", "webp", "avif", "jxl", "tiff", "gif", "pdf"]
ExifPolicy = Literal["keep", "no-location", "drop"]
Seamless = Literal["off", "x", "y", "both"]


class FrozenSettings(BaseModel):
    """Settings that are validated once, when they are built, and never change; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def create(cls, **values: object) -> Self:
        """Validate and build. Raises ``InvalidSettingsError`` with one sentence a fault, naming the setting."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise InvalidSettingsError(_sentences(error)) from error

    def but(self, **changes: object) -> Self:
        """A validated copy with some settings replaced. Raises as ``create``."""
        return self.create(**{**self.model_dump(), **changes})


def _sentences(error: ValidationError) -> str:
    parts = []
    for fault in error.errors():
        where = ".".join(str(step) for step in fault["loc"]) or "settings"
        given = f" (given: {fault['input']!r})" if fault["loc"] else ""
        parts.append(f"{where}: {fault['msg'].removeprefix('Value error, ')}{given}")
    return "; ".join(parts)


class EnhanceSettings(FrozenSettings):
    """Everything that decides how a picture is enhanced; the same value in interface, command line and Python.

    At most one *goal* may be given: ``scale``, ``width``/``height``, ``long_edge`` or ``print_size``. Without a
    goal the model's own scale is used.
    """

    model: str = Field("auto", min_length=1, max_length=200)
    """Model name, a resampler (``lanczos`` ...) or ``auto`` (what suits the picture and ``mode``)."""
    mode: Mode = "auto"
    """What an automatic model is chosen for: ``best`` (however long it takes), ``balanced`` (the best one if the result
    is there within a minute, else the quick one), ``quick`` (seconds), ``faithful`` (closest to the original, nothing
    invented), ``auto`` (pictures: best; videos: quick)."""
    scale: float | None = Field(None, ge=MIN_SCALE, le=MAX_SCALE)
    """Output side / input side."""
    width: int | None = Field(None, ge=1, le=1_000_000)
    height: int | None = Field(None, ge=1, le=1_000_000)
    """Exact output size in pixels; with one of the two the other follows from the aspect ratio."""
    fit: Fit = "fit"
    """What happens when width x height has another aspect ratio: fit inside, fill and crop, pad, or stretch."""
    long_edge: int | None = Field(None, ge=1, le=1_000_000)
    """Longer output side in pixels."""
    print_size: tuple[float, float] | None = None
    """Print width and height in centimetres, at ``dpi``; the picture is fitted inside."""
    dpi: float = Field(300.0, gt=0, le=4800)
    max_megabytes: float | None = Field(None, gt=0)
    """Upper bound of the output file, in 10^6 bytes; not for animations."""
    skip_if_large_enough: bool = False
    """Run no network when the input already reaches the goal: it is copied, or, where format, metadata or size of file
    are to be others, written anew at its own size."""

    tile: int = Field(0, ge=0, le=MAX_TILE)
    """Tile side in input pixels; 0 means the whole picture when ``auto_tile`` is off."""
    auto_tile: bool = True
    """Choose the tile from free memory and backend; ``tile`` > 0 turns this off."""
    precision: Precision = "auto"
    """``auto`` takes the fastest that is true to the network; ``int8`` only networks that were calibrated for it, where
    they stay within 40 dB and gain by it. ``auto`` may take it for videos and, from half a megapixel on, for pictures,
    in the modes ``quick`` and ``balanced`` (videos: also ``auto``)."""
    backend: str = "auto"
    """``auto``, ``torch``, ``openvino`` or ``ncnn``."""
    device: str = "auto"
    """``auto``, ``cpu``, ``cuda:0``, ``mps``, ``xpu:0``, ``vulkan:0`` ..."""

    denoise_strength: float | None = Field(None, ge=0, le=1)
    """Only for models with a weak-denoise twin: 1 = the strong denoiser alone, 0 = the weak one alone."""
    face_enhance: bool | Literal["auto"] = False
    """Restore faces (needs a face model; without one the rest is done, with a warning). ``auto`` leaves those alone
    that are sharp already. Words work as well: on, off."""
    face_strength: float = Field(0.8, ge=0, le=1)
    """Share of the restored face in the result: 0 = the plainly enhanced face, 1 = the restored one alone."""
    face_model: str = Field("auto", min_length=1, max_length=200)
    """Face model by name, or ``auto`` (the best one installed)."""
    face_central_only: bool = False
    """Restore the face nearest to the picture's middle, no other."""
    face_min_height: int = Field(24, ge=16, le=4096)
    """Smaller faces, in pixels of the input, are left alone."""
    face_large: bool = False
    """Restore faces over 512 pixels too: they are reduced to that for the network."""
    face_keep: tuple[int, ...] = Field((), max_length=1000)
    """Numbers of faces, as ``engine.FaceRestorer.find`` gives them: restore these and no others. Empty = all."""
    face_skip: tuple[int, ...] = Field((), max_length=1000)
    """Numbers of faces to leave alone."""
    face_guard: bool = True
    """Blend a face back that no longer looks like the one before; off, it is only reported."""
    color_match: bool = True
    """Match the low frequencies of the result's colour to the input's."""
    seamless: Seamless = "off"
    """Which opposite borders of a texture meet (``x``: left and right): each is continued by the other, so that the
    result repeats without a seam."""
    normal_map: bool = False
    """The picture is a normal map: its RGB vectors keep length 1 through network, resizing and fidelity."""
    fidelity: float = Field(0.0, ge=0, le=1)
    """Share of the plainly resized input in the result: 0 = the network's picture, 1 = the resized input."""

    format: OutputFormat = "auto"
    """``auto`` keeps the input's format where it can be written, else PNG."""
    quality: int = Field(95, ge=1, le=100)
    lossless: bool = False
    """Lossless WebP, JPEG XL and pages of a PDF."""
    exif: ExifPolicy = "keep"
    embed_settings: bool = True
    """Write the settings used into the output's metadata."""
    salvage: bool = False
    """Take what can still be decoded of a damaged still picture, instead of refusing it. What is missing is said in the
    result's warnings, and as ``missing_percent`` in its metrics and in the settings written into the output."""

    pages: str = Field("", max_length=500)
    """Which pages of a TIFF or PDF, counted from 1: ``1-3,7``, or ``5-`` for all from the fifth. Empty = all."""
    pdf_dpi: float = Field(PDF_DPI, ge=36, le=1200)
    """Dots an inch at which pages of a PDF are drawn before they are enlarged; a page that is one scanned picture is
    taken at that picture's own resolution."""

    @field_validator("tile")
    @classmethod
    def _tile_large_enough(cls, tile: int) -> int:
        if tile and tile < MIN_TILE:
            raise ValueError(f"tile must be 0 (automatic) or at least {MIN_TILE} pixels")
        return tile

    @field_validator("pages")
    @classmethod
    def _pages_are_numbers(cls, pages: str) -> str:
        page_ranges(pages)
        return pages.strip()

    @field_validator("print_size")
    @classmethod
    def _print_size_positive(cls, size: tuple[float, float] | None) -> tuple[float, float] | None:
        if size is not None and not all(0 < side <= 10_000 for side in size):
            raise ValueError("print_size must be two positive lengths in centimetres")
        return size

    @field_validator("face_keep", "face_skip")
    @classmethod
    def _face_numbers(cls, numbers: tuple[int, ...]) -> tuple[int, ...]:
        if any(number < 1 for number in numbers):
            raise ValueError("faces are numbered from 1")
        return tuple(sorted(set(numbers)))

    @model_validator(mode="after")
    def _no_face_twice(self) -> EnhanceSettings:
        both = sorted(set(self.face_keep) & set(self.face_skip))
        if both:
            raise ValueError(f"face {both[0]} cannot be both in face_keep and in face_skip")
        return self

    @model_validator(mode="after")
    def _seamless_and_whole(self) -> EnhanceSettings:
        if self.seamless != "off" and self.width is not None and self.height is not None and self.fit == "fill":
            raise ValueError("a seamless texture cannot be cropped: its borders would no longer meet")
        return self

    @model_validator(mode="after")
    def _one_goal(self) -> EnhanceSettings:
        goals = [
            name
            for name, given in (
                ("scale", self.scale is not None),
                ("width/height", self.width is not None or self.height is not None),
                ("long_edge", self.long_edge is not None),
                ("print_size", self.print_size is not None),
            )
            if given
        ]
        if len(goals) > 1:
            raise ValueError(f"give one goal for the output size, not {' and '.join(goals)}")
        return self


@dataclass(frozen=True)
class Timings:
    """Seconds: bringing the model, running it (tiles, blending, encoding), and everything.

    ``network`` is the part of the wall time in which the network was at work on this picture; where several are in
    flight it is counted for one of them at a time, so that a batch's sum is the time in which the network was busy.
    """

    load: float = 0.0
    inference: float = 0.0
    total: float = 0.0
    network: float = 0.0

    def to_json(self, digits: int) -> dict[str, float]:
        """Rounded to ``digits`` after the point; ``network`` only where it was measured."""
        return {name: round(seconds, digits) for name, seconds in asdict(self).items() if name != "network" or seconds}


@dataclass(frozen=True, kw_only=True)
class FileResult:
    """What enhancing one file gave, picture or film: from where to where, and with which network.

    ``tile``: the side in input pixels; ``scale``: output side / input side; sizes are (width, height).
    """

    input_path: Path | None
    output_path: Path | None
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    model: str
    backend: str
    device: str
    precision: str
    tile: int
    scale: float
    timings: Timings
    warnings: tuple[str, ...] = ()
    peak_memory_mb: float = 0.0

    def _sizes(self) -> JsonObject:
        (width, height), (input_width, input_height) = self.output_size, self.input_size
        return {"width": width, "height": height, "input_width": input_width, "input_height": input_height}

    def _network(self) -> JsonObject:
        return {"backend": self.backend, "device": self.device, "precision": self.precision, "tile": self.tile}


@dataclass(frozen=True, kw_only=True)
class EnhanceResult(FileResult):
    """What one picture's enhancement gave."""

    metrics: JsonObject
    skipped: bool = False
    reused: bool = False
    """Taken from an earlier run of the same input with the same settings."""

    def to_json(self) -> JsonObject:
        """The object that ``enhance --json`` prints."""
        return {
            "input": str(self.input_path) if self.input_path else None,
            "output": str(self.output_path) if self.output_path else None,
            "model": self.model,
            "scale": self.scale,
            **self._sizes(),
            **self._network(),
            "seconds": self.timings.to_json(4),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
            "skipped": self.skipped,
            "reused": self.reused,
            "metrics": self.metrics,
            "warnings": list(self.warnings),
        }


EnhanceFile = Callable[..., EnhanceResult]
"""``engine.enhance_file``, or what does the same elsewhere: an executor, a ``Recorder``."""


__all__ = [
    "MAX_SCALE",
    "MAX_TILE",
    "MIN_SCALE",
    "MIN_TILE",
    "RESAMPLERS",
    "STARTING",
    "WAITING",
    "EnhanceFile",
    "EnhanceResult",
    "EnhanceSettings",
    "ExifPolicy",
    "FileResult",
    "Fit",
    "FrozenSettings",
    "JobControl",
    "OutputFormat",
    "Precision",
    "Progress",
    "Timings",
]
