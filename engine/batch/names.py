"""Names of a batch's outputs: a template, filled in for each picture, and no name given twice."""

from __future__ import annotations

import os
import re
import string
import time
from collections.abc import Callable
from pathlib import Path

from engine.processor import goal_text
from engine.types import EnhanceSettings
from utils import image_io
from utils.errors import InvalidSettingsError
from utils.names import as_text

DEFAULT_TEMPLATE = "{stem}_{goal}"
FIELDS = ("stem", "goal", "number", "model", "folder", "date")
"""``stem``: the input's name without suffix; ``goal``: x4, 3840px ...; ``number``: place in the batch, from 1;
``model``: as chosen in the settings; ``folder``: name of the input's folder; ``date``: today, 2026-01-31."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_LONGEST_NAME = 255  # bytes, on every common file system


def check_template(template: str) -> None:
    """Raises ``InvalidSettingsError`` naming what is wrong with a template."""
    try:
        parts = list(string.Formatter().parse(template))
        fields = {field for _, field, _, _ in parts if field is not None}
        example = template.format(**{name: 1 if name == "number" else "x" for name in FIELDS})
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        known = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise InvalidSettingsError(
            f"The name template '{template}' cannot be used ({error}); its fields are {known}."
        ) from None
    if unknown := fields - set(FIELDS):
        raise InvalidSettingsError(f"The name template '{template}' has unknown fields: {', '.join(sorted(unknown))}.")
    if _FORBIDDEN.search(example) or not example.strip(" ."):
        raise InvalidSettingsError(f"The name template '{template}' does not give a file name ('{example}').")
    if not fields & {"stem", "number"}:
        raise InvalidSettingsError(f"The name template '{template}' needs {{stem}} or {{number}} to tell files apart.")


def output_name(template: str, source: Path, number: int, settings: EnhanceSettings) -> str:
    """The file name, with the suffix of the format that will be written, short enough for any file system."""
    kind = settings.format if settings.format != "auto" else image_io.format_from_suffix(source) or "png"
    suffix = image_io.output_suffix(kind)
    name = template.format(
        stem=source.stem,
        goal=goal_text(settings),
        number=number,
        model=settings.model,
        folder=source.parent.name,
        date=time.strftime("%Y-%m-%d"),
    )
    name = _FORBIDDEN.sub("_", name).rstrip(" .")
    room = _LONGEST_NAME - len(suffix) - 6  # "-9999" may still be added
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name + suffix


class NameRegister:
    """Gives every output a path of its own. Names that differ only in case count as one, as most disks see them.

    Args:
        reserved: paths that must never be written, the inputs.
        overwrite: existing files other than those do not count as taken.
    """

    def __init__(self, reserved: Callable[[Path], bool], *, overwrite: bool) -> None:
        self._reserved, self._overwrite = reserved, overwrite
        self._given: dict[str, tuple[str, str]] = {}

    def keep(self, path: Path, identity: str, name: str) -> None:
        """Note a path that was given to a picture in an earlier run."""
        self._given[_folded(path)] = (identity, name)

    def give(self, path: Path, identity: str, name: str) -> tuple[Path, str | None]:
        """A free path like ``path``, and the sentence about the collision if there was one.

        Args:
            identity: the picture's; it may get a path that it was given before and that is still free.
            name: the picture's name as people see it.
        """
        candidate, number, reason = path, 1, None
        while (taken := self._taken(candidate, identity)) is not None:
            reason = reason or taken
            number += 1
            candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        self._given[_folded(candidate)] = (identity, name)
        if reason is None:
            return candidate, None
        sentence = f"'{name}' would become '{path.name}', but {reason}; it becomes '{candidate.name}'."
        return candidate, as_text(sentence)

    def _taken(self, path: Path, identity: str) -> str | None:
        owner, name = self._given.get(_folded(path), (identity, ""))
        if owner != identity:
            return f"so would '{name}'"
        if self._reserved(path):
            return "that is one of the inputs"
        if path.exists() and not self._overwrite:
            return "a file of that name exists"
        return None


def _folded(path: Path) -> str:
    return str(path).casefold()
