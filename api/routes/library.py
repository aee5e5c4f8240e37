"""The library form, for a gallery on the same machine: pictures are named by path, results are kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool

from api.job_events import until_final
from api.job_store import JobEntry
from api.library import Library, LibraryPicture, is_fresh
from api.requests import check_picture, requested_settings
from api.responses import media_type, raise_failure
from api.schemas import LibraryEntry, LibraryListing, LibraryPath, LibraryRemoval, LibraryRequest, LibraryResponse
from api.security import GUARDS, ServiceOf, check_enabled
from api.service import Service
from engine.jobs.job import Job
from engine.types import EnhanceSettings
from utils import image_io
from utils.errors import InvalidImageError

router = APIRouter(tags=["library"], dependencies=GUARDS)

_NO_LIMITS = image_io.ImageLimits(10**13, 10**12, 10**13, max_pages=10**6)


def get_library(service: ServiceOf) -> Library:
    """The library, or 404 where no folders are configured."""
    if not service.library_roots:
        raise HTTPException(404, "This server has no library (REALESRGAN_API_LIBRARY_ROOTS).")
    return Library(service.library_roots, service.config.output_dir)


LibraryOf = Annotated[Library, Depends(get_library)]


@router.post("/api/upscale", dependencies=[Depends(check_enabled)], summary="Enlarge a picture of the library")
async def upscale(wanted: LibraryRequest, request: Request, service: ServiceOf, library: LibraryOf) -> LibraryResponse:
    """An enlarged version that is newer than the picture is returned at once."""
    picture = await run_in_threadpool(_find, library, wanted.path)
    settings = await run_in_threadpool(requested_settings, wanted, service)
    version = library.target(picture, settings, is_plain=wanted.is_plain)
    cached = await run_in_threadpool(is_fresh, version, picture)
    if not cached:
        begin = partial(_submit, wanted, settings, picture, version, service)
        with service.admitted():
            entry = await run_in_threadpool(service.library_jobs.join, version, begin)
        cached = entry is None
        if entry is not None:
            try:
                raise_failure(await until_final(entry.handle, request, shared=True))
            finally:
                service.library_jobs.leave(version, entry)
    info = await run_in_threadpool(image_io.probe, version, _NO_LIMITS)
    return LibraryResponse(
        path=wanted.path, file_path=library.public_path(version), cached=cached, width=info.width, height=info.height
    )


def _find(library: Library, name: str) -> LibraryPicture:
    try:
        return library.find(name)
    except InvalidImageError as error:
        raise HTTPException(404, str(error)) from error


def _submit(
    wanted: LibraryRequest, settings: EnhanceSettings, picture: LibraryPicture, version: Path, service: Service
) -> JobEntry | None:
    """None where another request's job has made the version since this one looked."""
    if is_fresh(version, picture):
        return None
    check_picture(picture.path, wanted, settings, service)
    job = Job.new(picture.path, version, settings, overwrite=True, mixed_passes=True)
    with service.jobs.prepared(job.id):
        return service.jobs.accept(job, waiting=True)


@router.delete("/api/upscale", summary="Remove the enlarged versions of a picture")
def remove(
    library: LibraryOf,
    wanted: LibraryPath | None = None,
    path: Annotated[
        str | None, Query(min_length=1, max_length=1024, description="Path below a library folder, if not in the body")
    ] = None,
) -> LibraryRemoval:
    """The picture itself is never touched. Clients that cannot send a body with DELETE name the path in the query."""
    name = wanted.path if wanted is not None else path
    if name is None:
        raise HTTPException(422, 'Name the picture: {"path": ...}, or ?path=...')
    removed = []
    versions = library.left_over(name) or library.versions(_find(library, name))
    for version in versions:
        version.unlink(missing_ok=True)
        removed.append(library.public_path(version))
    return LibraryRemoval(removed=removed)


@router.get("/api/upscale", summary="List enlarged versions")
def listing(
    library: LibraryOf,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> LibraryListing:
    versions = library.all_versions()
    items = []
    for version in versions[offset : offset + limit]:
        try:
            facts = version.stat()
        except OSError:  # removed meanwhile
            continue
        items.append(
            LibraryEntry(
                path=library.original_name(version),
                file_path=library.public_path(version),
                bytes=facts.st_size,
                modified=facts.st_mtime,
            )
        )
    return LibraryListing(total=len(versions), items=items)


@router.get("/library-files/{name:path}", response_class=FileResponse, summary="Download an enlarged version")
def download(
    library: LibraryOf, name: Annotated[str, PathParameter(max_length=1200, examples=["0/beach.jpg.upscaled-x4.png"])]
) -> Response:
    version = library.version_at(name)
    if version is None:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(version, media_type=media_type(version))
