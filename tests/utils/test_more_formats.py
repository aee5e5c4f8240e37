"""JPEG 2000, Photoshop's merged picture and Radiance's light come in with all their bits; damage is named."""

from __future__ import annotations

import numpy as np
import pytest

from tests import pictures
from utils import image_io
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_io import ImageLimits
from utils.radiance import MIDDLE_GRAY, decode, tone_mapped

RANDOM = np.random.default_rng(3)
COLOR = RANDOM.integers(0, 256, (24, 33, 3), dtype=np.uint8)
DEEP = RANDOM.integers(0, 65536, (24, 33, 3), dtype=np.uint16)
CLEAR = RANDOM.integers(0, 65536, (24, 33, 4), dtype=np.uint16)


@pytest.fixture
def written(tmp_path):
    def write(name: str, data: bytes):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


@pytest.mark.parametrize("pixels", [COLOR, DEEP, DEEP[..., 0]], ids=["8 bits", "16 bits", "16 bits, gray"])
def test_jpeg_2000_comes_in_with_all_its_bits(written, pixels):
    path = written("in.jp2", pictures.jp2(pixels))
    info, picture = image_io.probe(path), image_io.load(path)
    assert (info.format, info.width, info.height) == ("jpeg2000", 33, 24)
    assert info.bit_depth == pixels.dtype.itemsize * 8 == picture.bit_depth
    np.testing.assert_array_equal(picture.interleaved().squeeze(), pixels)


def test_jpeg_2000_of_twelve_bits_fills_sixteen(written):
    import imagecodecs

    twelve = (DEEP >> 4).astype(np.uint16)
    path = written("in.jp2", bytes(imagecodecs.jpeg2k_encode(twelve, level=0, bitspersample=12)))
    picture = image_io.load(path)
    np.testing.assert_array_equal(picture.pixels, np.rint(twelve * (65535 / 4095)).astype(np.uint16))


def test_jpeg_2000_keeps_its_profile(written):
    assert image_io.load(written("in.jp2", pictures.jp2(COLOR, pictures.SRGB))).metadata.icc_profile == pictures.SRGB
    assert image_io.load(written("in.jp2", pictures.jp2(COLOR))).metadata.icc_profile is None


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "run lengths"])
@pytest.mark.parametrize("pixels", [COLOR, DEEP, CLEAR], ids=["8 bits", "16 bits", "16 bits with alpha"])
def test_the_merged_picture_of_a_psd(written, pixels, packed):
    path = written("in.psd", pictures.psd(pixels, packed=packed, icc=pictures.SRGB))
    info, picture = image_io.probe(path), image_io.load(path)
    assert (info.format, info.width, info.height, info.has_alpha) == ("psd", 33, 24, pixels.shape[2] == 4)
    assert picture.metadata.icc_profile == pictures.SRGB and picture.bit_depth == info.bit_depth
    np.testing.assert_array_equal(picture.interleaved(), pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_saved_selection_of_a_psd_makes_nothing_transparent(written, dtype):
    pixels = RANDOM.integers(0, np.iinfo(dtype).max, (24, 33, 4), dtype=dtype)
    path = written("in.psd", pictures.psd(pixels, selection=True))
    picture = image_io.load(path)
    assert picture.alpha is None and not image_io.probe(path).has_alpha
    np.testing.assert_array_equal(picture.pixels, pixels[..., :3])


def test_a_psd_of_thirty_two_bits_says_what_to_do(written):
    data = bytearray(pictures.psd(DEEP))
    data[22:24] = (32).to_bytes(2, "big")
    with pytest.raises(InvalidImageError, match="32 bits a channel; save it with 8 or 16"):
        image_io.load(written("in.psd", bytes(data)))


def test_radiance_is_tone_mapped_to_sixteen_bits(written):
    """Scaling all light changes nothing; brighter stays brighter; a uniform picture is middle gray."""
    light = np.geomspace(0.01, 100, 33 * 24).reshape(24, 33, 1).astype(np.float32) * (1, 0.9, 0.7)
    path = written("in.hdr", pictures.radiance(light))
    info, picture = image_io.probe(path), image_io.load(path)
    assert (info.format, info.width, info.height, info.bit_depth) == ("radiance", 33, 24, 16)
    assert picture.pixels.dtype == np.uint16 and picture.metadata.source_format == "radiance"
    brightness = picture.pixels.reshape(-1, 3).astype(int).sum(1)
    assert (np.diff(brightness) >= -400).all() and brightness[-1] > 20 * brightness[0]
    shift = tone_mapped(light * 8).astype(int) - tone_mapped(light)
    assert np.abs(shift).max() <= 2
    flat = tone_mapped(np.full((4, 4, 3), 7.0, np.float32))[0, 0, 0] / 65535
    shown = MIDDLE_GRAY * (1 + MIDDLE_GRAY) / (1 + MIDDLE_GRAY)
    assert flat == pytest.approx(1.055 * shown ** (1 / 2.4) - 0.055, abs=1e-3)


def test_a_dark_radiance_file_is_black_and_not_a_division_by_nothing(written):
    assert not image_io.load(written("in.hdr", pictures.radiance(np.zeros((9, 9, 3))))).pixels.any()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("in.hdr", pictures.radiance(np.ones((24, 33, 3)))[:-300]),
        ("in.hdr", b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n"),
        ("in.hdr", b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 4 +X 4\n"),
        ("in.hdr", b"#?RADIANCE\n\n-Y 9000 +X 9000\n" + bytes(500)),
        ("in.psd", pictures.psd(DEEP)[:-100]),
        ("in.psd", pictures.psd(DEEP, packed=True)[:-100]),
        ("in.psd", pictures.psd(DEEP)[:60]),
        ("in.jp2", pictures.jp2(DEEP)[:120]),
    ],
    ids=["hdr cut", "hdr header", "hdr xyz", "hdr claims", "psd cut", "psd rows cut", "psd header", "jp2 header"],
)
def test_damage_is_named(written, name, data):
    with pytest.raises(InvalidImageError, match=f"'{name}'"):
        image_io.load(written(name, data))


def test_a_radiance_file_that_claims_more_than_run_lengths_can_hold_is_given_no_room():
    with pytest.raises(ValueError, match="end early"):
        decode(b"#?RADIANCE\n\n-Y 9000 +X 9000\n" + bytes(500))


def test_limits_hold_before_anything_is_decoded(written):
    small = ImageLimits(max_pixels=100)
    for name, data in (
        ("in.hdr", pictures.radiance(np.ones((24, 33, 3)))),
        ("in.psd", pictures.psd(DEEP)),
        ("in.jp2", pictures.jp2(DEEP)),
    ):
        for read in (image_io.probe, image_io.load):
            with pytest.raises(ImageTooLargeError, match="33x24"):
                read(written(name, data), small)


def test_such_files_are_found_in_folders_and_enhanced(written, config, manager, tmp_path):
    from engine.processor import enhance_file
    from engine.types import EnhanceSettings

    assert {".jp2", ".psd", ".hdr"} <= image_io.READABLE_SUFFIXES
    path = written("in.psd", pictures.psd(DEEP))
    settings = EnhanceSettings(model="tiny-x4", scale=4)
    result = enhance_file(path, tmp_path / "out.png", settings, manager=manager, config=config)
    assert result.output_size == (132, 96) and image_io.probe(tmp_path / "out.png").bit_depth == 16
