"""Settings that a person keeps: presets of their own, and the settings used last. One JSON file, never half-written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from engine.storage.presets import BUILTIN_PRESETS, Preset, merge_settings, partial_settings, preset_name
from engine.storage.safe_file import BrokenFileError, SafeJsonFile
from engine.types import EnhanceSettings
from utils.engine_config import EngineConfig
from utils.errors import InvalidSettingsError, OutputError
from utils.files import replaced
from utils.json_types import JsonObject

SCHEMA_VERSION = 1
FILE_NAME = "settings.json"
_MAX_IMPORT_BYTES = 4 * 10**6


class SettingsManager:
    """Presets and the last settings, in ``<folder>/settings.json``; safe between threads and processes.

    Names of presets are compared without regard to case. The built-in ones cannot be changed or deleted.

    Args:
        folder: made at the first write.
    """

    def __init__(self, folder: Path) -> None:
        self._file = SafeJsonFile(Path(folder) / FILE_NAME, _check)
        self._skipped: dict[str, str] = {}

    @classmethod
    def from_config(cls, config: EngineConfig) -> SettingsManager:
        """A manager for the application's ``Config``: the file is in its ``data_dir``."""
        return cls(config.data_dir)

    @property
    def path(self) -> Path:
        """The file that holds the presets."""
        return self._file.path

    @property
    def notices(self) -> tuple[str, ...]:
        """What was wrong with the file and what was done about it, in sentences for the person."""
        return (*self._file.notices, *self._skipped.values())

    # -- the settings used last --------------------------------------------------------------------------------------

    def load(self) -> EnhanceSettings:
        """The settings saved last; the defaults where there are none, or where they are not valid any more."""
        stored = self._file.read().get("settings", {})
        try:
            return EnhanceSettings.create(**stored)
        except InvalidSettingsError as error:
            self._skipped["settings"] = (
                f"The last settings in '{self.path}' are not valid ({error}); defaults are used."
            )
            return EnhanceSettings.create()

    def save(self, settings: EnhanceSettings) -> None:
        """Remember settings for the next start. Raises ``OutputError`` when the file cannot be written."""
        values = settings.model_dump(mode="json", exclude_defaults=True)
        self._file.update(lambda content: content.update(version=SCHEMA_VERSION, settings=values))

    # -- presets -----------------------------------------------------------------------------------------------------

    def presets(self) -> tuple[Preset, ...]:
        """The built-in presets, then the person's own by name. Invalid ones are left out, with a notice."""
        own = []
        for name, entry in self._file.read().get("presets", {}).items():
            try:
                own.append(_preset(name, entry))
                self._skipped.pop(f"preset {name}", None)
            except InvalidSettingsError as error:
                self._skipped[f"preset {name}"] = f"The preset '{name}' in '{self.path}' cannot be used: {error}"
        return (*BUILTIN_PRESETS, *sorted(own, key=lambda preset: preset.name.casefold()))

    def get(self, name: str) -> Preset:
        """A preset by name. Raises ``InvalidSettingsError`` with the names there are."""
        presets = self.presets()
        found = next((preset for preset in presets if preset.name.casefold() == name.strip().casefold()), None)
        if found is None:
            known = ", ".join(f"'{preset.name}'" for preset in presets)
            raise InvalidSettingsError(f"There is no preset '{name}'. There are: {known}.")
        return found

    def save_preset(
        self,
        name: str,
        settings: EnhanceSettings | Mapping[str, object],
        description: str = "",
        *,
        overwrite: bool = True,
    ) -> Preset:
        """Keep settings under a name: all that differ from the defaults, or just those in a mapping.

        Raises:
            InvalidSettingsError: the name is bad, built-in or (without ``overwrite``) taken; a setting is wrong.
            OutputError: the file cannot be written.
        """
        if isinstance(settings, EnhanceSettings):
            settings = settings.model_dump(mode="json", exclude_defaults=True)
        made = Preset(_own_name(name), partial_settings(settings), description.strip(), created=_now())
        self._change(lambda presets: _put(presets, made, overwrite))
        return made

    def delete(self, name: str) -> None:
        """Delete a preset of one's own. Raises ``InvalidSettingsError`` for a built-in or unknown one."""
        preset = self._own(name)
        self._change(lambda presets: _take(presets, preset.name))

    def rename(self, old: str, new: str) -> Preset:
        """Give a preset another name. Raises ``InvalidSettingsError`` if that is taken or ``old`` is unknown."""
        preset, name = self._own(old), _own_name(new)

        def move(presets: JsonObject) -> None:
            entry = _take(presets, preset.name)
            taken = _key(presets, name)
            if taken is not None:
                raise InvalidSettingsError(f"There is a preset '{taken}' already. Choose another name.")
            presets[name] = entry

        self._change(move)
        return self.get(name)

    def duplicate(self, name: str, new: str) -> Preset:
        """A copy of any preset, built-in ones too, under a new name, to be changed."""
        source = self.get(name)
        copy = Preset(_own_name(new), source.settings, source.description, source.prefers, created=_now())
        self._change(lambda presets: _put(presets, copy, overwrite=False))
        return copy

    def export_presets(self, path: Path | str, names: Iterable[str] | None = None, *, overwrite: bool = False) -> int:
        """Write presets (all of one's own by default) into a file to hand on; returns how many.

        Raises ``OutputError``: it cannot be written, or is there already and ``overwrite`` is not set.
        """
        if Path(path).exists() and not overwrite:
            raise OutputError(f"'{path}' exists already. Choose another name, or allow overwriting (--force).")
        chosen = [self.get(name) for name in names] if names else [p for p in self.presets() if not p.builtin]
        content = {"version": SCHEMA_VERSION, "presets": {preset.name: _entry(preset) for preset in chosen}}
        with replaced(Path(path)) as file:
            file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
        return len(chosen)

    def import_presets(self, path: Path | str, *, overwrite: bool = False) -> tuple[Preset, ...]:
        """Take presets over from an exported file: all of them, or none when one is wrong.

        Raises:
            InvalidSettingsError: no file of presets, a wrong setting, or a name that is built-in or (without
                ``overwrite``) taken.
        """
        content = _read_export(Path(path))
        taken_over = []
        for name, entry in content["presets"].items():
            preset = _preset(name, entry)
            taken_over.append(
                Preset(_own_name(name), preset.settings, preset.description, preset.prefers, False, _now())
            )

        def put_all(presets: JsonObject) -> None:
            for preset in taken_over:
                _put(presets, preset, overwrite)

        self._change(put_all)
        return tuple(taken_over)

    def settings_from(
        self, name: str, explicit: Mapping[str, object] | None = None, installed: Iterable[str] = ()
    ) -> EnhanceSettings:
        """A preset's settings with the person's explicit choices over them; ``installed``: names of usable models."""
        return merge_settings(self.get(name).resolve(frozenset(installed)), explicit or {})

    def _own(self, name: str) -> Preset:
        preset = self.get(name)
        if preset.builtin:
            raise InvalidSettingsError(f"'{preset.name}' is built in; it stays as it is. Duplicate it to change it.")
        return preset

    def _change(self, change: Callable[[JsonObject], object]) -> None:
        def apply(content: JsonObject) -> None:
            content["version"] = SCHEMA_VERSION
            change(content.setdefault("presets", {}))

        self._file.update(apply)


