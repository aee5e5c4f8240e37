"""Stand-ins for pictures that a browser cannot show, and small ones for strips and grids."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np

from engine.pixels.resample import from_full_scale, resize_rows
from utils import image_io
from utils.opencv import cv2
from utils.picture import Picture, crop
from utils.pixels import to_eight_bits
from utils.writers import SaveOptions

MOST_PIXELS = 40_000_000
"""Larger pictures are shown reduced: browsers hold four bytes a pixel, twice."""
THUMBNAIL = 320
_SQUARE = 12
_SHOWABLE = ("png", "jpeg", "webp", "gif", "avif")
_NO_LIMITS = image_io.ImageLimits(10**13, 10**12, 10**13, max_pages=10**6, salvage=True)


def on_checkerboard(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """``(H, W, C) uint8`` over gray squares, the field's sign for transparency."""
    height, width = alpha.shape
    squares = (np.add.outer(np.arange(height) // _SQUARE, np.arange(width) // _SQUARE) % 2 * 51 + 153).astype(
        np.float32
    )
    share = alpha.astype(np.float32)[..., None] / 255
    return np.rint(pixels * share + squares[..., None] * (1 - share)).astype(np.uint8)


def flat(picture: Picture) -> np.ndarray:
    """``(H, W, 1 or 3) uint8`` as it is shown: transparency as squares."""
    pixels = to_eight_bits(picture.pixels)
    return pixels if picture.alpha is None else on_checkerboard(pixels, to_eight_bits(picture.alpha))


def shown(path: Path, folder: Path) -> str:
    """A file that a browser shows as ``path`` looks: itself where it can be, else a PNG in ``folder``/previews."""
    info = image_io.probe(path, _NO_LIMITS)
    small_enough = info.width * info.height <= MOST_PIXELS
    if info.format.lower() in _SHOWABLE and small_enough and not info.has_alpha and info.bit_depth == 8:
        return str(path)
    return str(preview(path, folder))


def damage(path: Path | str) -> str:
    """What is missing of a damaged picture that is within limits, in a sentence; empty for a sound one.

    Raises ``InvalidImageError`` where nothing of it can be saved.
    """
    metadata = image_io.load(path, _NO_LIMITS).metadata
    return "" if metadata.missing_percent is None else metadata.warnings[-1]


def preview(path: Path, folder: Path, size: tuple[int, int] | None = None) -> Path:
    """A PNG of ``size``, by default of at most ``MOST_PIXELS`` pixels; transparency shown as squares."""
    picture = image_io.load(path, _NO_LIMITS)
    if size is None:
        factor = min(1.0, (MOST_PIXELS / (picture.width * picture.height)) ** 0.5)
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    pixels, alpha = to_eight_bits(picture.pixels), picture.alpha
    if size != picture.size:
        whole = from_full_scale(resize_rows(picture.interleaved(), size, 0, size[1], "bicubic"), 8)
        pixels, alpha = (whole, None) if alpha is None else (whole[..., :-1], whole[..., -1])
    if alpha is not None:
        pixels = on_checkerboard(pixels, to_eight_bits(alpha))
    return write(np.ascontiguousarray(pixels), folder, picture)


def write(pixels: np.ndarray, folder: Path, like: Picture | None = None) -> Path:
    """Keep ``(H, W, 1 or 3) uint8`` as a PNG under a name that cannot be guessed; ``like`` gives the colour profile."""
    target = folder / "previews" / f"{secrets.token_hex(8)}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Picture(np.ascontiguousarray(pixels))
    if like is not None:
        made = made.with_metadata(icc_profile=like.metadata.icc_profile)
    image_io.save(made, target, SaveOptions("png"))
    return target


def cropped(path: Path, box: tuple[int, int, int, int] | None, folder: Path) -> str:
    """As ``shown``, for the part (left, top, width, height) of a picture."""
    if box is None:
        return shown(path, folder)
    picture = crop(image_io.load(path, _NO_LIMITS), box)
    return str(write(flat(picture), folder, picture))


def thumbnail(path: Path, folder: Path) -> str:
    """A JPEG of at most ``THUMBNAIL`` pixels a side, made once."""
    target = folder / "previews" / f"{path.stem}-{path.stat().st_mtime_ns:x}.jpg"
    if not target.exists():
        picture = image_io.load(path, _NO_LIMITS)
        pixels = flat(picture)
        factor = min(1.0, THUMBNAIL / max(picture.size))
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
        target.parent.mkdir(parents=True, exist_ok=True)
        image_io.save(Picture(np.ascontiguousarray(small)), target, SaveOptions("jpeg", quality=88))
    return str(target)


__all__ = ["cropped", "flat", "preview", "shown", "thumbnail", "write"]
