"""A display without a screen, the windows on it, and a browser that only writes down what it is to open."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command_line import CommandLine, environment_for
from tests.waiting import until


@dataclass(frozen=True)
class Display:
    """An X server. ``name``: as DISPLAY holds it."""

    name: str
    connection: Any

    @property
    def environment(self) -> dict[str, str]:
        """For a program that shows its window there; Chromium's sandbox is not for root, who may run the tests."""
        return {
            "DISPLAY": self.name,
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
            "LANG": "C.UTF-8",
            "LANGUAGE": "en",
        }

    def windows(self) -> list[Any]:
        """What a person sees of programs: windows that are shown and have a name."""
        from Xlib import X
        from Xlib.error import BadWindow

        found = []
        for one in self.connection.screen().root.query_tree().children:
            try:
                if one.get_attributes().map_state == X.IsViewable and one.get_wm_name():
                    found.append(one)
            except BadWindow:
                continue
        return found

    def close(self, window: Any) -> None:
        """Ask a window to close, as its cross does."""
        from Xlib import X
        from Xlib.protocol import event

        atom = self.connection.intern_atom
        wish = event.ClientMessage(
            window=window,
            client_type=atom("WM_PROTOCOLS"),
            data=(32, [atom("WM_DELETE_WINDOW"), X.CurrentTime, 0, 0, 0]),
        )
        window.send_event(wish)
        self.connection.sync()

    def press(self, window: Any, *keys: str) -> None:
        """Press keys together in a window."""
        from Xlib import XK, X
        from Xlib.ext import xtest

        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self.connection.sync()
        codes = [self.connection.keysym_to_keycode(XK.string_to_keysym(key)) for key in keys]
        for code in codes:
            xtest.fake_input(self.connection, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self.connection, X.KeyRelease, code)
        self.connection.sync()

    def screenshot(self) -> np.ndarray:
        """All of it, ``(height, width, 3) uint8``."""
        from Xlib import X

        root = self.connection.screen().root
        size = root.get_geometry()
        raw = root.get_image(0, 0, size.width, size.height, X.ZPixmap, 0xFFFFFFFF).data
        return np.frombuffer(raw, np.uint8).reshape(size.height, size.width, 4)[:, :, 2::-1]

    def shows(self, color: tuple[int, int, int], pixels: int = 2000) -> bool:
        """Whether that many pixels have about that colour."""
        near = np.abs(self.screenshot().astype(int) - color).max(axis=2) < 24
        return int(near.sum()) >= pixels


@pytest.fixture(scope="module")
def display() -> Iterator[Display]:
    """A screen of 1400 x 1000 that nobody sees."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed")
    xlib = pytest.importorskip("Xlib.display", reason="python-xlib is not installed")
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [server, "-displayfd", str(writing), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as said:
        name = f":{said.readline().strip()}"
    made = Display(name, xlib.Display(name))
    yield made
    made.connection.close()
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def web_view(display) -> Display:
    """The display, where windows with a web view can be shown on it."""
    from desktop.window import NoWebViewError, find_web_view

    try:
        find_web_view({**os.environ, **display.environment})
    except NoWebViewError as error:
        pytest.skip(f"no window can be shown: {error}")
    return display


@dataclass(frozen=True)
class Opened:
    """What a person's browser was asked to open."""

    program: Path
    file: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"BROWSER": str(self.program)}

    def addresses(self) -> list[str]:
        return self.file.read_text("utf-8").split() if self.file.exists() else []

    def wait_for(self, count: int) -> str:
        """The newest address, once there are that many."""
        until(lambda: len(self.addresses()) >= count)
        return self.addresses()[-1]


@pytest.fixture
def browser_of_the_person(tmp_path) -> Opened:
    """A browser that opens nothing."""
    program, file = tmp_path / "browser", tmp_path / "opened.txt"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nwith open({str(file)!r}, 'a') as file: file.write(sys.argv[-1] + '\\n')\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Opened(program, file)


@pytest.fixture
def data(tmp_path) -> Path:
    """Where the program keeps presets, history and the note of a running one."""
    return tmp_path / "data"


@pytest.fixture
def program(weights, tmp_path, data, browser_of_the_person) -> Iterator[CommandLine]:
    """``main.py`` without a display, whose browser only writes addresses down."""
    environment = environment_for(weights, tmp_path, data) | browser_of_the_person.environment
    environment |= {"HOME": str(tmp_path), "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    with CommandLine(environment, tmp_path) as made:
        yield made
