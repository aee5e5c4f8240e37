"""The real app in a process of its own, and a headless Chromium: for browser tests and for the screenshots."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gate import PROGRAM, REPOSITORY, Gate
from tests.ports import free_port
from tests.waiting import LONG

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
    gate: Gate | None = None


class AppDidNotStart(RuntimeError):
    """The message holds what the app said."""


@contextmanager
def running_app(
    base: Path,
    gate: Gate | None = None,
    command: Sequence[str | Path] = (),
    more: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = os.environ,
    folder: Path | None = None,
    **settings: str,
) -> Iterator[App]:
    """The app on a free port of 127.0.0.1, with all its folders below ``base``; ``settings`` as REALESRGAN_* names.

    Args:
        gate: stands before its networks.
        command: what starts it, where that is not this Python with ``main.py``.
        more: further environment variables.
        environment: the others.
        folder: where it is started.
    """
    port = free_port()
    made = App(f"http://127.0.0.1:{port}", base / "outputs", base / "data", base / "weights", base / "out.txt", gate)
    all_of_it = {
        **{name: value for name, value in environment.items() if not name.startswith("REALESRGAN_")},
        "REALESRGAN_WEIGHTS_DIR": str(made.weights),
        "REALESRGAN_CACHE_DIR": str(base / "cache"),
        "REALESRGAN_OUTPUT_DIR": str(made.outputs),
        "REALESRGAN_DATA_DIR": str(made.data),
        "REALESRGAN_LOG_DIR": str(base / "logs"),
        "REALESRGAN_SERVER_PORT": str(port),
        "REALESRGAN_DEVICE": "cpu",
        "PYTHONFAULTHANDLER": "1",
        "GRADIO_TEMP_DIR": str(base / "uploads"),
        **{f"REALESRGAN_{name.upper()}": value for name, value in settings.items()},
        **(gate.environment if gate is not None else {}),
        **(more or {}),
    }
    program = REPOSITORY / "main.py" if gate is None else PROGRAM
    with made.log.open("w") as output:
        process = subprocess.Popen(
            list(map(str, command)) or [sys.executable, str(program)],
            env=all_of_it,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(made, process)
        yield made
    except BaseException as error:
        process.send_signal(signal.SIGABRT)
        process.wait()
        error.add_note(f"What the app said, and where its threads were:\n{made.log.read_text()[-20000:]}")
        raise
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(app: App, process: subprocess.Popen[Any], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(app.address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise AppDidNotStart(app.log.read_text())


@contextmanager
def chromium() -> Iterator[Any]:
    """Headless Chromium; see ``person``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


SIZES = ((1440, 900), (1024, 768), (400, 800))
"""Of windows: a desk, a small laptop, a telephone."""


def person(browser: Any, **how: Any) -> Any:
    """A browser of another person, which waits as long as slow machines need; ``how``: of ``Browser.new_context``."""
    context = browser.new_context(**how)
    context.set_default_timeout(1000 * LONG)
    return context


def restored(page: Any) -> None:
    """Until a page that was opened shows what was there before: the tab, the settings, the last picture."""
    page.wait_for_selector("#tabs [role=tab]")
    page.wait_for_function("window.restored")


def opened(page: Any) -> None:
    """Until the page shows what was there before, nothing runs, and nothing changes in it any more."""
    restored(page)
    page.wait_for_function("!window.awaited()")
    at_rest(page)


def settled(page: Any) -> None:
    """Until what was just done is answered and drawn. A job that runs has no last answer; 3 s are waited for others."""
    from playwright.sync_api import TimeoutError as StillGoing

    with suppress(StillGoing):
        page.wait_for_function("!window.awaited()", timeout=3000)
    at_rest(page, 150, most=3000)


@contextmanager
def window(browser: Any, address: str) -> Iterator[Any]:
    """A window of a person of their own with the app in it, ready to be used."""
    context = reader(browser)
    with window_of(context, address) as page:
        yield page
    context.close()


def reader(browser: Any) -> Any:
    """A browser of another person, of the usual size and language."""
    return person(browser, viewport={"width": 1280, "height": 1000}, locale="en-GB")


@contextmanager
def window_of(context: Any, address: str) -> Iterator[Any]:
    """A window with the app in it, ready to be used, in a browser that remembers nothing but the program's scripts.

    To read those anew takes longer than all else that a page does as it opens.
    """
    page = context.new_page()
    page.goto(address)
    opened(page)
    yield page
    for one in context.pages:
        one.close()
    context.clear_cookies()
    context.clear_permissions()
    empty = context.new_page()
    context.new_cdp_session(empty).send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "all"})
    empty.close()


def unfold(button: Any) -> None:
    """Open an accordion by its button. What is typed into a field in the instant in which Gradio makes it is lost.

    An answer that arrives between the press and the release of the mouse moves the button away from under it: no click.
    """
    from playwright.sync_api import TimeoutError as NotYet

    deadline = time.monotonic() + LONG
    while "open" not in (button.get_attribute("class") or "").split():
        assert time.monotonic() < deadline, "the accordion never opened"
        try:
            button.click(timeout=5000)
        except NotYet:
            continue
        at_rest(button.page, 150)


def open_tab(page: Any, name: str) -> None:
    """Open a tab by its name; narrow windows collect some in a menu, once the widths of all are known."""
    from playwright.sync_api import TimeoutError as NotYet

    chosen = page.locator("#tabs [role=tab][aria-selected=true]", has_text=name)
    collected = page.locator(".overflow-dropdown button", has_text=name)
    deadline = time.monotonic() + LONG
    restored(page)
    while not chosen.count():
        try:
            if collected.count():
                page.locator(".overflow-menu > button").click(timeout=2000)
                collected.click(timeout=2000)
            else:
                page.get_by_role("tab", name=name).click(timeout=2000)
            chosen.wait_for(timeout=2000)
        except NotYet:
            assert time.monotonic() < deadline, f"the tab {name} never opened"
    at_rest(page, 150, most=3000)  # Gradio sets the fields of a tab that opens for the first time a moment later


def at_rest(page: Any, milliseconds: int = 300, most: int = 1000 * int(LONG)) -> None:
    """Wait until the page has not changed for that time, and nothing moves in it; for ``most`` ms in all."""
    page.evaluate(
        """([milliseconds, most]) => new Promise(resolve => {
            let timer;
            setTimeout(resolve, most);
            const moves = one => one.playState === 'running' && one.effect.getComputedTiming().endTime !== Infinity;
            const look = () => {
                if (document.getAnimations().some(moves)) return again();
                observer.disconnect();
                resolve();
            };
            const again = () => {
                clearTimeout(timer);
                timer = setTimeout(look, milliseconds);
            };
            const observer = new MutationObserver(again);
            observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
            again();
        })""",
        [milliseconds, most],
    )
