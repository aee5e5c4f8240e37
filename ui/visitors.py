"""What belongs to one visitor, which is a browser: its results and its running jobs. None sees another's pictures.

A visitor is known by a cookie that ``VisitorCookie`` sets, so its results are still there after the page was refreshed,
and after the program was started again. A job belongs to one window of the browser (``session_hash`` to Gradio).
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

from engine.jobs.job_list import JobKind, JobList
from engine.types import JobControl
from ui.fair_queue import FairQueue
from ui.jobs import UiJob

COOKIE = "upscaler_session"
_COOKIE_DAYS = 30
_OUR_VALUE = re.compile(r"[A-Za-z0-9_-]{1,64}")
T = TypeVar("T")


class VisitorCookie:
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
class Visitor:
    """One browser: its key (for ``FairQueue``) and its folder, whose name cannot be guessed from outside."""

    key: str
    folder: Path
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a tab wants to find again after a refresh, by the tab's name."""


class Visitors:
    """All browsers of this server. Every method takes the ``gr.Request`` of an event.

    Attributes:
        queue: the queue that long jobs go through, whatever tab they come from.
        downloads: the one for downloads, which do not wait for the pictures.
        job_list: every job of the program, those of the REST API too where they share it.
    """

    def __init__(self, root: Path, queue: FairQueue | None = None, job_list: JobList | None = None) -> None:
        self._root = Path(root)
        self.queue = queue or FairQueue()
        self.job_list = job_list or JobList()
        self.downloads = FairQueue(running=2, waiting=16)
        self._visitors: dict[str, Visitor] = {}
        self._jobs: dict[tuple[str, str], list[UiJob[Any]]] = {}
        self._windows: dict[tuple[str, str], UiJob[Any]] = {}
        self._notes: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def of(self, request: Any) -> Visitor:
        """The browser that asks; made at its first call."""
        key = hashlib.sha256(f"session {_browser(request)}".encode()).hexdigest()[:24]
        with self._lock:
            if key not in self._visitors:
                self._visitors[key] = Visitor(key, self._root / f"session-{key}")
            return self._visitors[key]

    def start(
        self,
        request: Any,
        tab: str,
        work: Callable[[JobControl], T],
        *,
        kind: JobKind,
        name: str = "",
        queue: FairQueue | None = None,
        needs_watcher: bool = True,
        beside: bool = False,
        at_end: Callable[[], None] | None = None,
    ) -> UiJob[T]:
        """Queue work of this window's tab; one that still runs there is cancelled. Raises ``QueueFullError``.

        Args:
            kind, name, needs_watcher, at_end: as in ``UiJob``; ``needs_watcher`` is False for what takes hours: it
                goes on when every page is closed.
            queue: another queue than that of all short jobs.
            beside: leave the others of that tab alone, and go behind them.
        """
        visitor, window = self.of(request), (_window(request), tab)
        with self._lock:
            before = self._windows.get(window)
            job = UiJob(
                work,
                queue or self.queue,
                visitor.key,
                kind=kind,
                name=name,
                needs_watcher=needs_watcher,
                at_end=at_end,
            )
            if before is not None and not beside:  # not before the new one has found a place
                before.cancel()
            self._windows[window] = job
            going = [one for one in self._jobs.get((visitor.key, tab), []) if not one.finished]
            self._jobs[visitor.key, tab] = [*going, job]
        job.number = self.job_list.add(job)
        return job

    def resume(self, request: Any, tab: str) -> UiJob[Any] | None:
        """The browser's job of that tab that is still going on, for a page that was refreshed; or None."""
        visitor = self.of(request)
        with self._lock:
            job = next((one for one in reversed(self._jobs.get((visitor.key, tab), [])) if not one.finished), None)
            if job is not None:
                self._windows[_window(request), tab] = job
            return job

    def goes_on(self, request: Any, tab: str) -> bool:
        """Whether this window's job of that tab waits or runs."""
        with self._lock:
            job = self._windows.get((_window(request), tab))
        return job is not None and not job.finished

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

    def all(self) -> list[Visitor]:
        """Every browser that has been here since the program began."""
        with self._lock:
            return list(self._visitors.values())

    def running(self) -> list[UiJob[Any]]:
        """Every job that waits or runs, whoever began it."""
        with self._lock:
            jobs = {id(job): job for known in (*self._jobs.values(), self._windows.values()) for job in known}
        return [job for job in jobs.values() if not job.finished]

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
