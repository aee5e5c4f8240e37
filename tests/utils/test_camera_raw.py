"""Raw photographs: developed as shot, upright, 16 bits; what the camera noted stays; previews fool nobody."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile

from tests import pictures
from tests.conftest import shared
from utils import camera_raw, image_io
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_io import ImageLimits
from utils.jxl.colors import light_to_srgb
from utils.metadata import parse_exif

Y, X = np.mgrid[0:48, 0:64]
SCENE = np.stack([X * 900, Y * 1200, (X + Y) * 500], -1).astype(np.uint16)
RAW_SUFFIXES = (".nef", ".cr2", ".cr3", ".crw", ".raf", ".rw2", ".orf", ".arw", ".mrw", ".x3f", ".iiq", ".dng")
TELLING = (".nef", ".cr2", ".cr3", ".raf", ".rw2", ".orf", ".arw", ".iiq", ".dng")
"""Of these the camera's notes are read; the others keep them in structures of their own."""
INSIDE = np.s_[6:-6, 6:-6]
"""The outermost pixels have no neighbours of all colours."""


@pytest.fixture
def written(tmp_path):
    def write(data: bytes, name: str = "in.dng"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def test_colours_are_those_of_the_scene(written):
    """Smooth slopes survive the filter: all that is left is one factor of brightness, the same everywhere."""
    picture = image_io.load(written(pictures.dng(SCENE)))
    assert picture.pixels.dtype == np.uint16 and picture.metadata.source_format == "raw"
    linear = np.where(
        picture.pixels / 65535 <= 0.04045,
        picture.pixels / 65535 / 12.92,
        ((picture.pixels / 65535 + 0.055) / 1.055) ** 2.4,
    )
    factors = (linear / (SCENE / 65535 + 1e-9))[INSIDE]
    assert factors.min() > 0.97 * factors.max() and factors.max() < 1.3
    shown = light_to_srgb(np.minimum(SCENE / 65535 * np.median(factors), 1)) * 65535
    assert np.abs(picture.pixels - shown)[INSIDE].max() < 300


def test_white_is_what_was_white_for_the_camera(written):
    plain = image_io.load(written(pictures.dng(SCENE))).pixels.astype(int)
    tinted = image_io.load(written(pictures.dng(SCENE, white=(0.5, 1.0, 0.8)))).pixels.astype(int)
    assert np.abs(plain - tinted)[INSIDE].max() < 100


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_stands_upright_and_says_so(written, orientation):
    path = written(pictures.dng(SCENE, orientation))
    info, picture = image_io.probe(path), image_io.load(path)
    turns = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    assert (info.width, info.height) == picture.size == ((64, 48) if turns % 2 == 0 else (48, 64))
    straight = image_io.load(written(pictures.dng(SCENE), "straight.dng")).pixels
    np.testing.assert_array_equal(picture.pixels, np.rot90(straight, turns))
    assert parse_exif(picture.metadata.exif).get(274, 1) == 1


def test_what_the_camera_noted_stays_and_what_describes_the_raw_file_goes(written, tmp_path):
    picture = image_io.load(written(pictures.dng(SCENE)))
    image_io.save(picture, tmp_path / "out.tif", image_io.SaveOptions("tiff"))
    again = image_io.load(tmp_path / "out.tif")
    exif = parse_exif(again.metadata.exif)
    assert (exif[0x010F], exif[0x0110], exif[0x0132]) == ("Maker", "Camera", "2024:05:06 07:08:09")
    assert not {0xC612, 0xC621, 0xC628, 0x014A} & set(exif)
    assert image_io.probe(tmp_path / "out.tif").format == "tiff"  # no reader takes the result for a raw file
    np.testing.assert_array_equal(again.pixels, picture.pixels)


def test_content_tells_a_raw_file_not_its_name(written):
    """The preview that stands first in most of them is what plain TIFF readers show."""
    info = image_io.probe(written(pictures.dng(SCENE), "in.tif"))
    assert (info.format, info.width, info.height, info.bit_depth) == ("raw", 64, 48, 16)
    stream = io.BytesIO()
    tifffile.imwrite(stream, SCENE, photometric="rgb")
    assert image_io.probe(written(stream.getvalue(), "plain.dng")).format == "tiff"


@pytest.mark.parametrize(
    "head",
    [
        b"FUJIFILMCCD-RAW 0201",
        b"IIRO\x08\0\0\0",
        b"IIU\0\x18\0\0\0",
        b"\0\0\0\x18ftypcrx \0\0\0\1",
        b"II*\0\x10\0\0\0CR\2\0",
        b"II*\0\x08\x0a\0\0IIIICwaR",
        b"II\x1a\0\0\0HEAPCCDR",
    ],
)
def test_other_makers_files_are_known_by_their_first_bytes(head):
    assert camera_raw.is_raw(io.BytesIO(head + bytes(100)))


def directory(order: str, below: int, outside: int = 2) -> bytes:
    """A TIFF of two directories: the first of a preview (``outside``: its photometric interpretation), one below it."""
    first = struct.pack(order + "HHHIHHHHIII", 2, 0x0106, 3, 1, outside, 0, 0x014A, 4, 1, 38, 0)
    second = struct.pack(order + "HHHIHHI", 1, 0x0106, 3, 1, below, 0, 0)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + first + second


@pytest.mark.parametrize(("maker", "order"), [("NEF", ">"), ("NEF of newer cameras", "<"), ("ARW", "<")])
def test_those_that_begin_as_any_tiff_are_known_by_their_directories(maker, order):
    """Nikon's and Sony's: the preview's directory stands first, and the sensor's below it."""
    assert camera_raw.is_raw(io.BytesIO(directory(order, below=32803)))
    assert not camera_raw.is_raw(io.BytesIO(directory(order, below=2))), "a smaller copy of the picture, say"
    assert camera_raw.is_raw(io.BytesIO(directory(order, below=2, outside=32803))), "Pentax has no preview there"


@pytest.mark.parametrize("make", [pictures.nef, pictures.arw], ids=["NEF", "ARW"])
def test_without_anything_of_dng_they_are_developed_too(written, make):
    """As TIFF they hold a small white preview, which is what any other reader would show."""
    path = written(make(SCENE), "in.tif")
    info, picture = image_io.probe(path), image_io.load(path)
    assert (info.format, info.width, info.height, info.bit_depth) == ("raw", 64, 48, 16)
    assert picture.size == (64, 48)
    assert np.corrcoef(picture.pixels[..., 1].mean(axis=1), Y[:, 0])[0, 1] > 0.9, "greener downwards"
    assert np.corrcoef(picture.pixels[..., 0].mean(axis=0), X[0])[0, 1] > 0.8, "and redder to the right"
    exif = parse_exif(picture.metadata.exif)
    assert exif[0x010F] in ("NIKON CORPORATION", "SONY") and exif[0x0132] == "2024:05:06 07:08:09"


@pytest.mark.parametrize("kind", ["packed", "8 bits"])
def test_a_dng_is_what_it_is_however_its_data_are_stored(written, kind):
    plain = image_io.load(written(pictures.dng(SCENE))).pixels.astype(int)
    data = pictures.dng(SCENE, packed=True) if kind == "packed" else pictures.dng((SCENE >> 8).astype(np.uint8))
    other = image_io.load(written(data, "other.dng")).pixels.astype(int)
    assert np.abs(plain - other)[INSIDE].mean() < (1 if kind == "packed" else 500)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def blocks() -> tuple[bytes, bytes]:
    """The first directory, and the exposure's as a first one: how Canon splits EXIF."""
    from PIL import Image
    from PIL.TiffImagePlugin import IFDRational

    first, exposure = Image.Exif(), Image.Exif()
    first[0x010F] = "Camera maker"
    exposure[0x829A] = IFDRational(1, 125)
    exposure[0x8827] = 400
    return tuple(part.tobytes().removeprefix(b"Exif\0\0") for part in (first, exposure))  # type: ignore[return-value]


def test_exif_is_found_where_makers_put_it():
    whole = pictures.exif_with_everything()
    jpeg = b"\xff\xd8\xff\xe1" + struct.pack(">H", 8 + len(whole)) + b"Exif\0\0" + whole + b"\xff\xd9"
    fuji = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 108, len(jpeg)) + bytes(16) + jpeg
    first, exposure = blocks()
    uuid = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    canon = box(b"ftyp", b"crx \0\0\0\1") + box(
        b"moov", box(b"uuid", uuid + box(b"CMT1", first) + box(b"CMT2", exposure))
    )
    order = whole[:2]
    olympus = order + (b"RO" if order == b"II" else b"OR") + whole[4:]
    for data in (fuji, canon, olympus):
        exif = parse_exif(camera_raw.exif_of(data))
        assert exif[0x010F] == "Camera maker"
        assert exif.get_ifd(0x8769)[0x829A] == 1 / 125
    assert parse_exif(camera_raw.exif_of(canon)).get_ifd(0x8769)[0x8827] == 400


