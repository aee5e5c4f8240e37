"""What travels with a picture or film from the door to its last pixel."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.model_manager import ModelManager
from engine.types import JobControl
from utils.engine_config import EngineConfig


@dataclass(frozen=True)
class JobContext:
    """What a job is done with; made once, where it comes in.

    Attributes:
        config: limits (``max_image_mb`` and the like) and ``gpu_memory_reserve_mb``.
        control: receives progress, can cancel.
        overwrite: replace an existing output file (never the input itself).
        faces_from: the file to restore faces from where the input is itself an enlargement of it.
    """

    manager: ModelManager
    config: EngineConfig
    control: JobControl = field(default_factory=JobControl)
    overwrite: bool = False
    faces_from: Path | None = None

    @property
    def reserve(self) -> int:
        """Bytes of memory that tiles leave free."""
        return self.config.gpu_memory_reserve_mb * 2**20
