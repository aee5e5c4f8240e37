"""What is written where: the values that the three systems' modules share."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.words import TEXTS, text

ICONS = Path(__file__).resolve().parent.parent
SCALES = (2, 4)
APPLICATION = "realesrgan-ultimate"


@dataclass(frozen=True)
class Entry:
    """One file of the desktop's."""

    path: Path
    content: bytes
    executable: bool = False


@dataclass(frozen=True)
class Places:
    """A person's own folders.

    Attributes:
        platform: as ``sys.platform`` names it.
        data: where programs of the person keep what they bring (``~/.local/share``, ``~/Library/Application Support``,
            ``%LOCALAPPDATA%``).
        roaming: ``%APPDATA%`` on Windows.
    """

    platform: str
    home: Path
    data: Path
    roaming: Path

    @property
    def record(self) -> Path:
        """What was written, for its removal."""
        return self.data / APPLICATION / "integration.json"

    @classmethod
    def of_this_person(
        cls, platform: str = sys.platform, environment: Mapping[str, str] = os.environ, home: Path | None = None
    ) -> Places:
        """Those that the environment names, else the platform's usual ones."""
        home = home or Path.home()
        if platform == "win32":
            local = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
            return cls(platform, home, local, Path(environment.get("APPDATA") or home / "AppData" / "Roaming"))
        if platform == "darwin":
            support = home / "Library" / "Application Support"
            return cls(platform, home, support, support)
        named = environment.get("XDG_DATA_HOME", "")
        data = Path(named) if os.path.isabs(named) else home / ".local" / "share"
        return cls(platform, home, data, data)


@dataclass(frozen=True)
class Action:
    """One entry of a file manager's menu.

    Attributes:
        name: short and stable, for keys and file names.
        arguments: of the program, before the files.
        key, scale: of its label, see ``desktop.words``.
        pictures_only: whether films and folders have it too.
    """

    name: str
    arguments: tuple[str, ...]
    key: str
    scale: int = 0
    pictures_only: bool = True

    def label(self, language: str) -> str:
        return text(self.key, language, scale=self.scale)


ACTIONS = (
    *(
        Action(f"x{scale}", ("integrate", "enlarge", "--scale", str(scale), "--"), "menu_scale", scale)
        for scale in SCALES
    ),
    Action("with", ("--window", "--"), "menu_with", pictures_only=False),
)

OTHER_LANGUAGES = tuple(language for language in TEXTS if language != "en")

__all__ = ["ACTIONS", "APPLICATION", "ICONS", "OTHER_LANGUAGES", "SCALES", "Action", "Entry", "Places"]
