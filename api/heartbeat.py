"""Tells a central address every few seconds that this server is there, what it can do, and how busy it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any

import httpx

from api.service import Service

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 600.0


class Heartbeat:
    """Registers with POST, unregisters with DELETE, both to ``REALESRGAN_API_HEARTBEAT_URL``."""

    def __init__(self, service: Service, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._service = service
        self._transport = transport
        self._url = service.config.api_heartbeat_url
        self._interval = service.config.api_heartbeat_seconds
        self._task: asyncio.Task[None] | None = None
        self.failures = 0

    def start(self) -> None:
        if self._url:
            self._task = asyncio.create_task(self._beat())

    def pause(self) -> float:
        """Seconds until the next try: the interval, doubled for every failure in a row."""
        return min(_LONGEST_PAUSE, self._interval * 2 ** min(self.failures, 10))

    async def _beat(self) -> None:
        while True:
            await self._send("POST")
            await asyncio.sleep(self.pause())

    async def _send(self, method: str) -> None:
        body = await asyncio.to_thread(self._body)
        try:
            async with httpx.AsyncClient(transport=self._transport, timeout=5) as client:
                response = await client.request(method, self._url, json=body)
            response.raise_for_status()
            self.failures = 0
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if not self.failures:
                logger.warning("The central address '%s' does not answer: %s", self._url, error)
            self.failures += 1

    def _body(self) -> dict[str, Any]:
        config, stats = self._service.config, self._service.executor.stats()
        return {
            "name": socket.gethostname(),
            "address": config.api_public_url or f"http://{config.server_name}:{config.server_port}",
            "capacity": len(stats.runners),
            "queue_limit": stats.queue_limit,
            "load": {"queued": stats.queued, "running": stats.running},
            "ready": self._service.not_ready is None,
        }

    async def stop(self) -> None:
        """Stop, and say goodbye."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            await self._send("DELETE")
