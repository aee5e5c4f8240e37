"""How a batch is done, as one value: planning, running and watching share it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.batch.status import BatchOptions
from engine.types import EnhanceSettings
from utils.engine_config import EngineConfig


@dataclass(frozen=True)
class BatchSpec:
    """What was asked of a batch, its inputs aside.

    Attributes:
        output_dir: where results and the journal go, an absolute path.
        config: limits, as for ``enhance_file``.
        per_picture: whether ``settings`` are only the start of what is decided for each picture.
    """

    output_dir: Path
    settings: EnhanceSettings
    options: BatchOptions
    config: EngineConfig
    per_picture: bool = False

    @cached_property
    def key(self) -> str:
        """Tells the settings from others in the journal."""
        text = self.settings.model_dump_json() + (" decided per picture" if self.per_picture else "")
        return hashlib.sha256(text.encode()).hexdigest()[:16]
