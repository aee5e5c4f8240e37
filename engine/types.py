"""The value objects that flow through the engine. All are frozen; all go to JSON and back.

Import nothing heavy here: the command line builds its ``--help`` from these names.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.turns import NetworkTime
from utils.errors import InvalidSettingsError, JobCancelled
from utils.validation import MAX_SCALE, MAX_TILE, MIN_SCALE, MIN_TILE, RESAMPLERS

Mode = Literal["auto", "quick", "balanced", "best", "faithful"]
Precision = Literal["auto", "fp32", "fp16", "bf16"]
Fit = Literal["fit", "fill", "pad", "stretch"]
OutputFormat = Literal["auto", "png", "jpeg", "webp", "avif", "tiff", "gif"]
ExifPolicy = Literal["keep", "no-location", "drop"]
Seamless = Literal["off", "x", "y", "both"]


class FrozenSettings(BaseModel):
    """Settings that are validated once, when they are built, and never change; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def create(cls, **values: Any) -> Self:
        """Validate and build. Raises ``InvalidSettingsError`` with one sentence a fault, naming the setting."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise InvalidSettingsError(_sentences(error)) from error

    def but(self, **changes: Any) -> Self:
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
    fidelity: float = Field(0.0, ge=0, le=1)
    """Share of the plainly resized input in the result: 0 = the network's picture, 1 = the resized input."""

    format: OutputFormat = "auto"
    """``auto`` keeps the input's format where it can be written, else PNG."""
    quality: int = Field(95, ge=1, le=100)
    lossless: bool = False
    """Lossless WebP."""
    exif: ExifPolicy = "keep"
    embed_settings: bool = True
    """Write the settings used into the output's metadata."""

    @field_validator("tile")
    @classmethod
    def _tile_large_enough(cls, tile: int) -> int:
        if tile and tile < MIN_TILE:
            raise ValueError(f"tile must be 0 (automatic) or at least {MIN_TILE} pixels")
        return tile

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
class Progress:
    """One step of a job. ``fraction`` is 0..1; ``eta_seconds`` is None until it can be estimated."""

    stage: str
    done: int
    total: int
    fraction: float
    eta_seconds: float | None = None


@dataclass
class JobControl:
    """Handed down through the engine: who listens to progress, and whether the person cancelled.

    ``report`` may be called from any thread. ``check`` raises ``JobCancelled`` once ``cancel`` was called.
    ``network`` is the time in which this job's windows were in a network.
    """

    on_progress: Callable[[Progress], None] | None = None
    _cancelled: threading.Event = field(default_factory=threading.Event)
    network: NetworkTime = field(default_factory=NetworkTime)

    def cancel(self) -> None:
        """Ask the job to end; it does at its next ``check``, after the tile that is running."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise ``JobCancelled`` once ``cancel`` was called."""
        if self._cancelled.is_set():
            raise JobCancelled("Cancelled; nothing was written.")

    def turn(self, width: int) -> AbstractContextManager[None]:
        """Held while a window is in a network that runs ``width`` of them at a time. One job alone never waits."""
        return self.network.running()

    def report(self, progress: Progress) -> None:
        """Tell the listener, where there is one."""
        if self.on_progress is not None:
            self.on_progress(progress)

    def part(self, start: float, end: float) -> JobControl:
        """A control for one stage of the job: the same cancelling and turns, its progress mapped to start..end."""
        return _StageControl(self, start, end)

    def one_of(self, index: int, count: int, started: float) -> JobControl:
        """A control for one of ``count`` equal parts: its progress and time left are those of all of them.

        Args:
            index: from 0.
            started: ``time.monotonic()`` when the first part began.
        """
        return _PartControl(self, index, count, started)


class _StageControl(JobControl):
    def __init__(self, whole: JobControl, start: float, end: float) -> None:
        super().__init__(None, whole._cancelled, whole.network)
        self._whole, self._start, self._end = whole, start, end

    def check(self) -> None:
        self._whole.check()

    def turn(self, width: int) -> AbstractContextManager[None]:
        return self._whole.turn(width)

    def report(self, progress: Progress) -> None:
        fraction = self._start + (self._end - self._start) * progress.fraction
        self._whole.report(replace(progress, fraction=fraction))


class _PartControl(_StageControl):
    def __init__(self, whole: JobControl, index: int, count: int, started: float) -> None:
        super().__init__(whole, index / count, (index + 1) / count)
        self._index, self._count, self._started = index, count, started

    def report(self, progress: Progress) -> None:
        done, total = self._index * progress.total + progress.done, self._count * progress.total
        share = (self._index + progress.fraction) / self._count
        eta = (time.monotonic() - self._started) * (1 - share) / share if share > 0 else None
        self._whole.report(replace(progress, done=done, total=total, fraction=share, eta_seconds=eta))


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


@dataclass(frozen=True)
class EnhanceResult:
    """What one picture's enhancement gave."""

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
    metrics: dict[str, Any]
    warnings: tuple[str, ...] = ()
    skipped: bool = False
    reused: bool = False
    """Taken from an earlier run of the same input with the same settings."""
    peak_memory_mb: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The object that ``enhance --json`` prints."""
        return {
            "input": str(self.input_path) if self.input_path else None,
            "output": str(self.output_path) if self.output_path else None,
            "model": self.model,
            "scale": self.scale,
            "width": self.output_size[0],
            "height": self.output_size[1],
            "input_width": self.input_size[0],
            "input_height": self.input_size[1],
            "backend": self.backend,
            "device": self.device,
            "precision": self.precision,
            "tile": self.tile,
            "seconds": self.timings.to_json(4),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
            "skipped": self.skipped,
            "reused": self.reused,
            "metrics": self.metrics,
            "warnings": list(self.warnings),
        }


__all__ = [
    "MAX_SCALE",
    "MAX_TILE",
    "MIN_SCALE",
    "MIN_TILE",
    "RESAMPLERS",
    "EnhanceResult",
    "EnhanceSettings",
    "ExifPolicy",
    "Fit",
    "FrozenSettings",
    "JobControl",
    "OutputFormat",
    "Precision",
    "Progress",
    "Timings",
]
