"""The writer that an animation's format asks for."""

from __future__ import annotations

from pathlib import Path

from utils.errors import OutputError
from utils.picture import Metadata
from utils.writers.animated import AnimationWriter, ApngWriter, GifWriter, WebpWriter
from utils.writers.animated_jxl import JxlAnimationWriter
from utils.writers.base import SaveOptions

_WRITERS: dict[str, type[AnimationWriter]] = {
    "gif": GifWriter,
    "webp": WebpWriter,
    "png": ApngWriter,
    "jxl": JxlAnimationWriter,
}
ANIMATED = tuple(_WRITERS)
"""Formats that hold animations."""


def open_animation(
    path: Path, width: int, height: int, channels: int, loop: int, metadata: Metadata, options: SaveOptions
) -> AnimationWriter:
    """A writer for an animation as ``options.format`` says, one of ``ANIMATED``. Raises ``OutputError``."""
    kind = _WRITERS.get(options.format)
    if kind is None:
        raise OutputError(f"'{options.format}' holds no animations: save '{path.name}' as GIF, WebP, PNG or JPEG XL.")
    return kind(path, width, height, channels, loop, metadata, options)


__all__ = ["ANIMATED", "open_animation"]
