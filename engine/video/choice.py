"""Which model an enhanced video gets when the person names none: a video has thousands of frames, so speed counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.analysis.choice import UNKNOWN, Chosen, choose_model
from engine.models.registry import content_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from engine.analysis.choice import Requirements
    from engine.model_manager import ModelManager
    from engine.types import Mode

_LIGHT = 3_000_000
"""Parameters up to which a network is fit for video; RRDBNet has 16.7 million."""


def choose_video_model(
    manager: ModelManager, scale: float | None, frame: Callable[[], np.ndarray], mode: Mode = "auto"
) -> Chosen:
    """The installed network that suits a video and is quick enough for thousands of frames.

    Args:
        frame: gives one that is typical, ``(H, W, 3)`` RGB; asked only where the choice depends on it.
        mode: "best" takes what a picture would get, whatever it costs; "auto" and "balanced" are "quick".
    """
    wanted = scale or 4.0
    if mode in ("best", "faithful"):
        return choose_model(manager, _requirements(manager, frame(), wanted, mode))
    light = {
        status.name: status for status in manager.usable_upscalers() if (status.parameters or _small(status)) <= _LIGHT
    }
    if not light:
        return choose_model(manager, replace(UNKNOWN, scale=wanted))
    requirements = (
        _requirements(manager, frame(), wanted, "quick") if len(light) > 1 else replace(UNKNOWN, scale=wanted)
    )
    known = choose_model(manager, requirements)
    if requirements.mode == "quick" and known.model in light and known.model in manager.specs:
        best = known.model
    else:
        best = _own(manager, set(light), requirements)
    subject = "drawn video" if requirements.drawn else "video"
    reason = f"{best} is the installed model that suits {subject} and is quick enough for thousands of frames."
    return Chosen(best, (reason,), known.notices)


def _small(status: object) -> int:
    """Parameters of a network whose weights nobody counted, from its file: four or two bytes each."""
    return int((getattr(status, "size", None) or 1e9) / 2)


def _requirements(manager: ModelManager, frame: np.ndarray, scale: float, mode: Mode) -> Requirements:
    from utils import image_io

    picture = image_io.from_array(frame)
    return manager.automatic.look_at(picture).requirements(scale, mode, picture.size)


def _own(manager: ModelManager, names: set[str], requirements: Requirements) -> str:
    """Among networks that no list names: made for such content, of the goal's scale."""
    drawn, other = {"video": 0, "anime": 1, "any": 2, "photo": 3}, {"any": 0, "photo": 0, "video": 2, "anime": 3}
    liked = drawn if requirements.drawn else other
    scales = {status.name: status.scale for status in manager.usable_upscalers()}
    wanted = 2 if requirements.scale <= 2 else 4

    def order(name: str) -> tuple[int, bool, int, str]:
        spec = manager.specs.get(name)
        return liked[content_of(name, spec)], scales[name] != wanted, -(spec.rank if spec else 0), name

    return min(names, key=order)


__all__ = ["choose_video_model"]
