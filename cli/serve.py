"""``serve``: the REST API without the interface."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default as configured (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port; default as configured (7860).")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; 0 = one a GPU.")] = None,
    executor: Annotated[str | None, typer.Option(help="worker, in-process or ray.")] = None,
) -> None:
    """Answer the REST API until Ctrl-C; models run in worker processes."""
    from api.server import serve as serve_api
    from config import Config

    given = {"server_name": host, "server_port": port, "workers": workers, "executor": executor}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    serve_api(Config(**values))
