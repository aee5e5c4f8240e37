"""What belongs to one browser: its folder of results and its running jobs. Browsers never see each other's pictures.

A browser is known by a cookie that ``SessionCookie`` sets, so its results are still there after the page was
refreshed, and after the program was started again. A job belongs to one window of the browser.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import cookie_parser

from engine.types import JobControl
from ui.jobs import UiJob
from ui.turns import Turns
from utils.errors import EngineError

COOKIE = "upscaler_session"
_COOKIE_DAYS = 30
_OUR_VALUE = re.compile(r"[A-Za-z0-9_-]{1,64}")
T = TypeVar("T")


class AlreadyRunningError(EngineError):
    """A browser may have only one such job, and it is running."""


class SessionCookie:
    """ASGI middleware: gives every browser an unguessable name of its own, and renews it with every page.

    Browsers forget a cookie that many days after it was set last, however often they come.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        known = _cookie_of(scope) if scope["type"] == "http" else ""
        if scope["type"] != "http" or (known and not _OUR_VALUE.fullmatch(known)):
            await self._app(scope, receive, send)
            return
        value = (
            f"{COOKIE}={known or secrets.token_urlsafe(24)}; Path=/; HttpOnly; SameSite=Lax; "
            f"Max-Age={_COOKIE_DAYS * 86400}"
        ).encode()

        async def send_with_cookie(message: Any) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message["headers"] = [*message.get("headers", []), (b"set-cookie", value)]
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _cookie_of(scope: Any) -> str:
    for name, value in scope.get("headers", []):
        if name == b"cookie":
            # Other programs on this host share its cookies; the standard library's parser gives up at odd ones.
            return cookie_parser(value.decode("latin-1")).get(COOKIE, "")
    return ""


def _is_page(message: Any) -> bool:
    """Only pages bring the cookie: else the files that a page asks for at once would each bring another."""
    kinds = [value for name, value in message.get("headers", []) if name.lower() == b"content-type"]
    return bool(kinds) and kinds[0].startswith(b"text/html")


@dataclass(frozen=True)
class Session:
    """One browser: its key (for ``Turns``) and its folder, whose name cannot be guessed from outside."""

    key: str
    folder: Path
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a tab wants to find again after a refresh, by the tab's name."""


class Sessions:
    """All browsers of this server. Every method takes the ``gr.Request`` of an event.

    Attributes:
        turns: the queue that long jobs go through, whatever tab they come from.
        downloads: the one for downloads, which do not wait for the pictures.
    """

    def __init__(self, root: Path, turns: Turns | None = None) -> None:
        self._root = Path(root)
        self.turns = turns or Turns()
        self.downloads = Turns(running=2, waiting=16)
        self._sessions: dict[str, Session] = {}
        self._jobs: dict[tuple[str, str], UiJob[Any]] = {}
        self._windows: dict[tuple[str, str], UiJob[Any]] = {}
        self._notes: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def of(self, request: Any) -> Session:
        """The browser's session; made at the first call."""
        key = hashlib.sha256(f"session {_browser(request)}".encode()).hexdigest()[:24]
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = Session(key, self._root / f"session-{key}")
            return self._sessions[key]

    def start(
        self,
        request: Any,
        tab: str,
        work: Callable[[JobControl], T],
        *,
        turns: Turns | None = None,
        needs_watcher: bool = True,
        only_one: bool = False,
        at_end: Callable[[], None] | None = None,
    ) -> UiJob[T]:
        """Queue work of this window's tab; one that still runs there is cancelled. Raises ``QueueFullError``.

        Args:
            turns: another queue than that of all short jobs.
            needs_watcher: False for what takes hours: it goes on when every page is closed.
            only_one: raise ``AlreadyRunningError`` while the browser has such a job, in whatever window.
            at_end: as in ``UiJob``.
        """
        session, window = self.of(request), (_window(request), tab)
        with self._lock:
            running = self._jobs.get((session.key, tab))
            if only_one and running is not None and not running.finished:
                raise AlreadyRunningError(
                    "A job of this kind is running here already. Wait for it, or cancel it first."
                )
            before = self._windows.get(window)
            if before is not None:
                before.cancel()
            job = UiJob(work, turns or self.turns, session.key, needs_watcher=needs_watcher, at_end=at_end)
            self._jobs[session.key, tab] = self._windows[window] = job
        return job

    def resume(self, request: Any, tab: str) -> UiJob[Any] | None:
        """The browser's job of that tab that is still going on, for a page that was refreshed; or None."""
        session = self.of(request)
        with self._lock:
            job = self._jobs.get((session.key, tab))
            if job is None or job.finished:
                return None
            self._windows[_window(request), tab] = job
            return job

    def cancel(self, request: Any, tab: str) -> None:
        """Cancel this window's job of that tab."""
        with self._lock:
            job = self._windows.get((_window(request), tab))
        if job is not None:
            job.cancel()

    def note(self, request: Any, name: str, value: Any) -> None:
        """Remember something for this one window, until it is closed."""
        with self._lock:
            self._notes[_window(request), name] = value

    def noted(self, request: Any, name: str, default: Any = None) -> Any:
        """What was remembered for this window."""
        with self._lock:
            return self._notes.get((_window(request), name), default)

    @property
    def windows(self) -> int:
        """Open windows that have begun something."""
        with self._lock:
            return len({window for window, _ in self._windows})

    def end(self, request: Any) -> None:
        """The window was closed. Its jobs go on for a while, in case the page was only refreshed."""
        window = _window(request)
        with self._lock:
            for known in (self._windows, self._notes):
                for key in [key for key in known if key[0] == window]:
                    del known[key]

    def sweep(self, keep_seconds: float) -> int:
        """Delete previews older than that; results stay. Returns how many files went."""
        oldest, removed = time.time() - keep_seconds, 0
        for folder in self._root.glob("session-*/previews"):
            for file in folder.iterdir():
                if file.is_file() and file.stat().st_mtime < oldest:
                    file.unlink(missing_ok=True)
                    removed += 1
        return removed


def _browser(request: Any) -> str:
    cookies = getattr(request, "cookies", None) or {}
    return str(cookies.get(COOKIE) or _window(request))


def _window(request: Any) -> str:
    return str(getattr(request, "session_hash", None) or "")
