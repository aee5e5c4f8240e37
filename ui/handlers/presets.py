"""The Presets tab's work."""

from __future__ import annotations

from typing import Any

from ui.components import SettingsForm

PRESETS: dict[str, dict[str, Any]] = {
    "Photo x4": {"model": "auto", "scale": 4.0},
    "Photo x2": {"model": "auto", "scale": 2.0},
    "Wallpaper 4K": {"model": "auto", "long_edge": 3840},
    "True to the original": {"model": "auto", "scale": 4.0, "fidelity": 0.4},
    "Maximum speed": {"model": "lanczos", "scale": 4.0},
}
_GOAL_OF = {"scale": "scale", "long_edge": "long_edge"}


def describe(name: str) -> str:
    """What a preset sets, as text."""
    return "\n".join(f"- {field.replace('_', ' ')}: {value}" for field, value in PRESETS[name].items())


def form_values(name: str, form: SettingsForm) -> dict[str, Any]:
    """Form field -> value for a preset; the goal follows from the size it sets. Other fields get their defaults."""
    preset = PRESETS[name]
    values: dict[str, Any] = {"fidelity": 0.0, **preset}
    for field, goal in _GOAL_OF.items():
        if field in preset:
            values["goal"] = goal
    return {field: value for field, value in values.items() if field in form.names}
