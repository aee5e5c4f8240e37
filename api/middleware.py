"""Around every request: whom it means, the time its body may take, how it went. Plain ASGI, so streams flow."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from utils.addresses import is_loopback


class OwnNames:
    """403 for a request to this machine's loopback address under a name that is not this machine's.

    The owner of a web page can point its host name at 127.0.0.1 (DNS rebinding). The browser then takes this server for
    a part of that page's site, so origins agree, and only the name tells. The interface is kept from it as the API is.

    Args:
        names: host names under which the server may be asked besides loopback's own; "*" for all.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _host_of(scope) if scope["type"] == "http" and is_loopback((scope.get("server") or ("", 0))[0]) else None
        if name is None or is_loopback(name) or name in self._names or "*" in self._names:
            await self._app(scope, receive, send)
            return
        message = f"'{name}' is not a name of this server; REALESRGAN_API_HOSTS can add it."
        await JSONResponse({"error": {"type": "Forbidden", "message": message}}, 403)(scope, receive, send)


def _host_of(scope: Scope) -> str | None:
    """The host that the request names, without port; None where it names none, as HTTP/1.0 may."""
    header = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return header


class BodyDeadline:
    """408 for a body that does not arrive in time, however many bytes it trickles. Only for the API's own paths."""

    _PATHS = ("/upscale", "/jobs", "/videos", "/queue/", "/api/upscale", "/cleanup")

    def __init__(self, app: ASGIApp, seconds: float, longer: dict[str, float] | None = None) -> None:
        """``longer``: seconds for some paths."""
        self._app, self._seconds, self._longer = app, seconds, longer or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        if not path.startswith(self._PATHS):
            await self._app(scope, receive, send)
            return
        seconds = self._longer.get(path, self._seconds)
        deadline = time.monotonic() + seconds
        complete = False

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise HTTPException(408, f"The request did not arrive within {seconds:g} seconds.") from None
            complete = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)


class RequestMetrics:
    """Counts requests by route pattern and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.request_ended(scope["method"], route, status, time.perf_counter() - started)
