"""Who may use a server that belongs to one window: whoever brings its token, and nobody else on this machine."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from enum import Enum, auto
from urllib.parse import parse_qsl, urlencode

from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from desktop.words import asked_language, text

_TICKET_SECONDS = 120.0
_TICKETS = 64


class Keys:
    """The token of one start of the program, and what is derived from it.

    Attributes:
        token: whoever has it may do everything; it stands in a file that only the person can read.
        cookie: what a browser keeps instead. Programs on other ports of this machine may see it, for cookies know no
            ports, and the token does not follow from it.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self.cookie = _derived(self.token, "cookie")
        self._tickets: dict[str, float] = {}
        self._lock = threading.Lock()

    def ticket(self) -> str:
        """For one visit within two minutes: an address that is given to a browser can be read by other people of this
        machine, in the list of processes."""
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets[made] = time.monotonic() + _TICKET_SECONDS
            while len(self._tickets) > _TICKETS:
                del self._tickets[next(iter(self._tickets))]
        return made

    def admits(self, query: Mapping[str, str]) -> bool:
        """Whether an address holds the token, or a ticket, which is used up by that."""
        if same(query.get("token", ""), self.token):
            return True
        with self._lock:
            return self._tickets.pop(query.get("ticket", ""), 0.0) > time.monotonic()

    def proof(self, challenge: str) -> str:
        """Shows somebody who knows the token that this server does too, without telling it."""
        return proof_of(self.token, challenge)


def proof_of(token: str, challenge: str) -> str:
    """What a server that knows ``token`` answers to ``challenge``."""
    return _derived(token, f"proof {challenge}")


def same(given: str, expected: str) -> bool:
    """Compares secrets in a time that tells nothing."""
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _derived(token: str, purpose: str) -> str:
    return hmac.new(token.encode(), purpose.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


class Entry(Enum):
    """What becomes of a request: it goes on, its visitor is sent on with a cookie, or it is refused."""

    ALLOWED = auto()
    SENT_ON = auto()
    REFUSED = auto()


def entry(keys: Keys, method: str, query: str, cookies: str, port: int) -> Entry:
    """Judge a request by its address and the cookies that it brings; a ticket is used up by that.

    Args:
        method: "GET" alone is let in by its address; "" for what is no HTTP.
        query: of the address, without "?".
        cookies: the header.
        port: of this server, by which its cookie is called.
    """
    if method == "GET" and keys.admits(dict(parse_qsl(query, keep_blank_values=True))):
        return Entry.SENT_ON
    brought = cookie_parser(cookies).get(cookie_name(port), "")
    return Entry.ALLOWED if same(brought, keys.cookie) else Entry.REFUSED


def cookie_name(port: int) -> str:
    """Of the cookie of a server, by its port: cookies themselves know none."""
    return f"realesrgan_{port}"


def without_keys(path: str, query: str) -> str:
    """An address as it was, without what let in."""
    left = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key not in ("token", "ticket")]
    return path + (f"?{urlencode(left)}" if left else "")


class TokenGuard:
    """ASGI middleware: 403 for every request without the cookie, which a visit with ``?token=`` or ``?ticket=`` sets.

    Such a visit is sent on to the same address without them, so that neither stays in the history.

    Args:
        keys: what is asked for.
        unguarded: paths that ask for the token themselves.
    """

    def __init__(self, app: ASGIApp, keys: Keys, unguarded: frozenset[str] = frozenset()) -> None:
        self._app, self._keys, self._unguarded = app, keys, unguarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in self._unguarded:
            await self._app(scope, receive, send)
            return
        port = (scope.get("server") or ("", 0))[1]
        query = scope["query_string"].decode("latin-1")
        judged = entry(self._keys, scope.get("method", ""), query, _header(scope, b"cookie"), port)
        if judged is Entry.SENT_ON:
            answer = RedirectResponse(without_keys(scope["path"], query), 303, {"Cache-Control": "no-store"})
            answer.set_cookie(cookie_name(port), self._keys.cookie, httponly=True, samesite="strict")
            await answer(scope, receive, send)
        elif judged is Entry.ALLOWED:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(text("refused", asked_language(_header(scope, b"accept-language"))), 403)(
                scope, receive, send
            )


class InLanguage:
    """ASGI middleware: every request asks for that language."""

    def __init__(self, app: ASGIApp, language: str) -> None:
        self._app, self._header = app, (b"accept-language", language.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            others = [one for one in scope["headers"] if one[0] != self._header[0]]
            scope = {**scope, "headers": [*others, self._header]}
        await self._app(scope, receive, send)


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == wanted), "")


__all__ = [
    "Entry",
    "InLanguage",
    "Keys",
    "TokenGuard",
    "cookie_name",
    "entry",
    "proof_of",
    "same",
    "without_keys",
]
