"""The REST API. ``create_app`` makes the FastAPI application; nothing here imports torch or Gradio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.executors import Executor

__all__ = ["create_app"]


def create_app(config: Any, executor: Executor | None = None) -> FastAPI:
    """The API as an ASGI application, to serve alone or to mount beside the interface. See ``api.app``."""
    from api.app import create_app as create

    return create(config, executor)
