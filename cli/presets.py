"""``presets``: settings under a name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.settings_manager import SettingsManager

app = typer.Typer(help="List, show, save, delete, rename, copy, import and export presets.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="Name of the preset.")]
_New = Annotated[str, typer.Argument(help="New name.")]
_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_Force = Annotated[bool, typer.Option("--force", "-f", help="Replace presets of the same name.")]


def _manager() -> SettingsManager:
    from config import Config
    from engine.settings_manager import SettingsManager

    return SettingsManager.from_config(Config())


def _tell(manager: SettingsManager) -> None:
    for notice in manager.notices:
        typer.echo(f"Note: {notice}", err=True)


@app.command("list")
def list_presets(as_json: _Json = False) -> None:
    """Every preset, the built-in ones first."""
    manager = _manager()
    presets = manager.presets()
    _tell(manager)
    if as_json:
        print(json.dumps([preset.to_json() for preset in presets], ensure_ascii=False, indent=1))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("Preset", "Built in", "Settings", "Description")
    for preset in presets:
        values = ", ".join(f"{name}={value}" for name, value in preset.settings.items())
        table.add_row(*map(escape, (preset.name, "yes" if preset.builtin else "", values, preset.description)))
    Console().print(table)


@app.command()
def show(name: _Name) -> None:
    """One preset as JSON."""
    print(json.dumps(_manager().get(name).to_json(), ensure_ascii=False, indent=1))


@app.command()
def save(
    name: _Name,
    settings: Annotated[list[str], typer.Argument(metavar="SETTING=VALUE...", help="e.g. scale=2 format=webp")],
    description: Annotated[str, typer.Option(help="What it is good for.")] = "",
    force: _Force = False,
) -> None:
    """Keep settings under a name; the settings are the fields that `presets show` prints."""
    preset = _manager().save_preset(name, dict(map(_pair, settings)), description, overwrite=force)
    print(f"{preset.name}: saved")


def _pair(text: str) -> tuple[str, object]:
    from utils.errors import InvalidSettingsError

    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidSettingsError(f"'{text}' must look like scale=4 or model=RealESRGAN_x4plus.")
    try:
        return name.strip().replace("-", "_"), json.loads(value)
    except ValueError:
        return name.strip().replace("-", "_"), value


@app.command()
def delete(name: _Name) -> None:
    """Delete a preset of your own."""
    _manager().delete(name)
    print(f"{name}: deleted")


@app.command()
def rename(name: _Name, new: _New) -> None:
    """Give a preset of your own another name."""
    print(f"{_manager().rename(name, new).name}: renamed")


@app.command()
def duplicate(name: _Name, new: _New) -> None:
    """Copy a preset, built-in or not, under a new name."""
    print(f"{_manager().duplicate(name, new).name}: saved")


@app.command("export")
def export_presets(
    path: Annotated[Path, typer.Argument(help="File to write.")],
    names: Annotated[list[str] | None, typer.Argument(help="Presets; all of your own by default.")] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing file.")] = False,
) -> None:
    """Write presets into a file, to hand on."""
    print(f"{path}: {_manager().export_presets(path, names, overwrite=force)} presets")


@app.command("import")
def import_presets(path: Annotated[Path, typer.Argument(help="An exported file.")], force: _Force = False) -> None:
    """Take presets over from an exported file: all of them or, when one is wrong, none."""
    for preset in _manager().import_presets(path, overwrite=force):
        print(f"{preset.name}: imported")
