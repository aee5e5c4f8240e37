"""What is said outside the page, in the language of the person's desktop. Imports nothing heavy.

English and German stand here; every other language in ``desktop`` of its folder in ``ui/strings``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from ui.strings.languages import folders, words_of

NAME = "Real-ESRGAN Ultimate"

_SIDE_BY_SIDE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "comment": "Enlarge and restore pictures and films",
        "keywords": "upscale;enlarge;restore;",
        "menu_scale": "Enlarge ×{scale}",
        "menu_with": "Enlarge with Real-ESRGAN Ultimate…",
        "starting": "The program is starting. This page opens it by itself.",
        "starting_ended": "The program does not answer any more. Where it was started, it says why.",
        "close_anyway": "Something is still running. End it, and close?",
        "close": "Close",
        "stay": "Cancel",
        "save_file": "Save file",
        "refused": "This address belongs to a window of Real-ESRGAN Ultimate and answers nobody else. Start the "
        "program again with --window, or start it without, to use it in a browser.",
        "enlarged_one": "{name} is there.",
        "enlarged_many": "{count} pictures were enlarged.",
        "enlarged_not": "{name}: {reason}",
        "enlarged_not_more": "{count} more were not enlarged.",
        "notice_done": "Enlarged",
        "notice_failed": "Not enlarged",
    },
    "de": {
        "comment": "Bilder und Filme vergrößern und auffrischen",
        "keywords": "hochskalieren;vergrößern;auffrischen;",
        "menu_scale": "Vergrößern ×{scale}",
        "menu_with": "Vergrößern mit Real-ESRGAN Ultimate…",
        "starting": "Das Programm startet. Diese Seite öffnet es von selbst.",
        "starting_ended": "Das Programm antwortet nicht mehr. Wo es gestartet wurde, steht der Grund.",
        "close_anyway": "Es läuft noch etwas. Beenden und schließen?",
        "close": "Schließen",
        "stay": "Abbrechen",
        "save_file": "Datei speichern",
        "refused": "Diese Adresse gehört zu einem Fenster von Real-ESRGAN Ultimate und antwortet sonst niemandem. "
        "Starten Sie das Programm noch einmal mit --window, oder ohne, um es im Browser zu benutzen.",
        "enlarged_one": "{name} ist da.",
        "enlarged_many": "{count} Bilder wurden vergrößert.",
        "enlarged_not": "{name}: {reason}",
        "enlarged_not_more": "{count} weitere wurden nicht vergrößert.",
        "notice_done": "Vergrößert",
        "notice_failed": "Nicht vergrößert",
    },
}
TEXTS: Mapping[str, Mapping[str, str]] = {
    **_SIDE_BY_SIDE,
    **{language: {**_SIDE_BY_SIDE["en"], **words_of("desktop", language)} for language in folders()},
}
"""Language -> its texts; those with a folder in ``ui/strings`` have theirs there, and are English where it has none."""


def system_language(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """The first language of the desktop that the program speaks; English where it speaks none of them."""
    named = [environment.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    wanted = ":".join(name for name in named if name).split(":")
    if not any(named) and platform == "darwin":
        wanted = _of_macos()
    if not any(named) and platform == "win32":
        wanted = _of_windows()
    for one in wanted:
        language = one.strip().split("_")[0].split("-")[0].split(".")[0].lower()
        if language in TEXTS:
            return language
        if language and one == wanted[0] and ":" not in environment.get("LANGUAGE", ""):
            break  # a person who asks for French first does not want the German that some other variable names
    return "en"


def _of_macos() -> list[str]:
    try:
        said = subprocess.run(
            ["/usr/bin/defaults", "read", "-g", "AppleLanguages"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [part.strip(' "') for part in said.strip("()\n ").split(",")]


def _of_windows() -> list[str]:
    import ctypes
    import locale

    library = getattr(ctypes, "windll", None)
    number = library.kernel32.GetUserDefaultUILanguage() if library is not None else 0
    return [locale.windows_locale.get(number, "")]


def asked_language(accepted: str) -> str:
    """The first language of an ``Accept-Language`` that the program speaks; English where it names none of them."""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().split("-")[0].lower()
        if language in TEXTS:
            return language
    return "en"


def text(key: str, language: str | None = None, /, **values: object) -> str:
    """A sentence or label; ``language`` None = the desktop's."""
    return TEXTS[language or system_language()][key].format(**values)


__all__ = ["NAME", "TEXTS", "asked_language", "system_language", "text"]
