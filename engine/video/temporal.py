"""What frames have to do with each other: repetitions, and flicker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.video.reader import SourceFrame

_SAME_BLOCK = 8
_SAME_MEAN = 0.75
_SAME_PEAK = 12
"""A frame repeats another when no 8 x 8 block differs by more than this in the mean and no sample by more than that
(levels of 255): less than what encoders leave in a still scene, less than the eye finds."""
_STILL_LOW, _STILL_HIGH = 2.0, 8.0
"""Difference of the smoothed input (levels of 255) up to which a place stands still, and from which it moves."""


@dataclass(frozen=True, eq=False)
class MarkedFrame:
    """A frame, and whether it repeats the last one that is not a repetition."""

    frame: SourceFrame
    duplicate: bool


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """The upper eight bits."""
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


def repeats(pixels: np.ndarray, other: np.ndarray) -> bool:
    """Whether two frames, ``(H, W, 3)`` of one size and type, show the same."""
    from utils.opencv import cv2

    if pixels.shape != other.shape:
        return False
    difference = cv2.absdiff(eight_bits(pixels), eight_bits(other))
    if int(difference.max()) > _SAME_PEAK:
        return False
    height, width = difference.shape[:2]
    size = (max(1, width // _SAME_BLOCK), max(1, height // _SAME_BLOCK))
    blocks = cv2.resize(difference.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return float(blocks.max()) <= _SAME_MEAN


def mark_duplicates(frames: Iterable[SourceFrame], enabled: bool) -> Iterator[MarkedFrame]:
    """Compare each frame with the last that was not a repetition: slow fades add up until they count."""
    kept: np.ndarray | None = None
    for frame in frames:
        duplicate = enabled and kept is not None and repeats(frame.pixels, kept)
        if not duplicate:
            kept = frame.pixels
        yield MarkedFrame(frame, duplicate)


class FlickerFilter:
    """Mixes each result with the one before where the input stands still.

    Networks answer noise that changes from frame to frame with detail that changes too. Where the blurred input is the
    same, the results are averaged recursively; what moves is left alone, so nothing trails.

    Args:
        strength: share of the frame before in places that stand still, 0 to 1.
    """

    def __init__(self, strength: float) -> None:
        self._strength = min(0.9, strength)  # at 1 the first frame would stay for ever
        self._source: np.ndarray | None = None
        self._result: np.ndarray | None = None

    def apply(self, source: np.ndarray, result: np.ndarray) -> np.ndarray:
        """The calmed ``result``; both ``(H, W, 3) uint8 | uint16`` RGB, of any two sizes."""
        from utils.opencv import cv2

        if not self._strength:
            return result
        blurred = cv2.GaussianBlur(eight_bits(source), (0, 0), 1.5)
        before, before_result = self._source, self._result
        if before is not None and before_result is not None and before.shape == blurred.shape:
            moved = cv2.absdiff(blurred, before).max(axis=2).astype(np.float32)
            moved = cv2.dilate(moved, np.ones((5, 5), np.uint8))  # results differ a little beyond the edge of motion
            still = np.clip((_STILL_HIGH - moved) / (_STILL_HIGH - _STILL_LOW), 0, 1)
            result = self._mix(result, before_result, still * self._strength)
        self._source, self._result = blurred, result
        return result

    @staticmethod
    def _mix(result: np.ndarray, before: np.ndarray, share: np.ndarray) -> np.ndarray:
        from utils.opencv import cv2

        height, width = result.shape[:2]
        mixed = np.empty_like(result)
        # In bands: float copies of a whole frame of many megapixels would be the largest arrays of the program.
        wide = cv2.resize(share, (width, share.shape[0]), interpolation=cv2.INTER_LINEAR)
        for top in range(0, height, 128):
            rows = slice(top, min(height, top + 128))
            positions = np.clip((np.arange(rows.start, rows.stop) + 0.5) * share.shape[0] / height - 0.5, 0, None)
            lower = np.minimum(positions.astype(int), share.shape[0] - 1)
            upper = np.minimum(lower + 1, share.shape[0] - 1)
            part = (positions - lower)[:, None].astype(np.float32)
            weight = (wide[lower] * (1 - part) + wide[upper] * part)[..., None]
            fresh = result[rows].astype(np.float32)
            mixed[rows] = np.rint(fresh + (before[rows].astype(np.float32) - fresh) * weight)
        return mixed


__all__ = ["FlickerFilter", "MarkedFrame", "mark_duplicates", "repeats"]
