"""Pages of a PDF as pictures: scans with their own pixels, all else at the resolution that is asked for."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tests.documents import PdfPage, locked_pdf, pdf, scanned
from tests.pictures import pattern
from utils import image_io, pdf_pages
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_files import ImageLimits
from utils.pdf_pages import opened_pdf

TEXT = "BT /F 20 Tf 6 30 Td (Hamburg) Tj ET"
LIMITS = ImageLimits()


def draw(data: bytes, page: int = 1, dpi: float = 150.0):
    with opened_pdf(io.BytesIO(data), "scan.pdf", LIMITS, dpi) as opened:
        return opened.draw(page)


def test_a_scanned_page_gives_the_very_pixels_of_its_scan(tmp_path):
    path, color, gray = tmp_path / "scan.pdf", pattern(60, 44), pattern(51, 70, 1)[..., 0]
    path.write_bytes(pdf([scanned(color, dpi=300), scanned(gray, dpi=97)]))
    first, second = image_io.load(path), image_io.load(path, page=2)
    assert np.array_equal(first.pixels, color) and first.metadata.dpi == pytest.approx((300, 300))
    assert second.is_gray and np.array_equal(second.pixels[..., 0], gray)
    info = image_io.probe(path)
    assert (info.format, info.pages, info.width, info.height, info.frames) == ("pdf", 2, 44, 60, 1)
    with pytest.raises(InvalidImageError, match=r"'scan.pdf' has no page 3\."):
        image_io.load(path, page=3)


def test_a_fax_keeps_more_dots_across_than_down():
    pixels = pattern(98, 204)
    page = PdfPage((72, 72), "q 72 0 0 72 0 0 cm /Im Do Q", {"Im": pixels})
    drawn = draw(pdf([page]))
    assert np.array_equal(drawn.pixels, pixels) and drawn.metadata.dpi == pytest.approx((204, 98))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_comes_out_upright(degrees):
    pixels = pattern(30, 44)
    drawn = draw(pdf([scanned(pixels, 300, more=f"/Rotate {degrees}")]))
    assert np.array_equal(drawn.pixels, np.rot90(pixels, -degrees // 90))


def test_text_and_lines_are_drawn_at_the_wanted_resolution():
    data = pdf([PdfPage((144, 72), TEXT)])
    coarse, fine = draw(data, dpi=100), draw(data, dpi=200)
    assert coarse.size == (200, 100) and fine.size == (400, 200) and fine.metadata.dpi == (200, 200)
    assert coarse.is_gray and coarse.pixels.min() < 50 and np.median(coarse.pixels) == 255


def test_what_text_recognition_lays_under_a_scan_does_not_count():
    pixels = pattern(60, 44)
    assert np.array_equal(draw(pdf([scanned(pixels, 90, beside=f"3 Tr {TEXT}")])).pixels, pixels)
    stamped = draw(pdf([scanned(pixels, 90, beside=TEXT)]))
    assert stamped.metadata.dpi == (150, 150), "text that is seen wants more than a coarse scan has"
    assert draw(pdf([scanned(pixels, 400, beside=TEXT)])).metadata.dpi == pytest.approx((400, 400)), "nothing is lost"


def test_a_small_picture_on_a_page_does_not_decide_its_resolution():
    page = PdfPage((720, 720), f"q 9 0 0 9 0 0 cm /Im Do Q {TEXT}", {"Im": pattern(90, 90)})
    assert draw(pdf([page])).metadata.dpi == (150, 150)


def test_a_password_is_named():
    with pytest.raises(InvalidImageError, match=r"'scan.pdf' is protected by a password\. Save it without one"):
        draw(locked_pdf(pattern()))


def test_limits_hold_before_anything_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf_pages, "_drawn", lambda *_: pytest.fail("it was drawn"))
    path = tmp_path / "large.pdf"
    path.write_bytes(pdf([PdfPage((14000, 14000), TEXT)]))
    with pytest.raises(ImageTooLargeError, match=r"'large.pdf' is 29167x29167"):
        image_io.load(path)
    path.write_bytes(pdf([PdfPage((72, 72), "q 1 0 0 1 0 0 cm /Im Do Q", {"Im": pattern(60, 44)})]))
    with pytest.raises(ImageTooLargeError, match="holds a picture of 44x60 pixels on a page"):
        image_io.probe(path, ImageLimits(max_pixels=2000))
    path.write_bytes(pdf([scanned(pattern())] * 4))
    with pytest.raises(ImageTooLargeError, match="has more than 3 pages"):
        image_io.probe(path, ImageLimits(max_pages=3))


def test_a_damaged_pdf_is_an_error_with_its_name(tmp_path):
    path = tmp_path / "bad.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing of use")
    with pytest.raises(InvalidImageError, match=r"'bad.pdf' is damaged or cut off"):
        image_io.probe(path)


def test_drawing_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(pdf_pages, "_MOST_SECONDS", -1)
    many = "0 0 m 9 9 l S " * 5000
    with pytest.raises(InvalidImageError, match="was given up"):
        draw(pdf([PdfPage((72, 72), many)]))
