"""Serving an application until SIGTERM or Ctrl-C, and ending well."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import uvicorn

from api.service import Service


class GracefulServer(uvicorn.Server):
    """On the first signal: not ready, no new jobs, running ones finish within the grace period; then it stops.

    Meanwhile the server still answers, so results are fetched and balancers see ``/ready`` change. A second signal
    ends it at once.

    Args:
        started: called once it answers; quick, for nothing is answered meanwhile.
        ended: called when it answers no more, before a signal that ended it ends the program.
        taking_over: called before it answers; whoever else answers on its sockets stops receiving then, and returns the
            connections that are this server's from now on, of which nothing was read.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        started: Callable[[], None] | None = None,
        ended: Callable[[], None] | None = None,
        taking_over: Callable[[], Sequence[socket.socket]] | None = None,
    ) -> None:
        super().__init__(config)
        self._service = service
        self._on_started, self._on_ended, self._on_taking_over = started, ended, taking_over
        self._ending = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        taken = self._on_taking_over() if self._on_taking_over is not None else ()
        await super().startup(sockets)
        for connection in taken:
            await self._adopt(connection)
        if self.started and self._on_started is not None:
            self._on_started()

    async def _adopt(self, connection: socket.socket) -> None:
        """Answer on a connection that somebody else has accepted, as on those that this accepts."""

        def protocol() -> asyncio.Protocol:
            made: Any = self.config.http_protocol_class
            return made(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError:  # the visitor has gone
            connection.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if self._on_ended is not None:
            self._on_ended()

    def end(self) -> None:
        """Stop soon, from whatever thread, without giving running jobs time."""
        self._service.hurry = True
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._ending:
            self._service.hurry = True
            super().handle_exit(sig, frame)
            return
        self._ending = True
        self._service.drain()
        threading.Thread(target=self._finish, args=(sig, frame), name="shutdown", daemon=True).start()

    def _finish(self, sig: int, frame: FrameType | None) -> None:
        self._service.stop(self._service.config.api_shutdown_grace)
        super().handle_exit(sig, frame)


def run(app: Any, config: Any) -> None:
    """Serve ``app`` (made by ``create_app``, perhaps with the interface mounted) on the configured address."""
    make_server(app, config).run()


def make_server(
    app: Any,
    config: Any,
    started: Callable[[], None] | None = None,
    ended: Callable[[], None] | None = None,
    taking_over: Callable[[], Sequence[socket.socket]] | None = None,
) -> GracefulServer:
    """What serves ``app`` once it is told to ``run``, on the configured address or on sockets that it is given."""
    settings = uvicorn.Config(
        app,
        host=config.server_name,
        port=config.server_port,
        log_level=config.log_level.lower(),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
        # A crowd beyond this is turned away with 503 before it costs anything.
        limit_concurrency=2000,
    )
    return GracefulServer(settings, app.state.service, started, ended, taking_over)


def serve(config: Any) -> None:
    """The API without the interface."""
    from api.app import create_app
    from utils.logger import setup_logging

    config.ensure_directories()
    setup_logging(config.log_dir, config.log_level, as_json=config.log_json)
    print(f"REST API: http://{config.server_name}:{config.server_port}/docs (Ctrl-C stops it)", flush=True)
    run(create_app(config), config)
