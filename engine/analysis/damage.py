"""What happened to a picture before it came here: blur and JPEG compression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# Luminance table of ITU-T T.81, annex K, in zigzag-free order: what quality 50 means to the usual encoders.
_ANNEX_K = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


def windows(plane: np.ndarray, side: int, across: int = 3) -> list[np.ndarray]:
    """Up to ``across`` x ``across`` windows of ``(H, W)``, spread evenly, on the grid of 8x8 blocks."""
    height, width = plane.shape
    tops = sorted({int(top) // 8 * 8 for top in np.linspace(0, max(0, height - side), across)})
    lefts = sorted({int(left) // 8 * 8 for left in np.linspace(0, max(0, width - side), across)})
    return [plane[top : top + side, left : left + side] for top in tops for left in lefts]


def blur_level(plane: np.ndarray) -> float:
    """Blur of the sharpest part of ``(H, W) uint8``: 0 = sharp to the pixel, 1 = nothing fine is left.

    Crété-Roffet et al. (2007): blurring a blurred picture again changes little. The sharpest window counts, since a
    photograph with a soft background is not a blurred photograph.
    """
    from utils.opencv import cv2

    least = 1.0
    for window in windows(plane, 256):
        if min(window.shape) < 16:
            continue
        pixels = window.astype(np.float32)
        levels = []
        for axis, kernel in ((0, (1, 9)), (1, (9, 1))):
            smooth = cv2.blur(pixels, kernel)
            before = np.abs(np.diff(pixels, axis=axis))
            lost = np.maximum(0, before - np.abs(np.diff(smooth, axis=axis)))
            total = float(before.sum())
            # Nothing happens in an empty window: it says nothing about blur.
            levels.append(1.0 if total < 0.3 * before.size else 1 - float(lost.sum()) / total)
        least = min(least, max(levels))
    return float(least)


def blockiness(plane: np.ndarray) -> float:
    """How much larger the steps across the borders of 8x8 blocks are than elsewhere: 0 = no blocks, 1 = twice.

    ``(H, W) uint8``, uncropped. After Wang, Sheikh and Bovik (2002), in the pixel domain.
    """
    ratios = []
    for window in windows(plane, 264):
        pixels = window.astype(np.int16)
        for steps in (np.abs(np.diff(pixels, axis=1)), np.abs(np.diff(pixels, axis=0)).T):
            if steps.shape[1] < 24:
                continue
            columns = np.minimum(steps, 24).mean(axis=0)
            inside = np.delete(columns, np.s_[7::8])
            ratios.append((columns[7::8].mean() + 0.05) / (inside.mean() + 0.05))
    return float(max(0.0, np.median(ratios) - 1)) if ratios else 0.0


def jpeg_quality(tables: Mapping[int, Sequence[int]] | None) -> int | None:
    """Quality 1..100 that a file's quantisation tables stand for (the scaling of the Independent JPEG Group), or None.

    The sum of a table does not depend on the order of its entries, and falls steadily with the quality.
    """
    if not tables or 0 not in tables or len(tables[0]) != 64:
        return None
    total = sum(tables[0])
    return min(range(1, 101), key=lambda quality: (abs(_table_sum(quality) - total), -quality))


def _table_sum(quality: int) -> int:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return sum(min(255, max(1, (entry * scale + 50) // 100)) for entry in _ANNEX_K)
