"""Films: accepted at once, and watched, fetched or cancelled as every job is."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response

from api.film_requests import FILM_BODY, receive
from api.responses import job_response
from api.schemas import JobResponse
from api.security import GUARDS, ServiceOf, check_enabled

router = APIRouter(tags=["videos"], dependencies=GUARDS)


def check_films(service: ServiceOf) -> None:
    """404 where films are switched off."""
    if not service.config.enable_video:
        raise HTTPException(404, "This server enhances no films (REALESRGAN_ENABLE_VIDEO).")


@router.post(
    "/videos",
    status_code=202,
    response_model=JobResponse,
    openapi_extra=FILM_BODY,
    dependencies=[Depends(check_enabled), Depends(check_films)],
    summary="Enlarge a film in the background",
)
async def submit(request: Request, service: ServiceOf, response: Response) -> JobResponse:
    """Send a form with `file`, or JSON with `video_url`. `GET /jobs/{job_id}` tells how it is doing, `DELETE` cancels
    it; `/jobs/{job_id}/result` describes the finished film, or is the film itself for `Accept: video/*`.

    One film runs at a time, beside the pictures; after a restart it goes on from its last finished part.
    """
    with service.admitted(service.films):
        entry = await receive(request, service)
    response.headers["Location"] = f"/jobs/{entry.job.id}"
    return job_response(entry, entry.handle.status)
