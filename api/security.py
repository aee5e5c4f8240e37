"""Who may ask, and how often."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.service import Service
from utils.addresses import is_from_this_machine, is_loopback
from utils.errors import JobAccessError

_KEY_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)
_BEARER = HTTPBearer(auto_error=False)
_CLIENTS = 10_000


class RateLimiter:
    """A bucket of tokens a client, refilled evenly; the least recent clients are forgotten.

    Args:
        per_minute: requests a client may make in a minute; 0 = unlimited.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_for(self, client: str, now: float | None = None) -> float:
        """Take a token; 0, or the seconds until there is one."""
        if not self._per_minute:
            return 0.0
        now = time.monotonic() if now is None else now
        rate = self._per_minute / 60
        with self._lock:
            tokens, then = self._buckets.pop(client, (float(self._per_minute), now))
            tokens = min(float(self._per_minute), tokens + (now - then) * rate)
            allowed = tokens >= 1
            self._buckets[client] = (tokens - 1 if allowed else tokens, now)
            while len(self._buckets) > _CLIENTS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / rate


def get_service(request: Request) -> Service:
    return request.app.state.service


ServiceOf = Annotated[Service, Depends(get_service)]


def check_key(
    service: ServiceOf,
    key: Annotated[str | None, Security(_KEY_HEADER)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None,
) -> None:
    """401 without the key, where one is set."""
    expected = service.config.api_key
    if not expected:
        return
    given = key or (bearer.credentials if bearer else "")
    if not secrets.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(401, "This server asks for a key (X-API-Key).", {"WWW-Authenticate": "Bearer"})


def check_rate(request: Request) -> None:
    """429 with Retry-After for a client that asks too often."""
    client = request.client.host if request.client else "unknown"
    seconds = request.app.state.rate_limiter.wait_for(client)
    if seconds > 0:
        raise HTTPException(429, "Too many requests; slow down.", {"Retry-After": str(int(seconds) + 1)})


def check_origin(request: Request, service: ServiceOf) -> None:
    """403 for a request that a strange web page makes through somebody's browser."""
    origin = request.headers.get("origin")
    if origin is None or request.method in ("GET", "HEAD", "OPTIONS"):
        return
    try:
        own = urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        own = False
    if not own and origin not in service.cors_origins and "*" not in service.cors_origins:
        raise HTTPException(403, "Web pages of other origins may not ask this server (REALESRGAN_API_CORS_ORIGINS).")


def check_enabled(service: ServiceOf) -> None:
    """503 while jobs are not taken."""
    if service.not_ready:
        raise HTTPException(503, f"No jobs are taken: {service.not_ready}.", {"Retry-After": "30"})


def manages_all(request: Request, service: Service) -> bool:
    """Whether a request may act on everybody's jobs. Where a key is set, ``GUARDS`` have seen it; without one only
    whoever sits at the machine of a server on loopback may, and not through a proxy."""
    if service.config.api_key:
        return True
    return is_loopback(service.config.server_name) and is_from_this_machine(request.headers)


def check_manager(request: Request, service: ServiceOf) -> None:
    """403 for who may not act on everybody's jobs."""
    if not manages_all(request, service):
        raise JobAccessError(
            "This server is open to others and has no key, so nobody may act on everybody's jobs (REALESRGAN_API_KEY)."
        )


GUARDS = [Depends(check_rate), Depends(check_origin), Depends(check_key)]
"""Dependencies of every route that does or shows something."""
