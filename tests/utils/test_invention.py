"""Where a result is not its original."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from utils.invention import STRONG, VISIBLE, colours, invention


def enlarged(pixels: np.ndarray, times: int = 4) -> np.ndarray:
    """Every pixel repeated: averaged down it is the original again."""
    return np.repeat(np.repeat(pixels, times, axis=0), times, axis=1)


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(40, 200, (96, 128, 3), dtype=np.uint8)


def test_detail_that_averages_out_again_is_no_invention(noise):
    """A checkerboard of +-20 levels in every block of the result has the original's mean."""
    result = enlarged(noise).astype(int)
    result += np.where(np.add.outer(np.arange(384), np.arange(512)) % 2, 20, -20)[..., None]
    found = invention(noise, result.astype(np.uint8))
    assert found.levels.max() < 1 and found.visible == 0


def test_the_difference_is_in_levels_and_where_it_was_made(noise):
    changed = noise.copy()
    changed[16:24, 40:48] += 12
    found = invention(noise, enlarged(changed))
    assert found.levels.shape == (12, 16) and found.block == 8
    assert found.levels[2, 5] == pytest.approx(12, abs=0.1)
    assert np.delete(found.levels.ravel(), 2 * 16 + 5).max() < 0.1 and found.visible == pytest.approx(1 / 192)


def test_gray_counts_as_colour_of_three_equal_channels(noise):
    gray, changed = noise[..., :1], noise[..., :1] + np.uint8(9)
    both = [
        invention(one, other) for one, other in ((gray, changed), (np.repeat(gray, 3, 2), np.repeat(changed, 3, 2)))
    ]
    assert np.allclose(both[0].levels, 9, atol=0.1) and np.allclose(both[0].levels, both[1].levels, atol=0.1)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7), (97, 65)])
def test_every_shape_has_its_blocks_the_last_ones_smaller(size):
    plain = np.full((*size, 3), 100, np.uint8)
    found = invention(plain, enlarged(plain + np.uint8(5), 2))
    assert found.levels.shape == tuple(-(-side // found.block) for side in size)
    assert np.allclose(found.levels, 5, atol=0.1)


def test_a_result_smaller_than_its_original_is_compared_at_its_own_size(noise):
    assert invention(enlarged(noise), noise).levels.max() < 0.5


def test_where_it_lies_is_told_by_the_originals_structure():
    """Left nothing, in the middle one edge, at the right noise; each third is changed alone."""
    generator = np.random.default_rng(1)
    picture = np.full((64, 192, 3), 90, np.uint8)
    picture[:, 92:, :] = 180
    picture[:, 128:] = generator.integers(0, 255, (64, 64, 1), dtype=np.uint8)
    for name, part in (("smooth", np.s_[:, :64]), ("edges", np.s_[:, 88:96]), ("texture", np.s_[:, 136:])):
        changed = picture.astype(int)
        changed[part] = np.clip(changed[part] + 30, 0, 255)
        found = invention(picture, changed.astype(np.uint8))
        shares = {kind: getattr(found, kind) for kind in ("edges", "texture", "smooth")}
        assert max(shares, key=shares.get) == name and sum(shares.values()) == pytest.approx(1), name


def test_bands_leave_no_seam(noise, monkeypatch):
    whole = invention(noise, enlarged(noise[::-1]))
    monkeypatch.setattr("utils.invention._BAND", 128 * 8)
    banded = invention(noise, enlarged(noise[::-1]))
    assert np.allclose(whole.levels, banded.levels)


def test_memory_beside_the_pictures_is_that_of_a_band():
    """Ten megapixels of input: floats of them all would take 200 MB."""
    picture = np.zeros((2500, 4000, 3), np.uint8)
    tracemalloc.start()
    invention(picture, picture)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_colours_begin_where_a_difference_can_be_seen_and_grow_red(noise):
    found = invention(noise, noise)
    levels = np.array([[0, VISIBLE, VISIBLE + 0.1, STRONG, 90]], np.float32)
    rgb, opacity = colours(type(found)(levels, 8, 0, 0, 0))
    assert rgb.shape == (1, 5, 3) and rgb.dtype == opacity.dtype == np.uint8
    assert list(opacity[0] > 0) == [False, False, True, True, True]
    assert tuple(rgb[0, 3]) == tuple(rgb[0, 4]) == (220, 38, 38) and rgb[0, 2, 1] > 190
