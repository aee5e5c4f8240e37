"""From a request to a film's job: received on the disk, checked against every limit, queued."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.fetch import FetchLimits, fetch_into
from api.film_schemas import VideoRequest, VideoUpload
from api.films import FilmJob
from api.job_store import JobEntry
from api.requests import requested_settings, validated
from api.schemas import TARGET_SIDES
from api.service import Service
from engine.pixels.sizing import plan_size
from engine.types import EnhanceSettings
from engine.video import VideoOptions, default_video_path
from utils.errors import InvalidSettingsError, InvalidVideoError, VideoTooLargeError
from utils.video_files import SUFFIXES, VideoInfo, VideoLimits, probe_video

_MB = 10**6
_LARGEST_JSON = 65_536
_BLOCK = 2**20
_LISTS = frozenset(("concat", "hls", "applehttp", "dash", "sdp", "webm_dash_manifest", "imf", "image2"))
Receive = Callable[[Path], object]
"""Writes the film into a file."""


def _form_fields() -> dict[str, Any]:
    fields = VideoUpload.model_json_schema()["properties"]
    return {"file": {"type": "string", "format": "binary"}, **fields}


FILM_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": _form_fields()},
            },
            "application/json": {"schema": {"$ref": "#/components/schemas/VideoRequest"}},
        },
    }
}
"""The two kinds of body, for OpenAPI."""


async def receive(request: Request, service: Service) -> JobEntry:
    """Read either kind of body, and queue the film.

    Raises:
        RequestValidationError, HTTPException: the request is none.
        EngineError: over a limit, not a film, wrong settings, queue full.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _from_form(request, service)
    if kind not in ("application/json", ""):
        raise HTTPException(415, "Send application/json or multipart/form-data.")
    wanted = validated(VideoRequest, await _json(request))
    if not service.config.api_img_url:
        raise HTTPException(400, "video_url is switched off on this server (REALESRGAN_API_IMG_URL).")
    allowed = FetchLimits(service.largest_film, service.config.api_video_timeout, "film", "video/*, image/*")
    write = partial(_fetch, wanted.video_url, allowed, service)
    options = VideoUpload(**wanted.model_dump(exclude={"video_url"}, exclude_unset=True))
    return await run_in_threadpool(accept, options, _suffix_of_address(wanted.video_url), write, service)


async def _from_form(request: Request, service: Service) -> JobEntry:
    async with request.form(max_files=1, max_fields=30, max_part_size=10_000) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "The form has no part 'file' with a film in it.")
        options = validated(VideoUpload, {name: value for name, value in form.multi_items() if name != "file"})
        write = partial(_copy, file.file, service.largest_film)
        return await run_in_threadpool(accept, options, _suffix(file.filename or ""), write, service)


async def _json(request: Request) -> bytes:
    """The body, whose limit is that of a film otherwise."""
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > _LARGEST_JSON:
            raise HTTPException(413, "Films are sent as multipart/form-data, or named by video_url.")
    return bytes(body)


def _suffix(name: str) -> str:
    """Of a file name or an address, where it is one of a film."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in SUFFIXES or suffix in (".webp", ".png", ".apng") else ""


def _suffix_of_address(url: str) -> str:
    try:
        return _suffix(urlsplit(url).path)
    except ValueError:  # no address, which whoever fetches it will say
        return ""


def _copy(source: IO[bytes], most: int, target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file, _BLOCK)
    _check_bytes(target.stat().st_size, most)


def _fetch(url: str, allowed: FetchLimits, service: Service, target: Path) -> None:
    with target.open("wb") as file:
        fetch_into(file, url, allowed, resolve=service.resolve)


def _check_bytes(size: int, most: int) -> None:
    if size > most:
        raise VideoTooLargeError(f"The film has {size / _MB:.1f} MB; the limit is {most / _MB:g} MB.")


def accept(options: VideoUpload, suffix: str, write: Receive, service: Service) -> JobEntry:
    """Receive a film, check it, queue it. Blocks: call it from a thread. Raises ``EngineError``."""
    if options.callback_url is not None:
        service.callbacks.check(options.callback_url)
    settings, how = requested_settings(options, service), options.video_options()
    job = replace(FilmJob.new("input", "output", settings), options=how)
    with service.jobs.prepared(job.id) as folder:
        source = folder / f"film{suffix}"
        write(source)
        _check(source, options, settings, how, service)
        target = default_video_path(source, folder, settings)
        if options.container != "same":
            target = target.with_suffix(f".{options.container}")
        job = replace(job, input_path=source, output_path=target, overwrite=True)
        return service.jobs.accept(job, callback_url=options.callback_url)


def _check(
    path: Path, options: VideoUpload, settings: EnhanceSettings, how: VideoOptions, service: Service
) -> VideoInfo:
    """The facts of a film that is within all limits; its first frame is decoded.

    Raises:
        InvalidVideoError, VideoTooLargeError, ImageTooLargeError, InvalidSettingsError.
    """
    config, side = service.config, service.limits(options.target_resolution).max_input_side
    most = min(side**2, int(config.max_image_megapixels * _MB))
    info = probe_video(path, VideoLimits(service.largest_film, float(config.max_video_minutes) * 60, most))
    if _LISTS & set(info.container.split(",")):  # of files that whoever asks has not sent
        raise InvalidVideoError("The film is a list of other files; send the film itself.")
    if max(info.width, info.height) > side:
        raise VideoTooLargeError(f"The film is {info.width}x{info.height}; the longest side may have {side} pixels.")
    goal = TARGET_SIDES.get(options.target_resolution or "")
    if goal is not None and max(info.width, info.height) >= goal:
        raise InvalidSettingsError(
            f"The film is {info.width}x{info.height} already, which is {options.target_resolution} or more."
        )
    if how.start is not None and info.duration is not None and how.start >= info.duration:
        raise InvalidSettingsError(f"The film ends at {info.duration:g} seconds, before the start that was asked for.")
    plan_size(info.width, info.height, settings, max_output_pixels=int(config.max_output_megapixels * _MB))
    return info


__all__ = ["FILM_BODY", "accept", "receive"]
