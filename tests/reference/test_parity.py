"""This engine gives what the original ``RealESRGANer`` gives; where it differs, the difference is explained by a test."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.backends import get_backend
from engine.imaging.upscaler import bleed_transparent
from engine.types import EnhanceSettings
from tests.reference.conftest import FIXED_SEED, PUBLISHED, REAL, difference, part, psnr

BACKENDS = ["torch", "openvino", "original"]
NETWORKS = [*PUBLISHED, *FIXED_SEED]


def gray_as_color(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane[..., None], 3, axis=2)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("network", NETWORKS)
def test_fp32_gives_the_originals_pixels(both, network, backend):
    sides = both(network)
    # Odd sides: an x2 network works on pairs of pixels, and both mirror one more column and row for it.
    picture = part("0014.jpg", 45, 61)
    error = difference(sides.engine(picture, backend=backend), sides.original(picture))
    assert np.abs(error).max() <= 1
    assert np.mean(error != 0) < 1e-3, "the few that differ lie on the edge between two values"


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_bf16_stays_close_and_shifts_no_color(both, network, backend):
    if "bf16" not in get_backend(backend).precisions("cpu"):
        pytest.skip("this CPU has no bf16 units")
    sides = both(network)
    # As 16 bits: rounded to eight, a plain sky whose colour lies between two values moves more than the network errs.
    picture = part("0030.jpg", 64, 64).astype(np.uint16) * 257
    error = difference(sides.engine(picture, backend=backend, precision="bf16"), sides.original(picture))
    shift = np.abs(error.mean((0, 1))).max()
    print(f"{network}, {backend}: {psnr(error):.1f} dB, mean shift {shift:.3f} of 255")
    assert psnr(error) > 48
    assert shift < 0.1
    if network not in PUBLISHED:
        return  # random weights give colours far outside 0..1, where clipping undoes the matching
    matched = sides.engine(picture, backend=backend, precision="bf16", color_match=True)
    exact = sides.engine(picture, backend="torch", precision="fp32", color_match=True)
    assert np.abs(difference(matched, exact).mean((0, 1))).max() < 0.1


def test_what_is_set_by_default_stays_within_48_db_of_the_original_on_a_worn_drawing(both):
    """Lowest precision, colours matched, the whole picture: what a plain command gives."""
    sides = both("x4plus")
    picture = part("0014.jpg", 1000, 1000)
    settings = EnhanceSettings()
    result = sides.engine(picture, precision=settings.precision, color_match=settings.color_match)
    assert psnr(difference(result, sides.original(picture))) > 48


@pytest.mark.parametrize("network", REAL)
@pytest.mark.parametrize("name", ["00017_gray.png", "wolf_gray.jpg"])
def test_gray_is_the_mean_of_the_originals_three_channels(both, network, name):
    """The original weighs them as luma, which lets a tint that the network adds darken or brighten a gray picture."""
    sides = both(network)
    picture = part(name)
    assert picture.ndim == 2
    expected = sides.original(gray_as_color(picture)).astype(np.float64).mean(axis=2)
    result = sides.engine(picture)
    assert result.ndim == 2
    assert np.abs(result - expected).max() <= 1
    assert psnr(difference(result, sides.original(picture))) > 45


@pytest.mark.parametrize("network", REAL)
@pytest.mark.parametrize("name", ["children-alpha.png", "tree_alpha_16bit.png"])
def test_transparency_and_sixteen_bits(both, network, name):
    """Colours are the original's, but for what lies under full transparency: there the engine continues the visible
    surroundings, so that no hidden black or white bleeds into edges. Alpha is gray: see above."""
    sides = both(network)
    picture = part(name)
    assert picture.shape[2] == 4
    rgb, alpha = picture[..., :3], picture[..., 3]
    result = sides.engine(picture)
    assert result.dtype == picture.dtype, "16 bits stay 16 bits"
    visible = sides.original(bleed_transparent(np.ascontiguousarray(rgb), np.ascontiguousarray(alpha)))
    assert np.abs(difference(result[..., :3], visible)).max() <= 1
    top = np.iinfo(picture.dtype).max
    expected_alpha = sides.original(gray_as_color(alpha)).astype(np.float64).mean(axis=2)
    assert np.abs(result[..., 3] - expected_alpha).max() <= max(1, top / 255)


def test_sixteen_bits_are_finer_than_eight(both):
    sides = both("compact-general")
    picture = part("tree_alpha_16bit.png")[..., :3]
    picture = np.ascontiguousarray(picture)
    error = difference(sides.engine(picture), sides.original(picture))
    assert np.abs(error).max() < 0.05, "in 255ths: far below what eight bits could hold"


@pytest.mark.parametrize("outscale", [1.5, 3.0])
def test_other_scales_are_resized_from_the_same_pixels_without_the_originals_aliasing(both, outscale):
    """The original shrinks its x4 by Lanczos over 8x8 pixels at any factor, which skips pixels; the engine averages
    over all of them. Sizes agree; a fine stripe pattern shows which of the two invents a moiré."""
    sides = both("compact-anime")
    picture = part("0014.jpg", 60, 78)
    expected, result = sides.original(picture, outscale=outscale), sides.engine(picture, scale=outscale)
    assert psnr(difference(result, expected)) > 27
    large = sides.original(picture).astype(np.float32)
    size = (result.shape[1], result.shape[0])
    averaged = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    ours = np.abs(result.astype(np.float32) - averaged).mean()
    theirs = np.abs(expected.astype(np.float32) - averaged).mean()
    print(f"x{outscale}: distance to the area average: engine {ours:.2f}, original {theirs:.2f} of 255")
    assert ours <= theirs


@pytest.mark.parametrize("network", [*REAL, "6B", "rrdbnet-x2"])
def test_seams_of_tiles_beside_the_originals(both, network):
    """Tiled against untiled, each in its own way: the original with tile 128 and pad 10, the engine with tiles of 160.

    Compact networks have a halo as large as their reach, so the engine's tiles leave nothing.
    """
    sides = both(network)
    side = 200 if network in REAL else 176
    picture = part("0030.jpg", side, side + 16)
    whole = sides.original(picture)
    theirs = difference(sides.original(picture, tile=128 // (1 if network in REAL else 2), tile_pad=10), whole)
    ours = difference(
        sides.engine(picture, tile=148 if network in REAL else 112, auto_tile=False, backend="torch"), whole
    )
    print(
        f"{network}: tiled against untiled: original {psnr(theirs):.1f} dB (largest {np.abs(theirs).max():.0f}), "
        f"engine {psnr(ours):.1f} dB (largest {np.abs(ours).max():.0f})"
    )
    # Untrained networks hardly look around: there both leave next to nothing.
    assert psnr(ours) > min(psnr(theirs), 80)
    if network in REAL:
        assert np.abs(ours).max() <= 1
