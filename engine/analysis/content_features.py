"""Numbers that tell drawn pictures from photographs.

Drawings are made of flat or smoothly shaded areas between strokes; photographs carry texture, grain and optical blur
everywhere. The features measure that with statistics that are long established: sparseness of band-pass coefficients
(natural image statistics after Field, 1987), local binary patterns (Ojala et al., 2002), flatness of blocks, colour
concentration, thin dark lines (morphological black-hat), and edge profiles.

All are taken from the picture reduced to ``SIDE`` pixels, where pictures of all sizes look alike.
"""

from __future__ import annotations

import numpy as np

from utils.opencv import cv2

SIDE = 448


def reduced(rgb: np.ndarray, side: int = SIDE) -> np.ndarray:
    """``(H, W, 3) uint8``, averaged down until the longer side is at most ``side`` pixels."""
    height, width = rgb.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(16, round(width * factor)), max(16, round(height * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def content_features(rgb: np.ndarray) -> np.ndarray:
    """``(H, W, 3) uint8`` RGB -> ``(N,) float32``. The order is fixed: the classifier's weights depend on it."""
    small = reduced(rgb)
    if min(small.shape[:2]) < 32:
        small = cv2.copyMakeBorder(
            small, 0, max(0, 32 - small.shape[0]), 0, max(0, 32 - small.shape[1]), cv2.BORDER_REFLECT
        )
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    luma = gray.astype(np.float32)
    parts = (
        _bands(luma),
        _flatness(luma),
        _local_binary_patterns(gray),
        _lines(gray),
        _edges(luma),
        _tones(gray),
        _colors(small),
    )
    return np.concatenate(parts).astype(np.float32)


def small_features(rgb: np.ndarray) -> np.ndarray:
    """``content_features`` of a small picture and of its half, where blocks and ringing are averaged away."""
    size = (max(1, round(rgb.shape[1] / 2)), max(1, round(rgb.shape[0] / 2)))
    return np.concatenate(
        [content_features(rgb), content_features(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))]
    )


def _bands(luma: np.ndarray) -> np.ndarray:
    """Per octave: energy, sparseness (fourth moment against the second), share of near-zero coefficients."""
    values, energies, current = [], [], luma
    for _ in range(4):
        blurred = cv2.GaussianBlur(current, (5, 5), 1.0)
        band = current - blurred
        square = band * band
        second = float(square.mean()) + 1e-3
        fourth = float((square * square).mean())
        absolute = np.abs(band)
        energies.append(np.log(second))
        values += [
            np.log(fourth / (second * second) + 1e-3),
            np.log(float(absolute.mean()) / np.sqrt(second) + 1e-3),
            float((absolute < 0.4).mean()),
            float((absolute < 0.1 * np.sqrt(second)).mean()),
        ]
        current = blurred[::2, ::2]
    steps = np.diff(energies)
    return np.array([*values, energies[0], *steps])


def _flatness(luma: np.ndarray) -> np.ndarray:
    """Spread inside 5x5 neighbourhoods: its distribution, and what is left of it where nothing is happening."""
    mean = cv2.blur(luma, (5, 5))
    spread = np.sqrt(np.maximum(cv2.blur(luma * luma, (5, 5)) - mean * mean, 0))
    shares = [float((spread < limit).mean()) for limit in (0.3, 0.7, 1.5, 3, 6, 12, 24)]
    quantiles = np.log(np.quantile(spread[::2, ::2], (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)) + 0.2)
    # The middle tones alone: pure black and white are flat in photographs as well.
    middle = spread[(mean > 20) & (mean < 235)]
    inner = np.log(np.quantile(middle, (0.05, 0.2, 0.4)) + 0.2) if middle.size > 500 else quantiles[:3]
    return np.array([*shares, *quantiles, *inner, quantiles[4] - quantiles[1]])


def _local_binary_patterns(gray: np.ndarray) -> np.ndarray:
    """Shares of the uniform patterns (by their number of ones) with a tolerance, at two distances."""
    values = []
    for distance, tolerance in ((1, 2), (3, 4)):
        center = gray[distance:-distance, distance:-distance].astype(np.int16) + tolerance
        bits = []
        for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)):
            rows = slice(distance + dy * distance, gray.shape[0] - distance + dy * distance)
            columns = slice(distance + dx * distance, gray.shape[1] - distance + dx * distance)
            bits.append((gray[rows, columns] > center).view(np.uint8))
        ones = sum(bits[1:], bits[0].copy())
        changes = (bits[0] ^ bits[-1]).copy()
        for first, second in zip(bits[:-1], bits[1:], strict=True):
            changes += first ^ second
        uniform = changes <= 2
        counts = np.bincount(ones[uniform], minlength=9)[:9] / ones.size
        values += [*np.sqrt(counts), float(1 - uniform.mean())]
    return np.array(values)


