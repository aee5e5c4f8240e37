"""A scan of several pages in a real browser: chosen, shown, enhanced, and downloaded as a document."""

from __future__ import annotations

import numpy as np

from tests.documents import pdf, scanned
from tests.ui.running import unfold
from tests.ui.test_image_browser import choose_model, enhance, upload
from utils import image_io


def test_a_pdf_is_uploaded_its_page_turned_and_the_document_downloaded(page, app, scene, tmp_path):
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf([scanned(scene, 300), scanned(np.ascontiguousarray(scene[:60, :50]), 300)] * 2))
    upload(page, path)
    assert "4 pages" in page.inner_text("#facts") and "120 × 90" in page.inner_text("#facts")
    choose_model(page, "tiny-x4")
    first = page.get_attribute("#stage img.before", "src")
    unfold(page.locator("#file button.label-wrap"))
    page.fill("#pages textarea, #pages input", "2-3")
    page.wait_for_function(
        "first => document.querySelector('#stage img.before').getAttribute('src') !== first", arg=first
    )
    page.wait_for_selector("#estimate:has-text('200 × 240')")
    enhance(page)
    assert "200 × 240 pixels" in page.inner_text("#status")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "scan_x4.pdf"
    saved = tmp_path / "saved.pdf"
    download.value.save_as(saved)
    assert image_io.probe(saved).pages == 2
    assert [image_io.load(saved, page=number).size for number in (1, 2)] == [(200, 240), (480, 360)]
