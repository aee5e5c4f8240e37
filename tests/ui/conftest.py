"""Fixtures of the interface's tests; the app and the browser come from ``running.py``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

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
    reader,
    running_app,
    window_of,
)

__all__ = ["CHROMIUM", "App", "at_rest", "open_tab"]

_MOST_TEXT = 4000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails in the browser says what its pages showed then, and what the app had said."""
    report = yield
    if report.when == "call" and report.failed:
        for name, value in item.funcargs.items():
            if hasattr(value, "set_input_files"):
                report.sections.append((f"what '{name}' showed", _shown(value)))
            elif isinstance(value, App):
                report.sections.append(("what the app said last", value.log.read_text()[-_MOST_TEXT:]))
            elif isinstance(value, _SharedApp | _Reader):
                value.spoilt = True
    return report


def _shown(page: Any) -> str:
    from playwright.sync_api import Error

    said = [page.url]
    with suppress(Error):  # a page that crashed has nothing to say
        body = page.locator("body").inner_text(timeout=10_000)  # first: a page that hangs is given up here
        said += [f"events that were not answered: {page.evaluate('window.awaited && window.awaited()')}", body]
    return "\n".join(said)[:_MOST_TEXT]


class _SharedApp:
    """The app for all browser tests, until one of them fails: what that one left in it shall disturb no other.

    Attributes:
        spoilt: a test failed with the one that runs.
    """

    def __init__(self, weights: Path, new_folder: Callable[[str], Path]) -> None:
        self._weights, self._new_folder = weights, new_folder
        self._running: tuple[App, ExitStack] | None = None
        self.spoilt = False

    def app(self) -> App:
        if self.spoilt:
            self.close()
        if self._running is None:
            base, stack = self._new_folder("app"), ExitStack()
            shutil.copytree(self._weights, base / "weights")
            self._running = stack.enter_context(running_app(base, Gate(base / "gate"), optimize="false")), stack
        return self._running[0]

    def close(self) -> None:
        if self._running is not None:
            self._running[1].close()
        self._running, self.spoilt = None, False


@pytest.fixture(scope="session")
def shared_app(weights, tmp_path_factory) -> Iterator[_SharedApp]:
    made = _SharedApp(weights, tmp_path_factory.mktemp)
    yield made
    made.close()


@pytest.fixture
def app(shared_app) -> App:
    """The app with the tiny models and a gate before them."""
    try:
        return shared_app.app()
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


class _Reader:
    """The browser of one person after the other, until a test fails in it.

    Attributes:
        spoilt: a test failed in it.
    """

    def __init__(self, browser: Any) -> None:
        self._browser, self._context = browser, None
        self.spoilt = False

    @contextmanager
    def window(self, address: str) -> Iterator[Any]:
        context, self._context = self._context or reader(self._browser), None
        with window_of(context, address) as page:
            yield page
        if self.spoilt:
            context.close()
        else:
            self._context = context
        self.spoilt = False


@pytest.fixture(scope="module")
def someone(browser) -> _Reader:
    return _Reader(browser)


@pytest.fixture
def page(someone, app):
    """The app in a fresh browser window, ready to be used."""
    with someone.window(app.address) as made:
        yield made


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def sized(request, someone, app) -> Iterator:
    """The app in a window of one of the sizes."""
    with someone.window(app.address) as page:
        page.set_viewport_size({"width": request.param[0], "height": request.param[1]})
        at_rest(page)
        yield page
