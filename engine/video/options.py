"""What decides how a video is read and written; how its frames are enhanced is said by ``EnhanceSettings``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from engine.types import FileResult, FrozenSettings, Progress
from utils.errors import InvalidSettingsError
from utils.json_types import JsonObject

Codec = Literal["auto", "h264", "h265", "av1"]
Speed = Literal["fast", "medium", "slow"]
Deinterlace = Literal["auto", "off", "on", "double", "telecine"]


class VideoOptions(FrozenSettings):
    """Everything about a video that is not about its pictures; the same in interface, command line and Python."""

    codec: Codec = "auto"
    """``auto``: AV1 into WebM, H.265 for 10 bits, HDR and more than 4096 pixels a side, else H.264."""
    quality: int = Field(80, ge=1, le=100)
    """Constant quality of the encoder: 80 looks like the enhanced frames, 60 is a third of the size."""
    speed: Speed = "medium"
    """Time the encoder takes to save bytes."""
    start: float | None = Field(None, ge=0)
    """First second to enhance, as a player counts."""
    end: float | None = Field(None, gt=0)
    """Second to stop at; it is no longer part of the result."""
    deinterlace: Deinterlace = "auto"
    """``auto``: where the file says that it is interlaced, or its frames are combed; ``on``: every frame; ``double``:
    every frame, and twice as many come out (25 interlaced a second become 50); ``telecine``: 3:2 pulldown is undone
    (29.97 a second become 23.976)."""
    rate: float | None = Field(None, ge=0.01, le=1000)
    """Frames a second of numbered pictures, 24 where nothing is said; films have their own."""
    start_number: int | None = Field(None, ge=0)
    """Numbered pictures are taken from this number on; frames of a film are written from it on (1)."""
    skip_duplicates: bool = True
    """A frame that repeats the one before (drawn animation does) takes over its result; none is left out."""
    smoothing: float = Field(0.0, ge=0, le=1)
    """Calms flicker where the input stands still: share of the frame before, 0 = off."""
    copy_audio: bool = True
    copy_subtitles: bool = True
    segment_frames: int = Field(240, ge=8, le=10_000)
    """Frames after which finished work is safe from a crash."""
    resume: bool = True
    """Go on from finished segments of an earlier run with the same input and settings; leave them when cancelled."""

    @property
    def range(self) -> tuple[float | None, float | None]:
        """``start`` and ``end``."""
        return self.start, self.end

    @model_validator(mode="after")
    def _range_in_order(self) -> VideoOptions:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("end must come after start")
        return self


def seconds_of(text: str | None) -> float | None:
    """``90``, ``1:30``, ``0:01:30.5`` in seconds. Raises ``InvalidSettingsError``."""
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or any(part < 0 or not math.isfinite(part) for part in parts):
        raise InvalidSettingsError(f"'{text}' is not a time; write seconds (12.5) or minutes:seconds (1:30).")
    return sum(part * 60**place for place, part in enumerate(reversed(parts)))


@dataclass(frozen=True)
class VideoProgress(Progress):
    """``done`` and ``total`` count frames; ``total`` is 0 where the file does not say how many there are."""

    fps: float | None = None
    """Frames enhanced a second, lately."""


@dataclass(frozen=True, kw_only=True)
class VideoResult(FileResult):
    """What one video's enhancement gave.

    Attributes:
        frames: written; ``duplicates`` of them took over the frame before, ``fallbacks`` were resized plainly because
            the network failed on them, ``repaired`` could not be decoded and repeat the frame before.
        resumed_frames: taken over from an earlier run.
        complete: False when cancelled: the file holds what was done until then.
        network_share: part of the time between the first and the last window in which the network was running.
    """

    input_path: Path
    output_path: Path
    frames: int
    duplicates: int
    fallbacks: int
    repaired: int
    resumed_frames: int
    duration: float
    codec: str
    model_reason: str
    fps: float
    network_share: float
    bytes: int
    complete: bool = True

    def to_json(self) -> JsonObject:
        """The object that ``video --json`` prints."""
        return {
            "input": str(self.input_path),
            "output": str(self.output_path),
            "complete": self.complete,
            **self._sizes(),
            "frames": self.frames,
            "duplicates": self.duplicates,
            "fallbacks": self.fallbacks,
            "repaired": self.repaired,
            "resumed_frames": self.resumed_frames,
            "duration": round(self.duration, 6),
            "codec": self.codec,
            "model": self.model,
            "model_reason": self.model_reason,
            **self._network(),
            "scale": self.scale,
            "seconds": self.timings.to_json(3),
            "fps": round(self.fps, 3),
            "network_share": round(self.network_share, 3),
            "bytes": self.bytes,
            "peak_memory_mb": round(self.peak_memory_mb, 1),
            "warnings": list(self.warnings),
        }


__all__ = ["Codec", "Speed", "VideoOptions", "VideoProgress", "VideoResult", "seconds_of"]
