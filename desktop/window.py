"""A window of the desktop around the page, through pywebview and the web view that the system has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from desktop import notices
from desktop.words import NAME, text
from utils.errors import EngineError
from utils.installation import how_to_add, is_ready_made

_PROBE = "from webview.guilib import initialize; print(initialize().renderer)"
_PROBE_SECONDS = 60.0
_TOO_OLD = ("mshtml", "qtwebkit")
"""Web views that know too little of today's pages."""
_TOOLKITS: dict[str, Any] = {"qtwebengine": "qt", "gtkwebkit2": "gtk"}
_SIZE, _SMALLEST = (1360, 900), (420, 480)
_SAID = {
    "global.quitConfirmation": "close_anyway",
    "global.quit": "close",
    "global.cancel": "stay",
    "global.saveFile": "save_file",
}
"""What pywebview asks by itself -> the key of our words for it."""


class NoWebViewError(EngineError):
    """No window can be shown here; the message says why, and what to install."""


def find_web_view(environment: dict[str, str] | None = None) -> str:
    """The name of the web view that a window would use.

    Asked in a process of its own: a toolkit that lacks a library or a display ends the one that asks.

    Raises:
        NoWebViewError: there is none.
    """
    environment = dict(os.environ) if environment is None else environment
    if find_spec("webview") is None:
        raise NoWebViewError(f"A window needs pywebview: {how_to_add('window')}.")
    on_linux = sys.platform.startswith("linux")
    if on_linux and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        raise NoWebViewError("There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set).")
    if is_ready_made():
        return _found_here()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoWebViewError(f"The system's web view does not answer ({error}).") from error
    found = done.stdout.strip().splitlines()[-1] if done.returncode == 0 and done.stdout.strip() else ""
    if not found or found in _TOO_OLD:
        said = done.stderr.strip().splitlines()
        why = f"only {found}" if found else said[-1][:300] if said else f"it ended with {done.returncode}"
        raise NoWebViewError(f"The system has no web view that can be used ({why}). {_install()}")
    root = on_linux and os.geteuid() == 0
    if root and found == "qtwebengine" and not environment.get("QTWEBENGINE_DISABLE_SANDBOX"):
        raise NoWebViewError("Qt's web view does not run as root.")
    return found


def _found_here() -> str:
    """The same in this process: a ready-made program has no Python to ask, and no Qt, which would end it."""
    try:
        from webview.guilib import initialize

        found = str(initialize().renderer)
    except Exception as error:  # pywebview's own, and those of what connects to .NET or Objective-C
        raise NoWebViewError(f"The system has no web view that can be used ({error}). {_install()}") from error
    if found in _TOO_OLD:
        raise NoWebViewError(f"The system has no web view that can be used (only {found}). {_install()}")
    return found


def _install() -> str:
    if sys.platform == "win32":
        return "Microsoft's WebView2 runtime brings one."
    if sys.platform == "darwin":
        return f"{how_to_add('window')} brings what connects to it."
    return (
        "The system's packages for Qt's xcb plugin (Debian: libxcb-cursor0, libegl1, libnss3), or GTK's WebKit, help."
    )


class Page:
    """What the page may ask of its window. Everything else stays out of its reach."""

    def __init__(self, set_title: Callable[[str], None]) -> None:
        self._set_title = set_title  # pywebview hands on what has no underscore

    def notify(self, title: object, text: object) -> bool:
        """A notification of the desktop."""
        return notices.notify(str(title), str(text))

    def title(self, title: object) -> None:
        """The window is called as the page is."""
        self._set_title(str(title)[:200])


class AppWindow:
    """The window. ``run`` belongs into the main thread; everything else may be called from any.

    Args:
        address: of the page, with the token that lets it in.
        busy: whether something runs that closing would end.
        storage: folder for the web view's cookies.
        web_view: as ``find_web_view`` named it.
    """

    def __init__(self, address: str, busy: Callable[[], bool], storage: Path, web_view: str) -> None:
        import webview
        import webview.util

        # Each of its threads waits until the page answers, which one that closes meanwhile may never do: the program
        # would not end then.
        webview.util.Thread = partial(threading.Thread, daemon=True)  # type: ignore[misc, assignment]
        self._webview, self._busy, self._storage = webview, busy, storage
        self._toolkit = _TOOLKITS.get(web_view)
        self._leaving = threading.Event()
        webview.settings["ALLOW_DOWNLOADS"] = True
        webview.settings["OPEN_EXTERNAL_LINKS_IN_BROWSER"] = True
        made: Any = webview.create_window(
            NAME,
            address,
            js_api=Page(self._title),
            width=_SIZE[0],
            height=_SIZE[1],
            min_size=_SMALLEST,
            text_select=True,
            localization={name: text(key) for name, key in _SAID.items()},
        )
        made.events.closing += self._closing
        self._window = made

    def run(self) -> None:
        """Show it; returns when it has been closed. A signal that ends the program closes it without asking."""
        self._storage.mkdir(parents=True, exist_ok=True)
        before = {number: signal.signal(number, self._end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            # pywebview puts its own handler in the place of SIGINT's; closing by it asks nobody either.
            self._webview.start(
                gui=self._toolkit, private_mode=False, storage_path=str(self._storage), icon=str(notices.ICON)
            )
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def show(self, key: str | None) -> None:
        """Come to the front; the page takes what waits under ``key``."""
        self._window.restore()
        self._window.show()
        if key is not None:
            told = threading.Thread(target=self._window.evaluate_js, args=(_open_script(key),), daemon=True)
            told.start()  # nobody waits for it, as a page that closes meanwhile may never answer

    def close(self) -> None:
        """Close it without asking."""
        self._leaving.set()
        self._window.destroy()

    def _closing(self) -> None:
        self._window.confirm_close = not self._leaving.is_set() and self._busy()

    def _end(self, number: int, frame: object) -> None:
        self.close()

    def _title(self, title: str) -> None:
        self._window.set_title(title)


def _open_script(key: str) -> str:
    """Tell the page, as soon as it is there."""
    return f"""(function tell(left) {{
        if (window.openArrived) window.openArrived({json.dumps(key)});
        else if (left) setTimeout(tell, 100, left - 1);
    }})(600)"""


__all__ = ["AppWindow", "NoWebViewError", "find_web_view"]
