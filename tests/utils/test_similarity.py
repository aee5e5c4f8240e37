"""SSIM and HaarPSI, against the packages that others measure with."""

from __future__ import annotations

import numpy as np
import pytest

from utils.similarity import haarpsi, ssim


def planes(height: int, width: int, noise: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    """A plane with edges and a gradient, and the same with noise."""
    y, x = np.mgrid[0:height, 0:width]
    plane = 128 + 60 * np.sin(x / 5.0) + 40 * (y > height / 2) + x / width * 20
    noisy = plane + np.random.default_rng(0).normal(0, noise, plane.shape)
    return np.clip(plane, 0, 255), np.clip(noisy, 0, 255)


@pytest.mark.parametrize("size", [(11, 11), (40, 61), (128, 97)])
def test_ssim_is_scikit_images(size):
    from skimage.metrics import structural_similarity

    a, b = planes(*size)
    wanted = structural_similarity(a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    assert ssim(a, b) == pytest.approx(wanted, abs=1e-9) and ssim(a, a) == pytest.approx(1)


@pytest.mark.parametrize("size", [(16, 16), (40, 61), (63, 64), (128, 97)])
@pytest.mark.parametrize("noise", [1.0, 12.0, 60.0])
def test_haarpsi_is_piqs(size, noise):
    import piq
    import torch

    a, b = planes(*size, noise)
    x, y = (torch.from_numpy(plane / 255)[None, None] for plane in (a, b))
    assert haarpsi(a, b) == pytest.approx(float(piq.haarpsi(x, y, data_range=1.0)), abs=1e-6)


def test_equal_planes_are_alike_even_where_nothing_is_in_them():
    a, _ = planes(32, 32)
    assert haarpsi(a, a) == pytest.approx(1)
    assert haarpsi(np.zeros((32, 32)), np.zeros((32, 32))) == pytest.approx(1)
