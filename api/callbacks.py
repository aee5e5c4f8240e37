"""Telling another server how a job ended: one POST, signed, repeated while the other side is away.

The signature is ``X-Signature: sha256=<hex>``, the HMAC-SHA256 of ``<X-Timestamp>.<body>`` with the shared secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import queue
import threading
import time

import httpx

from api.answers import job_response
from api.fetch import Resolver, check_url, pinned, request_details
from api.job_store import JobEntry
from engine.jobs import JobStatus
from utils.errors import InvalidImageError, InvalidSettingsError

logger = logging.getLogger(__name__)

_PAUSES = (0.0, 1.0, 5.0, 20.0)
_WAITING_LIMIT = 1000


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What ``X-Signature`` must hold."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Callbacks:
    """A thread that delivers outcomes.

    Args:
        secret: signs them; empty refuses callbacks altogether.
        allowed_hosts: names that may be called although their addresses are not public.
    """

    def __init__(
        self,
        secret: str,
        allowed_hosts: tuple[str, ...],
        resolve: Resolver,
        transport: httpx.BaseTransport | None = None,
        pauses: tuple[float, ...] = _PAUSES,
    ) -> None:
        self._secret = secret
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._resolve, self._transport, self._pauses = resolve, transport, pauses
        self._queue: queue.Queue[tuple[str, bytes] | None] = queue.Queue(_WAITING_LIMIT)
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def check(self, url: str) -> None:
        """Raises ``InvalidSettingsError`` where callbacks are off, ``AddressRefusedError`` for a bad address."""
        if not self._secret:
            raise InvalidSettingsError("callback_url: callbacks are off; set REALESRGAN_API_CALLBACK_SECRET.")
        check_url(url, self._resolve, self._allowed)

    def send(self, url: str, entry: JobEntry, status: JobStatus) -> None:
        """Queue one outcome; never blocks."""
        body = json.dumps(job_response(entry, status).model_dump(mode="json")).encode()
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver, name="callbacks", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait((url, body))
        except queue.Full:
            logger.warning("Too many callbacks wait; the one of job %s is dropped", entry.job.id)

    def _deliver(self) -> None:
        while (item := self._queue.get()) is not None:
            url, body = item
            for pause in self._pauses:
                if self._closed.wait(pause):
                    return
                if self._post(url, body):
                    break
            else:
                logger.warning("The callback to '%s' was given up", url)

    def _post(self, url: str, body: bytes) -> bool:
        timestamp = str(int(time.time()))
        try:
            target = check_url(url, self._resolve, self._allowed)
            said = request_details(target)
            said["headers"] |= {
                "Content-Type": "application/json",
                "X-Timestamp": timestamp,
                "X-Signature": signature(self._secret, timestamp, body),
            }
            with httpx.Client(transport=self._transport, trust_env=False, timeout=10) as client:
                return client.post(pinned(target), content=body, **said).is_success
        except (httpx.HTTPError, InvalidImageError) as error:
            logger.info("The callback to '%s' failed: %s", url, error)
            return False

    def close(self) -> None:
        self._closed.set()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return


__all__ = ["Callbacks", "signature"]
