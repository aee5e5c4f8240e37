"""Presets as values: a name and the settings it fixes; the built-in ones; how presets and explicit choices merge."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.types import EnhanceSettings
from utils.errors import InvalidSettingsError
from utils.json_types import JsonObject

GOALS = ("scale", "width", "height", "long_edge", "print_size")
NAME_LENGTH = 64


@dataclass(frozen=True)
class Preset:
    """Settings that serve a purpose.

    Attributes:
        settings: some fields of ``EnhanceSettings``, as JSON values; the others keep their defaults.
        prefers: models to use where installed, best first; ``settings`` names none then.
        builtin: comes with the program; cannot be changed or deleted.
    """

    name: str
    settings: Mapping[str, object]
    description: str = ""
    prefers: tuple[str, ...] = ()
    builtin: bool = False
    created: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def resolve(self, installed: Collection[str] = ()) -> JsonObject:
        """The settings with the best of the preferred models that is installed; ``auto`` where none is."""
        values = dict(self.settings)
        if not self.prefers:
            return values
        chosen = next((name for name in self.prefers if name in installed), None)
        if chosen is None:
            values.pop("denoise_strength", None)  # belongs to the preferred model; others would refuse it
            return values
        return {**values, "model": chosen}

    def to_json(self) -> JsonObject:
        """The fields as JSON values; ``settings`` holds those that the preset decides."""
        return {
            "name": self.name,
            "description": self.description,
            "builtin": self.builtin,
            "prefers": list(self.prefers),
            "settings": dict(self.settings),
            "created": self.created,
        }


def partial_settings(values: Mapping[str, object]) -> JsonObject:
    """Some settings, checked as ``EnhanceSettings`` checks them all, as JSON values.

    Raises:
        InvalidSettingsError: an unknown name, a wrong value, two goals.
    """
    checked = EnhanceSettings.create(**values)
    return {name: value for name, value in checked.model_dump(mode="json").items() if name in values}


def merge_settings(base: Mapping[str, object], explicit: Mapping[str, object]) -> EnhanceSettings:
    """A preset's settings overruled by what a person chose. An explicit goal or tile replaces the preset's.

    Raises:
        InvalidSettingsError: the explicit choices are wrong, or do not go with the preset's.
    """
    values = dict(base)
    if any(explicit.get(name) is not None for name in GOALS):
        values = {name: value for name, value in values.items() if name not in GOALS}
    if "tile" in explicit or "auto_tile" in explicit:
        values.pop("tile", None)
        values.pop("auto_tile", None)
    if "model" in explicit:
        values.pop("denoise_strength", None)  # the preset's strength was meant for the preset's model
    return EnhanceSettings.create(**{**values, **explicit})


def preset_name(name: str) -> str:
    """The name in its canonical spelling: NFC, no blanks around it.

    Raises:
        InvalidSettingsError: empty, too long, or with characters that cannot be seen.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > NAME_LENGTH:
        raise InvalidSettingsError(f"A preset's name has 1 to {NAME_LENGTH} characters.")
    if any(unicodedata.category(character)[0] == "C" for character in name):
        raise InvalidSettingsError("A preset's name must not hold control or invisible characters.")
    return name


def _builtin(name: str, description: str, *prefers: str, **settings: object) -> Preset:
    return Preset(name, partial_settings(settings), description, prefers, builtin=True)


BUILTIN_PRESETS = (
    _builtin("Photo", "Photographs, four times as large, the finest texture.", "RealESRGAN_x4plus", scale=4),
    _builtin(
        "Portrait",
        "People: faces are restored, a little of the original is mixed in so that skin stays skin.",
        "RealESRGAN_x4plus",
        scale=4,
        face_enhance="auto",
        fidelity=0.15,
    ),
    _builtin(
        "Anime",
        "Drawings, anime, comics: clean lines and flat colours.",
        "RealESRGAN_x4plus_anime_6B",
        scale=4,
    ),
    _builtin(
        "Old scan",
        "Scanned prints with grain and dust: cleaned, faces restored, twice the size.",
        "RealESRGAN_x4plus",
        scale=2,
        face_enhance="auto",
        fidelity=0.1,
        format="png",
    ),
    _builtin(
        "Noisy phone shot",
        "Pictures taken in the dark: noise is taken out, twice the size.",
        "RealESRGAN_x4plus",
        scale=2,
    ),
    _builtin(
        "True to the original",
        "Nothing is invented: the network that stays closest to the picture as it is, clean or worn.",
        mode="faithful",
        scale=4,
    ),
    _builtin(
        "Maximum speed",
        "Twice the size with a small network, no colour matching.",
        mode="quick",
        scale=2,
        color_match=False,
    ),
    *(
        _builtin(
            f"Wallpaper {name}",
            f"Longer side {side} pixels; pictures that are as large already are only copied.",
            long_edge=side,
            skip_if_large_enough=True,
        )
        for name, side in (("2K", 2048), ("4K", 3840), ("8K", 7680))
    ),
)
"""The presets that come with the program."""


__all__ = ["BUILTIN_PRESETS", "GOALS", "Preset", "merge_settings", "partial_settings", "preset_name"]
