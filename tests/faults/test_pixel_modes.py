"""Every kind of pixel through the whole job with a network that repeats pixels: the values are known, one by one."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.processor import enhance_file
from engine.types import EnhanceSettings
from tests.pictures import SRGB
from utils import image_io

COLORS = np.array([[(255, 0, 0), (0, 255, 0), (0, 0, 255)], [(12, 34, 56), (200, 180, 160), (255, 255, 255)]], np.uint8)
GRAYS = np.array([[0, 1, 128], [200, 254, 255]], np.uint8)
ALPHAS = np.array([[255, 128, 255], [255, 254, 1]], np.uint8)
DEEP = np.array([[0, 1, 257], [32768, 65534, 65535]], np.uint16)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def palette(transparent: bool) -> bytes:
    image = Image.fromarray(COLORS).quantize(6)
    if not transparent:
        return saved(image, "PNG")
    return saved(image, "PNG", transparency=bytes(ALPHAS.ravel()[np.argsort(np.asarray(image).ravel())]))


def with_alpha(base: np.ndarray) -> np.ndarray:
    return np.concatenate([base.reshape(2, 3, -1), ALPHAS[..., None]], axis=2)


def tifffile_bytes(array: np.ndarray, **options) -> bytes:
    import tifffile

    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def deep_rgb_png() -> tuple[bytes, np.ndarray]:
    import cv2

    array = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], axis=-1)
    return cv2.imencode(".png", array[..., ::-1])[1].tobytes(), array


def plain_cmyk() -> tuple[bytes, np.ndarray]:
    image = Image.fromarray(COLORS).convert("CMYK")
    return saved(image, "TIFF"), np.asarray(image.convert("RGB"))


def inverted_cmyk() -> tuple[bytes, np.ndarray]:
    """Adobe writes the complement into JPEG and says so by a marker; who ignores it gets a negative."""
    flat = np.empty((16, 16, 3), np.uint8)
    flat[:] = (200, 60, 30)
    data = saved(Image.fromarray(flat).convert("CMYK"), "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in data
    return data, flat


GOLDEN: dict[str, tuple[bytes, np.ndarray, str]] = {
    "1": (saved(Image.fromarray(GRAYS).convert("1", dither=0), "PNG"), np.where(GRAYS > 127, 255, 0), "png"),
    "L": (saved(Image.fromarray(GRAYS), "PNG"), GRAYS, "png"),
    "LA": (saved(Image.fromarray(with_alpha(GRAYS)), "PNG"), with_alpha(GRAYS), "png"),
    "P": (palette(False), COLORS, "png"),
    "PA": (palette(True), with_alpha(COLORS), "png"),
    "RGB": (saved(Image.fromarray(COLORS), "PNG"), COLORS, "png"),
    "RGBA": (saved(Image.fromarray(with_alpha(COLORS)), "PNG"), with_alpha(COLORS), "png"),
    "BMP": (saved(Image.fromarray(COLORS), "BMP"), COLORS, "png"),
    "CMYK": (*plain_cmyk(), "png"),
    "inverted CMYK": (*inverted_cmyk(), "png"),
    "I;16": (saved(Image.fromarray(DEEP), "PNG"), DEEP, "png"),
    "I;16 TIFF": (saved(Image.fromarray(DEEP), "TIFF"), DEEP, "tiff"),
    "16-bit RGB": (*deep_rgb_png(), "png"),
    "16-bit RGB TIFF": (tifffile_bytes(deep_rgb_png()[1], photometric="rgb"), deep_rgb_png()[1], "tiff"),
    "float TIFF": (tifffile_bytes((DEEP / 65535).astype(np.float32)), DEEP, "tiff"),
}


@pytest.mark.parametrize("mode", GOLDEN)
def test_values_come_out_as_they_went_in(manager, config, tmp_path, mode):
    data, expected, kind = GOLDEN[mode]
    source, target = tmp_path / "picture", tmp_path / f"out.{kind}"
    source.write_bytes(data)
    settings = EnhanceSettings(model="neutral-x4", precision="fp32", color_match=False)
    enhance_file(source, target, settings, manager=manager, config=config)
    result = image_io.load(target).interleaved()
    expected = np.asarray(expected).reshape(*np.asarray(expected).shape[:2], -1)
    assert result.dtype == (np.uint16 if expected.dtype == np.uint16 else np.uint8)
    # One step: float rounding; JPEG rounds for itself.
    slack = 3 if "inverted" in mode else 1
    assert np.abs(result.astype(int) - expected.repeat(4, 0).repeat(4, 1).astype(int)).max() <= slack


def test_a_wide_gamut_profile_stays_with_untouched_numbers(manager, config, tmp_path):
    """Display P3's values are kept and its profile with them; converting would clip what sRGB does not hold."""
    profile = bytearray(SRGB)
    place = profile.find(b"rXYZ", 128)
    offset = struct.unpack(">I", profile[place + 4 : place + 8])[0]
    profile[offset + 8 : offset + 20] = struct.pack(">iii", 0x8380, 0x3DC0, -0x0046)  # P3's red primary, D50
    ImageCms.ImageCmsProfile(io.BytesIO(bytes(profile)))
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    source.write_bytes(saved(Image.fromarray(COLORS), "PNG", icc_profile=bytes(profile)))
    settings = EnhanceSettings(model="neutral-x4", precision="fp32", color_match=False)
    enhance_file(source, target, settings, manager=manager, config=config)
    with Image.open(target) as image:
        assert image.info["icc_profile"] == bytes(profile)
        assert np.abs(np.asarray(image).astype(int)[::4, ::4] - COLORS).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_every_exif_orientation_comes_out_upright(manager, config, tmp_path, kind, orientation):
    """A red corner belongs to the top left whatever way the camera was held."""
    upright = np.full((16, 24, 3), 60, np.uint8)
    upright[:8, :8] = (250, 20, 20)
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    source, target = tmp_path / "picture", tmp_path / "out.png"
    source.write_bytes(saved(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif, **options))
    settings = EnhanceSettings(model="neutral-x4", precision="fp32", color_match=False)
    result = enhance_file(source, target, settings, manager=manager, config=config)
    assert result.input_size == (24, 16)
    with Image.open(target) as image:
        assert image.getexif().get(0x0112, 1) == 1, "applied once, and not again by the next program"
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(pixels - upright.repeat(4, 0).repeat(4, 1)).max() <= 8
