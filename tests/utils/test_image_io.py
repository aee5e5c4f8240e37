"""Every kind of picture comes in upright with its meaning, and goes out unharmed."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from tests.conftest import REPOSITORY
from utils import image_io
from utils.errors import ImageTooLargeError, InvalidImageError, OutputError
from utils.image_io import ImageLimits
from utils.metadata import clean_exif, clean_xmp, orientation_of, read_comment
from utils.picture import Metadata, Picture
from utils.writers import SaveOptions, open_writer

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pattern(height=20, width=30, channels=3, dtype=np.uint8):
    top = np.iinfo(dtype).max + 1
    return np.random.default_rng(channels).integers(0, top, (height, width, channels)).astype(dtype)


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
    image_io._register_heif()
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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(tmp_path, orientation):
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :12] = 255  # white corner at the top left
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
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(turned)).save(path, exif=exif)
    picture = image_io.load(path)
    np.testing.assert_array_equal(picture.pixels, upright)
    assert image_io.probe(path).width == 24
    assert orientation_of(picture.metadata.exif) == 1


def test_cmyk_goes_through_its_own_profile_or_pillows_plain_way(tmp_path):
    image = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    image.save(tmp_path / "cyan.jpg", quality=100)
    picture = image_io.load(tmp_path / "cyan.jpg")
    red, green, blue = picture.pixels[2, 2]
    assert red < 60 and green > 150 and blue > 150 and picture.metadata.icc_profile is None


def test_a_wrong_extension_is_read_by_content_and_said(tmp_path):
    path = tmp_path / "really-a-png.jpg"
    Image.fromarray(pattern()).save(path, format="PNG")
    assert "PNG file in spite of its name" in image_io.load(path).metadata.warnings[0]


# -- what is refused -------------------------------------------------------------------------------------------------


def png_header(width: int, height: int) -> bytes:
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
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


# -- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_streamed_files_are_exact_for_other_programs(tmp_path, kind, depth, channels, rows):
    array = pattern(45, 33, channels, np.uint8 if depth == 8 else np.uint16)
    array[10:20] = array[10]  # rows that the Up filter suits
    path = tmp_path / f"out.{kind}"
    with open_writer(path, 33, 45, channels, depth, Metadata(), SaveOptions(kind)) as writer:
        for start in range(0, 45, rows):
            writer.write(array[start : start + rows])
        writer.commit()
    if kind == "tiff":
        np.testing.assert_array_equal(tifffile.imread(path).reshape(array.shape), array)
    elif channels == 2:
        np.testing.assert_array_equal(image_io.load(path).interleaved(), array)
    else:
        order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
        seen = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).reshape(array.shape)
        np.testing.assert_array_equal(seen[..., order], array)
    np.testing.assert_array_equal(image_io.load(path).interleaved(), array)


def test_blocks_larger_than_the_deflate_window_join(tmp_path):
    array = np.tile(pattern(50, 3000, 3), (40, 1, 1))
    path = tmp_path / "large.png"
    image_io.save(Picture(array), path, SaveOptions("png"))
    np.testing.assert_array_equal(np.asarray(Image.open(path)), array)


def exif_with_everything() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera maker"
    exif[0x0100], exif[0x0101] = 30, 20
    details = exif.get_ifd(0x8769)
    details[0xA002], details[0xA003] = 30, 20
    details[0x829A] = IFDRational(1, 125)
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes().removeprefix(b"Exif\x00\x00")


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    b'tiff:Orientation="6" exif:PixelXDimension="30" exif:GPSLatitude="52,31N" xmlns:dc="http://purl.org/dc/" dc:title="Kept">'
    b"<exif:PixelYDimension>20</exif:PixelYDimension></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif", "tiff"])
def test_profile_exif_xmp_and_resolution_travel_together(tmp_path, kind):
    metadata = Metadata(icc_profile=SRGB, exif=exif_with_everything(), xmp=XMP, dpi=(300.0, 300.0))
    path = tmp_path / f"out.{kind}"
    image_io.save(Picture(pattern(40, 60), metadata=metadata), path, SaveOptions(kind, comment='{"scale": 2}'))
    with Image.open(path) as image:
        image.load()
        assert image.info["icc_profile"] == SRGB
        exif = image.getexif()
        assert exif.get(0x0112, 1) == 1 and exif[0x010F] == "Camera maker"
        if kind in ("png", "jpeg", "tiff"):
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.5)
        details = exif.get_ifd(0x8769)
        assert (details[0xA002], details[0xA003]) == (60, 40) and details[0x829A] == pytest.approx(1 / 125)
        assert exif.get_ifd(0x8825)[1] == "N"
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        xmp = xmp.encode() if isinstance(xmp, str) else xmp
        assert b'tiff:Orientation="1"' in xmp and b'PixelXDimension="60"' in xmp and b"Kept" in xmp
    again = image_io.load(path)
    assert again.metadata.icc_profile == SRGB
    if kind in ("jpeg", "webp", "avif"):
        assert read_comment(again.metadata.exif) == '{"scale": 2}'


def test_location_or_everything_can_be_dropped():
    exif = exif_with_everything()
    parsed = Image.Exif()
    parsed.load(b"Exif\0\0" + clean_exif(exif, 60, 40, "keep"))
    assert parsed.get_ifd(0x8825)
    parsed = Image.Exif()
    parsed.load(b"Exif\0\0" + clean_exif(exif, 60, 40, "no-location"))
    assert not parsed.get_ifd(0x8825) and parsed[0x010F] == "Camera maker"
    assert clean_exif(exif, 60, 40, "drop") is None
    assert b"GPS" not in clean_xmp(XMP, 60, 40, "no-location") and clean_xmp(XMP, 60, 40, "drop") is None


@pytest.mark.parametrize(
    "broken", [b"", b"II*\0\x08\0\0\0\xff\xff", b"garbage", b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08"]
)
def test_broken_or_cyclic_exif_is_dropped_not_raised(broken):
    clean_exif(broken, 10, 10)
    assert orientation_of(broken) == 1


def test_xmp_with_entities_is_refused():
    assert clean_xmp(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x:xmpmeta/>', 1, 1) is None


@pytest.mark.parametrize("name", ["ünïcode – 写真 🖼.png", "x" * 240 + ".png"])
def test_unusual_names_are_read_and_written(tmp_path, name):
    path = tmp_path / name
    image_io.save(Picture(pattern()), path, SaveOptions("png"))
    np.testing.assert_array_equal(image_io.load(path).pixels, pattern())


def test_leaving_without_commit_leaves_nothing(tmp_path):
    for kind in ("png", "tiff", "jpeg"):
        with open_writer(tmp_path / f"a.{kind}", 30, 20, 3, 8, Metadata(), SaveOptions(kind)) as writer:
            writer.write(pattern()[:5])
    assert list(tmp_path.iterdir()) == []


def test_rows_must_fit_and_be_complete(tmp_path):
    with open_writer(tmp_path / "a.png", 30, 20, 3, 8, Metadata(), SaveOptions("png")) as writer:
        writer.write(pattern()[:5])
        with pytest.raises(ValueError, match="only 5 of 20"):
            writer.commit()
        with pytest.raises(ValueError, match="more rows"):
            writer.write(pattern())
        with pytest.raises(ValueError, match="does not fit"):
            writer.write(pattern(2, 31))


def test_sizes_that_a_format_cannot_hold_are_refused_with_advice(tmp_path):
    with pytest.raises(OutputError, match="16383.*PNG"):
        open_writer(tmp_path / "a.webp", 20_000, 10, 3, 8, Metadata(), SaveOptions("webp"))


def test_a_failing_disk_in_the_middle_of_a_tiff_does_not_hang(tmp_path):
    writer = open_writer(tmp_path / "a.tif", 3000, 3000, 3, 8, Metadata(), SaveOptions("tiff"))

    def fail(data):
        raise OSError(28, "No space left on device")

    writer._output.file.close()
    with pytest.raises((OutputError, ValueError)), writer:
        for _ in range(100):
            writer.write(np.zeros((30, 3000, 3), np.uint8))
        writer.commit()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_hundred_megapixels_stream_in_little_memory(tmp_path, kind):
    """Peak memory of a process that writes 100 megapixels, above what it had before."""
    code = f"""
        import resource, numpy as np
        from pathlib import Path
        from utils import image_io
        from utils.picture import Metadata
        from utils.writers import SaveOptions, open_writer
        import tifffile
        band = np.tile(np.arange(256, dtype=np.uint8), (64, 40, 1)).reshape(64, 10240, 1).repeat(3, 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        options = SaveOptions("{"png" if kind == "png" else "tiff"}")
        with open_writer(Path(r"{tmp_path / ("big." + kind)}"), 10240, 9984, 3, 8, Metadata(), options) as writer:
            for _ in range(156):
                writer.write(band)
            writer.commit()
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    assert int(done.stdout) < 150
    assert image_io.probe(tmp_path / f"big.{kind}").height == 9984


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
