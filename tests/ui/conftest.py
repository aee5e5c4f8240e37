"""The real app in a process of its own, and a headless Chromium to use it with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import REPOSITORY

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class App:
    """The running app: its address and its folders."""

    address: str
    outputs: Path
    data: Path
    weights: Path
    log: Path


@pytest.fixture(scope="session")
def app(weights, tmp_path_factory) -> Iterator[App]:
    """The app with the tiny models, on a free port of 127.0.0.1, for all browser tests."""
    base = tmp_path_factory.mktemp("app")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = App(f"http://127.0.0.1:{port}", base / "outputs", base / "data", base / "weights", base / "out.txt")
    shutil.copytree(weights, made.weights)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REALESRGAN_")},
        "REALESRGAN_WEIGHTS_DIR": str(made.weights),
        "REALESRGAN_CACHE_DIR": str(base / "cache"),
        "REALESRGAN_OUTPUT_DIR": str(made.outputs),
        "REALESRGAN_DATA_DIR": str(made.data),
        "REALESRGAN_LOG_DIR": str(base / "logs"),
        "REALESRGAN_SERVER_PORT": str(port),
        "REALESRGAN_DEVICE": "cpu",
        "REALESRGAN_OPTIMIZE": "false",
        "GRADIO_TEMP_DIR": str(base / "uploads"),
    }
    with made.log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "main.py")], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(made.address, timeout=2).close()
            break
        except OSError:
            time.sleep(0.3)
    else:
        process.kill()
        pytest.fail(f"the app did not start: {made.log.read_text()}")
    yield made
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; ``browser.new_context(...)`` is a browser of another person.

    A module's: while it lives, no other event loop can run in the thread.
    """
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def page(browser, app):
    """The app in a fresh browser window, ready to be used."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB")
    context.set_default_timeout(30_000)
    made = context.new_page()
    made.goto(app.address)
    made.wait_for_selector("#enhance")
    yield made
    context.close()


@pytest.fixture
def photo(tmp_path, scene) -> Path:
    """The 120 x 90 scene as a PNG file."""
    path = tmp_path / "photo.png"
    Image.fromarray(scene).save(path)
    return path


def open_tab(page, name: str) -> None:
    """Open a tab by its name; narrow windows collect some in a menu."""
    page.wait_for_timeout(300)
    hidden = page.locator(".overflow-dropdown button", has_text=name)
    if hidden.count():
        page.locator(".overflow-menu > button").click()
        hidden.click()
    else:
        page.get_by_role("tab", name=name).click()
    page.wait_for_timeout(300)
