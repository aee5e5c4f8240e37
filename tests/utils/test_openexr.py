"""OpenEXR: every kind of compression, its windows, alpha and primaries; its light as Radiance's is shown."""

from __future__ import annotations

import numpy as np
import OpenEXR
import pytest

from tests import pictures
from utils import image_io
from utils.colorimetry import REC_709, between
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_io import ImageLimits
from utils.radiance import tone_mapped

RANDOM = np.random.default_rng(5)
LIGHT = (RANDOM.random((24, 33, 3)) ** 4 * 50).astype(np.float32)
ALPHA = np.round(RANDOM.random((24, 33, 1)), 1).astype(np.float32)
P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)


@pytest.fixture
def load(tmp_path):
    def load(data: bytes):
        (tmp_path / "in.exr").write_bytes(data)
        return image_io.load(tmp_path / "in.exr")

    return load


@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_light_is_shown_as_a_radiance_files_is(load, compression, dtype):
    light = LIGHT.astype(dtype)
    picture = load(pictures.openexr(light, compression))
    np.testing.assert_array_equal(picture.pixels, tone_mapped(light))
    assert picture.metadata.source_format == "openexr" and picture.alpha is None


@pytest.mark.parametrize("compression", ["PXR24", "B44", "B44A", "DWAA", "DWAB"])
def test_compressions_that_lose_a_little(load, compression):
    y, x = np.mgrid[0:24, 0:33]
    smooth = np.stack([x / 33, y / 24, (x + y) / 57], -1).astype(np.float16) * 4 + np.float16(0.1)
    found = load(pictures.openexr(smooth, compression)).pixels.astype(int)
    assert np.abs(found - tone_mapped(smooth)).max() < 65535 * 0.03


def test_colours_are_divided_by_alpha(load):
    """What is half transparent is as bright as it was before it became so; what is clear keeps its glow."""
    picture = load(pictures.openexr(np.concatenate([LIGHT * np.where(ALPHA > 0, ALPHA, 1), ALPHA], axis=2)))
    np.testing.assert_array_equal(picture.alpha, np.rint(ALPHA[..., 0] * 65535))
    assert np.abs(picture.pixels.astype(int) - tone_mapped(LIGHT)).max() <= 2


@pytest.mark.parametrize("count", [1, 2])
def test_luminance_alone_is_gray(load, count):
    light = np.concatenate([LIGHT[..., :1], np.ones_like(ALPHA)], axis=2)[..., :count]
    picture = load(pictures.openexr(light))
    assert picture.is_gray and (picture.alpha is not None) == (count == 2)
    np.testing.assert_array_equal(picture.pixels, tone_mapped(np.repeat(LIGHT[..., :1], 3, axis=2))[..., :1])


@pytest.mark.parametrize(("window", "display"), [((3, 2), (40, 30)), ((-5, -4), (20, 12)), ((-3, 5), (33, 24))])
def test_the_picture_is_the_display_window(load, window, display):
    data = pictures.openexr(np.concatenate([LIGHT, np.ones_like(ALPHA)], axis=2), window=window, display=display)
    picture = load(data)
    rows = [row for row in range(24) if 0 <= row + window[1] < display[1]]
    columns = [column for column in range(33) if 0 <= column + window[0] < display[0]]
    there = np.ix_([row + window[1] for row in rows], [column + window[0] for column in columns])
    known = np.zeros(display[::-1], np.uint16)
    known[there] = 65535
    assert picture.size == display
    np.testing.assert_array_equal(picture.alpha, known)
    np.testing.assert_array_equal(picture.pixels[there], tone_mapped(LIGHT[np.ix_(rows, columns)]))
    assert not picture.pixels[known == 0].any()


def test_other_primaries_are_converted(load):
    expected = tone_mapped(LIGHT @ between(P3, REC_709).T.astype(np.float32))
    found = load(pictures.openexr(LIGHT, chromaticities=P3)).pixels.astype(int)
    assert np.abs(found - expected).max() <= 40
    assert np.abs(found - tone_mapped(LIGHT)).max() > 1000


def test_a_layer_serves_where_nothing_stands_without_a_name(load):
    np.testing.assert_array_equal(load(pictures.openexr(LIGHT, layer="beauty.")).pixels, tone_mapped(LIGHT))


def test_light_that_is_no_number_does_no_harm(load):
    light = LIGHT.copy()
    light[0, 0], light[1, 1], light[2, 2] = np.nan, np.inf, -5
    picture = load(pictures.openexr(light))
    assert not picture.pixels[2, 2].any()
    np.testing.assert_array_equal(picture.pixels, tone_mapped(light))


def test_probing_tells_size_and_alpha(tmp_path):
    (tmp_path / "in.exr").write_bytes(pictures.openexr(np.concatenate([LIGHT, ALPHA], axis=2), display=(50, 40)))
    info = image_io.probe(tmp_path / "in.exr")
    assert (info.format, info.width, info.height, info.bit_depth, info.has_alpha) == ("openexr", 50, 40, 16, True)
    with pytest.raises(ImageTooLargeError, match="50x40"):
        image_io.probe(tmp_path / "in.exr", ImageLimits(max_pixels=1000))


def test_channels_beyond_the_picture_count_before_they_are_decoded(tmp_path):
    """All channels are decoded together: a small display window over a large data window is no way around a limit."""
    (tmp_path / "in.exr").write_bytes(pictures.openexr(LIGHT, display=(5, 5)))
    with pytest.raises(ImageTooLargeError, match="channels"):
        image_io.load(tmp_path / "in.exr", ImageLimits(max_pixels=500))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pictures.openexr(LIGHT)[:200], "in.exr"),
        (pictures.openexr(LIGHT)[:-300], "in.exr"),
        (pictures.openexr(LIGHT, layer="a.b", window=(0, 0)).replace(b"a.bR\0", b"a.bQ\0"), "no red, green and blue"),
        (pictures.openexr(LIGHT, window=(100, 0), display=(33, 24)), "outside its display window"),
    ],
    ids=["header", "cut off", "no colours", "nothing in the window"],
)
def test_damage_is_named(load, data, said):
    with pytest.raises(InvalidImageError, match=said):
        load(data)


def test_numbers_of_things_are_no_light(load, tmp_path):
    ids = np.arange(24 * 33, dtype=np.uint32).reshape(24, 33)
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"Y": ids}).write(str(tmp_path / "ids.exr"))
    with pytest.raises(InvalidImageError, match="not light"):
        image_io.load(tmp_path / "ids.exr")


def test_tiles_and_a_part_that_is_not_the_first(tmp_path):
    tiles = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}
    OpenEXR.File(tiles, {"RGB": LIGHT}).write(str(tmp_path / "tiles.exr"))
    depth = OpenEXR.Part({"type": OpenEXR.scanlineimage}, {"Z": LIGHT[..., 0].copy()}, "depth")
    color = OpenEXR.Part({"type": OpenEXR.scanlineimage}, {"RGB": LIGHT}, "color")
    OpenEXR.File([depth, color]).write(str(tmp_path / "parts.exr"))
    for name in ("tiles.exr", "parts.exr"):
        np.testing.assert_array_equal(image_io.load(tmp_path / name).pixels, tone_mapped(LIGHT))