def _lines(gray: np.ndarray) -> np.ndarray:
    """Thin dark and thin bright strokes: black-hat and top-hat against the picture's contrast."""
    kernel = np.ones((5, 5), np.uint8)
    dark = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, kernel)
    bright = cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, kernel)
    values = []
    for hat in (dark, bright):
        values += [float((hat > limit).mean()) for limit in (8, 24, 60)]
        strong = hat[hat > 16]
        values.append(float(np.log(strong.mean())) if strong.size else np.log(16.0))
    values.append(np.log((values[1] + 0.002) / (values[5] + 0.002)))
    return np.array(values)


def _edges(luma: np.ndarray) -> np.ndarray:
    """How much of the gradient sits in few strong edges, how sharp these are, and how calm it is beside them."""
    smooth = cv2.GaussianBlur(luma, (0, 0), 0.8)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    strength = cv2.magnitude(dx, dy)
    ordered = np.sort(strength[::2, ::2].ravel())[::-1]
    total = float(ordered.sum()) + 1e-3
    shares = [float(ordered[: max(1, int(ordered.size * part))].sum()) / total for part in (0.02, 0.05, 0.15, 0.4)]
    near = cv2.dilate((strength > 8).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    calm = ~near
    beside = float(np.log(strength[calm].mean() + 0.05)) if calm.sum() > 200 else 1.0
    top = strength > ordered[int(ordered.size * 0.03)]
    second = np.abs(cv2.Laplacian(smooth, cv2.CV_32F))
    sharp = float(np.log(second[top].mean() / (strength[top].mean() + 0.1) + 0.02)) if top.any() else 0.0
    # Directions of strong edges: strokes and man-made outlines concentrate less on a few angles than grids do.
    angles = np.histogram(np.arctan2(dy[top], dx[top]) % np.pi, bins=12, range=(0, np.pi))[0] + 1.0
    angles = angles / angles.sum()
    return np.array([*shares, float(calm.mean()), beside, sharp, float(-(angles * np.log(angles)).sum())])


def _tones(gray: np.ndarray) -> np.ndarray:
    """The histogram: how few tones hold the picture, how much of it is pure black or white."""
    histogram = np.bincount(gray.ravel(), minlength=256) / gray.size
    ordered = np.sort(histogram)[::-1]
    # A tone that towers over its neighbours is a fill, not a photographed surface.
    around = (np.roll(histogram, 2) + np.roll(histogram, -2) + np.roll(histogram, 3) + np.roll(histogram, -3)) / 4
    towers = float(np.maximum(histogram - 1.5 * around, 0).sum())
    entropy = float(-(histogram[histogram > 0] * np.log2(histogram[histogram > 0])).sum())
    ends = (float(histogram[:4].sum()), float(histogram[252:].sum()))
    return np.array([ordered[0], ordered[:4].sum(), ordered[:16].sum(), towers, entropy, *ends, gray.std() / 64])


def _colors(rgb: np.ndarray) -> np.ndarray:
    """Concentration of colours, saturation, and how colour varies where brightness does not."""
    coarse = (rgb >> 4).reshape(-1, 3).astype(np.int32)
    counts = np.bincount(coarse[:, 0] * 256 + coarse[:, 1] * 16 + coarse[:, 2], minlength=4096)
    ordered = np.sort(counts)[::-1] / len(coarse)
    used = float(np.log((ordered > 1e-4).sum() + 1.0))
    top = rgb.max(axis=2).astype(np.float32)
    chroma = top - rgb.min(axis=2)
    saturation = chroma / np.maximum(top, 8)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32)
    mean = cv2.blur(lab, (5, 5))
    spread = np.sqrt(np.maximum(cv2.blur(lab * lab, (5, 5)) - mean * mean, 0)).mean(axis=2)
    calm = [float((spread < limit).mean()) for limit in (0.3, 0.8, 2)]
    vivid = [float((saturation > limit).mean()) for limit in (0.3, 0.6, 0.85)]
    return np.array(
        [ordered[0], ordered[:3].sum(), ordered[:10].sum(), ordered[:40].sum(), used, float((chroma < 3).mean())]
        + [float(saturation.mean()), float(saturation.std()), *vivid, *calm, float(np.log(spread.mean() + 0.1))]
    )
