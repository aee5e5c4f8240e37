"""Which languages there are, and where each has its words. Imports nothing heavy: menus of the desktop need it too.

English and German stand side by side in the modules of this package, as ``EN`` and ``DE``. Every other language is a
package beside them, named by its code (``es``), whose modules are called like those and hold the same keys in one dict
``TEXTS``; ``desktop`` is what ``desktop/words.py`` holds for the first two. Copying such a folder is all that a new
language needs: it is found here. What it does not say yet is said in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

SIDE_BY_SIDE = ("en", "de")


def folders(place: Path = Path(__file__).parent) -> tuple[str, ...]:
    """The languages that have a folder of their own."""
    return tuple(sorted(one.name for one in iter_modules([str(place)]) if one.ispkg and one.name != "engine"))


LANGUAGES = (*SIDE_BY_SIDE, *folders())
"""English, which knows every word, comes first."""


def words_of(module: str, language: str) -> Mapping[str, str]:
    """A module's words in a language, nothing where it has none of them. ``module``: like "image" or "engine.files"."""
    if language in SIDE_BY_SIDE:
        return getattr(import_module(f"ui.strings.{module}"), language.upper())
    name = f"ui.strings.{language}.{module}"
    try:
        return import_module(name).TEXTS
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        return {}


__all__ = ["LANGUAGES", "SIDE_BY_SIDE", "folders", "words_of"]
