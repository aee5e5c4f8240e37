"""How alike two planes of the same size are to people: SSIM and HaarPSI, in double precision, by numpy and OpenCV."""

from __future__ import annotations

import numpy as np

_SSIM_SIGMA = 1.5
_SSIM_SIDE = 11
_SSIM_C1, _SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_HAAR_C, _HAAR_ALPHA = 30.0, 4.2
"""The authors' constants, fitted to what people said."""
_HAAR_SCALES = 3
SMALLEST_SIDE = _SSIM_SIDE
"""Pixels; smaller planes have no SSIM."""


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity of two ``(H, W)`` planes in 0..255, sides from 11 pixels: 1 for equal ones.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", 2004:
    a Gaussian window of 11 x 11 with a sigma of 1.5, where it lies wholly within the picture.
    """
    from utils.opencv import cv2

    def around(plane: np.ndarray) -> np.ndarray:
        blurred: np.ndarray = cv2.GaussianBlur(plane, (_SSIM_SIDE, _SSIM_SIDE), _SSIM_SIGMA)
        border = _SSIM_SIDE // 2
        return blurred[border:-border, border:-border]

    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    mean_a, mean_b = around(a), around(b)
    var_a, var_b = around(a * a) - mean_a**2, around(b * b) - mean_b**2
    together = around(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + _SSIM_C1) / (mean_a**2 + mean_b**2 + _SSIM_C1)
    structure = (2 * together + _SSIM_C2) / (var_a + var_b + _SSIM_C2)
    return float((light * structure).mean())


def haarpsi(a: np.ndarray, b: np.ndarray) -> float:
    """Haar wavelet-based perceptual similarity of two ``(H, W)`` planes in 0..255, sides from 16 pixels: 0..1.

    Reisenhofer, Bosse, Kutyniok, Wiegand, "A Haar wavelet-based perceptual similarity index for image quality
    assessment", 2018, for gray planes: the two fine scales are compared, the coarse one says how much a place counts.
    """
    waves = [[_haar(plane, scale) for scale in range(1, _HAAR_SCALES + 1)] for plane in (_halved(a), _halved(b))]
    counted = total = 0.0
    for direction in range(2):
        fine = [(waves[0][scale][direction], waves[1][scale][direction]) for scale in range(_HAAR_SCALES - 1)]
        alike = sum((2 * x * y + _HAAR_C) / (x**2 + y**2 + _HAAR_C) for x, y in fine) / len(fine)
        weight = np.maximum(waves[0][-1][direction], waves[1][-1][direction])
        counted += float((weight / (1 + np.exp(-_HAAR_ALPHA * alike))).sum())
        total += float(weight.sum())
    share = (counted + 1e-9) / (total + 1e-9) if total else 1 / (1 + np.exp(-_HAAR_ALPHA))
    return float((np.log(share / (1 - share)) / _HAAR_ALPHA) ** 2)


def _halved(plane: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels; where a side is odd, both are continued by one line of zeros."""
    odd = max(side % 2 for side in plane.shape)
    padded = np.pad(np.asarray(plane, np.float64), ((0, odd), (0, odd)))
    rows, columns = padded.shape[0] // 2, padded.shape[1] // 2
    means: np.ndarray = padded[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean((1, 3))
    return means


def _haar(plane: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes of the Haar wavelet of side ``2 ** scale``, across and along; zeros beyond the edges."""
    from utils.opencv import cv2

    side = 2**scale
    kernel = np.full((side, side), 1 / side)
    kernel[side // 2 :] *= -1
    anchor = (side // 2 - 1, side // 2 - 1)
    across, along = (
        np.abs(cv2.filter2D(plane, cv2.CV_64F, one, anchor=anchor, borderType=cv2.BORDER_CONSTANT))
        for one in (kernel, np.ascontiguousarray(kernel.T))
    )
    return across, along


__all__ = ["SMALLEST_SIDE", "haarpsi", "ssim"]
