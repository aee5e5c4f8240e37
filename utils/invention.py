"""Where a result is not its original: the measure of ``utils.metrics.faithfulness``, block by block.

The result is averaged down to the original's size and compared with it; over the whole picture the literature calls
that LR-PSNR (Lugmayr et al., NTIRE 2021). A network may add whatever detail averages out again; what is left over in a
block was invented, or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VISIBLE, STRONG = 3.0, 20.0
"""Root mean square of a block's difference, in levels of 255: hardly to be seen; another picture."""
_SMALLEST_BLOCK = 8
_MOST_BLOCKS = 256
"""Along the longer side; the blocks of larger pictures are larger."""
_BAND = 1_000_000
"""Pixels that are looked at at a time."""
_SMOOTH = 1.5
"""Root mean square of the gradient, in levels a pixel, below which nothing is drawn in a block."""
_COHERENT = 0.5
_WEIGHTS = np.array((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True)
class Invention:
    """How much a result differs from its original, and where.

    Attributes:
        levels: ``(rows, columns) float32``, the root mean square of the difference in luma (BT.601, full range) of each
            block, in levels of 255.
        block: side of a block in pixels of the smaller of the two pictures.
        edges, texture, smooth: shares of the whole squared difference, together 1 (0 where there is none): in blocks
            with one direction (coherence of the structure tensor above 0.5), with many, and with hardly any gradient.
    """

    levels: np.ndarray
    block: int
    edges: float
    texture: float
    smooth: float

    @property
    def visible(self) -> float:
        """Share of blocks that differ by more than ``VISIBLE``."""
        return float((self.levels > VISIBLE).mean())


def invention(original: np.ndarray, enhanced: np.ndarray) -> Invention:
    """Compare ``(H, W, 1 or 3) uint8`` with its enlargement of the same shape, at the smaller size of both.

    Besides the two and the reduced one, only a band of about a megapixel is in memory.
    """
    from utils.opencv import cv2

    height, width = (min(sides) for sides in zip(original.shape[:2], enhanced.shape[:2], strict=True))
    first, second = (
        one if one.shape[:2] == (height, width) else cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA)
        for one in (original, enhanced)
    )
    block = max(_SMALLEST_BLOCK, -(-max(height, width) // _MOST_BLOCKS))
    rows = block * max(1, _BAND // (width * block))
    bands = [_sums(first[top : top + rows], second[top : top + rows], block) for top in range(0, height, rows)]
    squared, counts, across, down, both = (np.concatenate(part) for part in zip(*bands, strict=True))
    activity = np.sqrt((across + down) / counts)
    coherence = np.hypot(across - down, 2 * both) / np.maximum(across + down, 1e-6)
    smooth = activity < _SMOOTH
    edges = ~smooth & (coherence > _COHERENT)
    total = max(float(squared.sum()), 1e-9)
    shares = [float(squared[kind].sum()) / total for kind in (edges, ~smooth & ~edges, smooth)]
    return Invention(np.sqrt(squared / counts).astype(np.float32), block, *shares)


def colours(found: Invention) -> tuple[np.ndarray, np.ndarray]:
    """A picture to lay over the result, a pixel a block: ``(rows, columns, 3)`` and its opacity, both ``uint8``.

    Clear below ``VISIBLE``, from there yellow to red at ``STRONG``.
    """
    share = np.clip((found.levels - VISIBLE) / (STRONG - VISIBLE), 0, 1)[..., None]
    mixed = np.array((250, 204, 21)) * (1 - share) + np.array((220, 38, 38)) * share
    opacity = np.where(found.levels > VISIBLE, 50 + 160 * share[..., 0], 0)
    return np.rint(mixed).astype(np.uint8), np.rint(opacity).astype(np.uint8)


def _sums(first: np.ndarray, second: np.ndarray, block: int) -> tuple[np.ndarray, ...]:
    """Of every block of a band: squared difference, pixels, and the structure tensor of ``first``."""
    from utils.opencv import cv2

    plane, other = _luma(first), _luma(second)
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3) / 8
    planes = (np.square(plane - other), np.ones_like(plane), np.square(across), np.square(down), across * down)
    return tuple(_blocks(one, block) for one in planes)


def _luma(pixels: np.ndarray) -> np.ndarray:
    values = pixels.reshape(*pixels.shape[:2], -1).astype(np.float32)
    return np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values @ _WEIGHTS)


def _blocks(plane: np.ndarray, block: int) -> np.ndarray:
    tops, lefts = (np.arange(0, length, block) for length in plane.shape)
    return np.asarray(np.add.reduceat(np.add.reduceat(plane, tops, axis=0, dtype=np.float64), lefts, axis=1))


__all__ = ["STRONG", "VISIBLE", "Invention", "colours", "invention"]
