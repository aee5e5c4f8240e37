"""Pictures go out exact, in little memory, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.conftest import REPOSITORY
from tests.pictures import SRGB, XMP, exif_with_everything, pattern
from tests.waiting import LONG
from utils import image_io
from utils.errors import OutputError
from utils.metadata import read_comment
from utils.picture import Metadata, Picture
from utils.writers import SaveOptions, open_writer
from utils.writers.png import filter_rows


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


def test_the_settings_used_are_in_a_png_as_text(tmp_path):
    image_io.save(Picture(pattern()), tmp_path / "a.png", SaveOptions("png", comment='{"model": "größer"}'))
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["parameters"] == '{"model": "größer"}' and image.text["Software"] == "Real-ESRGAN Ultimate"


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
def test_a_colour_profile_does_not_go_onto_gray_pixels(tmp_path, kind):
    gray = Picture(pattern(channels=1), metadata=Metadata(icc_profile=SRGB))
    image_io.save(gray, tmp_path / "gray", SaveOptions(kind))
    with Image.open(tmp_path / "gray") as image:
        assert image.mode == "L" and "icc_profile" not in image.info


def unfiltered(data: bytes, length: int, pixel_bytes: int) -> np.ndarray:
    """PNG's filters undone byte by byte, as the standard words them."""
    above, rows = [0] * length, []
    for start in range(0, len(data), length + 1):
        kind, row = data[start], list(data[start + 1 : start + 1 + length])
        for place in range(length):
            a = row[place - pixel_bytes] if place >= pixel_bytes else 0
            c = above[place - pixel_bytes] if place >= pixel_bytes else 0
            b = above[place]
            distances = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
            paeth = (a, b, c)[distances.index(min(distances))]
            row[place] = (row[place] + (0, a, b, (a + b) // 2, paeth)[kind]) % 256
        rows.append(row)
        above = row
    return np.array(rows, np.uint8)


def test_filters_are_the_standards_own_and_all_are_used():
    y, x = np.mgrid[0:12, 0:40]
    noise = pattern(12, 40, 1)[..., 0].astype(int) // 32
    pictures = [(x * 5), (y * 9), x * 3 + y * 7, x * 3 + y * 2 + noise, noise * 32, (x * y) // 3 + noise]
    used = set()
    for picture in pictures:
        rows = np.repeat((picture % 256).astype(np.uint8), 3, axis=1)
        data = filter_rows(rows, np.zeros(120, np.uint8), 3)
        used |= set(data[:: 120 + 1])
        np.testing.assert_array_equal(unfiltered(data, 120, 3), rows)
    assert len(used) >= 4


def test_drawings_and_photographs_are_both_packed_well(tmp_path):
    """Neither may come out larger than Pillow makes it at a like effort."""
    tile = (pattern(40, 60, 3) > 200).astype(np.uint8) * 255
    drawing = np.tile(tile, (10, 10, 1))
    photograph = cv2.GaussianBlur(pattern(400, 600, 3), (0, 0), 2)
    for name, pixels in (("drawing", drawing), ("photograph", photograph)):
        image_io.save(Picture(pixels), tmp_path / f"{name}.png", SaveOptions("png"))
        Image.fromarray(pixels).save(tmp_path / f"{name}-pillow.png", compress_level=4)
        ours, theirs = ((tmp_path / f"{name}{end}.png").stat().st_size for end in ("", "-pillow"))
        assert ours < theirs * 1.1


def test_transparency_goes_onto_white_in_jpeg(tmp_path):
    clear = Picture(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8))
    image_io.save(clear, tmp_path / "a.jpg", SaveOptions("jpeg"))
    assert image_io.load(tmp_path / "a.jpg").pixels.min() > 250


def test_jpeg_keeps_full_colour_resolution_at_high_quality_only(tmp_path):
    for quality, sampling in ((95, 0), (80, 2)):
        image_io.save(Picture(pattern()), tmp_path / "a.jpg", SaveOptions("jpeg", quality))
        with Image.open(tmp_path / "a.jpg") as image:
            from PIL import JpegImagePlugin

            assert JpegImagePlugin.get_sampling(image) == sampling


def test_noise_at_the_highest_quality_still_fits_jpegs_buffers(tmp_path):
    image_io.save(Picture(pattern(500, 500)), tmp_path / "noise.jpg", SaveOptions("jpeg", 100))
    assert image_io.load(tmp_path / "noise.jpg").size == (500, 500)


def test_metadata_that_jpeg_cannot_hold_does_not_cost_the_picture_or_its_profile(tmp_path):
    huge = XMP.replace(b"Kept", b"Kept" * 20_000)
    picture = Picture(pattern(), metadata=Metadata(icc_profile=SRGB, xmp=huge))
    image_io.save(picture, tmp_path / "a.jpg", SaveOptions("jpeg"))
    assert image_io.load(tmp_path / "a.jpg").metadata.icc_profile == SRGB


def test_sixteen_bits_are_rounded_to_eight(tmp_path):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    image_io.save(Picture(values), tmp_path / "a.webp", SaveOptions("webp", lossless=True))
    expected = np.rint(values[..., 0] / 257.0).astype(np.uint8)
    np.testing.assert_array_equal(image_io.load(tmp_path / "a.webp").pixels[..., 0], expected)


def test_a_large_tiff_is_a_bigtiff(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.writers.tiff._LARGEST_CLASSIC", 1000)
    picture = Picture(pattern(), metadata=Metadata(exif=exif_with_everything()))
    image_io.save(picture, tmp_path / "a.tif", SaveOptions("tiff"))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.is_bigtiff
    again = image_io.load(tmp_path / "a.tif")
    np.testing.assert_array_equal(again.pixels, picture.pixels)


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
        details = exif.get_ifd(0x8769)
        assert (details[0xA002], details[0xA003]) == (60, 40) and details[0x829A] == pytest.approx(1 / 125)
        assert exif.get_ifd(0x8825)[1] == "N"
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        xmp = xmp.encode() if isinstance(xmp, str) else xmp
        assert b'tiff:Orientation="1"' in xmp and b'PixelXDimension="60"' in xmp and b"Kept" in xmp
    again = image_io.load(path)
    assert again.metadata.icc_profile == SRGB
    assert again.metadata.dpi == pytest.approx((300, 300), abs=0.5)
    if kind != "png":
        assert read_comment(again.metadata.exif) == '{"scale": 2}'


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of a process are a POSIX thing")
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["png", "tiff", "jpeg", "webp", "gif", "apng"])
def test_a_disk_that_fills_up_leaves_nothing_but_a_sentence(tmp_path, kind, share):
    """The process may write files up to a size only: writes past it fail just as on a full disk."""
    code = f"""
        import resource, signal, sys
        from pathlib import Path
        import numpy as np, tifffile
        from utils import image_io
        from utils.errors import OutputError
        from utils.picture import Metadata, Picture
        from utils.writers import SaveOptions

        folder = Path(r"{tmp_path}")
        picture = Picture(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))

        def write(path):
            options = SaveOptions("{kind}".removeprefix("a"))
            if "{kind}" == "apng":
                image_io.write_animation([(picture, 100)] * 3, path, 0, options, Metadata())
            else:
                image_io.save(picture, path, options)

        write(folder / "whole")
        limit = int((folder / "whole").stat().st_size * {share}) + 1
        (folder / "whole").unlink()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            write(folder / "cut")
        except OutputError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=REPOSITORY, timeout=LONG
    )
    assert "cut': the file would be too large" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_tiff_whose_last_bytes_do_not_fit_fails_rather_than_waits(tmp_path, monkeypatch):
    """All rows were taken by then: the thread that encodes must not wait for more of them."""

    def full(self, *error):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "__exit__", full)
    with pytest.raises(OutputError, match="the disk is full"):
        image_io.save(Picture(pattern()), tmp_path / "a.tif", SaveOptions("tiff"))
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_too_long_or_taken_by_a_folder_fail_before_the_work(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for name, reason in (("x" * 300 + ".png", "too long"), ("folder.png", "folder has that name")):
        with pytest.raises(OutputError, match=reason):
            open_writer(tmp_path / name, 30, 20, 3, 8, Metadata(), SaveOptions("png"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_a_folder_that_is_a_file_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"a\.png"):
        open_writer(tmp_path / "file" / "a.png", 30, 20, 3, 8, Metadata(), SaveOptions("png"))


def test_a_result_replaces_the_file_of_that_name_only_when_whole(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")
    with open_writer(path, 30, 20, 3, 8, Metadata(), SaveOptions("png")) as writer:
        writer.write(pattern())
        assert path.read_bytes() == b"earlier"
        writer.commit()
    np.testing.assert_array_equal(image_io.load(path).pixels, pattern())


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
