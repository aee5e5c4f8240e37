"""Serving an application until SIGTERM or Ctrl-C, and ending well."""

from __future__ import annotations

import threading
from types import FrameType
from typing import Any

import uvicorn

from api.service import Service


class GracefulServer(uvicorn.Server):
    """On the first signal: not ready, no new jobs, running ones finish within the grace period; then it stops.

    Meanwhile the server still answers, so results are fetched and balancers see ``/ready`` change. A second signal
    ends it at once.
    """

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._ending = False

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
    GracefulServer(settings, app.state.service).run()


def serve(config: Any) -> None:
    """The API without the interface."""
    from api.app import create_app
    from utils.logger import setup_logging

    config.ensure_directories()
    setup_logging(config.log_dir, config.log_level, as_json=config.log_json)
    print(f"REST API: http://{config.server_name}:{config.server_port}/docs (Ctrl-C stops it)", flush=True)
    run(create_app(config), config)
