"""Normal maps: pictures whose RGB is a direction, x, y and z from -1 to 1, and whose vectors have to stay of length 1.

Networks and resamplers mix neighbouring vectors, and a mean of directions is shorter than they are: lit by a game or a
renderer such a map looks flatter where it has detail.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.pixels.tiling import FULL_SCALE

_LEAST_LENGTH = 1e-3
"""Shorter vectors have no direction; they become straight up, (0, 0, 1)."""
_MOST_OFF = 0.12
"""Mean distance of lengths from 1 in maps that are meant as such: rounding, JPEG and reducing put them no further."""


def unit_vectors(bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the bands with every vector brought to length 1; the direction stays.

    ``(rows, W, C) uint16``, C = 3, or 4 with alpha, which is left alone; gray bands (C = 1, 2) pass unchanged.
    """
    for band in bands:
        if band.shape[2] < 3:
            yield band
            continue
        vectors = _vectors(band)
        lengths = np.sqrt(np.einsum("hwc,hwc->hw", vectors, vectors))[..., None]
        up = np.array([0, 0, 1], np.float32)
        vectors = np.where(lengths < _LEAST_LENGTH, up, vectors / np.maximum(lengths, _LEAST_LENGTH))
        colors = np.rint((vectors + 1) * (FULL_SCALE / 2)).clip(0, FULL_SCALE).astype(np.uint16)
        yield colors if band.shape[2] == 3 else np.concatenate([colors, band[..., 3:]], axis=2)


def looks_like_normals(pixels: np.ndarray) -> bool:
    """Whether ``(H, W, C) uint8 | uint16`` has vectors whose lengths are about 1."""
    if pixels.shape[2] < 3:
        return False
    step = max(1, round(float(np.sqrt(pixels.shape[0] * pixels.shape[1] / 250_000))))
    vectors = _vectors(pixels[::step, ::step])
    lengths = np.sqrt(np.square(vectors).sum(axis=2))
    return float(np.abs(lengths - 1).mean()) <= _MOST_OFF


def _vectors(pixels: np.ndarray) -> np.ndarray:
    """``(H, W, 3) float32``, -1 to 1."""
    return pixels[..., :3].astype(np.float32) * np.float32(2 / np.iinfo(pixels.dtype).max) - 1


__all__ = ["looks_like_normals", "unit_vectors"]
