"""Resizing in bands is the same as resizing at once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.pixels.resample import from_full_scale, plain_bands, resize_bands, resize_rows, to_full_scale


def picture(height: int, width: int, channels: int = 3, dtype=np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max + 1
    return np.random.default_rng(3).integers(0, top, (height, width, channels)).astype(dtype)


def chunks(pixels: np.ndarray, rows: int):
    full = to_full_scale(pixels)
    return (full[start : start + rows] for start in range(0, full.shape[0], rows))


@pytest.mark.parametrize("method", ["lanczos", "bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(37, 23), (50, 75), (200, 300), (97, 100), (100, 97)])
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_streamed_resize_equals_whole_resize(method, size, rows):
    pixels = picture(90, 100)
    whole = resize_rows(pixels, size, 0, size[1], method)
    streamed = np.concatenate(list(resize_bands(chunks(pixels, rows), (100, 90), size, method)))
    # Pillow's box coordinates are rounded in floating point: one step of 65535, 1/257 of an 8-bit level.
    assert streamed.shape == whole.shape
    assert np.abs(streamed.astype(int) - whole.astype(int)).max() <= 1


def test_lanczos_agrees_with_pillows_own_eight_bit_resize():
    # Contrast low enough that Pillow, which clips to 8 bits between its two passes, has nothing to clip.
    pixels = picture(60, 80) // 4 + 96
    ours = from_full_scale(resize_rows(pixels, (200, 150), 0, 150), 8).astype(int)
    pillows = np.asarray(Image.fromarray(pixels).resize((200, 150), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(ours - pillows).max() <= 1


def test_nearest_copies_values_exactly():
    pixels = picture(5, 6)
    doubled = np.concatenate(list(plain_bands(pixels, (12, 10), "nearest", rows=3)))
    np.testing.assert_array_equal(from_full_scale(doubled, 8), pixels.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_eight_bits_survive_the_way_to_full_scale_and_back(channels):
    pixels = np.arange(256, dtype=np.uint8).repeat(channels).reshape(16, 16, channels)
    np.testing.assert_array_equal(from_full_scale(to_full_scale(pixels), 8), pixels)


def test_sixteen_bit_input_keeps_its_steps():
    pixels = np.arange(1000, 1400, dtype=np.uint16).reshape(20, 20, 1)
    assert len(np.unique(resize_rows(pixels, (40, 40), 0, 40))) > 300
