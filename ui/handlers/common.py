"""What several tabs need: the model list, and the way between ``EnhanceSettings`` and the fields of the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model_manager import ModelManager
from engine.types import RESAMPLERS, EnhanceSettings, Progress
from ui.strings import Words

GOALS = ("scale", "long_edge", "exact")
_GOAL_FIELDS = {"scale": ("scale",), "long_edge": ("long_edge",), "exact": ("width", "height")}
RESAMPLER_WORDS = {
    "lanczos": "no network: plain enlargement, sharp edges",
    "bicubic": "no network: plain enlargement, soft",
    "bilinear": "no network: plain enlargement, softest",
    "nearest": "no network: copies pixels, for pixel art",
}
DEFAULTS: dict[str, Any] = {"goal": "scale", "scale": 4.0, "long_edge": 3840, "width": None, "height": None}
"""What the form shows where settings say nothing about the size."""


def model_choices(manager: ModelManager) -> list[tuple[str, str]]:
    """(label, name) for the model list: automatic, installed networks, then resamplers."""
    installed = [s for s in manager.list() if s.installed and s.kind == "upscale" and s.problem is None]
    choices = [("Automatic: the best installed", "auto")]
    choices += [(f"{status.name} (x{status.scale}): {status.purpose}", status.name) for status in installed]
    choices += [(f"{name}: {RESAMPLER_WORDS[name]}", name) for name in RESAMPLERS]
    return choices


def model_note(manager: ModelManager, name: str, scale: float | None) -> str:
    """One line about what the chosen model means now."""
    if name == "auto":
        chosen, reason = manager.default_model(scale)
        return f"Automatic means **{chosen}**. {reason}"
    if name in RESAMPLERS:
        return f"**{name}**: {RESAMPLER_WORDS[name]}."
    status = next((status for status in manager.list() if status.name == name), None)
    return f"**{name}**: {status.purpose} {status.architecture}, {status.licence}." if status else ""


def make_settings(values: Mapping[str, Any]) -> EnhanceSettings:
    """Settings from the form's fields; ``goal`` says which of the size fields count.

    Raises ``InvalidSettingsError`` with a sentence for the person.
    """
    chosen = dict(values)
    goal = chosen.pop("goal")
    sizes = {name: chosen.pop(name) or None for name in ("scale", "long_edge", "width", "height")}
    for name in _GOAL_FIELDS[goal]:
        number = sizes[name]
        chosen[name] = number if number is None or name == "scale" else int(number)
    chosen["tile"] = int(chosen.get("tile") or 0)
    chosen["quality"] = int(chosen["quality"])
    return EnhanceSettings.create(**chosen)


def form_values(settings: EnhanceSettings, names: tuple[str, ...]) -> dict[str, Any]:
    """The form's fields for settings; the inverse of ``make_settings`` as far as the form has a field."""
    known = settings.model_dump()
    goal = next((goal for goal, fields in _GOAL_FIELDS.items() if any(known[field] for field in fields)), "scale")
    values = {**known, "goal": goal}
    for name in ("scale", "long_edge"):
        values[name] = known[name] or DEFAULTS[name]
    return {name: values[name] for name in names}


def time_words(words: Words, seconds: float) -> str:
    """``4.2 s`` or ``3 min 05 s``."""
    if seconds < 60:
        return words("seconds", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    return words("minutes", minutes=minutes, seconds=rest)


def progress_words(words: Words, progress: Progress) -> str:
    """``Enhancing: 3 of 12, about 4 s left``."""
    left = "" if progress.eta_seconds is None else f", {words('left', time=time_words(words, progress.eta_seconds))}"
    return words("progress", stage=progress.stage, done=progress.done, total=progress.total) + left
