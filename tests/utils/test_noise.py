"""The noise estimator: right for white noise on any ground, silent on clean, flat and compressed pictures."""

import cv2
import numpy as np
import pytest

from tests.conftest import shared
from utils.noise import estimate_sigma

SIGMAS = (2, 5, 10, 20, 35, 50)


def with_noise(pixels: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


@pytest.fixture
def textured() -> np.ndarray:
    """300 x 400 RGB with gradients, edges and a fine texture over part of it."""
    y, x = np.mgrid[0:300, 0:400].astype(np.float32)
    base = 90 + 60 * np.sin(x / 40) * np.cos(y / 55)
    base[100:200, 100:250] = 190
    base[:, 300:] += 25 * np.sin(x[:, 300:] * 1.7) * np.sin(y[:, 300:] * 1.3)
    return np.clip(np.stack([base, base * 0.9, base * 0.8 + 20], axis=-1), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_added_noise_is_measured_within_a_fifth_or_one_level(textured, sigma):
    assert estimate_sigma(with_noise(textured, sigma)) == pytest.approx(sigma, abs=max(1, 0.2 * sigma))


def test_clean_and_flat_pictures_have_none(textured):
    assert estimate_sigma(textured) < 1
    assert estimate_sigma(np.full((200, 300, 3), 128, np.uint8)) == 0
    assert estimate_sigma(np.zeros((200, 300), np.uint8)) == 0


@pytest.mark.parametrize("quality", (30, 60, 85))
def test_jpeg_wear_is_not_noise(textured, quality):
    worn = cv2.imdecode(cv2.imencode(".jpg", textured, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    assert estimate_sigma(worn) < 1.5


def test_gray_and_colour_give_the_same_answer(textured):
    gray = with_noise(textured[..., 1], 12)
    assert estimate_sigma(np.repeat(gray[..., None], 3, axis=2)) == estimate_sigma(gray)


def test_tiny_pictures_answer_zero_instead_of_failing():
    for shape in ((1, 1), (3, 200, 3), (13, 13), (20, 20)):
        assert estimate_sigma(np.zeros(shape, np.uint8)) == 0


def test_clean_photographs_of_the_training_set():
    folder = shared("train_images")
    within = []
    for path in sorted(folder.glob("*.jpg"))[::4]:
        photo = cv2.imread(str(path))[:1200, :1200, ::-1]
        for sigma in SIGMAS:
            found = estimate_sigma(with_noise(photo, sigma))
            within.append(abs(found - sigma) <= max(1, 0.2 * sigma))
    print(f"noise within 20% or one level: {np.mean(within):.1%} of {len(within)} estimates")
    assert np.mean(within) >= 0.95
