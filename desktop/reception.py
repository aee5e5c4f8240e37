"""Answers at the program's address while the program itself is still being imported and made, which takes seconds.

People get a page that opens the program by itself as soon as it is there, programs 503 with ``Retry-After``. The
listening sockets are the program's from the beginning: it takes them over, so the address refuses nobody, and who comes
in between waits for a moment. Who has said what is wanted is answered, also after that; who was received and has said
nothing yet, as browsers do that connect ahead, is the program's visitor.

Nothing is imported while it answers: its threads would wait for the imports that go on.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from desktop.guard import Entry, Keys, cookie_name, entry, without_keys
from desktop.waiting_page import POLICY, page, refusal
from desktop.words import TEXTS, asked_language, text

BACKLOG = 2048
"""Connections that wait to be received; as the program's own server has it."""
_SECONDS = 10.0
"""For a visitor to say what is wanted, and to send the rest of it."""
_MOST_HEAD = 65536
_MOST_AT_ONCE = 128
_MOST_SILENT = 256
_FULL_SECONDS = 0.05
_RETRY_SECONDS = 1


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on all that an address stands for, as asyncio's servers do. "" = everything.

    Raises:
        OSError: another program listens there, the address is not this machine's, or nobody knows the name.
    """
    made: list[socket.socket] = []
    missing: OSError | None = None
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    try:
        for family, kind, protocol, _, where in set(found):
            made.append(socket.socket(family, kind, protocol))
            try:
                _bind(made[-1], where)
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    raise
                missing = error  # localhost stands for ::1 as well, also where IPv6 is switched off
                made.pop().close()
        if missing is not None and not made:
            raise missing
        for one in made:
            one.listen(BACKLOG)
    except BaseException:
        for one in made:
            one.close()
        raise
    return made


def _bind(one: socket.socket, where: Any) -> None:
    if os.name == "posix" and sys.platform != "cygwin":
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, True)
    try:
        one.bind(where)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise OSError(error.errno, f"error while attempting to bind on address {where!r}: {why}") from None


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]


class Reception:
    """A context manager: it answers until it is closed, by its end at the latest, when its sockets are closed as well.

    Args:
        sockets: which listen; what takes them over closes them, or this.
        keys: answer only who brings one, as ``desktop.guard.TokenGuard`` does; None = everybody.

    Attributes:
        language: of all pages from now on; None = what each visitor asks for.
    """

    def __init__(self, sockets: Sequence[socket.socket], keys: Keys | None = None) -> None:
        self.sockets = list(sockets)
        self.language: str | None = None
        self._keys = keys
        self._pages = {known: page(known) for known in TEXTS}
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._closing = threading.Event()
        self._silent: set[socket.socket] = set()
        self._ear, self._mouth = socket.socketpair()
        self._doorkeeper = threading.Thread(target=self._receive, name="reception", daemon=True)

    def __enter__(self) -> Self:
        for one in self.sockets:
            one.setblocking(False)  # a visitor may have gone before being received
        self._doorkeeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (*self.close(), *self.sockets):
            one.close()

    def close(self) -> list[socket.socket]:
        """Receive nobody any more, from the moment that this returns. Quick; the sockets go on listening.

        Returns:
            Connections to visitors who have said nothing yet, for the caller; only the first time that it is called.
        """
        if not self._closing.is_set():
            self._mouth.send(b"\0")  # first: who sees it closing closes this
            self._closing.set()
        self._doorkeeper.join()
        left, self._silent = list(self._silent), set()
        return left

    def _receive(self) -> None:
        with selectors.DefaultSelector() as visitors, self._ear, self._mouth:
            for one in (self._ear, *self.sockets):
                visitors.register(one, selectors.EVENT_READ)
            while not self._closing.is_set():
                for key, _ in visitors.select():
                    if not self._closing.is_set() and key.fileobj is not self._ear:
                        self._turn_to(key.fileobj, visitors)  # type: ignore[arg-type]

    def _turn_to(self, one: socket.socket, visitors: selectors.BaseSelector) -> None:
        """Receive somebody, or let a thread answer one who speaks. Who finds it full waits for a moment."""
        if one in self._silent:
            if self._places.acquire(blocking=False):
                visitors.unregister(one)
                self._silent.discard(one)
                threading.Thread(target=self._serve, args=(one,), name="reception-visitor", daemon=True).start()
                return
        elif len(self._silent) < _MOST_SILENT:
            with contextlib.suppress(OSError):  # has gone
                visitor, _ = one.accept()
                visitor.setblocking(False)
                visitors.register(visitor, selectors.EVENT_READ)
                self._silent.add(visitor)
            return
        self._closing.wait(_FULL_SECONDS)

    def _serve(self, visitor: socket.socket) -> None:
        try:
            with visitor, contextlib.suppress(OSError):  # who says nothing, or has gone, is told nothing
                request = _read(visitor)
                visitor.settimeout(_SECONDS)
                visitor.sendall(self._answer(request, visitor.getsockname()[1]))
                visitor.shutdown(socket.SHUT_WR)
                _read_on(visitor)
        finally:
            self._places.release()

    def _answer(self, request: _Request | None, port: int) -> bytes:
        if request is None:
            return _response("400 Bad Request", b"", "text/plain")
        language = self.language or asked_language(request.headers.get("accept-language", ""))
        if self._keys is not None:
            judged = entry(self._keys, request.method, request.query, request.headers.get("cookie", ""), port)
            if judged is Entry.REFUSED:
                said = text("refused", language).encode()
                return _response("403 Forbidden", said, "text/plain; charset=utf-8", head=request.method == "HEAD")
            if judged is Entry.SENT_ON:
                cookie = f"{cookie_name(port)}={self._keys.cookie}; HttpOnly; Path=/; SameSite=strict"
                there = without_keys("/" + request.path.lstrip("/"), request.query)
                return _response("303 See Other", b"", "text/plain", f"Location: {there}", f"Set-Cookie: {cookie}")
        for_people = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
        content = self._pages[language] if for_people else refusal()
        kind = "text/html; charset=utf-8" if for_people else "application/json"
        more = [f"Retry-After: {_RETRY_SECONDS}"]
        more += [f"Content-Security-Policy: {POLICY}", f"Content-Language: {language}"] if for_people else []
        return _response("503 Service Unavailable", content, kind, *more, head=request.method == "HEAD")


def _response(status: str, content: bytes, kind: str, *headers: str, head: bool = False) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(content)}",
        "Cache-Control: no-store",
        "Vary: Accept, Accept-Language",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if head else content)


def _read(visitor: socket.socket) -> _Request | None:
    """What is wanted; None for what is no HTTP. Raises ``OSError`` for whoever takes too long, or goes."""
    ends, got = time.monotonic() + _SECONDS, b""
    while b"\r\n\r\n" not in got and len(got) < _MOST_HEAD:
        visitor.settimeout(max(0.001, ends - time.monotonic()))
        more = visitor.recv(_MOST_HEAD)
        if not more:
            raise ConnectionError("the visitor has gone")
        got += more
    first, *lines = got.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) != 3 or not words[1].startswith("/") or not words[2].startswith("HTTP/1") or not first.isascii():
        return None
    path, _, query = words[1].partition("?")
    pairs = (line.partition(":") for line in lines)
    return _Request(words[0], path, query, {name.strip().lower(): value.strip() for name, _, value in pairs})


def _read_on(visitor: socket.socket) -> None:
    """To the end of what is sent: whoever is cut off while sending may never see the answer."""
    ends = time.monotonic() + _SECONDS
    while (left := ends - time.monotonic()) > 0:
        visitor.settimeout(left)
        if not visitor.recv(_MOST_HEAD):
            return


__all__ = ["BACKLOG", "Reception", "listen"]
