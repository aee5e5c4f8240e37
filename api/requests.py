"""From a request to a job: read, check every limit before decoding, write the picture into the job's folder."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.fetch import FetchLimits, fetch
from api.film_schemas import VideoUpload
from api.job_store import JobEntry
from api.schemas import UploadOptions, UpscaleOptions, UpscaleRequest
from api.service import Service
from engine.imaging.document import page_headers
from engine.imaging.task import limits_of
from engine.jobs.job import Job
from engine.pixels.sizing import plan_size
from engine.processor import default_output_path
from engine.types import EnhanceSettings, Mode
from utils import image_io
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.page_numbers import chosen_pages

T = TypeVar("T", bound=BaseModel)
_MB = 10**6

REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/UpscaleRequest"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "scale": {"type": "number", "minimum": 1, "maximum": 16},
                        "target_resolution": {"type": "string", "enum": ["2k", "4k", "8k"]},
                        "model": {"type": "string"},
                        "mode": {"type": "string", "enum": list(get_args(Mode))},
                        "enhance_faces": {"type": "string", "enum": ["true", "false", "auto"]},
                        "face_strength": {"type": "number", "minimum": 0, "maximum": 1},
                        "face_model": {"type": "string"},
                        "format": {"type": "string"},
                        "quality": {"type": "integer"},
                        "pages": {"type": "string"},
                        "pdf_dpi": {"type": "number", "minimum": 36, "maximum": 1200},
                        "salvage": {"type": "boolean"},
                        "preset": {"type": "string"},
                        "include_base64": {"type": "boolean"},
                        "callback_url": {"type": "string"},
                    },
                }
            },
        },
    }
}
"""The two kinds of body, for OpenAPI."""


@dataclass(frozen=True)
class Delivery:
    """A picture's bytes, and what to do with them."""

    data: bytes
    options: UploadOptions


async def read_delivery(request: Request, service: Service) -> Delivery:
    """Read either kind of body. Raises ``RequestValidationError``, ``HTTPException``, ``EngineError``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        delivery = await _read_form(request)
    elif kind in ("application/json", ""):
        delivery = await _read_json(request, service)
    else:
        raise HTTPException(415, "Send application/json or multipart/form-data.")
    limit = int(service.limits(delivery.options.target_resolution).max_request_mb * _MB)
    if len(delivery.data) > limit:
        raise ImageTooLargeError(f"The picture has {len(delivery.data) / _MB:.1f} MB; the limit is {limit / _MB:g} MB.")
    return delivery


def validated(kind: type[T], values: bytes | dict[str, Any]) -> T:
    """A body's JSON, or a form's fields, as a value. Raises ``RequestValidationError``."""
    try:
        return kind.model_validate_json(values) if isinstance(values, bytes) else kind.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error


async def _read_json(request: Request, service: Service) -> Delivery:
    body = await request.body()
    options = validated(UpscaleRequest, body)
    limits = service.limits(options.target_resolution)
    if options.image_b64 is None and not service.config.api_img_url:
        raise HTTPException(400, "img_url is switched off on this server (REALESRGAN_API_IMG_URL).")
    if len(body) > limits.max_request_mb * _MB:
        raise ImageTooLargeError(
            f"The request has {len(body) / _MB:.1f} MB; the limit is {limits.max_request_mb:g} MB."
        )
    if options.image_b64 is not None:
        data = _decode(options.image_b64)
    else:
        allowed = FetchLimits(int(limits.max_request_mb * _MB))
        data = await run_in_threadpool(fetch, options.img_url or "", allowed, resolve=service.resolve)
    return Delivery(data, UploadOptions(**options.model_dump(exclude={"image_b64", "img_url"}, exclude_unset=True)))


def _decode(text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidImageError("image_b64 is not valid base64.") from None


async def _read_form(request: Request) -> Delivery:
    async with request.form(max_files=1, max_fields=20, max_part_size=10_000) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "The form has no part 'file' with a picture in it.")
        options = validated(UploadOptions, {name: value for name, value in form.multi_items() if name != "file"})
        return Delivery(await file.read(), options)


def accept(delivery: Delivery, service: Service, *, waiting: bool = False) -> JobEntry:
    """Check a picture, write it down, queue it. Blocks on the disk: call it from a thread.

    Args:
        waiting: the request waits for the result.

    Raises:
        EngineError: over a limit, not a picture, wrong settings, queue full.
    """
    options = delivery.options
    if options.callback_url is not None:
        service.callbacks.check(options.callback_url)
    settings = requested_settings(options, service)
    job = Job.new("input", "output", settings)
    with service.jobs.prepared(job.id) as folder:
        source = folder / "input"
        source.write_bytes(delivery.data)
        info = check_picture(source, options, settings, service)
        source = source.rename(folder / f"picture{image_io.output_suffix(info.format)}")
        target = default_output_path(source, folder, settings)
        job = replace(job, input_path=source, output_path=target, overwrite=True, mixed_passes=True)
        url, with_file = options.callback_url, options.include_base64
        return service.jobs.accept(job, callback_url=url, include_base64=with_file, waiting=waiting)


def requested_settings(options: UpscaleOptions | VideoUpload, service: Service) -> EnhanceSettings:
    """The engine's settings for a request. Raises ``InvalidSettingsError``."""
    preset: dict[str, Any] = {}
    if options.preset:
        preset = service.presets.get(options.preset).resolve(service.installed_models())
    return options.settings(service.config.default_model, preset)


def check_picture(
    path: Path, options: UpscaleOptions, settings: EnhanceSettings, service: Service
) -> image_io.ImageInfo:
    """The header of a picture that is within all limits; nothing is decoded.

    Raises:
        InvalidImageError, ImageTooLargeError, InvalidSettingsError.
    """
    limits = service.limits(options.target_resolution)
    with _named():
        info = image_io.probe(
            path,
            image_io.ImageLimits(
                max_bytes=int(limits.max_request_mb * _MB),
                max_pixels=min(limits.max_input_side**2, int(service.config.max_image_megapixels * _MB)),
                max_pages=service.config.max_pages,
                salvage=settings.salvage,
            ),
        )
        sizes = [(info.width, info.height)] if not info.is_document else _page_sizes(path, info, settings, service)
    width, height = max(sizes, key=max)
    if max(width, height) > limits.max_input_side:
        raise ImageTooLargeError(
            f"The picture is {width}x{height}; the longest side may have {limits.max_input_side} pixels."
        )
    plan_size(info.width, info.height, settings, max_output_pixels=int(service.config.max_output_megapixels * _MB))
    return info


def _page_sizes(
    path: Path, info: image_io.ImageInfo, settings: EnhanceSettings, service: Service
) -> list[tuple[int, int]]:
    """The sizes of a document's pages that are to be enhanced; of those that cannot be used, none."""
    numbers = chosen_pages(settings.pages, info.pages, "The document")
    headers = page_headers(path, settings, limits_of(service.config, settings), numbers)
    return [(header.width, header.height) for header in headers if header is not None] or [(info.width, info.height)]


@contextmanager
def _named() -> Iterator[None]:
    """Errors about our own file names, said to somebody who does not know them."""
    try:
        yield
    except InvalidImageError as error:
        before, quote, rest = str(error).partition("'")
        name, closing, after = rest.partition("'")
        text = f"{before}The picture{after}" if quote and closing and name.endswith("input") else str(error)
        raise type(error)(text) from error


__all__ = ["REQUEST_BODY", "Delivery", "accept", "check_picture", "read_delivery", "requested_settings"]
