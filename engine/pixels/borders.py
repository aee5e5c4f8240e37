"""What a network is shown around a picture: more of a flat border, or the opposite border of a seamless texture.

Networks pad with zeros, and were trained so: at the border of a photograph nothing else comes nearer to what more of
the scene would give. But where the border is flat, the surroundings are known, and a black frame makes a rim of it:
corners of a red ground come out up to 68 levels of 255 off with RealESRGAN_x4plus. A few repeated pixels take most of
that away (7 levels are left behind 8 of them, 2 behind 24), so each flat side gets some, and the result loses them
again. A texture that repeats is continued by its own other side, as far as the network looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from engine.types import Seamless

MARGIN = 8
"""Input pixels repeated beyond a flat side. More would cost small pictures more than it brings."""
_STEP = 8
"""Margins around textures are multiples of this, so that most enlargements make whole pixels of them."""
_STRIP = 2
"""Rows or columns that have to be of one colour."""
_FLAT = 3 / 255
"""What values may differ by within a flat strip, as a share of white: JPEG leaves as much."""


@dataclass(frozen=True)
class Margins:
    """Pixels added on each side, in input pixels.

    Attributes:
        around_x, around_y: left and right (top and bottom) are taken from the opposite side, not repeated.
    """

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0
    around_x: bool = False
    around_y: bool = False

    @staticmethod
    def of(pixels: np.ndarray) -> Margins:
        """``MARGIN`` on each flat side of an ``(H, W, C) uint8 | uint16`` picture."""

        def margin(strip: np.ndarray) -> int:
            flat = strip.reshape(-1, strip.shape[2])
            spread = (flat.max(axis=0).astype(np.int32) - flat.min(axis=0)).max()
            return MARGIN if spread <= _FLAT * np.iinfo(pixels.dtype).max else 0

        return Margins(
            margin(pixels[:_STRIP]), margin(pixels[-_STRIP:]), margin(pixels[:, :_STRIP]), margin(pixels[:, -_STRIP:])
        )

    def wrapped(self, seamless: Seamless, width: int) -> Margins:
        """These, but at least ``width`` pixels of the opposite side wherever the picture continues there."""
        made, width = self, -(-width // _STEP) * _STEP
        if seamless in ("x", "both"):
            made = replace(made, left=width, right=width, around_x=True)
        if seamless in ("y", "both"):
            made = replace(made, top=width, bottom=width, around_y=True)
        return made

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return bool(self.top or self.bottom or self.left or self.right)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) with them."""
        return width + self.left + self.right, height + self.top + self.bottom

    def around(self, pixels: np.ndarray) -> np.ndarray:
        """The picture, ``(H, W)`` or ``(H, W, C)``, with them."""
        if not self.any:
            return pixels
        rest = ((0, 0),) * (pixels.ndim - 2)
        higher = np.pad(pixels, ((self.top, self.bottom), (0, 0), *rest), mode="wrap" if self.around_y else "edge")
        return np.pad(higher, ((0, 0), (self.left, self.right), *rest), mode="wrap" if self.around_x else "edge")

    def last_through(self, ratio: Fraction) -> bool:
        """Whether they go round the picture and are whole pixels of a result of that size / the picture's."""
        return (self.around_x or self.around_y) and (_STEP * ratio).denominator == 1

    def without(self, bands: Iterator[np.ndarray], ratio: int | Fraction, height: int) -> Iterator[np.ndarray]:
        """Bands of the enlarged picture without what came from the margins.

        Args:
            ratio: enlarged side / side; the margins times it are whole.
            height: of the picture itself, in input pixels.
        """
        if not self.any:
            yield from bands
            return
        first, last = int(self.top * ratio), int((self.top + height) * ratio)
        left, right = int(self.left * ratio), -int(self.right * ratio) or None
        row = 0
        for band in bands:
            part = band[max(0, first - row) : max(0, last - row), left:right]
            row += band.shape[0]
            if part.shape[0]:
                yield part


def only_color(pixels: np.ndarray) -> np.ndarray | None:
    """The colour, ``(C,)``, of a picture that has no other; else None."""
    color: np.ndarray = pixels[0, 0]
    return color if bool((pixels == color).all()) else None