def test_the_size_is_checked_before_the_sensor_is_read(written):
    with pytest.raises(ImageTooLargeError, match="64x48"):
        image_io.load(written(pictures.dng(SCENE)), ImageLimits(max_pixels=1000))


@pytest.mark.parametrize("keep", [200, 900, 5000])
def test_damage_is_named(written, keep):
    with pytest.raises(InvalidImageError, match=r"'in\.dng'"):
        image_io.load(written(pictures.dng(SCENE)[:keep]))


def test_raw_photographs_are_found_in_folders_and_enhanced(written, config, manager, tmp_path):
    from engine.processor import enhance_file
    from engine.types import EnhanceSettings

    assert {".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"} <= image_io.READABLE_SUFFIXES
    settings = EnhanceSettings(model="tiny-x4", scale=4)
    result = enhance_file(written(pictures.dng(SCENE)), tmp_path / "out.png", settings, manager=manager, config=config)
    assert result.output_size == (256, 192) and image_io.probe(tmp_path / "out.png").bit_depth == 16


def test_photographs_of_real_cameras_are_read():
    """Whatever lies in the test material's folder ``raw``, fetched by nobody: all others are made on the spot."""
    found = [path for path in sorted(shared("raw").iterdir()) if path.suffix.lower() in image_io.READABLE_SUFFIXES]
    assert found, "the folder is there, and empty"
    for path in found:
        info, picture = image_io.probe(path), image_io.load(path)
        assert info.format == "raw" and picture.size == (info.width, info.height), path.name
        assert picture.bit_depth == 16 and picture.pixels.std() > 100, path.name
        assert picture.metadata.exif is not None and 0x010F in parse_exif(picture.metadata.exif), path.name


def test_headers_of_real_cameras_are_known():
    """Files whose sensor's data were left out: what tells a raw file, and what the camera noted, is what cameras write.

    Those of ExifTool's own tests, under Perl's licence, are such: the folder ``t/images`` of the Debian source package
    libimage-exiftool-perl. Nothing is fetched.
    """
    found = [path for path in sorted(shared("raw-headers").iterdir()) if path.suffix.lower() in RAW_SUFFIXES]
    assert found, "the folder is there, and holds none"
    for path in found:
        data = path.read_bytes()
        assert camera_raw.is_raw(io.BytesIO(data)), path.name
        if path.suffix.lower() in TELLING:
            exif = parse_exif(camera_raw.exif_of(data))
            assert exif[0x010F].strip() and exif[0x0110].strip(), path.name
