"""Linux and other freedesktop systems: the application's entry, Nautilus, Dolphin, Nemo.

Desktop Entry Specification: arguments of Exec are quoted with ``"``, inside which ``" ` $ \\`` are escaped, and all
of it once more as a string value, whose only escapes are backslashes; ``%`` is doubled.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from desktop.integration.entries import ACTIONS, APPLICATION, ICONS, OTHER_LANGUAGES, Entry, Places
from desktop.words import NAME, text

PICTURES = (
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/avif",
    "image/tiff",
    "image/gif",
    "image/bmp",
    "image/heif",
    "image/heic",
    "image/jp2",
    "image/x-tga",
    "image/x-portable-pixmap",
    "image/x-portable-graymap",
    "image/vnd.adobe.photoshop",
    "image/vnd.radiance",
)
FILMS = (
    "video/mp4",
    "video/x-matroska",
    "video/quicktime",
    "video/webm",
    "video/x-msvideo",
    "video/mpeg",
    "video/mp2t",
    "video/x-ms-wmv",
    "video/x-flv",
    "video/3gpp",
)
_SUFFIXES = "png;jpg;jpeg;webp;avif;tif;tiff;gif;bmp;heic;heif;ppm;pgm;tga;jp2;psd;hdr"
_FILM_SUFFIXES = "mp4;mkv;mov;webm;avi;m4v;mpg;mpeg;ts;m2ts;wmv;flv;3gp"
_CACHE = "mimeinfo.cache"


def entries(places: Places, command: tuple[str, ...], language: str) -> list[Entry]:
    """All files. Nautilus shows its scripts by their file names, so these have one language."""
    icons = places.data / "icons" / "hicolor"
    made = [
        Entry(places.data / "applications" / f"{APPLICATION}.desktop", _application(command)),
        Entry(icons / "scalable" / "apps" / f"{APPLICATION}.svg", (ICONS / "icon.svg").read_bytes()),
        Entry(icons / "256x256" / "apps" / f"{APPLICATION}.png", (ICONS / "icon.png").read_bytes()),
        Entry(places.data / "kio" / "servicemenus" / f"{APPLICATION}-pictures.desktop", _dolphin(command, True), True),
        Entry(places.data / "kio" / "servicemenus" / f"{APPLICATION}.desktop", _dolphin(command, False), True),
    ]
    scripts = places.data / "nautilus" / "scripts" / NAME
    for action in ACTIONS:
        script = f'#!/bin/sh\nexec {shlex.join([*command, *action.arguments])} "$@"\n'
        made.append(Entry(scripts / action.label(language), script.encode(), True))
        nemo = places.data / "nemo" / "actions" / f"{APPLICATION}-{action.name}.nemo_action"
        made.append(Entry(nemo, _nemo(command, action.name)))
    return made


def made(places: Places) -> list[Path]:
    """What other programs make because of the entries, and was not there before."""
    cache = places.data / "applications" / _CACHE
    return [] if cache.exists() or not shutil.which("update-desktop-database") else [cache]


def tell(places: Places, there: bool) -> None:
    """Applications are found by their kinds of files through a cache; what reads folders needs no telling."""
    if there:
        tidy(places)


def tidy(places: Places) -> None:
    """Bring the cache up to date, where there is one or may be one."""
    tool, folder = shutil.which("update-desktop-database"), places.data / "applications"
    ours = (folder / f"{APPLICATION}.desktop").exists()
    if tool and folder.is_dir() and (ours or (folder / _CACHE).exists()):
        subprocess.run([tool, str(folder)], capture_output=True, timeout=60, check=False)


def exec_line(command: tuple[str, ...], *arguments: str, files: str = "%F") -> str:
    """The value of ``Exec``."""
    return " ".join([*(_quoted(one) for one in (*command, *arguments)), files])


def _quoted(argument: str) -> str:
    inner = "".join(f"\\{one}" if one in '"`$\\' else one for one in argument).replace("%", "%%")
    plain = argument and all(one.isalnum() or one in "/-_.+=:,@%" for one in argument)
    return _value(inner if plain else f'"{inner}"')


def _value(text: str) -> str:
    """As a string of a desktop entry."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _names(key: str, scale: int = 0) -> list[str]:
    return _said("Name", key, scale=scale)


def _said(field: str, key: str, **values: object) -> list[str]:
    """A field of a desktop entry, in every language."""
    said = [f"{field}={text(key, 'en', **values)}"]
    return [*said, *(f"{field}[{other}]={text(key, other, **values)}" for other in OTHER_LANGUAGES)]


def _application(command: tuple[str, ...]) -> bytes:
    lines = [
        "[Desktop Entry]",
        "Type=Application",
        "Version=1.0",
        f"Name={NAME}",
        *_said("Comment", "comment"),
        f"Exec={exec_line(command, '--window', '--')}",
        f"Icon={APPLICATION}",
        "Terminal=false",
        "Categories=Graphics;2DGraphics;RasterGraphics;Photography;",
        *_said("Keywords", "keywords"),
        f"MimeType={''.join(f'{kind};' for kind in (*PICTURES, *FILMS))}",
        f"StartupWMClass={APPLICATION}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _dolphin(command: tuple[str, ...], pictures_only: bool) -> bytes:
    """A service menu: KDE asks that it is executable, and quotes file names itself."""
    kinds = PICTURES if pictures_only else (*PICTURES, *FILMS, "inode/directory")
    actions = [action for action in ACTIONS if action.pictures_only is pictures_only]
    lines = [
        "[Desktop Entry]",
        "Type=Service",
        f"MimeType={''.join(f'{kind};' for kind in kinds)}",
        f"Actions={''.join(f'{action.name};' for action in actions)}",
        f"X-KDE-Submenu={NAME}",
        f"Icon={APPLICATION}",
    ]
    for action in actions:
        lines += ["", f"[Desktop Action {action.name}]", *_names(action.key, action.scale)]
        lines += [f"Icon={APPLICATION}", f"Exec={exec_line(command, *action.arguments)}"]
    return ("\n".join(lines) + "\n").encode()


def _nemo(command: tuple[str, ...], name: str) -> bytes:
    """An action. Nemo puts paths between quotes without escaping what is in them; addresses hold nothing to escape."""
    action = next(one for one in ACTIONS if one.name == name)
    suffixes = _SUFFIXES if action.pictures_only else f"{_SUFFIXES};{_FILM_SUFFIXES};dir"
    lines = [
        "[Nemo Action]",
        *_names(action.key, action.scale),
        f"Exec={_value(shlex.join([*command, *action.arguments]))} %U",
        f"Icon-Name={APPLICATION}",
        "Selection=NotNone",
        f"Extensions={suffixes};",
        "Quote=double",
    ]
    return ("\n".join(lines) + "\n").encode()


__all__ = ["FILMS", "PICTURES", "entries", "exec_line", "made", "tell", "tidy"]
