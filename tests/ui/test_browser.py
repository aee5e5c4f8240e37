"""The interface in a real browser: upload, enhance, download, cancel, and a bad file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.ui.conftest import open_tab


def choose_model(page, name: str) -> None:
    box = page.get_by_label("Model", exact=True)
    box.click()
    box.fill(name)
    page.get_by_role("option").filter(has_text=name).first.click()


def upload(page, path) -> None:
    page.set_input_files("#picture input[type=file]", str(path))


def test_upload_enhance_download(page, app, tmp_path, scene):
    path = tmp_path / "photo.png"
    Image.fromarray(scene).save(path)
    upload(page, path)
    page.wait_for_selector("#facts:has-text('120 x 90 pixels')")
    choose_model(page, "tiny-x4")
    page.click("#enhance")
    page.wait_for_selector("#status:has-text('480 x 360 pixels')", timeout=60_000)
    page.wait_for_selector("#slider img")
    assert "Faithfulness" in page.inner_text("#metrics")
    with page.expect_download() as download:
        page.click("#download")
    (saved,) = app.outputs.glob("session-*/photo_x4.png")
    assert download.value.suggested_filename == "photo_x4.png"
    assert (download.value.path()).read_bytes() == saved.read_bytes(), "the download is the saved file, bit for bit"


def test_a_bad_file_gets_a_sentence_and_the_app_goes_on(page, tmp_path, scene):
    bad = tmp_path / "bad.png"
    bad.write_text("this is no picture")
    upload(page, bad)
    page.wait_for_selector("#facts:has-text('cannot be used')")
    page.click("#enhance")
    page.wait_for_selector("#status:has-text('Not enhanced')")
    good = tmp_path / "good.png"
    Image.fromarray(scene).save(good)
    page.get_by_label("Remove Image").or_(page.get_by_label("Clear")).first.click()
    upload(page, good)
    page.wait_for_selector("#facts:has-text('120 x 90 pixels')")
    choose_model(page, "lanczos")
    page.click("#enhance")
    page.wait_for_selector("#status:has-text('480 x 360 pixels')", timeout=60_000)


def test_cancel_stops_a_long_job(page, app, tmp_path):
    path = tmp_path / "large.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)).save(path)
    upload(page, path)
    page.wait_for_selector("#facts:has-text('1500 x 1500')")
    choose_model(page, "rrdb-x4")
    page.click("#enhance")
    page.wait_for_selector("text=/Enhancing/", timeout=60_000)
    page.click("#cancel")
    page.wait_for_selector("#status:has-text('Cancelled')", timeout=60_000)
    assert not list(app.outputs.glob("session-*/large_x4.png")) and not list(app.outputs.glob("session-*/.*.part"))


@pytest.mark.parametrize("width", [400, 1280])
def test_every_tab_opens_and_fits_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.reload()
    page.wait_for_selector("#enhance")
    page.wait_for_timeout(1000)  # the tabs move into their menu once their widths are known
    for name in ("Video", "Batch", "Presets", "System Info", "Image Enhancement"):
        open_tab(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width + 1, name


def test_a_preset_fills_the_form(page):
    page.get_by_role("tab", name="Presets").click()
    page.get_by_label("Wallpaper 4K").check()
    page.get_by_role("button", name="Apply to the Image tab").click()
    page.wait_for_selector("text=applied")
    page.get_by_role("tab", name="Image Enhancement").click()
    assert page.get_by_label("Long edge (pixels)").is_visible()
