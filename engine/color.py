"""Low-frequency colour matching.

Restoration networks shift colours a little: yellow skin, white at 254, tinted grays. The detail they add lives in high
frequencies, so the low ones can be taken from the input. The difference between the input and the result averaged down
to the input's size is blurred, enlarged, and added back.

Where a network redraws (a mortar line thinner, a stroke darker, grain taken out of black) the two differ by tens of
levels for a reason, and the blur would spread that as a veil: with RealESRGAN_x4plus deep shadows came out 8 levels too
light. So differences count the less the larger they are: a cast, a few levels everywhere, stays what it is in such a
weighted mean (normalised convolution, Knutsson and Westin, CVPR 1993), a redrawn line drops out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from engine.resample import to_full_scale
from engine.tiling import FULL_SCALE

SIGMA = 8.0
"""Standard deviation of the low-pass, in input pixels: above the size of what networks redraw, below that of casts."""
_CAST = 8.0 * FULL_SCALE / 255
"""Differences of this size count 0.37, of twice this 0.02; published networks shift colours by up to 5 levels."""
_LEAST_WEIGHT = 0.02
"""Share of pixels that agree, below which a place says nothing about the cast and is corrected less."""
_REACH = int(4 * SIGMA) + 1  # as far as the blur's kernel


class ColorMatcher:
    """Streams bands of a network's result and gives them the input's low-frequency colour.

    Args:
        source: ``(H, W, C) uint8 | uint16`` input.
        scale: size of the result / size of the input, an integer.
        enabled: with False only the differences are measured.

    After the stream is exhausted ``difference_before`` and ``difference_after`` hold the mean absolute difference of
    the channel means against the input (levels of 255), and ``faithfulness_psnr`` the PSNR in dB of the unmatched
    result, averaged down, against the input.
    """

    def __init__(self, source: np.ndarray, scale: int, *, enabled: bool = True) -> None:
        self._source, self._scale, self._enabled = source, scale, enabled
        channels = source.shape[2]
        self._sum_before = np.zeros(channels)
        self._sum_after = np.zeros(channels)
        self._squared = 0.0
        self._rows = 0

    @property
    def difference_before(self) -> float:
        """Mean absolute difference of the channel means before matching, in levels of 255."""
        return self._level(self._sum_before)

    @property
    def difference_after(self) -> float:
        """The same after matching."""
        return self._level(self._sum_after)

    @property
    def faithfulness_psnr(self) -> float:
        """PSNR in dB, at most 99, of the unmatched result averaged down against the input."""
        mean = self._squared / max(1, self._rows * self._source.shape[1] * self._source.shape[2])
        return 99.0 if mean <= 0 else float(min(99.0, 10 * np.log10(FULL_SCALE**2 / mean)))

    def _level(self, total: np.ndarray) -> float:
        pixels = max(1, self._rows * self._source.shape[1])
        return float(np.abs(total / pixels).mean() * 255 / FULL_SCALE)

    def _average_down(self, band: np.ndarray) -> np.ndarray:
        from utils.opencv import cv2

        height, width = band.shape[0] // self._scale, band.shape[1] // self._scale
        small = cv2.resize(band, (width, height), interpolation=cv2.INTER_AREA)
        return small.reshape(height, width, -1).astype(np.float32)

    def apply(self, bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the matched bands, ``uint16``; up to ``4 * SIGMA`` input rows behind the incoming ones."""
        height, width, channels = self._source.shape
        difference = np.empty((0, width, channels), np.float32)
        offset = 0  # the input row that difference[0] belongs to
        waiting: deque[tuple[int, np.ndarray]] = deque()
        for band in bands:
            rows = band.shape[0] // self._scale
            source = to_full_scale(self._source[self._rows : self._rows + rows]).astype(np.float32)
            fresh = source - self._average_down(band)
            self._sum_before += fresh.sum(axis=(0, 1), dtype=np.float64)
            self._squared += float(np.square(fresh, dtype=np.float64).sum())
            if not self._enabled:
                self._rows += rows
                self._sum_after = self._sum_before
                yield band
                continue
            waiting.append((self._rows, band))
            self._rows += rows
            difference = np.concatenate([difference, fresh])
            complete = self._rows == height
            while waiting:
                first, oldest = waiting[0]
                last = first + oldest.shape[0] // self._scale
                if not complete and last + _REACH > self._rows:
                    break
                waiting.popleft()
                yield self._correct(oldest, difference, first - offset, last - offset)
            keep = max(0, (waiting[0][0] if waiting else self._rows) - _REACH - offset)
            difference, offset = difference[keep:], offset + keep

    def _correct(self, band: np.ndarray, difference: np.ndarray, first: int, last: int) -> np.ndarray:
        """Add the blurred difference of rows ``first..last`` to their band."""
        from utils.opencv import cv2

        low, high = max(0, first - _REACH), min(difference.shape[0], last + _REACH)
        blurred = _weighted_blur(difference[low:high])
        self._sum_after += (difference[first:last] - blurred[first - low : last - low]).sum(
            axis=(0, 1), dtype=np.float64
        )
        # One more row on each side, so that enlarging interpolates across the band's edges instead of clamping there.
        above, below = min(1, first - low), min(1, high - last)
        part = blurred[first - low - above : last - low + below]
        size = (band.shape[1], part.shape[0] * self._scale)
        # Integers: a quarter of the memory traffic, and the saturating add clips for free.
        enlarged = cv2.resize(np.rint(part).astype(np.int16), size, interpolation=cv2.INTER_LINEAR)
        enlarged = enlarged.reshape(size[1], size[0], -1)
        enlarged = enlarged[above * self._scale : enlarged.shape[0] - below * self._scale]
        shape = band.shape
        matched = cv2.add(
            np.ascontiguousarray(band).reshape(shape[0], -1),
            np.ascontiguousarray(enlarged).reshape(shape[0], -1),
            dtype=cv2.CV_16U,
        )
        return matched.reshape(shape)


def _weighted_blur(difference: np.ndarray) -> np.ndarray:
    """``(rows, W, C) float32`` smoothed by ``SIGMA``, large values counting little; towards 0 where all are large."""
    from utils.opencv import cv2

    def blur(values: np.ndarray) -> np.ndarray:
        smooth = cv2.GaussianBlur(values, (0, 0), SIGMA, borderType=cv2.BORDER_REFLECT_101)
        return smooth.reshape(*values.shape[:2], -1)

    largest = np.abs(difference).max(axis=2, keepdims=True)
    weight = np.exp(-np.square(largest / _CAST)).astype(np.float32)
    smoothed: np.ndarray = blur(difference * weight) / np.maximum(blur(weight), _LEAST_WEIGHT)
    return smoothed
