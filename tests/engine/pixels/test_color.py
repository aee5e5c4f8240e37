"""Colour matching removes casts, keeps detail, and reports what it did."""

from __future__ import annotations

import numpy as np
import pytest

from engine.pixels.color import ColorMatcher
from engine.pixels.resample import to_full_scale


def scene(height: int = 120, width: int = 90) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width] / 100.0
    base = np.stack([0.4 + 0.3 * x, 0.5 + 0.2 * np.sin(3 * y), 0.6 - 0.2 * y], axis=-1)
    texture = np.random.default_rng(0).normal(0, 0.03, base.shape)
    return np.clip((base + texture) * 255, 20, 235).astype(np.uint8)


def enlarged(source: np.ndarray, scale: int = 2) -> np.ndarray:
    return to_full_scale(source).repeat(scale, 0).repeat(scale, 1)


def in_bands(result: np.ndarray, rows: int):
    return (result[start : start + rows] for start in range(0, result.shape[0], rows))


def run(source, result, rows=34, **kwargs):
    matcher = ColorMatcher(source, 2, **kwargs)
    return np.concatenate(list(matcher.apply(in_bands(result, rows)))), matcher


@pytest.mark.parametrize("cast", [(6, 0, -6), (0, 3, 0)])
def test_a_colour_cast_is_removed_and_reported(cast):
    source = scene()
    tinted = np.clip(enlarged(source).astype(int) + np.array(cast) * 257, 0, 65535).astype(np.uint16)
    matched, matcher = run(source, tinted)
    error = matched.astype(float).mean((0, 1)) - enlarged(source).astype(float).mean((0, 1))
    assert np.abs(error / 257).max() < 0.1
    assert matcher.difference_before == pytest.approx(np.mean(np.abs(cast)), abs=0.05)
    assert matcher.difference_after < 0.1


def test_detail_that_averages_out_is_left_alone():
    source = scene()
    detail = np.indices((240, 180)).sum(0) % 2 * 2000 - 1000
    result = (enlarged(source).astype(int) + detail[..., None]).astype(np.uint16)
    matched, _ = run(source, result)
    assert np.abs(matched.astype(int) - result.astype(int)).max() <= 2


def test_what_a_network_redraws_lays_no_veil_over_its_surroundings():
    """Light lines on black, redrawn thinner: darker on the whole, for a reason. Black stays black."""
    source = np.zeros((120, 90, 3), np.uint8)
    source[::6] = 90
    redrawn = enlarged(source)
    redrawn[0::12] = 0
    matched, matcher = run(source, redrawn)
    assert matcher.difference_before > 5
    assert np.percentile(matched[redrawn == 0], 90) / 257 < 1


@pytest.mark.parametrize("rows", [2, 20, 64, 240])
def test_bands_of_any_height_give_the_same_picture(rows):
    source = scene()
    tinted = (enlarged(source) // 2 + 9000).astype(np.uint16)
    expected, _ = run(source, tinted, rows=240)
    matched, _ = run(source, tinted, rows=rows)
    # Blurring a slice instead of the whole may round differently; two steps of 65535 are the bound.
    assert np.abs(matched.astype(int) - expected.astype(int)).max() <= 2


def test_switched_off_it_only_measures():
    source = scene()
    tinted = (enlarged(source) // 2 + 9000).astype(np.uint16)
    matched, matcher = run(source, tinted, enabled=False)
    np.testing.assert_array_equal(matched, tinted)
    assert matcher.difference_after == matcher.difference_before > 1


def test_faithfulness_is_the_psnr_of_the_averaged_result():
    source = scene()
    off_by_ten = (enlarged(source).astype(int) + 10 * 257).astype(np.uint16)
    _, matcher = run(source, off_by_ten)
    assert matcher.faithfulness_psnr == pytest.approx(20 * np.log10(255 / 10), abs=0.05)


def test_gray_stays_one_channel():
    source = scene()[..., :1]
    matched, _ = run(source, enlarged(source))
    assert matched.shape == (240, 180, 1)


def test_blotches_that_an_encoder_left_are_not_put_back():
    """Blocks of rounded chroma, as a low JPEG quality leaves them; the network took them out."""
    clean = scene(240, 180)
    blotches = np.random.default_rng(1).normal(0, 3, (15, 12, 3)).repeat(16, 0).repeat(16, 1)[:240, :180]
    worn = np.clip(clean + blotches, 0, 255).astype(np.uint8)
    matched, _ = run(worn, enlarged(clean))
    put_back = (matched.astype(float) - enlarged(clean)) / 257
    assert np.sqrt(np.mean(np.square(put_back))) < 0.5, "a plain low-pass leaves 0.8"
