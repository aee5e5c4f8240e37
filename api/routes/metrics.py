"""Prometheus metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api.security import GUARDS, ServiceOf

router = APIRouter(tags=["metrics"], dependencies=GUARDS)


@router.get("/metrics", response_class=PlainTextResponse, summary="Metrics in Prometheus' text format")
def metrics(service: ServiceOf) -> Response:
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
