"""High-quality resizing in bands, with Pillow's antialiased filters in floating point.

Also the classical resamplers that can be chosen in place of a network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from engine.pixels.tiling import FULL_SCALE

_RADIUS = {"lanczos": 3.0, "bicubic": 2.0, "bilinear": 1.0, "nearest": 0.5}


def to_full_scale(pixels: np.ndarray) -> np.ndarray:
    """``uint8`` or ``uint16`` pixels as ``uint16`` 0..65535 (255 -> 65535 exactly)."""
    return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)


def from_full_scale(band: np.ndarray, bit_depth: int) -> np.ndarray:
    """A ``uint16`` band at the file's bit depth (8 or 16), rounded to nearest."""
    if bit_depth == 16:
        return band
    from utils.opencv import cv2

    flat = np.ascontiguousarray(band).reshape(band.shape[0], -1)
    return cv2.convertScaleAbs(flat, alpha=255.0 / FULL_SCALE).reshape(band.shape)


def rows_needed(first: int, last: int, in_height: int, out_height: int, method: str) -> tuple[int, int]:
    """Source rows ``[a, b)`` that output rows ``first..last`` depend on."""
    ratio = in_height / out_height
    support = _RADIUS[method] * max(1.0, ratio) + 1
    return max(0, math.floor(first * ratio - support)), min(in_height, math.ceil(last * ratio + support))


def _resize_slice(
    rows: np.ndarray, row_offset: int, first: int, last: int, in_height: int, size: tuple[int, int], method: str
) -> np.ndarray:
    """Output rows ``first..last`` from source ``rows`` that begin at ``row_offset``; ``uint16`` in and out."""
    from PIL import Image

    out_width, out_height = size
    ratio = in_height / out_height
    # Pillow's kernel may reach beyond the box into the rest of the slice, so bands join without a trace.
    top, bottom = max(0.0, first * ratio - row_offset), min(float(rows.shape[0]), last * ratio - row_offset)
    box = (0.0, top, float(rows.shape[1]), bottom)
    filters = {
        "lanczos": Image.Resampling.LANCZOS,
        "bicubic": Image.Resampling.BICUBIC,
        "bilinear": Image.Resampling.BILINEAR,
        "nearest": Image.Resampling.NEAREST,
    }
    result = np.empty((last - first, out_width, rows.shape[2]), np.uint16)
    for channel in range(rows.shape[2]):
        plane = Image.fromarray(rows[..., channel].astype(np.float32))
        resized = np.asarray(plane.resize((out_width, last - first), filters[method], box=box))
        result[..., channel] = np.clip(np.rint(resized), 0, FULL_SCALE)
    return result


def resize_rows(
    pixels: np.ndarray, size: tuple[int, int], first: int, last: int, method: str = "lanczos"
) -> np.ndarray:
    """Rows ``first..last`` of ``pixels`` resized to ``size`` (width, height), as ``uint16``.

    Args:
        pixels: the whole source, ``(H, W, C) uint8 | uint16``.
    """
    in_height, in_width = pixels.shape[:2]
    if size == (in_width, in_height):
        return to_full_scale(pixels[first:last])
    if method == "nearest":
        # Exact centres, and no float round trip: pixel art stays pixel art.
        rows = np.minimum(((np.arange(first, last) + 0.5) * in_height / size[1]).astype(int), in_height - 1)
        columns = np.minimum(((np.arange(size[0]) + 0.5) * in_width / size[0]).astype(int), in_width - 1)
        return to_full_scale(pixels[rows[:, None], columns[None, :]])
    low, high = rows_needed(first, last, in_height, size[1], method)
    return _resize_slice(to_full_scale(pixels[low:high]), low, first, last, in_height, size, method)


def resize_bands(
    bands: Iterator[np.ndarray], in_size: tuple[int, int], out_size: tuple[int, int], method: str = "lanczos"
) -> Iterator[np.ndarray]:
    """Resize a stream of ``uint16`` bands; equal to resizing the whole picture at once.

    Args:
        in_size, out_size: (width, height) of the whole picture.
    """
    if in_size == out_size:
        yield from bands
        return
    in_height, out_height = in_size[1], out_size[1]
    held: np.ndarray | None = None
    held_from = 0
    emitted = 0
    for band in bands:
        held = band if held is None else np.concatenate([held, band])
        available = held_from + held.shape[0]
        last = out_height if available >= in_height else emitted
        while last < out_height and rows_needed(emitted, last + 1, in_height, out_height, method)[1] <= available:
            last += 1
        if last <= emitted:
            continue
        low, high = rows_needed(emitted, last, in_height, out_height, method)
        yield _resize_slice(held[low - held_from : high - held_from], low, emitted, last, in_height, out_size, method)
        emitted = last
        if emitted < out_height:
            keep = rows_needed(emitted, emitted + 1, in_height, out_height, method)[0]
            held, held_from = held[keep - held_from :], keep


def plain_bands(
    pixels: np.ndarray, size: tuple[int, int], method: str = "lanczos", rows: int = 256
) -> Iterator[np.ndarray]:
    """The whole of ``pixels`` resized to ``size`` (width, height), in bands of ``rows`` rows."""
    for first in range(0, size[1], rows):
        yield resize_rows(pixels, size, first, min(size[1], first + rows), method)
