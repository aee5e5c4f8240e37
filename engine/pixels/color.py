"""Low-frequency colour matching.

Restoration networks shift colours a little: yellow skin, white at 254, tinted grays. The detail they add lives in high
frequencies, so the low ones can be taken from the input. The difference between the input and the result averaged down
to the input's size is blurred, enlarged, and added back, within two limits.

Where a network redraws (a mortar line thinner, a stroke darker, grain taken out of black) the two differ by tens of
levels for a reason, and the blur would spread that as a veil: with RealESRGAN_x4plus deep shadows came out 8 levels too
light. So differences count the less the larger they are: a cast, a few levels everywhere, stays what it is in such a
weighted mean (normalised convolution, Knutsson and Westin, CVPR 1993), a redrawn line drops out.

Where the input is worn, its low frequencies are worn too: JPEG rounds the chroma of a whole block, and matching would
put these blotches back that the network took out. So a mean is believed as far as it exceeds its own standard error
(James and Stein, 1961): a cast agrees with itself over a neighbourhood, blotches contradict each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from engine.pixels.resample import to_full_scale
from engine.pixels.tiling import FULL_SCALE

SIGMA = 24.0
"""Standard deviation of the low-pass, in input pixels: above the size of what networks redraw and encoders round."""
_CAST = 8.0 * FULL_SCALE / 255
"""Differences of this size count 0.37, of twice this 0.02; published networks shift colours by up to 5 levels."""
_LEAST_WEIGHT = 0.02
"""Share of pixels that agree, below which a place says nothing about the cast and is corrected less."""
_BLOCK = 16 * 16
"""Pixels that err together: a JPEG block of subsampled chroma."""
BEST_PSNR = 99.0
"""dB that stand for "no difference"."""
_DOUBT = 2.0
"""Squared standard errors that are taken from a squared mean before the rest is believed."""
_CELL = 4
"""Side in input pixels of the squares whose means are blurred: what a blur that wide leaves does not see them."""
_KERNEL_REACH = int(3 * SIGMA / _CELL)  # in cells
_REACH = (_KERNEL_REACH + 2) * _CELL  # in rows: the blur's kernel, a cell to interpolate with, a cell cut by the band


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
        return BEST_PSNR if mean <= 0 else float(min(BEST_PSNR, 10 * np.log10(FULL_SCALE**2 / mean)))

    def _level(self, total: np.ndarray) -> float:
        pixels = max(1, self._rows * self._source.shape[1])
        return float(np.abs(total / pixels).mean() * 255 / FULL_SCALE)

    def _average_down(self, band: np.ndarray) -> np.ndarray:
        from utils.opencv import cv2

        height, width = band.shape[0] // self._scale, band.shape[1] // self._scale
        small = cv2.resize(band, (width, height), interpolation=cv2.INTER_AREA)
        return small.reshape(height, width, -1).astype(np.float32)

    def apply(self, bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the matched bands, ``uint16``; up to 80 input rows behind the incoming ones."""
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
                yield self._correct(oldest, difference, offset, first, last)
            begin = (waiting[0][0] if waiting else self._rows) - _REACH
            keep = max(0, begin // _CELL * _CELL - offset)
            difference, offset = difference[keep:], offset + keep

    def _correct(self, band: np.ndarray, difference: np.ndarray, offset: int, first: int, last: int) -> np.ndarray:
        """Add to a band, input rows ``first..last``, the low-pass of the difference, whose first row is ``offset``."""
        from utils.opencv import cv2

        top, end = first // _CELL, -(-last // _CELL)  # the band's cells
        low, high = max(0, top - 1 - _KERNEL_REACH), end + 1 + _KERNEL_REACH
        cast = _cast_of_cells(difference[low * _CELL - offset : high * _CELL - offset])
        # One more cell on each side, so that enlarging interpolates across the band's edges instead of clamping there.
        top = max(low, top - 1)
        part = cast[top - low : end + 1 - low]
        rows, columns = part.shape[0] * _CELL, part.shape[1] * _CELL

        small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_LINEAR).reshape(rows, columns, -1)
        here = slice(first - top * _CELL, last - top * _CELL)
        left = difference[first - offset : last - offset] - small[here, : difference.shape[1]]
        self._sum_after += left.sum(axis=(0, 1), dtype=np.float64)
        # Integers: a quarter of the memory traffic, and the saturating add clips for free.
        scale = self._scale
        enlarged = cv2.resize(
            np.rint(part).astype(np.int16), (columns * scale, rows * scale), interpolation=cv2.INTER_LINEAR
        ).reshape(rows * scale, columns * scale, -1)
        enlarged = enlarged[here.start * scale : here.stop * scale, : band.shape[1]]
        shape = band.shape
        matched = cv2.add(
            np.ascontiguousarray(band).reshape(shape[0], -1),
            np.ascontiguousarray(enlarged).reshape(shape[0], -1),
            dtype=cv2.CV_16U,
        )
        return matched.reshape(shape)


def _cast_of_cells(difference: np.ndarray) -> np.ndarray:
    """What is believed of the smoothed ``(rows, W, C) float32``, for each cell: ``(rows / 4, W / 4, C)``, rounded up.

    Large values count little; where all are large, or where they contradict each other, it goes towards 0.
    """
    from utils.opencv import cv2

    rows, columns = (-(-length // _CELL) for length in difference.shape[:2])
    missing = (rows * _CELL - difference.shape[0], columns * _CELL - difference.shape[1])

    def smooth(values: np.ndarray) -> np.ndarray:
        whole = cv2.copyMakeBorder(values, 0, missing[0], 0, missing[1], cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
        cells = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
        side = 2 * _KERNEL_REACH + 1
        blurred = cv2.GaussianBlur(cells, (side, side), SIGMA / _CELL, borderType=cv2.BORDER_REFLECT_101)
        return blurred.reshape(rows, columns, -1)

    largest = np.abs(difference).max(axis=2, keepdims=True)
    weight = np.exp(-np.square(largest / _CAST)).astype(np.float32)
    weighted = difference * weight
    share = np.maximum(smooth(weight), _LEAST_WEIGHT)
    mean = smooth(weighted) / share
    variance = np.maximum(smooth(weighted * difference) / share - np.square(mean), 0)
    independent = 4 * np.pi * SIGMA**2 * share / _BLOCK  # as many values as a Gaussian mean of that width is worth
    believed: np.ndarray = mean * np.clip(1 - _DOUBT * variance / independent / np.maximum(np.square(mean), 1e-6), 0, 1)
    return believed
