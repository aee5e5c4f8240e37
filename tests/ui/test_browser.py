"""The interface in a real browser: upload, enhance, download, cancel, and a bad file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image

from tests.conftest import REPOSITORY

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def app(weights, tmp_path_factory):
    """The app as a process of its own; yields (address, output folder)."""
    base = tmp_path_factory.mktemp("app")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REALESRGAN_")},
        "REALESRGAN_WEIGHTS_DIR": str(weights),
        "REALESRGAN_CACHE_DIR": str(base / "cache"),
        "REALESRGAN_OUTPUT_DIR": str(base / "outputs"),
        "REALESRGAN_LOG_DIR": str(base / "logs"),
        "REALESRGAN_SERVER_PORT": str(port),
        "REALESRGAN_DEVICE": "cpu",
        "REALESRGAN_OPTIMIZE": "false",
    }
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "main.py")],
        env=environment,
        stdout=(base / "out.txt").open("w"),
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            break
        except OSError:
            time.sleep(0.3)
    else:
        process.kill()
        pytest.fail(f"the app did not start: {(base / 'out.txt').read_text()}")
    yield address, base / "outputs"
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def page(browser, app):
    made = browser.new_page(viewport={"width": 1280, "height": 1000})
    made.goto(app[0])
    made.wait_for_selector("#enhance")
    yield made
    made.close()


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
    (saved,) = app[1].glob("session-*/photo_x4.png")
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
    assert not list(app[1].glob("session-*/large_x4.png")) and not list(app[1].glob("session-*/.*.part"))


@pytest.mark.parametrize("width", [400, 1280])
def test_every_tab_opens_and_fits_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.reload()
    page.wait_for_selector("#enhance")
    page.wait_for_timeout(1000)  # the tabs move into their menu once their widths are known
    for name in ("Video", "Batch", "Presets", "System Info", "Image Enhancement"):
        tab = page.get_by_role("tab", name=name)
        hidden = page.locator(".overflow-dropdown button", has_text=name)
        if hidden.count():  # narrow windows collect tabs in a menu
            page.locator(".overflow-menu > button").click()
            hidden.click()
        else:
            tab.click()
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= width + 1


def test_a_preset_fills_the_form(page):
    page.get_by_role("tab", name="Presets").click()
    page.get_by_label("Wallpaper 4K").check()
    page.get_by_role("button", name="Apply to the Image tab").click()
    page.wait_for_selector("text=applied")
    page.get_by_role("tab", name="Image Enhancement").click()
    assert page.get_by_label("Long edge (pixels)").is_visible()
