"""Which model an enhanced video gets when the person names none: a video has thousands of frames, so speed counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.registry import content_of

if TYPE_CHECKING:
    import numpy as np

    from engine.model_manager import ModelManager

_LIGHT = 3_000_000
"""Parameters up to which a network is fit for video; RRDBNet has 16.7 million."""


def choose_video_model(manager: ModelManager, scale: float | None, frame: np.ndarray) -> tuple[str, str]:
    """(name, reason): the installed network that suits a frame, ``(H, W, 3)`` RGB, and is quick enough."""
    light = [status for status in manager.usable_upscalers() if (status.parameters or _LIGHT + 1) <= _LIGHT]
    if not light:
        return manager.default_model(scale)
    wanted = 2 if scale is not None and scale <= 2 else 4
    kinds = {status.name: content_of(status.name, manager.specs.get(status.name)) for status in light}
    drawn = len(set(kinds.values())) > 1 and _is_drawn(manager, frame)
    liked = ("video", "anime", "any", "photo") if drawn else ("any", "photo", "video", "anime")

    def order(name: str) -> tuple[int, bool, int, str]:
        spec, scale_of = manager.specs.get(name), {status.name: status.scale for status in light}
        place = liked.index(kinds[name])
        if not drawn and kinds[name] == "photo":
            place = 0
        return place, scale_of[name] != wanted, -(spec.rank if spec else 0), name

    best = min(kinds, key=order)
    subject = "drawn video" if drawn else "video"
    return best, f"{best} is the installed model that suits {subject} and is quick enough for thousands of frames."


def _is_drawn(manager: ModelManager, frame: np.ndarray) -> bool:
    from engine.intelligent_enhancer import IntelligentEnhancer

    analysis = IntelligentEnhancer(manager).analyze(frame)
    return analysis.content_type == "anime" and analysis.is_certain


__all__ = ["choose_video_model"]
