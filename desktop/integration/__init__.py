"""Entries in the desktop's menus and file managers: written into the person's own folders, and taken away again.

What was written stands in a record, with a hash of each file and the folders that had to be made, so that removing
leaves what was there before, and files that a person has changed since.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.integration import linux, macos, windows
from desktop.integration.entries import Entry, Places
from desktop.words import system_language
from utils.errors import OutputError
from utils.files import replaced
from utils.installation import is_ready_made

RECORD = "integration.json"


@dataclass(frozen=True)
class Removed:
    """What became of the entries: ``gone``, and ``kept`` because somebody changed them since."""

    gone: tuple[Path, ...]
    kept: tuple[Path, ...]


def entries(places: Places, command: Sequence[str], language: str) -> list[Entry]:
    """Everything that belongs on this platform."""
    system = {"darwin": macos, "win32": windows}.get(places.platform, linux)
    return system.entries(places, tuple(command), language)


def install(places: Places, command: Sequence[str], language: str | None = None) -> list[Path]:
    """Write the entries; what an earlier call wrote is replaced.

    Args:
        command: starts the program, as ``program_command`` gives it.
        language: of those names that have one language only; None = the desktop's.

    Raises:
        OutputError: a file that is not ours is in the way (then nothing is written), or one cannot be written (then
            what was written is taken away).
    """
    wanted = entries(places, command, language or system_language())
    ours = _record(places)["files"]
    for entry in wanted:
        if os.path.lexists(entry.path) and not _is_ours(entry.path, ours):
            raise OutputError(f"'{entry.path}' is there already, and not as this program wrote it. Move it away first.")
    remove(places)
    system = _system(places)
    folders = _missing([places.record.parent, *(entry.path.parent for entry in wanted)])
    files = {str(entry.path): hashlib.sha256(entry.content).hexdigest() for entry in wanted}
    made = [str(path) for path in system.made(places)]
    try:
        for folder in folders:
            folder.mkdir()
        # First the record: whatever ends this, the entries can be taken away.
        places.record.write_text(
            json.dumps({"files": files, "folders": list(map(str, folders)), "made": made}), "utf-8"
        )
        for entry in wanted:
            _write(entry)
        system.tell(places, True)
    except (OSError, OutputError) as error:
        remove(places)
        _remove_empty(folders)
        raise OutputError(f"The entries cannot be written: {str(error).rstrip('.')}.") from error
    return [entry.path for entry in wanted]


def remove(places: Places) -> Removed:
    """Take away what ``install`` wrote, and folders that it made, where nothing else is in them now.

    Raises ``OutputError`` where something cannot be taken away.
    """
    record = _record(places)
    if not record["files"]:
        return Removed((), ())
    system = _system(places)
    gone, kept = [], []
    try:
        system.tell(places, False)
        for name, digest in record["files"].items():
            path = Path(name)
            if not os.path.lexists(path):
                continue
            if _is_ours(path, {name: digest}):
                path.unlink()
                gone.append(path)
            else:
                kept.append(path)
        for name in record["made"]:
            Path(name).unlink(missing_ok=True)
        system.tidy(places)
        places.record.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"The entries cannot be taken away: {error}.") from error
    _remove_empty([Path(name) for name in record["folders"]])
    return Removed(tuple(gone), tuple(kept))


def program_command(root: Path, executable: str = sys.executable, platform: str = sys.platform) -> tuple[str, ...]:
    """What starts this program: a ready-made one itself, the command that pip installed, or ``main.py`` by its Python.

    Args:
        root: the folder with ``main.py``: a checkout, or the package that pip installed.
    """
    if is_ready_made():
        return (executable,)
    python = Path(executable)
    if platform == "win32" and (quiet := python.with_name("pythonw.exe")).is_file():
        python = quiet  # no console window
    installed = any(root.parent.glob("realesrgan_ultimate-*.dist-info"))
    script = python.with_name("realesrgan-ultimate")
    if installed and platform != "win32" and script.is_file():
        return (str(script),)
    return (str(python), str(root / "main.py"))


def _system(places: Places) -> Any:
    return {"darwin": macos, "win32": windows}.get(places.platform, linux)


def _record(places: Places) -> dict[str, Any]:
    try:
        content = json.loads(places.record.read_text("utf-8"))
        return {"files": dict(content["files"]), "folders": list(content["folders"]), "made": list(content["made"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"files": {}, "folders": [], "made": []}


def _is_ours(path: Path, files: dict[str, str]) -> bool:
    """Whether a file is as it was written."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == files.get(str(path))


def _missing(wanted: Sequence[Path]) -> list[Path]:
    """The folders that have to be made, each after the one that it is in."""
    missing: set[Path] = set()
    for folder in wanted:
        while not folder.exists() and folder not in missing:
            missing.add(folder)
            folder = folder.parent
    return sorted(missing, key=lambda folder: len(folder.parts))


def _write(entry: Entry) -> None:
    with replaced(entry.path) as temporary:
        temporary.write_bytes(entry.content)
        temporary.chmod(0o755 if entry.executable else 0o644)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Those of them that hold nothing, the innermost first."""
    for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
        with contextlib.suppress(OSError):  # somebody has put something into it since, or it is gone
            folder.rmdir()


__all__ = ["Entry", "Places", "Removed", "entries", "install", "program_command", "remove"]
