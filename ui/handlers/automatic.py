"""Which settings follow the picture, and which a person changed by hand: plain values of the form's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ui.strings import Words

if TYPE_CHECKING:
    from engine.intelligent_enhancer import Recommendation

SIZE = ("goal", "scale", "long_edge", "width", "height", "fit")
"""Fields that one choice is made of, with which they are changed and brought back together."""
_SIZE_OF = {"scale": ("scale",), "long_edge": ("long_edge",), "exact": ("width", "height", "fit")}
_WORD_OF = {"mode": "mode", "face_enhance": "face", "format": "format", "exif": "exif", "seamless": "seamless"}
"""Field -> what its choices' words begin with."""


@dataclass(frozen=True)
class Automatic:
    """What the form would hold by itself for the open picture.

    Attributes:
        values: of every field.
        reasons: sentences of the engine for those that are not about the model.
    """

    values: Mapping[str, Any]
    reasons: tuple[str, ...] = field(default=())


def automatic_settings(advice: Recommendation, defaults: Mapping[str, Any]) -> Automatic:
    """The form's defaults with what was recommended; the model is left to be chosen by the quality."""
    wanted, model = advice.settings, str(advice.settings["model"])
    values = {
        **defaults,
        "scale": wanted["scale"],
        "face_enhance": "auto" if wanted.get("face_enhance") else "off",
        "denoise_strength": wanted.get("denoise_strength"),
    }
    reasons = [one for one in advice.reasoning[1:-1] if model not in one and one != advice.doubt]
    return Automatic(values, tuple(reasons))


def same(one: Any, other: Any) -> bool:
    """Whether a field would look the same: an empty one is empty either way."""
    return bool(one == other) or (one in (None, "") and other in (None, ""))


def by_hand(kept: Mapping[str, Any], values: Mapping[str, Any], automatic: Mapping[str, Any]) -> dict[str, Any]:
    """What a person changed, by name: all that is not automatic, and what was kept and happens to be the same."""
    return {
        name: value
        for name, value in values.items()
        if not same(value, automatic[name]) or (name in kept and same(kept[name], value))
    }


def changed_names(kept: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """What is told of the changes: names of fields, with "size" for all that make up the size."""
    counts = ("goal", *_SIZE_OF[values["goal"]])
    size = ["size"] if any(name in kept for name in counts) else []
    return [*size, *(name for name in kept if name not in SIZE)]


def fields_of(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """The fields behind a name of ``changed_names``; of "all" every one; none for a name that is unknown."""
    if name == "all":
        return tuple(names)
    return SIZE if name == "size" else (name,) if name in names else ()


def label_of(name: str, words: Words) -> str:
    """What a field is called."""
    return words("goal" if name == "size" else name)


def value_words(name: str, values: Mapping[str, Any], words: Words) -> str:
    """A field's value in words."""
    if name == "size":
        return _size_words(values, words)
    value = values[name]
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if name in _WORD_OF:
        return words.table.get(f"{_WORD_OF[name]}_{value}", str(value))
    if value in (None, "", "auto"):
        return words("precision_auto")
    return _number(value)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _size_words(values: Mapping[str, Any], words: Words) -> str:
    if values["goal"] == "scale":
        return f"×{values['scale']:g}"
    if values["goal"] == "long_edge":
        return f"{words('goal_long_edge')} {values['long_edge']}"
    sides = " × ".join(_number(values[side]) if values[side] else "…" for side in ("width", "height"))
    return f"{sides}, {words('fit_' + str(values['fit']))}" if values["width"] and values["height"] else sides


def known_values(found: Any, defaults: Mapping[str, Any], allowed: Mapping[str, Any]) -> dict[str, Any]:
    """What can be used of values that a browser kept from an earlier visit, whatever has become of them.

    Args:
        found: anything.
        defaults: the form's, for the kind of each value.
        allowed: name -> the values that its field knows, where they are listed.
    """
    if not isinstance(found, dict):
        return {}
    return {
        name: found[name]
        for name in defaults
        if name in found and _fits(found[name], defaults[name], allowed.get(name))
    }


def _fits(value: Any, default: Any, known: Any) -> bool:
    if known is not None:
        return isinstance(value, str) and value in known
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if default is None or isinstance(default, int | float):
        return isinstance(value, int | float) and value == value and abs(value) < 1e6
    return isinstance(value, str) and len(value) <= 200


__all__ = [
    "SIZE",
    "Automatic",
    "automatic_settings",
    "by_hand",
    "changed_names",
    "fields_of",
    "known_values",
    "label_of",
    "same",
    "value_words",
]
