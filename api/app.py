"""Assembles the API: routes, guards, errors, and what runs beside the requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from api.fetch import Resolver, system_resolver
from api.film_schemas import VideoRequest
from api.heartbeat import Heartbeat
from api.job_events import ClientGone
from api.middleware import BodyDeadline, OwnNames, RequestMetrics
from api.responses import status_code
from api.routes import health, jobs, library, metrics, queue, upscale, videos
from api.schemas import ErrorResponse, UpscaleRequest
from api.security import RateLimiter
from api.service import Service
from engine.executors import Executor
from engine.jobs.job_list import JobList
from utils.errors import EngineError, QueueFullError

logger = logging.getLogger(__name__)

_REFUSALS = (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)
"""Any route may answer with these."""
_FORM_BYTES = 10**6
"""What a form may hold beside its film."""
_DESCRIPTION = """Enlarges and restores pictures and films.

`POST /upscale` waits for the result; `POST /jobs` and `POST /videos` answer at once with a job to watch. Every error is
`{"error": {"type", "message"}}`."""


def create_app(
    config: Any,
    executor: Executor | None = None,
    resolve: Resolver = system_resolver,
    *,
    close_executor: bool = False,
    job_list: JobList | None = None,
) -> FastAPI:
    """The API as an ASGI application.

    Args:
        config: the application's ``Config``.
        executor: where jobs run; made from ``config`` and closed with the application when None.
        resolve: how host names become addresses, for ``img_url`` and callbacks.
        job_list: the list of all jobs, shared with an interface that runs beside.
        close_executor: the executor that was given ends with the application, after its running jobs' grace period.
    """
    service = Service(config, executor, resolve, close_executor=close_executor, job_list=job_list)
    app = FastAPI(
        title="Real-ESRGAN Ultimate",
        version="0.1.0",
        description=_DESCRIPTION,
        lifespan=_lifespan,
        responses={
            code: {"model": ErrorResponse} for code in (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)
        },
    )
    app.state.service = service
    app.state.rate_limiter = RateLimiter(config.api_rate_limit)
    # The limit is the routes', not the application's: an interface mounted beside them takes larger files.
    limited = APIRouter(max_body_size=service.largest_request)
    for module in (health, metrics, upscale, jobs, queue, library):
        limited.include_router(module.router)
    app.include_router(limited)
    films = APIRouter(max_body_size=service.largest_film + _FORM_BYTES)
    films.include_router(videos.router)
    app.include_router(films)
    longer = {"/videos": config.api_video_timeout}
    app.add_middleware(BodyDeadline, seconds=config.api_body_timeout, longer=longer)
    if service.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=service.cors_origins, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(RequestMetrics, metrics=service.metrics)
    if service.own_names is not None:
        app.add_middleware(OwnNames, names=service.own_names)
    _handle_errors(app)
    _document_json_body(app)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    await asyncio.to_thread(service.start)
    sweeper = asyncio.create_task(_sweep(service))
    heartbeat = Heartbeat(service)
    heartbeat.start()
    try:
        yield
    finally:
        sweeper.cancel()
        await heartbeat.stop()
        await asyncio.to_thread(service.stop, 0.0 if service.hurry else service.config.api_shutdown_grace)


async def _sweep(service: Service) -> None:
    """Remove old results, again and again."""
    keep = service.config.api_keep_seconds
    while True:
        await asyncio.sleep(min(30.0, max(0.5, keep / 4)))
        removed = await asyncio.to_thread(service.jobs.sweep, keep)
        if removed:
            logger.info("%d old jobs were removed", removed)


def _error(code: int, kind: str, message: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"error": {"type": kind, "message": message}}, code, headers=headers)


def _handle_errors(app: FastAPI) -> None:
    async def engine_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, EngineError)
        code = status_code(error)
        if code >= 500:
            logger.warning("%s %s: %s", request.method, request.url.path, error)
        wait = error.retry_after if isinstance(error, QueueFullError) else 10
        headers = {"Retry-After": str(int(wait) + 1)} if code == 503 else None
        return _error(code, type(error).__name__, str(error), headers)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _error(error.status_code, "RequestError", str(error.detail), error.headers)

    async def validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = []
        for fault in error.errors():
            where = ".".join(str(step) for step in fault["loc"] if step != "body")
            faults.append(f"{where}: {fault['msg']}" if where else str(fault["msg"]))
        return _error(422, "ValidationError", "; ".join(faults))

    async def client_gone(request: Request, error: Exception) -> Response:
        return Response(status_code=499)  # nobody reads it; the log and the metrics do

    async def unforeseen(request: Request, error: Exception) -> Response:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _error(500, "InternalError", "An unforeseen fault; the log has the details.")

    app.add_exception_handler(EngineError, engine_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(ClientGone, client_gone)
    app.add_exception_handler(Exception, unforeseen)


def _document_json_body(app: FastAPI) -> None:
    """Routes that read their body by hand name their models in OpenAPI; define them there."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        schema = generate()
        for kind in (UpscaleRequest, VideoRequest):
            described = kind.model_json_schema(ref_template="#/components/schemas/{model}")
            schema["components"]["schemas"].setdefault(kind.__name__, described)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
