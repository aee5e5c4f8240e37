"""Enlarging: the picture in, the result out, in one request; and downloads of results."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from api.films import FilmHandle
from api.job_events import until_final
from api.job_store import JobEntry, JobStore
from api.requests import REQUEST_BODY, accept, read_delivery
from api.responses import MEDIA_TYPES, file_path, media_type, raise_failure, upscale_response, video_response
from api.schemas import UpscaleResponse
from api.security import GUARDS, ServiceOf, check_enabled
from engine.jobs.job import JobStatus

router = APIRouter(tags=["upscale"], dependencies=GUARDS)

_FORMATS = {kind: suffix.removeprefix(".") for suffix, kind in MEDIA_TYPES.items()} | {
    "image/jpeg": "jpeg",
    "image/tiff": "tiff",
}

JobId = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$", description="A job's id", examples=["0" * 32])]

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The result: described as JSON, or the file itself for `Accept: image/*`",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
    }
}


class KeptFileResponse(FileResponse):
    """A file whose job cannot be swept away while it is sent, also when the client leaves halfway."""

    def __init__(self, store: JobStore, job_id: str, path: Path, **more: Any) -> None:
        super().__init__(path, **more)
        self._store, self._job_id = store, job_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._store.reading(self._job_id):
            await super().__call__(scope, receive, send)


def wants_file(request: Request) -> bool:
    """Whether the client asks for the picture or film itself rather than for JSON."""
    accepted = request.headers.get("accept", "").lower()
    kinds = ("image/", "video/", "application/pdf", "application/octet-stream")
    return "application/json" not in accepted and any(kind in accepted for kind in kinds)


def accepted_format(request: Request) -> str | None:
    """The file format that the client asks for by name in ``Accept``, the most wanted first; None for any picture."""
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("accept", "").lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((one.removeprefix("q=") for one in parameters if one.startswith("q=")), "1")
        if kind in _FORMATS:
            with suppress(ValueError):
                wanted.append((float(quality), _FORMATS[kind]))
    best = max(wanted, key=lambda one: one[0], default=None)  # of equal ones the first
    return best[1] if best is not None and best[0] > 0 and wants_file(request) else None


async def answer(request: Request, service: ServiceOf, entry: JobEntry, status: JobStatus) -> Response:
    """A finished job's answer, or its error raised."""
    raise_failure(status)
    path = entry.job.output_path
    if not path.is_file():
        raise HTTPException(404, "The result has been removed.")
    if wants_file(request):
        return KeptFileResponse(service.jobs, entry.job.id, path, media_type=media_type(path))
    if isinstance(entry.handle, FilmHandle):
        assert entry.handle.film is not None
        return JSONResponse(video_response(entry, entry.handle.film).model_dump(mode="json"))
    assert status.result is not None
    with service.jobs.reading(entry.job.id):
        content = await run_in_threadpool(upscale_response, entry, status.result, with_file=entry.include_base64)
    return JSONResponse(content.model_dump(mode="json"))


@router.post(
    "/upscale",
    response_model=UpscaleResponse,
    responses=_ANSWERS,
    openapi_extra=REQUEST_BODY,
    dependencies=[Depends(check_enabled)],
    summary="Enlarge a picture and wait for it",
)
async def upscale(request: Request, service: ServiceOf) -> Response:
    """Send JSON with `image_b64` or `img_url`, or a form with `file`. A client that leaves cancels its job.

    `Accept: image/png` (jpeg, webp, avif, jxl, tiff, gif, or `application/pdf`) answers with the file, and chooses its
    format where `format` does not.
    """
    with service.admitted():
        delivery = await read_delivery(request, service)
        if delivery.options.callback_url is not None:
            raise HTTPException(422, "callback_url is for POST /jobs; this request waits for the result itself.")
        asked = accepted_format(request)
        if asked is not None and "format" not in delivery.options.model_fields_set:
            options = delivery.options.model_copy(update={"format": asked})
            delivery = replace(delivery, options=options)
        entry = await run_in_threadpool(accept, delivery, service, waiting=True)
    del delivery
    status = await until_final(entry.handle, request)
    return await answer(request, service, entry, status)


@router.get("/files/{job_id}/{name}", response_class=FileResponse, summary="Download a result")
async def download(
    service: ServiceOf, job_id: JobId, name: Annotated[str, PathParameter(max_length=255, examples=["picture_x4.png"])]
) -> Response:
    """The address is `file_path` of the answer. Ranges are understood."""
    entry = service.jobs.get(job_id)
    if entry is None or file_path(entry) != f"files/{job_id}/{name}" or not entry.job.output_path.is_file():
        raise HTTPException(404, "There is no such file (any more).")
    path = entry.job.output_path
    return KeptFileResponse(service.jobs, job_id, path, media_type=media_type(path), filename=path.name)