def _check(content: JsonObject) -> None:
    """Whether a settings file can be worked with at all; single presets are judged one by one."""
    version = content.get("version", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        # Not broken: a newer program wrote it, and whoever sets it aside would lose what that program kept there.
        raise InvalidSettingsError(f"The settings file has version {version}; this program reads {SCHEMA_VERSION}.")
    if not isinstance(version, int):
        raise BrokenFileError("has no valid version")
    for part in ("settings", "presets"):
        if not isinstance(content.get(part, {}), dict):
            raise BrokenFileError(f"holds '{part}' in another form than expected")


def _preset(name: str, entry: object) -> Preset:
    if not isinstance(entry, dict) or not isinstance(entry.get("settings"), dict):
        raise InvalidSettingsError("its settings are missing.")
    prefers = entry.get("prefers", [])
    if not isinstance(prefers, list) or not all(isinstance(model, str) for model in prefers):
        raise InvalidSettingsError("its preferred models are not a list of names.")
    return Preset(
        preset_name(name),
        partial_settings(entry["settings"]),
        str(entry.get("description", "")),
        tuple(prefers),
        created=str(entry.get("created", "")),
    )


def _entry(preset: Preset) -> JsonObject:
    values = preset.to_json()
    return {name: values[name] for name in ("settings", "description", "prefers", "created")}


def _key(presets: Mapping[str, object], name: str) -> str | None:
    return next((known for known in presets if known.casefold() == name.casefold()), None)


def _put(presets: JsonObject, preset: Preset, overwrite: bool) -> None:
    taken = _key(presets, preset.name)
    if taken is not None:
        if not overwrite:
            raise InvalidSettingsError(f"There is a preset '{taken}' already. Choose another name, or overwrite it.")
        del presets[taken]
    presets[preset.name] = _entry(preset)


def _take(presets: JsonObject, name: str) -> object:
    key = _key(presets, name)
    if key is None:
        raise InvalidSettingsError(f"There is no preset '{name}' any more.")
    return presets.pop(key)


def _own_name(name: str) -> str:
    name = preset_name(name)
    if any(preset.name.casefold() == name.casefold() for preset in BUILTIN_PRESETS):
        raise InvalidSettingsError(f"'{name}' is the name of a built-in preset. Choose another name.")
    return name


def _read_export(path: Path) -> JsonObject:
    try:
        if path.stat().st_size > _MAX_IMPORT_BYTES:
            raise InvalidSettingsError(f"'{path}' is too large for a file of presets.")
        content = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise InvalidSettingsError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidSettingsError):
            raise
        raise InvalidSettingsError(f"'{path}' is not a file of presets: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("presets"), dict):
        raise InvalidSettingsError(f"'{path}' is not a file of presets.")
    try:
        _check(content)
    except BrokenFileError as error:
        raise InvalidSettingsError(f"'{path}' {error}.") from error
    return content


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


__all__ = ["SCHEMA_VERSION", "Preset", "SettingsManager"]
