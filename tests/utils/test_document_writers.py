"""Documents as they are written: every page whole, at its size on paper, and read back by other programs."""

from __future__ import annotations

import io

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from tests.pictures import SRGB, pattern
from utils import image_io
from utils.errors import OutputError
from utils.picture import Picture
from utils.writers import SaveOptions
from utils.writers.documents import FinishedPage, PdfDocumentWriter


def write(tmp_path, *pages, facts=None, comment=None):
    """Each page: a picture, the format of its file, and what the page is told."""
    target = tmp_path / "out.pdf"
    with PdfDocumentWriter(target, facts or {}, comment) as writer:
        for number, (picture, kind, how) in enumerate(pages):
            file = tmp_path / f"{number}.{kind}"
            image_io.save(picture, file, SaveOptions(kind, quality=100))
            writer.add(FinishedPage(file, **how))
            file.unlink()
        writer.commit()
    return target


def test_pages_are_as_large_on_paper_as_they_are_told_and_hold_the_very_pixels(tmp_path):
    color, gray = pattern(60, 44), pattern(51, 70, 1)
    path = write(
        tmp_path,
        (Picture(color).with_metadata(dpi=(300.0, 300.0)), "png", {}),
        (Picture(gray), "png", {"points": (200.5, 100.25)}),
        (Picture(color), "png", {"dpi": (100, 50)}),
        (Picture(color), "png", {}),
    )
    with pypdfium2.PdfDocument(path) as document:
        sizes = [page.get_size() for page in document]
    assert sizes[0] == pytest.approx((44 / 300 * 72, 60 / 300 * 72), abs=1e-3)
    assert sizes[1] == (200.5, 100.25) and sizes[2] == pytest.approx((31.68, 86.4))
    assert sizes[3] == sizes[0], "without a resolution, that of scans"
    assert np.array_equal(image_io.load(path, page=1).pixels, color)
    assert np.array_equal(image_io.load(path, page=2).pixels, gray)


def test_a_jpeg_goes_in_as_it_is_with_its_profile(tmp_path):
    picture = Picture(np.kron(pattern(8, 9), np.ones((8, 8, 1), np.uint8)))
    path = write(tmp_path, (picture.with_metadata(icc_profile=SRGB), "jpeg", {}))
    image_io.save(picture.with_metadata(icc_profile=SRGB), tmp_path / "same.jpg", SaveOptions("jpeg", quality=100))
    data = (tmp_path / "same.jpg").read_bytes()
    assert data in path.read_bytes() and b"/ICCBased" in path.read_bytes()
    loaded = image_io.load(path).pixels.astype(int)
    assert np.abs(loaded - np.asarray(Image.open(io.BytesIO(data)))).max() <= 3


def test_sixteen_bits_and_transparency_are_kept_as_paper_can(tmp_path):
    deep = Picture(pattern(20, 30, 3, np.uint16))
    clear = Picture(np.zeros((20, 30, 3), np.uint8), np.tile(np.arange(30, dtype=np.uint8) * 8, (20, 1)))
    path = write(tmp_path, (deep, "png", {}), (clear, "png", {}))
    assert np.abs(image_io.load(path).pixels.astype(int) - (deep.pixels >> 8)).max() <= 1
    assert np.abs(image_io.load(path, page=2).pixels[..., 0].astype(int) - (255 - clear.alpha)).max() <= 1


def test_profiles_are_written_once_and_facts_in_any_script(tmp_path):
    picture = Picture(pattern()).with_metadata(icc_profile=SRGB)
    pages = [(picture, "png", {})] * 3
    path = write(tmp_path, *pages, facts={"Title": "Blätter (1) 文書"}, comment='{"scale": 2}')
    assert path.read_bytes().count(b"/Alternate") == 1
    with pypdfium2.PdfDocument(path) as document:
        found = document.get_metadata_dict()
        assert found["Title"] == "Blätter (1) 文書" and found["Producer"] == "Real-ESRGAN Ultimate"
        assert document.get_metadata_value("Parameters") == '{"scale": 2}' and document.get_version() == 15


def test_a_page_larger_than_a_pdf_can_have_is_in_larger_units(tmp_path):
    path = write(tmp_path, (Picture(pattern(20, 30)), "png", {"points": (28800, 19200)}))
    assert b"/UserUnit 2.0" in path.read_bytes()
    with pypdfium2.PdfDocument(path) as document:
        assert document[0].get_mediabox() == (0, 0, 14400, 9600)


def test_what_is_no_picture_of_a_page_leaves_no_file(tmp_path):
    with pytest.raises(OutputError, match=r"'0.gif' cannot be put into a PDF"):
        write(tmp_path, (Picture(pattern()), "gif", {}))
    assert not list(tmp_path.glob("*.pdf")) and not list(tmp_path.glob(".*"))
