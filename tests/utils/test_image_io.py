"""Every kind of picture comes in upright with its meaning; what is no picture is refused by name."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from tests.pictures import pattern
from utils import image_io
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_files import register_heif
from utils.image_io import ImageLimits
from utils.metadata import orientation_of


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# -- modes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "suffix", "channels", "tolerance"),
    [
        ("1", "png", 1, 0),
        ("L", "png", 1, 0),
        ("LA", "png", 2, 0),
        ("P", "png", 3, 0),
        ("RGB", "png", 3, 0),
        ("RGBA", "png", 4, 0),
        ("RGB", "bmp", 3, 0),
        ("RGB", "tiff", 3, 0),
        ("CMYK", "tiff", 3, 0),
        ("CMYK", "jpg", 3, 40),
        ("L", "jpg", 1, 60),
        ("RGBA", "webp", 4, 60),
        ("RGB", "avif", 3, 60),
        ("RGB", "heic", 3, 60),
    ],
)
def test_modes_are_read_as_gray_or_rgb_with_alpha(tmp_path, mode, suffix, channels, tolerance):
    register_heif()
    smooth = Image.fromarray(cv2.GaussianBlur(pattern(48, 64, 4), (0, 0), 6)).convert("RGB")
    if "A" in mode:
        smooth.putalpha(Image.linear_gradient("L").resize(smooth.size))
    image = smooth.convert(mode)
    path = tmp_path / f"in.{suffix}"
    image.save(path)
    picture = image_io.load(path)
    assert picture.channels == channels and picture.size == (64, 48)
    reference = np.asarray(image.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels])).reshape(48, 64, channels)
    assert np.abs(picture.interleaved().astype(int) - reference).max() <= tolerance


def test_a_palette_with_a_transparent_colour_gets_alpha(tmp_path):
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8), "L").convert("P")
    image.save(tmp_path / "p.png", transparency=5)
    picture = image_io.load(tmp_path / "p.png")
    assert picture.alpha is not None and picture.alpha[0, 5] == 0 and picture.alpha[0, 6] == 255


@pytest.mark.parametrize(
    ("image", "transparency", "clear"),
    [
        (Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)), 7, 1),
        (Image.fromarray((np.arange(64).reshape(8, 8) * 100).astype(np.uint16)), 500, 1),
        (Image.new("RGB", (8, 8), (1, 2, 3)), (1, 2, 3), 64),
    ],
    ids=["gray", "deep gray", "colour"],
)
def test_one_transparent_colour_gives_alpha(tmp_path, image, transparency, clear):
    image.save(tmp_path / "one.png", transparency=transparency)
    picture = image_io.load(tmp_path / "one.png")
    assert picture.alpha is not None and (picture.alpha == 0).sum() == clear


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint32"])
def test_wide_colour_tiffs_become_16_bits(tmp_path, dtype):
    white = np.ones((8, 9, 3)).astype(dtype) if dtype != "uint32" else np.full((8, 9, 3), 2**32 - 1, np.uint32)
    tifffile.imwrite(tmp_path / "wide.tif", white, photometric="rgb")
    picture = image_io.load(tmp_path / "wide.tif")
    assert picture.bit_depth == 16 and (picture.pixels == 65535).all()


def test_colours_stored_times_alpha_are_divided_again(tmp_path):
    stored_pixels = np.full((8, 9, 4), 10_000, np.uint16)
    stored_pixels[..., 3] = 32768
    tifffile.imwrite(tmp_path / "pre.tif", stored_pixels, photometric="rgb", extrasamples=["assocalpha"])
    picture = image_io.load(tmp_path / "pre.tif")
    assert (picture.pixels == round(10_000 * 65535 / 32768)).all() and (picture.alpha == 32768).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_come_in_whole(tmp_path, channels, suffix):
    array = pattern(20, 30, channels, np.uint16)
    path = tmp_path / f"deep.{suffix}"
    if suffix == "png":
        order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
        cv2.imwrite(str(path), array[..., order])
    else:
        tifffile.imwrite(path, array if channels > 1 else array[..., 0], photometric="rgb" if channels > 1 else None)
    picture = image_io.load(path)
    assert picture.bit_depth == 16
    np.testing.assert_array_equal(picture.interleaved(), array)


def test_a_float_tiff_between_0_and_1_becomes_16_bits(tmp_path):
    values = np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30)
    tifffile.imwrite(tmp_path / "float.tif", values)
    picture = image_io.load(tmp_path / "float.tif")
    np.testing.assert_array_equal(picture.pixels[..., 0], np.rint(values.astype(np.float64) * 65535).astype(np.uint16))


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels that a camera stores, so that turning them as EXIF says gives ``upright``."""
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    return np.ascontiguousarray(turned)


def corner_picture() -> np.ndarray:
    """24 x 16, white in the corner at the top left."""
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :12] = 255
    return upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif", "heif", "tiff"])
