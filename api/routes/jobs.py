"""Jobs: accepted at once, watched, fetched or cancelled later."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.film_schemas import VideoResponse
from api.job_events import watch
from api.job_store import JobEntry
from api.requests import REQUEST_BODY, accept, read_delivery
from api.responses import job_response
from api.routes.upscale import JobId, answer
from api.schemas import ErrorResponse, JobResponse, UpscaleResponse
from api.security import GUARDS, ServiceOf, check_enabled

router = APIRouter(tags=["jobs"], dependencies=GUARDS)


def find_job(job_id: JobId, service: ServiceOf) -> JobEntry:
    """The job, or 404."""
    entry = service.jobs.get(job_id)
    if entry is None:
        raise HTTPException(404, "There is no such job (any more).")
    return entry


EntryOf = Annotated[JobEntry, Depends(find_job)]


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobResponse,
    openapi_extra=REQUEST_BODY,
    dependencies=[Depends(check_enabled)],
    summary="Enlarge a picture in the background",
)
async def submit(request: Request, service: ServiceOf, response: Response) -> JobResponse:
    """The same body as `POST /upscale`; `callback_url` gets the outcome, signed."""
    with service.admitted():
        delivery = await read_delivery(request, service)
        entry = await run_in_threadpool(accept, delivery, service)
    response.headers["Location"] = f"/jobs/{entry.job.id}"
    return job_response(entry, entry.handle.status)


@router.get("/jobs/{job_id}", summary="How a job is doing")
def status(entry: EntryOf) -> JobResponse:
    return job_response(entry, entry.handle.status)


@router.delete("/jobs/{job_id}", summary="Cancel a job")
def cancel(entry: EntryOf) -> JobResponse:
    """A job that has ended stays as it is."""
    entry.handle.cancel()
    return job_response(entry, entry.handle.status)


@router.get(
    "/jobs/{job_id}/result",
    response_model=UpscaleResponse | VideoResponse,
    responses={409: {"model": ErrorResponse, "description": "Not finished, or cancelled"}},
    summary="The result of a finished job",
)
async def result(entry: EntryOf, request: Request, service: ServiceOf) -> Response:
    """As the answer of `POST /upscale`, by `Accept` too; of a film its facts, or the film for `Accept: video/*`."""
    current = entry.handle.status
    if not current.state.final:
        raise HTTPException(409, f"The job is {current.state.value}.")
    return await answer(request, service, entry, current)


@router.get("/jobs/{job_id}/events", response_class=EventSourceResponse, summary="Watch a job")
async def events(entry: EntryOf) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events: `progress` while it goes on, then one `done`, `failed` or `cancelled`."""
    async for current in watch(entry.handle):
        name = current.state.value if current.state.final else "progress"
        yield ServerSentEvent(data=job_response(entry, current), event=name, id=str(current.number))
