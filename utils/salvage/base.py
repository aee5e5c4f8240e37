"""What the ways of saving a damaged picture share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from utils.picture import Picture

if TYPE_CHECKING:
    from tifffile import TiffPage

Check = Callable[[int, int], None]
"""Raises for a width and height over the limits."""
Reader = Callable[["TiffPage"], np.ndarray]
"""A page of tifffile -> its pixels, as ``page.asarray()`` gives them."""
Decode = Callable[[bytes, Reader | None], Picture]
"""A file's bytes, and for a TIFF another way to its pixels -> the picture as it lies there."""


@dataclass(frozen=True)
class Found:
    """What was decoded.

    Attributes:
        missing: share of the pixels, 0..1.
        doubtful: what counts as missing may be there, but wrong.
        scan: number of the scan of a progressive JPEG in which it ends, where all earlier ones are whole; else 0.
    """

    picture: Picture
    missing: float
    doubtful: bool = False
    scan: int = 0


def noise(size: int) -> bytes:
    """``size`` bytes that look like data, the same at every call; no 255, which starts a marker in JPEG."""
    return random.Random(7).randbytes(size).replace(b"\xff", b"\xfe")  # nosec B311


def blanked(picture: Picture, row: int) -> Picture:
    """The picture with everything from a row on in gray, or transparent."""
    pixels = picture.pixels.copy()
    pixels[row:] = np.iinfo(pixels.dtype).max // 2 + 1
    alpha = picture.alpha
    if alpha is not None:
        alpha = alpha.copy()
        alpha[row:] = 0
    return replace(picture, pixels=pixels, alpha=alpha)


def differing_rows(first: Picture, second: Picture) -> np.ndarray:
    """``(H,) bool``: rows in which two pictures of one size differ anywhere."""
    found = np.array([not np.array_equal(a, b) for a, b in zip(first.pixels, second.pixels, strict=True)])
    if first.alpha is not None and second.alpha is not None:
        found |= (first.alpha != second.alpha).any(axis=1)
    return found
