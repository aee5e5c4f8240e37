"""A person's own choice of language: a cookie, which wins over what the browser asks for.

Handlers see it in ``ui.strings.words_for``. Gradio translates the page's own strings by ``navigator.language`` before
any of our code runs there, so the page is sent with that set.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import cookie_parser

from ui.strings import COOKIE, LANGUAGES

_SCRIPT = '<script>Object.defineProperty(navigator, "language", {{ value: "{}", configurable: true }});</script>'
_HEAD = b"<head>"


class ChosenLanguage:
    """ASGI middleware: pages of a person who chose a language come in it. Those of others pass as they are."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        language = _chosen(scope)
        if language is None:
            await self._app(scope, receive, send)
            return
        plain = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _Sender(send, language))


class _Sender:
    """Hands an answer on; a page with the script in its head. Its start waits for that, since it tells the length."""

    def __init__(self, send: Any, language: str) -> None:
        self._send, self._script = send, _SCRIPT.format(language).encode()
        self._start: Any = None

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start" and _is_plain_page(message):
            self._start = message
            return
        if self._start is not None:
            start, body = self._start, message.get("body", b"")
            self._start = None
            if _HEAD in body:
                message = {**message, "body": body.replace(_HEAD, _HEAD + self._script, 1)}
                start = {**start, "headers": [_longer(one, len(self._script)) for one in start["headers"]]}
            await self._send(start)
        await self._send(message)


def _chosen(scope: Any) -> str | None:
    """The language of a browser's request for a page; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    headers = dict(scope["headers"])
    if b"text/html" not in headers.get(b"accept", b""):
        return None
    chosen = cookie_parser(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    return chosen if chosen in LANGUAGES else None


def _is_plain_page(message: Any) -> bool:
    headers = {name.lower(): value for name, value in message.get("headers", [])}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers


def _longer(header: tuple[bytes, bytes], more: int) -> tuple[bytes, bytes]:
    name, value = header
    return (name, str(int(value) + more).encode()) if name.lower() == b"content-length" else header


__all__ = ["ChosenLanguage"]
