"""Fixtures of the interface's tests; the app and the browser come from ``running.py``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.gate import Gate
from tests.ui.running import (
    CHROMIUM,
    SIZES,
    App,
    AppDidNotStart,
    at_rest,
    chromium,
    open_tab,
    running_app,
    window,
)

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
    with window(browser, app.address) as made:
        yield made


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def sized(request, browser, app) -> Iterator:
    """The app in a window of one of the sizes."""
    with window(browser, app.address) as page:
        page.set_viewport_size({"width": request.param[0], "height": request.param[1]})
        at_rest(page)
        yield page
