"""How strong the noise of a picture is, from the picture alone."""

from __future__ import annotations

import numpy as np

PATCH = 7
_WINDOW = 96
_MOST_WINDOWS = 24
_FEWEST = 6 * PATCH * PATCH
_ROUNDS = 8
# The variance of PATCH^2 samples of pure noise scatters by a fifth: six times that far is all of them.
_CALM = 1 + 6 * np.sqrt(2 / (PATCH * PATCH - 1))


def estimate_sigma(pixels: np.ndarray) -> float:
    """Standard deviation of white noise in ``(H, W)`` or ``(H, W, 3) uint8``, in levels of 255.

    Eigenvalues of the covariance of small patches (Chen, Zhu and Heng, ICCV 2015): picture content lies in few
    directions, noise in all alike, so the small eigenvalues are the noise's variance. The largest are dropped until the
    mean of the rest equals their median. Then again with the calm patches alone, in the manner of Liu, Tanaka and
    Okutomi (2013), until it settles. Colour pictures are judged by their green channel, where cameras and
    encoders leave noise as it is. Large pictures are judged by windows spread over them. Pixels at 0 and 255 have lost
    their noise: patches with more than a few of them are left out. JPEG takes the fine frequencies away, noise and all,
    so what it leaves behind counts as (nearly) none.
    """
    plane = pixels[..., 1] if pixels.ndim == 3 else pixels
    if min(plane.shape) < 2 * PATCH:
        return 0.0
    patches = _patches(np.ascontiguousarray(plane))
    if len(patches) < _FEWEST:
        return 0.0
    variances = patches.var(axis=1)
    variance = _noise_variance(patches)
    for _ in range(_ROUNDS):
        # Texture fills the small directions as well: judge by the patches that could be noise alone.
        calm = patches[variances <= variance * _CALM]
        if len(calm) < _FEWEST:
            break
        before, variance = variance, min(variance, _noise_variance(calm))
        if variance > before * 0.98:
            break
    return float(np.sqrt(max(0.0, variance - 1 / 12)))


def _noise_variance(patches: np.ndarray) -> float:
    centered = patches - patches.mean(axis=0)
    ascending = np.linalg.eigvalsh(centered.T @ centered / len(centered))
    for count in range(len(ascending), 0, -1):
        mean = float(ascending[:count].mean())
        if mean <= float(np.median(ascending[:count])) * 1.0001:
            return mean
    return float(ascending[0])


def _patches(plane: np.ndarray) -> np.ndarray:
    """Patches without content at the ends of the scale, ``(N, PATCH^2) float32``."""
    found = [_window_patches(window) for window in _windows(plane)]
    return np.concatenate(found) if found else np.empty((0, PATCH * PATCH), np.float32)


def _windows(plane: np.ndarray) -> list[np.ndarray]:
    height, width = plane.shape
    if height * width <= _MOST_WINDOWS * _WINDOW * _WINDOW:
        return [plane]
    down = max(1, round(np.sqrt(_MOST_WINDOWS * height / width)))
    across = max(1, _MOST_WINDOWS // down)
    tops = np.linspace(0, max(0, height - _WINDOW), down).astype(int)
    lefts = np.linspace(0, max(0, width - _WINDOW), across).astype(int)
    return [plane[top : top + _WINDOW, left : left + _WINDOW] for top in tops for left in lefts]


def _window_patches(window: np.ndarray, step: int = 3) -> np.ndarray:
    views = np.lib.stride_tricks.sliding_window_view(window, (PATCH, PATCH))[::step, ::step]
    flat = views.reshape(-1, PATCH * PATCH)
    ends = ((flat == 0) | (flat == 255)).sum(axis=1)
    return flat[ends <= PATCH * PATCH // 16].astype(np.float32)
