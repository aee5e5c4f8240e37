"""Sample pictures and a film that come with the program, small and worn, so that there is something to restore.

All are this project's own: ``docs/samples`` renders, draws and wears them, and their licence is the program's.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from utils.files import replaced

_HERE = Path(__file__).resolve().parent

SAMPLES = {"photograph": "photograph.jpg", "drawing": "drawing.jpg", "page": "page.jpg"}
"""Name -> file: 480 x 320, 360 x 270 and 400 x 280 pixels."""

CLIP_RATE, CLIP_SECONDS = 12, 2


def _copied(name: str, folder: Path) -> Path:
    """The file in ``folder``, put there at the first call: what is worked on lies with its user. ``OutputError``."""
    path = Path(folder) / name
    if not path.exists():
        with replaced(path) as temporary:
            shutil.copyfile(_HERE / name, temporary)
    return path


def sample_file(name: str, folder: Path) -> Path:
    """The sample as a file in ``folder``. Raises ``OutputError``."""
    return _copied(SAMPLES[name], folder)


def sample_clip(folder: Path) -> Path:
    """The film, 240 x 160 pixels, as a file in ``folder``. Raises ``OutputError``."""
    return _copied("still-life.mp4", folder)


def sample_folder(folder: Path) -> list[Path]:
    """All sample pictures as files in ``folder``. Raises ``OutputError``."""
    return [sample_file(name, folder) for name in SAMPLES]
