"""Settings decided for each picture of a batch by the engine's judgement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.storage.presets import merge_settings
from engine.types import EnhanceSettings

if TYPE_CHECKING:
    from engine.intelligent_enhancer import IntelligentEnhancer


def recommended(enhancer: IntelligentEnhancer, settings: EnhanceSettings) -> Callable[[Path], EnhanceSettings]:
    """A function from a picture to the settings that suit it; what ``settings`` sets to more than a default stays.

    The function raises ``InvalidImageError`` for what is not a picture.
    """
    wanted = settings.model_dump(exclude_defaults=True)

    def choose(path: Path) -> EnhanceSettings:
        found = dict(enhancer.recommend(path, settings.mode).settings)
        found["precision"] = "fp32" if found.pop("fp32", False) else "auto"
        return merge_settings(found, wanted)

    return choose
