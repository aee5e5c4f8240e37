"""Is it alive, is it ready, what is it doing; and tidying up."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import psutil
from fastapi import APIRouter, Response

from api.schemas import TARGET_SIDES, CleanupResponse, HealthResponse, ReadyResponse
from api.security import GUARDS, ServiceOf

router = APIRouter(tags=["health"])

_STARTED = time.time()


@router.get("/health", summary="Alive, and with which limits")
async def health(service: ServiceOf) -> HealthResponse:
    """Answers from memory, whatever the workers do."""
    return HealthResponse(
        limits=service.limits(None),
        supported_resolutions={name: service.limits(name) for name in TARGET_SIDES},
        img_url=service.config.api_img_url,
        library=bool(service.library_roots),
        max_video_mb=service.largest_film / 10**6 if service.config.enable_video else None,
    )


@router.get("/ready", responses={503: {"model": ReadyResponse}}, summary="Are jobs taken?")
async def ready(service: ServiceOf, response: Response) -> ReadyResponse:
    reason = service.not_ready
    if reason is not None:
        response.status_code = 503
    return ReadyResponse(ready=reason is None, reason=reason)


@router.get("/status", dependencies=GUARDS, summary="Workers, queue, memory, models")
def status(service: ServiceOf) -> dict[str, Any]:
    executor = service.executor
    nodes = getattr(executor, "nodes", None)
    return {
        "executor": asdict(executor.stats()),
        "nodes": nodes() if nodes is not None else [],
        "memory_mb": round(psutil.Process().memory_info().rss / 2**20, 1),
        "uptime_seconds": round(time.time() - _STARTED, 1),
        "models": {"present": sorted(service.models.present()), "known": sorted(service.models.specs)},
        "ready": service.not_ready is None,
    }


@router.post("/cleanup", dependencies=GUARDS, summary="Remove old results now")
def cleanup(service: ServiceOf) -> CleanupResponse:
    """What is older than `REALESRGAN_API_KEEP_SECONDS`; the same happens by itself every few seconds."""
    return CleanupResponse(removed=service.jobs.sweep(service.config.api_keep_seconds))
