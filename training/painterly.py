"""Photographs turned into drawings, so that the content classifier meets the same subjects in both classes.

Filters: mean shift (Comaniciu and Meer, 2002), Kuwahara (1976), repeated bilateral filtering with flow of dark lines
(Winnemöller et al., 2006 and 2012), posterisation, halftone screens.
"""

from __future__ import annotations

import cv2
import numpy as np


def painterly(random: np.random.Generator, rgb: np.ndarray, side: int | None = None) -> np.ndarray:
    """A drawn version of ``(H, W, 3) uint8``, by a filter chosen at random; ``side``: its longer side in pixels."""
    side = int(random.integers(300, 620)) if side is None else side
    factor = side / max(rgb.shape[:2])
    filter_ = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    rgb = cv2.resize(
        rgb, (max(48, int(rgb.shape[1] * factor)), max(48, int(rgb.shape[0] * factor))), interpolation=filter_
    )
    kind = random.choice(6, p=(0.2, 0.2, 0.2, 0.14, 0.13, 0.13))
    if kind == 0:
        result = cv2.pyrMeanShiftFiltering(rgb, int(random.integers(9, 20)), int(random.integers(26, 50)))
    elif kind == 1:
        result = kuwahara(rgb, int(random.integers(2, 6)))
        if random.random() < 0.5:
            result = kuwahara(result, int(random.integers(2, 4)))
    elif kind == 2:
        result = rgb
        for _ in range(int(random.integers(4, 8))):
            result = cv2.bilateralFilter(result, 9, float(random.uniform(32, 65)), 6)
    elif kind == 3:
        result = _posterised(random, rgb)
    elif kind == 4:
        return _manga(random, rgb)
    else:
        result = cv2.stylization(rgb, sigma_s=float(random.uniform(20, 80)), sigma_r=float(random.uniform(0.2, 0.5)))
    if kind == 3 or random.random() < 0.5:
        result = _with_lines(random, result, rgb)
    if random.random() < 0.4:
        result = _vivid(random, result)
    return result


def kuwahara(rgb: np.ndarray, radius: int) -> np.ndarray:
    """Every pixel takes the mean of that of its four corner windows that varies least."""
    pixels = rgb.astype(np.float32)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    window = (radius + 1, radius + 1)
    best, result = None, None
    for anchor in ((0, 0), (radius, 0), (0, radius), (radius, radius)):
        mean = cv2.boxFilter(luma, -1, window, anchor=anchor)
        variance = cv2.boxFilter(luma * luma, -1, window, anchor=anchor) - mean * mean
        color = cv2.boxFilter(pixels, -1, window, anchor=anchor)
        if best is None or result is None:
            best, result = variance, color
        else:
            take = variance < best
            best = np.where(take, variance, best)
            result = np.where(take[..., None], color, result)
    assert result is not None
    return np.clip(result, 0, 255).astype(np.uint8)


def _posterised(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    smooth = cv2.medianBlur(cv2.bilateralFilter(rgb, 9, 40, 7), 7)
    samples = smooth[::6, ::6].reshape(-1, 3).astype(np.float32)
    count = int(random.integers(5, 20))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    cv2.setRNGSeed(int(random.integers(0, 2**31 - 1)))
    _, _, centers = cv2.kmeans(samples, count, np.empty(0, np.int32), criteria, 1, cv2.KMEANS_RANDOM_CENTERS)
    distance = ((smooth[:, :, None].astype(np.float32) - centers) ** 2).sum(axis=3)
    flat = centers[distance.argmin(axis=2)].astype(np.uint8)
    return cv2.GaussianBlur(cv2.medianBlur(flat, 5), (0, 0), 0.7)


def _line_mask(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """1 on dark strokes, by the difference of Gaussians."""
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sigma = float(random.uniform(0.8, 1.8))
    difference = cv2.GaussianBlur(luma, (0, 0), sigma) - 0.98 * cv2.GaussianBlur(luma, (0, 0), sigma * 1.6)
    return np.asarray(1 / (1 + np.exp(np.clip((difference + float(random.uniform(0.5, 3))) * 2.5, -30, 30))))


def _with_lines(random: np.random.Generator, result: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    mask = _line_mask(random, cv2.bilateralFilter(rgb, 9, 40, 5))[..., None] * float(random.uniform(0.5, 1))
    ink = random.integers(0, 60, 3)
    return np.clip(result * (1 - mask) + ink * mask, 0, 255).astype(np.uint8)


def _manga(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Black lines and white paper, with screened or flat gray shades."""
    luma = cv2.cvtColor(cv2.bilateralFilter(rgb, 9, 40, 7), cv2.COLOR_RGB2GRAY).astype(np.float32)
    page = np.full_like(luma, 255.0)
    y, x = np.mgrid[: luma.shape[0], : luma.shape[1]]
    pitch = float(random.uniform(3, 7))
    screen = (np.cos((x + y) * np.pi / pitch) + np.cos((x - y) * np.pi / pitch)) * 64 + 128
    low, high = np.quantile(luma, (0.25, 0.55))
    shade = np.where(screen > luma + 20, 30.0, 255.0) if random.random() < 0.6 else np.full_like(luma, 170.0)
    page = np.where(luma < high, shade, page)
    page = np.where(luma < low, 10.0, page)
    page *= 1 - _line_mask(random, rgb)
    page = np.clip(cv2.GaussianBlur(page.astype(np.float32), (0, 0), 0.6), 0, 255).astype(np.uint8)
    return np.repeat(page[..., None], 3, axis=2)


def _vivid(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(1.1, 2), 0, 255)
    hsv[..., 0] = (hsv[..., 0] + random.uniform(-12, 12)) % 180
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB))
