"""Blur, blocks and JPEG quality are measured in the right order and on the right scale."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.analysis.damage import blockiness, blur_level, jpeg_quality


@pytest.fixture
def detailed() -> np.ndarray:
    """480 x 640 gray levels: random rectangles, so edges of all lengths lie everywhere."""
    random = np.random.default_rng(3)
    canvas = np.full((480, 640), 120, np.uint8)
    for _ in range(900):
        x, y, w, h = random.integers(0, 620), random.integers(0, 460), random.integers(2, 40), random.integers(2, 40)
        cv2.rectangle(canvas, (int(x), int(y)), (int(x + w), int(y + h)), int(random.integers(20, 235)), -1)
    return cv2.GaussianBlur(canvas, (0, 0), 0.6)


def test_blur_grows_with_the_blur(detailed):
    levels = [blur_level(cv2.GaussianBlur(detailed, (0, 0), sigma) if sigma else detailed) for sigma in (0, 1, 2, 4)]
    assert levels == sorted(levels)
    assert levels[0] < 0.35 and levels[-1] > 0.6


def test_a_soft_background_is_not_a_blurred_photograph(detailed):
    portrait = cv2.GaussianBlur(detailed, (0, 0), 8)
    portrait[160:320, 200:460] = detailed[160:320, 200:460]
    assert blur_level(portrait) < 0.45


def test_an_empty_picture_counts_as_blurred():
    assert blur_level(np.full((300, 300), 77, np.uint8)) == 1.0


def test_blocks_are_seen_in_low_quality_jpeg_only(detailed):
    def encoded(quality: int) -> np.ndarray:
        data = cv2.imencode(".jpg", detailed, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)

    smooth = cv2.GaussianBlur(detailed, (0, 0), 5)
    data = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, 10])[1]
    assert blockiness(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)) > 1
    assert blockiness(encoded(15)) > blockiness(encoded(90))
    assert blockiness(detailed) < 0.2


@pytest.mark.parametrize("quality", (5, 25, 50, 75, 90, 99))
def test_jpeg_quality_is_read_from_the_file(detailed, quality):
    data = io.BytesIO()
    Image.fromarray(detailed).save(data, "JPEG", quality=quality)
    assert jpeg_quality(Image.open(data).quantization) == pytest.approx(quality, abs=2)


def test_no_tables_no_quality():
    assert jpeg_quality(None) is None
    assert jpeg_quality({0: [1, 2, 3]}) is None