def test_exif_orientation_is_applied_once(tmp_path, kind, orientation):
    register_heif()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{kind}"
    block = exif if kind == "tiff" else exif.tobytes()
    Image.fromarray(stored(corner_picture(), orientation)).save(path, format=kind, exif=block, quality=100)
    picture, info = image_io.load(path), image_io.probe(path)
    assert picture.size == (info.width, info.height) == (24, 16)
    assert np.abs(picture.pixels.astype(int) - corner_picture()).mean() < 8
    assert orientation_of(picture.metadata.exif) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_sixteen_bit_pictures_are_turned_too(tmp_path, kind, orientation):
    deep = corner_picture().astype(np.uint16) * 257
    path = tmp_path / f"turned.{kind}"
    if kind == "tif":
        tag = (274, "H", 1, orientation, True)
        tifffile.imwrite(path, stored(deep, orientation), photometric="rgb", extratags=[tag])
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = cv2.imencode(".png", stored(deep, orientation))[1].tobytes()
        block = png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
        path.write_bytes(data[:33] + block + data[33:])
    np.testing.assert_array_equal(image_io.load(path).pixels, deep)
    assert image_io.probe(path).width == 24


def test_exif_after_the_pixels_of_a_png_counts_as_well(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(stored(corner_picture(), 6)).save(stream, "PNG")
    data = stream.getvalue()
    block = png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    (tmp_path / "late.png").write_bytes(data[:-12] + block + data[-12:])
    assert image_io.probe(tmp_path / "late.png").width == 24
    np.testing.assert_array_equal(image_io.load(tmp_path / "late.png").pixels, corner_picture())
    assert image_io.load(tmp_path / "late.png").metadata.warnings == ()

    damaged = block[:-1] + bytes([block[-1] ^ 1])  # its checksum
    (tmp_path / "late.png").write_bytes(data[:-12] + damaged + data[-12:])
    picture = image_io.load(tmp_path / "late.png")
    np.testing.assert_array_equal(picture.pixels, stored(corner_picture(), 6))
    assert picture.metadata.exif is None
    assert picture.metadata.warnings == ("The EXIF of 'late.png' is damaged and was left out.",)


def test_cmyk_goes_through_its_own_profile_or_pillows_plain_way(tmp_path):
    image = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    image.save(tmp_path / "cyan.jpg", quality=100)
    picture = image_io.load(tmp_path / "cyan.jpg")
    red, green, blue = picture.pixels[2, 2]
    assert red < 60 and green > 150 and blue > 150 and picture.metadata.icc_profile is None


def test_print_colours_with_a_profile_of_their_own_lose_it_for_srgb(tmp_path):
    """A Lab picture stands in for CMYK, whose profiles are too large to make here: the way is the same."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = Image.new("LAB", (4, 4), (255, 128, 128))
    image.save(tmp_path / "white.tif", icc_profile=lab)
    picture = image_io.load(tmp_path / "white.tif")
    assert picture.metadata.icc_profile is None and picture.pixels.min() > 250


def test_a_wrong_extension_is_read_by_content_and_said(tmp_path):
    path = tmp_path / "really-a-png.jpg"
    Image.fromarray(pattern()).save(path, format="PNG")
    assert "PNG file in spite of its name" in image_io.load(path).metadata.warnings[0]


# -- what is refused -------------------------------------------------------------------------------------------------


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + png_chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(50_000, 50_000), (65_535, 65_535), (2**31 - 1, 1000)])
def test_a_huge_header_is_refused_before_decoding(tmp_path, size):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(*size))
    with pytest.raises(ImageTooLargeError, match="bomb.png"):
        image_io.load(path)


def test_a_file_over_the_limit_is_not_even_read(tmp_path):
    path = tmp_path / "big.png"
    path.write_bytes(b"x" * 5000)
    with pytest.raises(ImageTooLargeError, match="MB"):
        image_io.probe(path, ImageLimits(max_bytes=4000))


def test_an_animation_of_too_many_pixels_is_refused(tmp_path):
    frames = [Image.new("L", (100, 100), index) for index in range(20)]
    frames[0].save(tmp_path / "long.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageTooLargeError, match="20 frames"):
        image_io.probe(tmp_path / "long.gif", ImageLimits(max_animation_pixels=150_000))


@pytest.mark.parametrize("share", [1, 10, 50, 90, 99])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff", "gif", "bmp", "avif"])
def test_truncated_files_are_invalid_or_still_whole(tmp_path, kind, share):
    stream = io.BytesIO()
    Image.fromarray(pattern(64, 64)).save(stream, format=kind)
    whole = stream.getvalue()
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(whole[: len(whole) * share // 100])
    try:
        assert image_io.load(path).size == (64, 64)
        assert share == 99, "a picture that lost a tenth of its bytes was taken for whole"
    except InvalidImageError as error:
        assert path.name in str(error)


@pytest.mark.parametrize("name", ["missing.png", "."])
def test_missing_files_and_folders_are_named(tmp_path, name):
    with pytest.raises(InvalidImageError, match="not exist|folder"):
        image_io.load(tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"8BPS\0\1"]
)
def test_other_formats_under_a_pictures_name_are_never_opened(tmp_path, content):
    path = tmp_path / "trick.png"
    path.write_bytes(content + b"\0" * 200)
    with pytest.raises(InvalidImageError, match=r"trick\.png"):
        image_io.load(path)


@pytest.mark.parametrize("share", [1, 10, 50, 90, 99])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_truncated_sixteen_bit_files_are_named(tmp_path, kind, share):
    path = tmp_path / f"cut.{kind}"
    if kind == "png":
        cv2.imwrite(str(path), pattern(64, 64, dtype=np.uint16))
    else:
        tifffile.imwrite(path, pattern(64, 64, dtype=np.uint16), photometric="rgb", compression="adobe_deflate")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * share // 100])
    with pytest.raises(InvalidImageError, match=rf"cut\.{kind}"):
        image_io.load(path)


@pytest.mark.parametrize("content", [b"", b"just some text that goes on for a while\n" * 20])
def test_empty_files_and_texts_are_no_pictures(tmp_path, content):
    path = tmp_path / "note.jpg"
    path.write_bytes(content)
    with pytest.raises(InvalidImageError, match=r"note\.jpg.*(empty|not a picture)"):
        image_io.probe(path)


def test_samples_that_cannot_be_read_are_named(tmp_path):
    tifffile.imwrite(tmp_path / "signed.tif", np.ones((8, 8, 3), np.int16), photometric="rgb")
    with pytest.raises(InvalidImageError, match=r"signed\.tif.*int16"):
        image_io.load(tmp_path / "signed.tif")


def test_a_probe_reads_headers_only(tmp_path, monkeypatch):
    for kind in ("png", "jpeg", "tiff", "gif", "bmp"):
        Image.fromarray(pattern()).save(tmp_path / f"a.{kind}", format=kind)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("pixels were decoded"))
    for path in tmp_path.iterdir():
        assert image_io.probe(path).width == 30


def test_pillows_own_pixel_limit_stays_for_others_and_does_not_bind_here(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.fromarray(pattern()).save(tmp_path / "a.png")
    assert image_io.load(tmp_path / "a.png").size == (30, 20)
    assert Image.MAX_IMAGE_PIXELS == 100


# -- from and to arrays and PIL ----------------------------------------------------------------------------------------


def test_arrays_of_every_kind_become_pictures():
    gray = np.linspace(0, 1, 12).reshape(3, 4)
    assert image_io.from_array(gray).pixels[-1, -1, 0] == 255
    assert image_io.from_array(gray > 0.5).is_gray
    assert image_io.from_array(pattern(channels=4)).alpha is not None
    assert image_io.from_array(pattern(dtype=np.uint16)).bit_depth == 16
    with pytest.raises(InvalidImageError):
        image_io.from_array(np.zeros((0, 5, 3), np.uint8))
    with pytest.raises(InvalidImageError):
        image_io.from_array(np.zeros((5, 5, 3), np.int32))


def test_the_way_to_pil_and_back_loses_nothing():
    for channels in (1, 2, 3, 4):
        picture = image_io.from_array(pattern(channels=channels))
        np.testing.assert_array_equal(image_io.from_pil(image_io.to_pil(picture)).interleaved(), picture.interleaved())


def test_test_pictures_are_read_by_path_object_and_string(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(pattern()).save(path)
    assert image_io.load(str(path)).size == image_io.load(Path(path)).size == image_io.load(path.read_bytes()).size


# -- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_pages_are_counted_but_not_smaller_copies_of_them(tmp_path, order, big):
    path = tmp_path / "scan.tif"
    with tifffile.TiffWriter(path, bigtiff=big, byteorder=order) as tiff:
        for kind, size in ((0, 40), (2, 30), (1, 10), (2, 20)):
            tiff.write(pattern(size, size), photometric="rgb", subfiletype=kind)
        tiff.write(np.zeros((40, 40), bool), photometric="minisblack", subfiletype=4)  # a mask
    info = image_io.probe(path)
    assert (info.pages, info.frames, info.width) == (3, 1, 40)
    Image.fromarray(pattern()).save(path)
    assert image_io.probe(path).pages == 1


def test_pages_in_a_circle_or_cut_off_end_the_count(tmp_path):
    path = tmp_path / "in.tif"
    Image.fromarray(pattern()).save(path)
    data = bytearray(path.read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    link = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    for place in (first, len(data) - 1, 2**32 - 1):
        data[link : link + 4] = struct.pack("<I", place)
        path.write_bytes(data)
        assert image_io.probe(path).pages == 1
