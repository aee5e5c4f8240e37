"""Windows: keys of the person's own part of the registry, and shortcuts in SendTo and in the start menu.

The registry is written by a ``.reg`` file, shortcuts by a PowerShell script; both stay where they can be read. No file
name of Windows holds a quotation mark or a line break, so Explorer's ``"%1"`` is enough.
"""

from __future__ import annotations

import base64
import io
import subprocess
from pathlib import Path

from desktop.integration.entries import ACTIONS, APPLICATION, ICONS, Action, Entry, Places
from desktop.words import NAME

_SHELL = "RealESRGANUltimate"
_CLASSES = "HKEY_CURRENT_USER\\Software\\Classes"
_KINDS = ("SystemFileAssociations\\image", "SystemFileAssociations\\video", "Directory")
"""What has a menu; pictures have all of it."""


def entries(places: Places, command: tuple[str, ...], language: str) -> list[Entry]:
    """All files below ``%LOCALAPPDATA%``; ``tell`` hands them to the system."""
    folder = _folder(places)
    return [
        Entry(folder / "icon.ico", _icon()),
        Entry(folder / "install.reg", _reg(_keys(places, command, language))),
        Entry(folder / "remove.reg", _reg([(f"-{key}", {}) for key in _roots()])),
        Entry(folder / "shortcuts.ps1", b"\xef\xbb\xbf" + _shortcuts(places, command, language).encode()),
    ]


def made(places: Places) -> list[Path]:
    """The shortcuts."""
    return [_send_to(places), _start_menu(places)]


def tell(places: Places, there: bool) -> None:
    """Bring the files' content into the registry, or take it out. Raises ``OSError`` where that fails."""
    folder = _folder(places)
    _run("reg.exe", "import", str(folder / ("install.reg" if there else "remove.reg")))
    if there:
        script = str(folder / "shortcuts.ps1")
        _run("powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script)


def tidy(places: Places) -> None:
    """Nothing else is left."""


def _run(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, timeout=60, check=True)
    except subprocess.SubprocessError as error:
        raise OSError(f"{command[0]} failed: {error}") from error


def _folder(places: Places) -> Path:
    return places.data / APPLICATION / "shell"


def _send_to(places: Places) -> Path:
    return places.roaming / "Microsoft" / "Windows" / "SendTo" / f"{NAME}.lnk"


def _start_menu(places: Places) -> Path:
    return places.roaming / "Microsoft" / "Windows" / "Start Menu" / "Programs" / f"{NAME}.lnk"


def _icon() -> bytes:
    from PIL import Image

    kept = io.BytesIO()
    with Image.open(ICONS / "icon.png") as picture:
        picture.save(kept, "ico", sizes=[(side, side) for side in (16, 32, 48, 256)])
    return kept.getvalue()


def _shown(kind: str) -> list[Action]:
    return [action for action in ACTIONS if kind == _KINDS[0] or not action.pictures_only]


def _roots() -> list[str]:
    return [f"{_CLASSES}\\{kind}\\shell\\{_SHELL}.{action.name}" for kind in _KINDS for action in _shown(kind)]


def _keys(places: Places, command: tuple[str, ...], language: str) -> list[tuple[str, dict[str, str]]]:
    """Registry key -> values; "" is the key's own value."""
    found: list[tuple[str, dict[str, str]]] = []
    for kind in _KINDS:
        for action in _shown(kind):
            key = f"{_CLASSES}\\{kind}\\shell\\{_SHELL}.{action.name}"
            icon = str(_folder(places) / "icon.ico")
            line = subprocess.list2cmdline([*command, *action.arguments]) + ' "%1"'
            found.append((key, {"": action.label(language), "Icon": icon, "MultiSelectModel": "Player"}))
            found.append((f"{key}\\command", {"": line}))
    return found


def _reg(keys: list[tuple[str, dict[str, str]]]) -> bytes:
    """A registry file, as ``regedit`` writes it: UTF-16 with its mark."""
    lines = ["Windows Registry Editor Version 5.00"]
    for key, values in keys:
        lines += ["", f"[{key}]"]
        for name, value in values.items():
            lines.append(f"{_string(name) if name else '@'}={_string(value)}")
    return b"\xff\xfe" + ("\r\n".join(lines) + "\r\n\r\n").encode("utf-16-le")


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _shortcuts(places: Places, command: tuple[str, ...], language: str) -> str:
    """A script that makes the two shortcuts. Texts stand in it in Base64: nothing in a path can end a string."""
    action = ACTIONS[-1]
    with_files, alone = ([*command[1:], *action.arguments], [*command[1:], "--window"])
    lines = [
        "$shell = New-Object -ComObject WScript.Shell",
        "function Read-Text($code) { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($code)) }",
    ]
    for link, arguments in ((_send_to(places), with_files), (_start_menu(places), alone)):
        values = {
            "TargetPath": command[0],
            "Arguments": subprocess.list2cmdline(arguments),
            "IconLocation": str(_folder(places) / "icon.ico"),
            "Description": action.label(language),
        }
        lines.append(f"$link = $shell.CreateShortcut((Read-Text '{_base64(str(link))}'))")
        lines += [f"$link.{name} = Read-Text '{_base64(value)}'" for name, value in values.items()]
        lines.append("$link.Save()")
    return "\r\n".join(lines) + "\r\n"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


__all__ = ["entries", "made", "tell", "tidy"]
