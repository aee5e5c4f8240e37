"""A flat border gets what is known to lie around it, any other border nothing; one colour stays one colour."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PIL import Image

from engine.imaging.region import enhance_region
from engine.pixels.borders import MARGIN, Margins, only_color
from engine.processor import enhance_file
from engine.types import EnhanceSettings
from utils.errors import InvalidSettingsError
from utils.picture import Picture

RED = np.array([200, 10, 10], np.uint8)


@pytest.fixture
def ground(scene):
    """A scene on a flat ground that shows above it and on its left."""
    picture = np.full((*(side + 20 for side in scene.shape[:2]), 3), RED, np.uint8)
    picture[20:, 20:] = scene
    return picture


@pytest.fixture
def enhanced(manager, config, tmp_path):
    """The pixels of a picture enhanced from file to file."""

    def run(picture, **settings):
        Image.fromarray(picture).save(tmp_path / "in.png")
        chosen = EnhanceSettings(precision="fp32", **settings)
        enhance_file(tmp_path / "in.png", tmp_path / "out.png", chosen, manager=manager, config=config, overwrite=True)
        return np.asarray(Image.open(tmp_path / "out.png"))

    return run


def test_each_side_is_judged_by_itself(ground, scene):
    assert Margins.of(scene) == Margins()
    assert Margins.of(ground[:20]) == Margins(MARGIN, MARGIN, MARGIN, MARGIN)
    assert Margins.of(ground[:60, 20:]) == Margins(top=MARGIN)
    assert Margins.of(np.ascontiguousarray(ground[:60, 20:].transpose(1, 0, 2))) == Margins(left=MARGIN)


def test_what_jpeg_leaves_on_a_flat_ground_is_flat_and_grain_is_not():
    rng = np.random.default_rng(0)
    flat = np.full((40, 40, 3), 128, np.uint8)
    assert Margins.of(flat + rng.integers(0, 4, flat.shape, dtype=np.uint8)).any
    assert not Margins.of(flat + rng.integers(0, 9, flat.shape, dtype=np.uint8)).any
    deep = flat.astype(np.uint16) * 257
    assert Margins.of(deep + rng.integers(0, 700, flat.shape, dtype=np.uint16)).any


@pytest.mark.parametrize("rows", [1, 7, 64, 500])
def test_what_came_from_the_margins_goes_again_whatever_the_bands(ground, rows):
    margins = Margins(top=MARGIN, left=MARGIN)
    grown = margins.around(ground)
    assert (grown[:MARGIN] == grown[MARGIN]).all()
    enlarged = grown.repeat(2, 0).repeat(2, 1)
    bands = (enlarged[start : start + rows] for start in range(0, len(enlarged), rows))
    back = np.concatenate(list(margins.without(bands, 2, len(ground))))
    np.testing.assert_array_equal(back, ground.repeat(2, 0).repeat(2, 1))


def test_a_flat_border_comes_out_as_with_more_of_it_around(enhanced, ground):
    """The network's answer to a larger piece of the same ground is the truth; the rest does not change."""
    settings = {"model": "tiny-x4", "color_match": False}
    wider = np.pad(ground, ((32, 0), (32, 0), (0, 0)), mode="edge")
    truth = enhanced(wider, **settings)[128:, 128:].astype(int)
    error = np.abs(enhanced(ground, **settings) - truth)
    assert error.max() <= 1


@pytest.mark.parametrize("size", [(64, 64), (1, 50), (300, 7)])
@pytest.mark.parametrize("alpha", [None, 120])
def test_a_picture_of_one_colour_stays_one_colour(enhanced, size, alpha):
    color = RED if alpha is None else np.append(RED, np.uint8(alpha))
    result = enhanced(np.full((*size, len(color)), color, np.uint8), model="rrdb-x4", scale=4)
    assert result.shape == (4 * size[0], 4 * size[1], len(color))
    assert (result == color).all()


@pytest.fixture
def texture():
    """Noise that repeats in both directions, with some alpha."""
    noise = np.random.default_rng(3).normal(0, 1, (72, 104, 4))
    smooth = np.fft.ifft2(np.fft.fft2(noise, axes=(0, 1)) * _low_pass(72, 104), axes=(0, 1)).real
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return (smooth * 255).astype(np.uint8)


def _low_pass(height, width):
    y, x = np.fft.fftfreq(height), np.fft.fftfreq(width)
    return np.exp(-40 * (y[:, None] ** 2 + x[None, :] ** 2))[..., None]


@pytest.mark.parametrize("tile", [0, 64])
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_a_seamless_texture_comes_out_the_same_wherever_it_is_cut(enhanced, texture, tile, scale):
    """Moved around its corners first, and back afterwards: no border is left that could make a difference."""
    settings = {"model": "tiny-x4", "scale": scale, "seamless": "both", "tile": tile, "auto_tile": False}
    settings["color_match"] = False
    plain = enhanced(texture, **settings).astype(int)
    moved = enhanced(np.roll(texture, (19, 33), (0, 1)), **settings).astype(int)
    assert np.abs(np.roll(moved, (-19 * scale, -33 * scale), (0, 1)) - plain).max() <= 1


@pytest.mark.parametrize("model", ["tiny-x4", "rrdb-x4", "tiny-x2"])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_step_across_the_seam_is_one_like_any_other(enhanced, texture, model, axis):
    def steps(**settings):
        result = enhanced(texture[..., :3], model=model, **settings).astype(float)
        return np.abs(result - np.roll(result, 1, axis)).mean(axis=(1 - axis, 2))

    seam, *others = steps(seamless="yx"[axis])
    assert seam <= max(others)


def test_only_one_direction_is_wrapped_where_one_is_asked_for(texture):
    rgb = texture[..., :3]
    margins = Margins.of(rgb).wrapped("x", 24)
    grown = margins.around(rgb)
    assert grown.shape == (72, 104 + 48, 3)
    np.testing.assert_array_equal(grown[:, :24], rgb[:, -24:])
    assert Margins.of(rgb).wrapped("off", 24) == Margins()
    tiny = Margins().wrapped("both", 24).around(rgb[:3, :5])
    np.testing.assert_array_equal(tiny[24:27, 24:29], rgb[:3, :5])
    # Smaller than the margin: it goes round again.
    np.testing.assert_array_equal(tiny[27:30, 29:34], rgb[:3, :5])


def test_a_part_of_a_texture_is_not_wrapped_around_itself(manager, config, texture):
    """What lies opposite in the part is not what lies opposite in the texture: nothing is wrapped."""
    run = partial(enhance_file, manager=manager, config=config)
    picture = Picture(np.tile(texture[..., :3], (3, 3, 1)))
    before, after = (
        enhance_region(
            picture,
            (20, 20),
            EnhanceSettings(model="tiny-x4", precision="fp32", color_match=False, seamless=seamless),
            enhance=run,
            manager=manager,
            config=config,
            side=64,
        ).after.pixels.astype(int)
        for seamless in ("off", "both")
    )
    np.testing.assert_array_equal(before, after)


def test_a_texture_that_would_be_cropped_is_refused():
    with pytest.raises(InvalidSettingsError, match="borders would no longer meet"):
        EnhanceSettings.create(width=100, height=50, fit="fill", seamless="x")
    assert EnhanceSettings.create(width=100, fit="fill", seamless="x").seamless == "x"


def test_only_color_is_told_by_every_pixel(ground):
    assert only_color(ground) is None
    assert (only_color(ground[:20]) == RED).all()
