"""Pages of a TIFF: taken out with all they have, and put together again, without a pixel changed."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.pictures import SRGB, exif_with_everything, pattern
from utils import image_io, tiff_pages
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_files import ImageLimits
from utils.tiff_pages import TiffPages, extract_page, page_places


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_every_page_is_taken_out_with_its_pixels_depth_profile_and_resolution(tmp_path, order, big):
    path = tmp_path / "scan.tif"
    wide = pattern(18, 26, 1, np.uint16)[..., 0]
    with tifffile.TiffWriter(path, bigtiff=big, byteorder=order) as tiff:
        tiff.write(pattern(20, 30), photometric="rgb", resolution=(300, 300), resolutionunit="inch", rowsperstrip=3)
        tiff.write(pattern(5, 7), photometric="rgb", subfiletype=1)  # a thumbnail
        tiff.write(wide, photometric="minisblack", resolution=(204, 98), resolutionunit="inch", compression="zlib")
        tiff.write(pattern(40, 32), photometric="rgb", tile=(16, 16), iccprofile=SRGB)
    first, second, third = (image_io.load(path, page=number) for number in (1, 2, 3))
    assert np.array_equal(first.pixels, pattern(20, 30)) and first.metadata.dpi == (300, 300)
    assert np.array_equal(second.pixels[..., 0], wide) and second.bit_depth == 16
    assert second.metadata.dpi == (204, 98) and second.metadata.icc_profile is None
    assert np.array_equal(third.pixels, pattern(40, 32)) and third.metadata.icc_profile == SRGB
    with pytest.raises(InvalidImageError, match=r"'scan.tif' has no page 4\."):
        image_io.load(path, page=4)


def test_bilevel_fax_pages_and_exif_come_along(tmp_path):
    path = tmp_path / "fax.tif"
    black = Image.fromarray((pattern(30, 40, 1)[..., 0] > 128).astype(np.uint8) * 255).convert("1")
    plain = Image.fromarray(pattern())
    plain.save(path, save_all=True, append_images=[black], compression="group4" if plain.mode == "1" else None)
    assert np.array_equal(image_io.load(path, page=2).pixels[..., 0] > 128, np.asarray(black))
    plain.save(path, exif=exif_with_everything(), save_all=True, append_images=[plain])
    assert b"GPS" in exif_with_everything() or image_io.load(path, page=2).metadata.exif


def test_reduced_copies_of_the_old_kind_are_no_pages():
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as tiff:
        tiff.write(pattern(20, 30), photometric="rgb", extratags=[(255, "H", 1, 1, True)])
        tiff.write(pattern(5, 7), photometric="rgb", extratags=[(255, "H", 1, 2, True)])
    assert len(page_places(stream, 9)) == 1


def test_a_file_that_was_cut_off_gives_the_pages_before(tmp_path):
    path = tmp_path / "cut.tif"
    with tifffile.TiffWriter(path) as tiff:
        for _ in range(3):
            tiff.write(pattern(60, 80), photometric="rgb", compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        third = tiff.pages[2].dataoffsets[0]
    data = path.read_bytes()
    # The last page's directory stands before its pixels, which are gone.
    path.write_bytes(data[: third + 20])
    assert np.array_equal(image_io.load(path, page=2).pixels, pattern(60, 80))
    with pytest.raises(InvalidImageError, match=r"'cut.tif' is damaged or cut off"):
        image_io.load(path, page=3)


def test_strips_that_lie_over_each_other_do_not_make_a_small_file_endless(tmp_path):
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as tiff:
        tiff.write(pattern(2000, 30), photometric="rgb", rowsperstrip=1)
    data = bytearray(stream.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        offsets, counts = page.tags[273], page.tags[279]
        places = page.dataoffsets
    length = len(data) - places[0]
    data[offsets.valueoffset : offsets.valueoffset + 4 * 2000] = struct.pack("<2000I", *[places[0]] * 2000)
    size = counts.valuebytecount // 2000
    data[counts.valueoffset : counts.valueoffset + size * 2000] = struct.pack(
        f"<2000{'H' if size == 2 else 'I'}", *[min(length, 2 ** (8 * size) - 1)] * 2000
    )
    target = io.BytesIO()
    with pytest.raises(ValueError, match="over each other"):
        extract_page(io.BytesIO(data), page_places(io.BytesIO(data), 2)[0], target)
    assert len(target.getvalue()) < 3 * len(data)


def test_more_pages_than_allowed_are_refused_from_the_header(tmp_path):
    path = tmp_path / "many.tif"
    with tifffile.TiffWriter(path) as tiff:
        for _ in range(4):
            tiff.write(pattern(4, 4), photometric="rgb")
    assert image_io.probe(path, ImageLimits(max_pages=4)).pages == 4
    with pytest.raises(ImageTooLargeError, match=r"'many.tif' has more than 3 pages"):
        image_io.probe(path, ImageLimits(max_pages=3))


def test_a_document_that_outgrows_four_gigabytes_becomes_a_bigtiff(tmp_path, monkeypatch):
    single, joined = tmp_path / "page.tif", tmp_path / "joined.tif"
    pages = [pattern(20, 30), pattern(24, 18), pattern(30, 30)]
    with joined.open("w+b") as file:
        document = TiffPages(file)
        for number, pixels in enumerate(pages):
            tifffile.imwrite(single, pixels, photometric="rgb", byteorder="<", resolution=(300, 300))
            if number == 2:  # as if it were full
                monkeypatch.setattr(tiff_pages, "_MOST_CLASSIC", 5000)
            with single.open("rb") as stream:
                document.append(stream, tiff_pages.page_tags(number, 3))
    with tifffile.TiffFile(joined) as tiff:
        assert tiff.is_bigtiff and len(tiff.pages) == 3
        assert all(np.array_equal(tiff.pages[index].asarray(), pixels) for index, pixels in enumerate(pages))
        assert [page.tags[297].value for page in tiff.pages] == [(0, 3), (1, 3), (2, 3)]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["joined.tif", "page.tif"]
