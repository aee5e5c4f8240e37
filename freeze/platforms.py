"""What the ready-made program has beside the command line where desktops start programs by a double click: Windows and
macOS. A second program that opens the window, an icon, and what the system wants to know of both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from desktop.words import NAME, TEXTS
from utils.version import VERSION

WINDOW = NAME
"""The program that opens the window, and the macOS application, as a person sees it."""
ICON = str(Path(__file__).resolve().parent.parent / "desktop" / "icon.png")
"""PyInstaller makes an ``.ico`` or ``.icns`` of it, by Pillow."""
IDENTIFIER = "org.realesrgan-ultimate.program"
WINDOW_LIST = "requirements-window.txt"
_VIEWS = {
    "win32": ("webview.platforms.winforms", "webview.platforms.edgechromium"),
    "darwin": ("webview.platforms.cocoa",),
}
"""Platform -> pywebview's modules for it, which it imports by the name of the system."""
_OTHER_VIEWS = ("webview", "qtpy", "PySide6")
_KINDS = ("public.image", "public.movie", "public.folder", "com.adobe.pdf")
_ENGLISH, _UNICODE = 0x0409, 1200


def has_window() -> bool:
    """Whether this platform brings a web view, so that the window comes along; Linux has none that all have."""
    return sys.platform in _VIEWS


def window_modules() -> list[str]:
    """Modules of the window that nothing imports by name."""
    return list(_VIEWS.get(sys.platform, ()))


def without_window() -> tuple[str, ...]:
    """Packages of windows that stay out here."""
    return tuple(name for name in _OTHER_VIEWS if name != "webview" or not has_window())


def appearance(name: str, folder: Path) -> dict[str, Any]:
    """An executable's icon, and on Windows what its properties say, as ``EXE`` takes them.

    Args:
        name: of the executable.
        folder: where a file may be left until it is built.
    """
    if not has_window():
        return {}
    if sys.platform != "win32":
        return {"icon": ICON}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.version.txt"
    path.write_text(version_resource(name), "utf-8")
    return {"icon": ICON, "version": str(path)}


def opened_files() -> dict[str, Any]:
    """How files get to the window's program: macOS sends events, which become arguments; elsewhere they are some."""
    return {"argv_emulation": True} if sys.platform == "darwin" else {}


def version_resource(name: str) -> str:
    """The properties of a Windows executable, in PyInstaller's notation."""
    number = tuple([*map(int, VERSION.split(".")), 0, 0, 0][:4])
    said = {
        "CompanyName": NAME,
        "FileDescription": f"{NAME}: {TEXTS['en']['comment']}",
        "FileVersion": VERSION,
        "InternalName": name,
        "OriginalFilename": f"{name}.exe",
        "ProductName": NAME,
        "ProductVersion": VERSION,
    }
    strings = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in said.items())
    return (
        "VSVersionInfo(\n"
        f"  ffi=FixedFileInfo(filevers={number}, prodvers={number}, mask=0x3F, flags=0, OS=0x40004, fileType=1),\n"
        "  kids=[\n"
        f"    StringFileInfo([StringTable('{_ENGLISH:04X}{_UNICODE:04X}', [{strings}])]),\n"
        f"    VarFileInfo([VarStruct('Translation', [{_ENGLISH}, {_UNICODE}])]),\n"
        "  ],\n)\n"
    )


def info_plist() -> dict[str, Any]:
    """What the macOS application says of itself: that it opens pictures, films, PDFs and folders, beside others."""
    opened = {
        "CFBundleTypeName": TEXTS["en"]["comment"],
        "CFBundleTypeRole": "Viewer",
        "LSHandlerRank": "Alternate",
        "LSItemContentTypes": list(_KINDS),
    }
    return {
        "CFBundleName": NAME,
        "CFBundleDisplayName": NAME,
        "CFBundleExecutable": WINDOW,
        "CFBundleVersion": VERSION,
        "CFBundleLocalizations": list(TEXTS),
        "CFBundleDocumentTypes": [opened],
        "LSApplicationCategoryType": "public.app-category.photography",
        "LSBackgroundOnly": False,
        "NSHighResolutionCapable": True,
    }


__all__ = [
    "ICON",
    "IDENTIFIER",
    "WINDOW",
    "WINDOW_LIST",
    "appearance",
    "has_window",
    "info_plist",
    "opened_files",
    "version_resource",
    "window_modules",
    "without_window",
]
