"""The real app in a process of its own, and a headless Chromium: for browser tests and for the screenshots."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gate import PROGRAM, REPOSITORY, Gate
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
def running_app(base: Path, gate: Gate | None = None, **settings: str) -> Iterator[App]:
    """The app on a free port of 127.0.0.1, with all its folders below ``base``; ``settings`` as REALESRGAN_* names.

    Args:
        gate: stands before its networks.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = App(f"http://127.0.0.1:{port}", base / "outputs", base / "data", base / "weights", base / "out.txt", gate)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REALESRGAN_")},
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
    }
    program = REPOSITORY / "main.py" if gate is None else PROGRAM
    with made.log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(program)], env=environment, stdout=output, stderr=subprocess.STDOUT
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
    """Headless Chromium; ``new_context(...)`` is a browser of another person."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


def open_tab(page: Any, name: str) -> None:
    """Open a tab by its name; narrow windows collect some in a menu, once the widths of all are known."""
    from playwright.sync_api import TimeoutError as NotYet

    chosen = page.locator("#tabs [role=tab][aria-selected=true]", has_text=name)
    collected = page.locator(".overflow-dropdown button", has_text=name)
    deadline = time.monotonic() + LONG
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


def at_rest(page: Any, milliseconds: int = 300) -> None:
    """Wait until the page has not changed for that time, and nothing moves in it."""
    page.evaluate(
        """milliseconds => new Promise(resolve => {
            let timer;
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
        milliseconds,
    )


class Traffic:
    """The questions that a page has asked the server, and whether all have been answered; from now on."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._open: set[Any] = set()
        page.on("request", lambda request: self._open.add(request) if "/queue/" in request.url else None)
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: self._open.discard(request))

    def wait_for_answers(self) -> None:
        """Until nothing has been asked for a moment, and nothing is open: an answer overwrites what is done before."""
        deadline, quiet = time.monotonic() + LONG, 0
        while quiet < 6:
            self._page.wait_for_timeout(50)
            quiet = 0 if self._open else quiet + 1
            assert time.monotonic() < deadline, "the page never came to rest"
