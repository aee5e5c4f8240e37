"""The Presets tab's work: what presets there are, what one sets, and what may be done with it."""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from pathlib import Path
from typing import Any

from engine.model_manager import ModelManager
from engine.settings_manager import SettingsManager
from engine.storage.presets import Preset, merge_settings, preset_name
from engine.types import EnhanceSettings
from ui.strings import Words
from utils.errors import InvalidSettingsError
from utils.validation import sanitize_filename

_GOAL_FIELDS = ("scale", "long_edge", "width", "height")


def choices(presets: SettingsManager, words: Words) -> list[tuple[str, str]]:
    """(label, name); the built-in ones are marked."""
    return [
        (words("presets_builtin", name=preset.name) if preset.builtin else preset.name, preset.name)
        for preset in presets.presets()
    ]


def installed_names(manager: ModelManager) -> frozenset[str]:
    return frozenset(status.name for status in manager.usable_upscalers())


def settings_of(preset: Preset, manager: ModelManager) -> EnhanceSettings:
    """What applying a preset sets, with the best of its models that is installed."""
    return merge_settings(preset.resolve(installed_names(manager)), {})


def not_in_form(preset: Preset, names: Collection[str]) -> list[str]:
    """Settings of a preset for which the form has no field."""
    return [name for name in preset.settings if name not in names and name not in _GOAL_FIELDS]


def field_words(name: str, words: Words) -> str:
    """A setting's name for people."""
    key = f"presets_field_{name}"
    return words(key) if key in words.table else name.replace("_", " ")


def value_words(name: str, value: Any, words: Words) -> str:
    """A setting's value for people."""
    if isinstance(value, bool):
        return words("presets_yes" if value else "presets_no")
    if name == "scale":
        return f"×{value:g}"
    if name == "mode" and value != "auto":
        return words(f"mode_{value}" if value != "best" else "mode_auto")
    if name in ("seamless", "fit", "exif"):
        return words(f"{name}_{value}")
    if name in ("fidelity", "denoise_strength") and value is not None:
        return f"{value:.0%}"
    if name in ("width", "height", "long_edge", "tile") and value:
        return f"{value} px"
    if name == "format" and value != "auto":
        return str(value).upper()
    if value in (None, "auto"):
        return words("presets_automatic")
    return str(value)


def preview_html(preset: Preset, installed: Collection[str], words: Words) -> str:
    """What a preset sets, as a table, with its description above."""
    rows = []
    if preset.prefers:
        models = [f"{name}" if name in installed else words("presets_missing", name=name) for name in preset.prefers]
        shown = escape(words("presets_or").join(models))
        if not any(name in installed for name in preset.prefers):
            shown += f'<p class="remark">{escape(words("presets_instead"))}</p>'
        rows.append((field_words("model", words), shown))
    rows += [
        (field_words(name, words), escape(value_words(name, value, words))) for name, value in preset.settings.items()
    ]
    body = "".join(f'<tr><th scope="row">{escape(label)}</th><td>{value}</td></tr>' for label, value in rows)
    table = f'<table class="rows facts"><tbody>{body}</tbody></table>' if body else ""
    kind = words("presets_is_builtin") if preset.builtin else words("presets_is_own")
    description = f"<p>{escape(words.said(preset.description))}</p>" if preset.description else ""
    return (
        f'<section class="card" aria-label="{escape(preset.name)}"><h3>{escape(preset.name)} '
        f'<span class="chip">{kind}</span></h3>{description}{table}'
        f'<p class="quiet">{words("presets_rest")}</p></section>'
    )


def name_hint(name: str, presets: SettingsManager, words: Words) -> str:
    """What is to be said about a name while it is typed; empty where it is fine."""
    if not name.strip():
        return ""
    try:
        wanted = preset_name(name).casefold()
    except InvalidSettingsError as error:
        return words.said(error)
    found = next((preset for preset in presets.presets() if preset.name.casefold() == wanted), None)
    if found is None:
        return ""
    return words("presets_name_builtin" if found.builtin else "presets_name_taken", name=found.name)


def export(presets: SettingsManager, names: list[str], folder: Path) -> Path:
    """Write presets (all of one's own where ``names`` is empty) into a file to download.

    Raises ``InvalidSettingsError`` when there is nothing to export, ``OutputError``.
    """
    if not names and all(preset.builtin for preset in presets.presets()):
        raise InvalidSettingsError("There are no presets of your own yet.")
    stem = sanitize_filename(names[0]) if len(names) == 1 else "presets"
    path = folder / "presets" / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    presets.export_presets(path, names or None, overwrite=True)
    return path
