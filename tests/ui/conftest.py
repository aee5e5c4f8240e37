"""Fixtures of the interface's tests; the app and the browser come from ``running.py``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.gate import Gate
from tests.ui.running import CHROMIUM, App, AppDidNotStart, Traffic, at_rest, chromium, open_tab, running_app

__all__ = ["CHROMIUM", "App", "at_rest", "open_tab"]


@pytest.fixture(scope="session")
def app(weights, tmp_path_factory) -> Iterator[App]:
    """The app with the tiny models and a gate before them, for all browser tests."""
    base = tmp_path_factory.mktemp("app")
    shutil.copytree(weights, base / "weights")
    try:
        with running_app(base, Gate(base / "gate"), optimize="false") as made:
            yield made
    except AppDidNotStart as error:
        pytest.fail(f"the app did not start: {error}")


@pytest.fixture
def gate(app) -> Iterator[Gate]:
    """The app's, open at first."""
    yield app.gate
    app.gate.open()


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium. A module's: while it lives, no other event loop can run in the thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser, app):
    """The app in a fresh browser window, ready to be used."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB")
    context.set_default_timeout(60_000)
    made = context.new_page()
    made.goto(app.address)
    made.wait_for_selector("#enhance")
    yield made
    context.close()


@pytest.fixture
def traffic(page) -> Traffic:
    """Of ``page``."""
    return Traffic(page)


@pytest.fixture
def photo(tmp_path, scene) -> Path:
    """The 120 x 90 scene as a PNG file."""
    path = tmp_path / "photo.png"
    Image.fromarray(scene).save(path)
    return path
