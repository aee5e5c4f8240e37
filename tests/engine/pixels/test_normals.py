"""A normal map's vectors keep length 1, whatever enlarges them; its flat places stay flat."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.imaging.readjust import can_readjust, readjust_fidelity
from engine.pixels.normals import looks_like_normals, unit_vectors
from engine.processor import apply_fidelity, enhance_file
from engine.types import EnhanceSettings
from utils import image_io

STEP = 2 / 255
"""An 8-bit step of a component."""
FLAT = (128, 128, 255)


@pytest.fixture
def bumps():
    """``(H, W, 3) uint8`` normals of a repeating relief with a wall of blocks, flat in its middle rows."""
    y, x = np.mgrid[0:96, 0:128] * (2 * np.pi / 32)
    height = np.sin(x) * np.cos(2 * y) + (np.sin(3 * x) > 0.3)
    slopes = np.gradient(height * 4)
    normals = np.stack([-slopes[1], -slopes[0], np.ones_like(height)], axis=2)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    pixels = np.rint((normals + 1) * 127.5).astype(np.uint8)
    pixels[30:66] = FLAT
    return pixels


@pytest.fixture
def enhance(manager, config, tmp_path):
    """The result for pixels enhanced from file to file, and its ``EnhanceResult``."""

    def run(pixels, name="out.png", **settings):
        Image.fromarray(pixels).save(tmp_path / "in.png")
        chosen = EnhanceSettings.create(**{"model": "tiny-x4", "precision": "fp32", "normal_map": True, **settings})
        result = enhance_file(
            tmp_path / "in.png", tmp_path / name, chosen, manager=manager, config=config, overwrite=True
        )
        return np.asarray(Image.open(tmp_path / name)), result

    return run


def lengths(pixels):
    return np.linalg.norm(pixels[..., :3] / 127.5 - 1, axis=2)


def most_that_rounding_does(pixels):
    """Half a step of each component moves a length by up to the sum of the components' sizes."""
    return np.abs(pixels[..., :3] / 127.5 - 1).sum(axis=2) * STEP / 2 + STEP**2


@pytest.mark.parametrize("model", ["tiny-x4", "tiny-x2", "lanczos"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_vector_has_length_1(enhance, bumps, model, scale):
    pixels, result = enhance(bumps, model=model, scale=scale)
    assert (np.abs(lengths(pixels) - 1) <= most_that_rounding_does(pixels)).all()
    assert not result.warnings


def test_without_the_setting_they_become_shorter(enhance, bumps):
    pixels, _ = enhance(bumps, normal_map=False, model="lanczos", scale=4)
    assert (np.abs(lengths(pixels) - 1) > most_that_rounding_does(pixels)).mean() > 0.05


@pytest.mark.parametrize("model", ["tiny-x4", "lanczos"])
@pytest.mark.parametrize("scale", [2, 4])
def test_what_is_flat_stays_flat(enhance, model, scale):
    flat = np.broadcast_to(np.array(FLAT, np.uint8), (40, 50, 3))
    pixels, _ = enhance(flat, model=model, scale=scale)
    assert (pixels == FLAT).all()


@pytest.mark.parametrize("settings", [{"tile": 32}, {"seamless": "both"}, {"seamless": "x", "tile": 64}])
def test_in_tiles_and_across_borders_too(enhance, bumps, settings):
    pixels, _ = enhance(bumps, scale=2, auto_tile=False, **settings)
    assert (np.abs(lengths(pixels) - 1) <= most_that_rounding_does(pixels)).all()


def test_the_mean_direction_is_the_inputs(enhance, bumps):
    """The colour match takes a network's cast out, and nothing tilts what it matched."""
    pixels, _ = enhance(bumps, scale=4)
    before, after = (np.mean(one / 127.5 - 1, axis=(0, 1)) for one in (bumps, pixels))
    tilt = np.arccos(before @ after / np.linalg.norm(before) / np.linalg.norm(after))
    assert np.degrees(tilt) < 0.5


def test_16_bits_and_alpha_are_kept(enhance, manager, config, tmp_path, bumps):
    deep = np.dstack([bumps, np.arange(bumps.size // 3).reshape(bumps.shape[:2]) % 256]).astype(np.uint16) * 257
    import cv2

    cv2.imwrite(str(tmp_path / "deep.png"), deep[..., [2, 1, 0, 3]])
    settings = EnhanceSettings(model="lanczos", scale=2, normal_map=True)
    enhance_file(tmp_path / "deep.png", tmp_path / "out.png", settings, manager=manager, config=config)
    made = image_io.load(tmp_path / "out.png")
    assert made.pixels.dtype == np.uint16
    vectors = made.pixels / 32767.5 - 1
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-4)
    plain = settings.but(normal_map=False)
    enhance_file(tmp_path / "deep.png", tmp_path / "plain.png", plain, manager=manager, config=config)
    np.testing.assert_array_equal(made.alpha, image_io.load(tmp_path / "plain.png").alpha)


def test_padding_is_no_vector(enhance, bumps):
    pixels, _ = enhance(bumps, width=256, height=256, fit="pad")
    assert not pixels[0].any()
    assert not pixels[-1].any()


def test_with_another_fidelity_they_still_have_length_1(enhance, config, tmp_path, bumps):
    pixels, _ = enhance(bumps, scale=2)
    settings = EnhanceSettings(model="tiny-x4", scale=2, normal_map=True)
    readjust_fidelity(tmp_path / "out.png", tmp_path / "in.png", settings, 0.5, tmp_path / "half.png", config=config)
    half = image_io.load(tmp_path / "half.png")
    assert (half.pixels != pixels).any()
    assert (np.abs(lengths(half.pixels) - 1) <= most_that_rounding_does(half.pixels)).all()
    other = apply_fidelity(image_io.load(tmp_path / "out.png"), image_io.load(tmp_path / "in.png"), 0.5, settings)
    np.testing.assert_array_equal(other.pixels, half.pixels)
    assert not can_readjust(settings.but(fidelity=0.5)), "what was mixed and made longer cannot be told apart"


def test_a_picture_that_is_none_is_told_so(enhance, scene):
    _, result = enhance(scene, scale=2)
    assert "does not look like a normal map" in " ".join(result.warnings)
    gray, result = enhance(scene[..., 0], scale=2)
    assert gray.ndim == 2
    assert "does not look like a normal map" in " ".join(result.warnings)


def test_a_vector_without_direction_points_up():
    band = np.full((1, 1, 3), 32767, np.uint16)
    (result,) = unit_vectors(iter([band]))
    assert result.tolist() == [[[32768, 32768, 65535]]]
    assert not looks_like_normals(band)
