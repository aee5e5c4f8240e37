"""Flat borders: what a network is shown around a picture whose border has one colour.

Networks pad with zeros, and were trained so: at the border of a photograph nothing else comes nearer to what more of
the scene would give. But where the border is flat, the surroundings are known, and a black frame makes a rim of it:
corners of a red ground come out up to 68 levels of 255 off with RealESRGAN_x4plus. A few repeated pixels take most of
that away (7 levels are left behind 8 of them, 2 behind 24), so each flat side gets some, and the result loses them
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MARGIN = 8
"""Input pixels repeated beyond a flat side. More would cost small pictures more than it brings."""
_STRIP = 2
"""Rows or columns that have to be of one colour."""
_FLAT = 3 / 255
"""What values may differ by within a flat strip, as a share of white: JPEG leaves as much."""


@dataclass(frozen=True)
class Margins:
    """Pixels added on each side, in input pixels."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

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

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return bool(self.top or self.bottom or self.left or self.right)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) with them."""
        return width + self.left + self.right, height + self.top + self.bottom

    def around(self, pixels: np.ndarray) -> np.ndarray:
        """The picture, ``(H, W)`` or ``(H, W, C)``, with its outermost pixels repeated."""
        if not self.any:
            return pixels
        rest = ((0, 0),) * (pixels.ndim - 2)
        return np.pad(pixels, ((self.top, self.bottom), (self.left, self.right), *rest), mode="edge")

    def without(self, bands: Iterator[np.ndarray], scale: int, height: int) -> Iterator[np.ndarray]:
        """Bands of the enlarged picture without what came from the margins.

        Args:
            scale: of the network.
            height: of the picture itself, in input pixels.
        """
        if not self.any:
            yield from bands
            return
        first, last = self.top * scale, (self.top + height) * scale
        right = -self.right * scale or None
        row = 0
        for band in bands:
            part = band[max(0, first - row) : max(0, last - row), self.left * scale : right]
            row += band.shape[0]
            if part.shape[0]:
                yield part


def only_color(pixels: np.ndarray) -> np.ndarray | None:
    """The colour, ``(C,)``, of a picture that has no other; else None."""
    color: np.ndarray = pixels[0, 0]
    return color if bool((pixels == color).all()) else None
