"""Small stand-ins for large pictures, made for looking at in a browser."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np

from engine.resample import from_full_scale, resize_rows
from utils import image_io
from utils.picture import Picture
from utils.writers import SaveOptions

MAX_SIDE = 2000
_SQUARE = 12


def on_checkerboard(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """``(H, W, C) uint8`` over gray squares, the field's sign for transparency."""
    height, width = alpha.shape
    squares = (np.add.outer(np.arange(height) // _SQUARE, np.arange(width) // _SQUARE) % 2 * 51 + 153).astype(
        np.float32
    )
    share = alpha.astype(np.float32)[..., None] / 255
    return np.rint(pixels * share + squares[..., None] * (1 - share)).astype(np.uint8)


def preview(path: Path, folder: Path, size: tuple[int, int] | None = None) -> Path:
    """A PNG of at most ``MAX_SIDE`` pixels a side (or of exactly ``size``), transparency shown as squares."""
    picture = image_io.load(path, image_io.ImageLimits(10**13, 10**12, 10**13))
    if size is None:
        factor = min(1.0, MAX_SIDE / max(picture.size))
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    small = from_full_scale(resize_rows(picture.interleaved(), size, 0, size[1], "bicubic"), 8)
    if picture.alpha is not None:
        small = on_checkerboard(small[..., :-1], small[..., -1])
    target = folder / "previews" / f"{secrets.token_hex(8)}.png"
    image_io.save(Picture(np.ascontiguousarray(small)), target, SaveOptions("png"))
    return target


def before_and_after(before: Path, after: Path, folder: Path) -> tuple[str, str]:
    """Two previews of one size for the slider: the input enlarged plainly, and the result."""
    shown_after = preview(after, folder)
    info = image_io.probe(shown_after)
    return str(preview(before, folder, (info.width, info.height))), str(shown_after)
