"""A picture is pixels with their meaning; what is no picture cannot be one."""

from __future__ import annotations

import numpy as np
import pytest

from utils.errors import InvalidImageError
from utils.picture import Metadata, Picture, crop

RGB = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
ALPHA = np.arange(24, dtype=np.uint8).reshape(4, 6)


@pytest.mark.parametrize(
    ("pixels", "alpha", "words"),
    [
        (RGB[..., 0], None, "array"),
        (RGB[..., :2], None, "array"),
        (RGB.astype(np.float32), None, "uint8 or uint16"),
        (RGB[:0], None, "no pixels"),
        (RGB, ALPHA[:, :5], "alpha"),
        (RGB, ALPHA.astype(np.uint16), "alpha"),
    ],
)
def test_what_is_no_picture_is_refused(pixels, alpha, words):
    with pytest.raises(InvalidImageError, match=words):
        Picture(pixels, alpha)


def test_what_a_picture_says_of_itself():
    picture = Picture(RGB, ALPHA)
    assert (picture.size, picture.channels, picture.bit_depth, picture.is_gray) == ((6, 4), 4, 8, False)
    gray = Picture(RGB[..., :1].astype(np.uint16))
    assert (gray.channels, gray.bit_depth, gray.is_gray) == (1, 16, True)
    assert np.array_equal(picture.interleaved()[..., 3], ALPHA) and gray.interleaved() is gray.pixels


def test_a_part_keeps_alpha_and_metadata():
    picture = Picture(RGB, ALPHA, Metadata(dpi=(300.0, 300.0)))
    part = crop(picture, (2, 1, 3, 2))
    assert np.array_equal(part.pixels, RGB[1:3, 2:5]) and np.array_equal(part.alpha, ALPHA[1:3, 2:5])
    assert part.metadata == picture.metadata and crop(picture, None) is picture
    assert picture.with_metadata(dpi=None).metadata.dpi is None
