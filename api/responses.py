"""From jobs and errors to what goes over the wire."""

from __future__ import annotations

import base64
from pathlib import Path

from api.film_schemas import VideoResponse
from api.job_store import JobEntry
from api.schemas import Fault, JobResponse, Size, UpscaleResponse
from engine.faces.missing_models import NOT_RESTORED
from engine.jobs.job import JobState, JobStatus
from engine.types import EnhanceResult
from engine.video import VideoResult
from utils import errors
from utils.errors import EngineError

BASE64_LIMIT = 50 * 10**6

_STATUS_CODES: tuple[tuple[type[EngineError], int], ...] = (
    (errors.ImageTooLargeError, 413),
    (errors.InvalidImageError, 400),
    (errors.VideoTooLargeError, 413),
    (errors.InvalidVideoError, 400),
    (errors.ModelNotFoundError, 422),
    (errors.InvalidSettingsError, 422),
    (errors.JobSetAsideError, 422),
    (errors.UnsupportedModelError, 422),
    (errors.JobCancelled, 409),
    (errors.JobNotFoundError, 404),
    (errors.JobAccessError, 403),
    (errors.JobNotWaitingError, 409),
    (errors.OutputError, 507),
    (errors.QueueFullError, 503),
    (errors.ServiceStoppedError, 503),
    (errors.WorkerLostError, 503),
    (errors.OutOfMemoryError, 503),
    (errors.ModelError, 503),
    (errors.BackendError, 503),
)

MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".jxl": "image/jxl",
    ".tif": "image/tiff",
    ".gif": "image/gif",
    ".pdf": "application/pdf",
}

VIDEO_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
}


def status_code(error: EngineError) -> int:
    """The HTTP status of an error."""
    return next((code for kind, code in _STATUS_CODES if isinstance(error, kind)), 500)


def media_type(path: Path) -> str:
    return {**MEDIA_TYPES, **VIDEO_TYPES}.get(path.suffix.lower(), "application/octet-stream")


def file_path(entry: JobEntry) -> str:
    """Where a job's result can be downloaded, relative to the server's address."""
    return f"files/{entry.job.id}/{entry.job.output_path.name}"


def raise_failure(status: JobStatus) -> None:
    """Raise what a job ended with, unless that is a result."""
    if status.state is JobState.CANCELLED:
        raise errors.JobCancelled("The job was cancelled.")
    if status.failure is not None:
        raise status.failure.to_error()


def job_response(entry: JobEntry, status: JobStatus) -> JobResponse:
    progress = status.progress
    done = status.state is JobState.DONE
    return JobResponse(
        job_id=status.job.id,
        state=status.state.value,
        progress=1.0 if done else progress.fraction if progress else 0.0,
        stage=progress.stage if progress else None,
        eta_seconds=0.0 if done else progress.eta_seconds if progress else None,
        attempts=status.attempts,
        created=status.job.created,
        started=status.started,
        finished=status.finished,
        error=Fault(type=status.failure.type, message=status.failure.message) if status.failure else None,
        result_url=f"jobs/{status.job.id}/result" if done else None,
    )


def upscale_response(entry: JobEntry, result: EnhanceResult, *, with_file: bool) -> UpscaleResponse:
    """The answer to a finished job; reads the file, so call it from a thread."""
    # Clients cannot install a model; the metrics tell them that it is missing ("faces_need").
    content, warnings = None, [text for text in result.warnings if not text.startswith(NOT_RESTORED)]
    if with_file:
        path = entry.job.output_path
        if path.stat().st_size <= BASE64_LIMIT:
            content = base64.b64encode(path.read_bytes()).decode("ascii")
        else:
            warnings.append("The result is too large for base64; download it from file_path.")
    width, height = result.output_size
    return UpscaleResponse(
        job_id=entry.job.id,
        file_path=file_path(entry),
        base64=content,
        original_size=Size(width=result.input_size[0], height=result.input_size[1]),
        upscaled_size=Size(width=width, height=height),
        total_scale=result.scale,
        upscaling_strategy=str(result.metrics.get("upscaling_strategy", "")),
        model=result.model,
        faces_detected=int(result.metrics.get("faces_detected", 0)),
        faces_enhanced=int(result.metrics.get("faces_enhanced", 0)),
        processing_time=round(result.timings.total, 3),
        metrics=result.metrics,
        warnings=warnings,
    )


def video_response(entry: JobEntry, result: VideoResult) -> VideoResponse:
    """The answer to a finished film."""
    (width, height), (before_width, before_height) = result.output_size, result.input_size
    facts = result.to_json()
    return VideoResponse(
        job_id=entry.job.id,
        file_path=file_path(entry),
        original_size=Size(width=before_width, height=before_height),
        upscaled_size=Size(width=width, height=height),
        total_scale=result.scale,
        frames=result.frames,
        duration=round(result.duration, 6),
        codec=result.codec,
        model=result.model,
        processing_time=round(result.timings.total, 3),
        metrics={name: value for name, value in facts.items() if name not in ("input", "output", "warnings")},
        warnings=list(result.warnings),
    )
