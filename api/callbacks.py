"""Telling another server how a job ended: one POST, signed, repeated while the other side is away.

The signature is ``X-Signature: sha256=<hex>``, the HMAC-SHA256 of ``<X-Timestamp>.<body>`` with the shared secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import threading
import time
from concurrent.futures import Future, wait
from contextlib import suppress

import httpx

from api.fetch import Resolver, check_url, pinned, request_details
from api.job_store import JobEntry
from api.responses import job_response
from engine.jobs.job import JobStatus
from utils.errors import InvalidImageError, InvalidSettingsError

logger = logging.getLogger(__name__)

_PAUSES = (0.0, 1.0, 5.0, 20.0)
_WAITING_LIMIT = 1000
_AT_A_TIME = 8
_LAST_SECONDS = 5.0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What ``X-Signature`` must hold."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Callbacks:
    """Delivers outcomes, several at a time, so that a host which does not answer keeps no other one waiting.

    Args:
        secret: signs them; empty refuses callbacks altogether.
        allowed_hosts: names that may be called although their addresses are not public.
        pauses: seconds before each try.
        seconds: what one try may take, from the first byte to the answer's head. What follows it is not read.
    """

    def __init__(
        self,
        secret: str,
        allowed_hosts: tuple[str, ...],
        resolve: Resolver,
        transport: httpx.AsyncBaseTransport | None = None,
        pauses: tuple[float, ...] = _PAUSES,
        seconds: float = 10.0,
    ) -> None:
        self._secret = secret
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._resolve, self._transport, self._pauses, self._seconds = resolve, transport, pauses, seconds
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()
        self._places = asyncio.Semaphore(_AT_A_TIME)
        self._pending: set[Future[None]] = set()
        self._closed = False

    def check(self, url: str) -> None:
        """Raises ``InvalidSettingsError`` where callbacks are off, ``AddressRefusedError`` for a bad address."""
        if not self._secret:
            raise InvalidSettingsError("callback_url: callbacks are off; set REALESRGAN_API_CALLBACK_SECRET.")
        check_url(url, self._resolve, self._allowed)

    def send(self, url: str, entry: JobEntry, status: JobStatus) -> None:
        """Queue one outcome; never blocks."""
        body = json.dumps(job_response(entry, status).model_dump(mode="json")).encode()
        with self._lock:
            if self._closed or len(self._pending) >= _WAITING_LIMIT:
                logger.warning("Too many callbacks wait, or the program ends: that of job %s is dropped", entry.job.id)
                return
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="callbacks", daemon=True).start()
            future = asyncio.run_coroutine_threadsafe(self._deliver(url, body), self._loop)
            self._pending.add(future)
        future.add_done_callback(self._forget)

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._pending.discard(future)

    async def _deliver(self, url: str, body: bytes) -> None:
        for pause in self._pauses:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause)
            async with self._places:
                if await self._post(url, body):
                    return
            if self._closing.is_set():
                break
        logger.warning("The callback to '%s' was given up", url)

    async def _post(self, url: str, body: bytes) -> bool:
        timestamp = str(int(time.time()))
        try:
            async with asyncio.timeout(self._seconds):
                target = await asyncio.to_thread(check_url, url, self._resolve, self._allowed)
                said = request_details(target)
                said["headers"] |= {
                    "Content-Type": "application/json",
                    "X-Timestamp": timestamp,
                    "X-Signature": signature(self._secret, timestamp, body),
                }
                async with (
                    httpx.AsyncClient(transport=self._transport, trust_env=False, timeout=self._seconds) as client,
                    client.stream("POST", pinned(target), content=body, **said) as answer,
                ):
                    return answer.is_success
        except (httpx.HTTPError, InvalidImageError, TimeoutError) as error:
            logger.info("The callback to '%s' failed: %s", url, error or "it took too long")
            return False

    def close(self) -> None:
        """One try for each that waits, all together within a few seconds; then nothing is sent any more."""
        with self._lock:
            self._closed, loop, pending = True, self._loop, set(self._pending)
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(self._closing.set)
        wait(pending, timeout=_LAST_SECONDS)
        loop.call_soon_threadsafe(loop.stop)


__all__ = ["Callbacks", "signature"]
