"""Films of the REST API: one at a time, each in a process of its own, beside the pictures that the executor runs."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from engine.jobs.job import Job, JobHandle, JobState, JobStatus
from engine.jobs.job_queue import JobQueue
from engine.types import JobControl
from engine.video import VideoOptions, VideoResult, enhance_video_isolated
from utils.errors import EngineError, InvalidSettingsError, JobCancelled, QueueFullError, ServiceStoppedError

logger = logging.getLogger(__name__)

_RESULT: TypeAdapter[VideoResult] = TypeAdapter(VideoResult)
_COME_BACK_SECONDS = 60.0
"""A film takes minutes at least."""


@dataclass(frozen=True)
class FilmJob(Job):
    """One film to enhance."""

    options: VideoOptions = field(default_factory=VideoOptions.create)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "options": self.options.model_dump(mode="json", exclude_defaults=True)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FilmJob:
        made = super().from_json(values)
        assert isinstance(made, FilmJob)
        return replace(made, options=VideoOptions.create(**values["options"]))


class FilmHandle(JobHandle):
    """A submitted film; ``film`` is its result once it is done."""

    film: VideoResult | None = None

    def finish_film(self, result: VideoResult) -> None:
        """As ``finish`` ends a picture."""
        self.film = result
        self._end(state=JobState.DONE)

    def result_to_json(self) -> Any:
        """The result as JSON values, None without one."""
        return None if self.film is None else _RESULT.dump_python(self.film, mode="json")

    def finish_from_json(self, values: Any) -> None:
        """The inverse of ``result_to_json``. Raises ``ValueError``."""
        self.finish_film(_RESULT.validate_python(values))


class _FilmControl(JobControl):
    """Ends a film when it is cancelled, and when the program stops."""

    def __init__(self, handle: JobHandle, stopping: threading.Event) -> None:
        super().__init__(on_progress=handle.control.report)
        self._handle, self._stopping = handle, stopping

    @property
    def cancelled(self) -> bool:
        return self._handle.control.cancelled or self._stopping.is_set()

    def check(self) -> None:
        if self.cancelled:
            raise JobCancelled("Cancelled; nothing was written.")


class FilmExecutor(JobQueue):
    """What ``JobStore`` and ``ApiJob`` ask of an executor, for films. Every method may be called from any thread.

    Args:
        most: films that may wait.
        enhance: ``enhance_video_isolated``, or what stands in for it.
    """

    def __init__(self, config: Any, most: int, enhance: Callable[..., VideoResult] = enhance_video_isolated) -> None:
        super().__init__()
        self._config, self._most, self._enhance = config, most, enhance
        self._running: JobHandle | None = None
        self._accepting = True
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def submit(self, job: Job, *, urgent: bool = False) -> JobHandle:
        """Queue a film. Raises ``QueueFullError``, which ``urgent`` ones do not meet, and ``ServiceStoppedError``."""
        if not isinstance(job, FilmJob):
            raise InvalidSettingsError("That is not a film.")
        handle = FilmHandle(job)
        with self._changed:
            if not self._accepting:
                raise ServiceStoppedError("The program is shutting down and takes no new jobs.")
            if len(self._waiting) >= self._most and not urgent:
                raise QueueFullError("As many films wait as may wait; try again later.", self.retry_after())
            self._waiting.append(handle)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="films", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        handle.subscribe(self._forget_cancelled)
        return handle

    @property
    def has_room(self) -> bool:
        """Whether ``submit`` would take a film now."""
        return self._accepting and len(self._waiting) < self._most

    def retry_after(self) -> float:
        """Seconds after which it is worth asking again."""
        return _COME_BACK_SECONDS

    def stop_accepting(self) -> None:
        """Refuse new films from now on."""
        self._accepting = False

    def close(self, grace: float) -> None:
        """End the film that runs, which keeps its finished parts, and leave those that wait to the next start.

        Args:
            grace: seconds that it gets to come to its end.
        """
        self.stop_accepting()
        with self._changed:
            self._stopping.set()
            left = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for handle in left:
            handle.fail(_stopped())
        if self._thread is not None:
            self._thread.join(grace)
        running = self._running
        if running is not None:
            running.fail(_stopped())

    # -- the thread --------------------------------------------------------------------------------------------------

    def _forget_cancelled(self, status: JobStatus) -> None:
        """One that was cancelled while it waited frees its place."""
        if status.state.final:
            with self._changed:
                self._waiting = deque(one for one in self._waiting if one.job.id != status.job.id)

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._stopping.is_set())
                if self._stopping.is_set():
                    return
                handle = self._running = self._waiting.popleft()
            try:
                self._run(handle)
            except Exception as error:
                logger.exception("A film of the API failed")
                handle.fail(EngineError(f"An unforeseen fault: {error}. The log has the details."))
            finally:
                self._running = None

    def _run(self, handle: JobHandle) -> None:
        job = handle.job
        assert isinstance(handle, FilmHandle) and isinstance(job, FilmJob)
        if not handle.begin(1):
            return
        try:
            result = self._enhance(
                job.input_path,
                job.output_path,
                job.settings,
                job.options,
                config=self._config,
                control=_FilmControl(handle, self._stopping),
                overwrite=job.overwrite,
            )
        except JobCancelled as error:
            handle.fail(error if handle.control.cancelled else _stopped())
        except EngineError as error:
            handle.fail(error)
        else:
            self._end(handle, result)

    @staticmethod
    def _end(handle: FilmHandle, result: VideoResult) -> None:
        if result.complete:
            handle.finish_film(result)
        elif handle.control.cancelled:
            result.output_path.unlink(missing_ok=True)
            handle.fail(JobCancelled("The job was cancelled."))
        else:  # its finished parts lie beside it, and the next start goes on from there
            handle.fail(_stopped())


def _stopped() -> ServiceStoppedError:
    return ServiceStoppedError("The program was stopped before this job was finished.")


def job_from_json(values: dict[str, Any]) -> Job:
    """A job of either kind, as ``to_json`` wrote it. Raises as ``Job.from_json``."""
    return FilmJob.from_json(values) if "options" in values else Job.from_json(values)


def handle_of(job: Job) -> JobHandle:
    """A handle for a job that nobody runs."""
    return FilmHandle(job) if isinstance(job, FilmJob) else JobHandle(job)


__all__ = ["FilmHandle", "FilmJob", "FilmExecutor", "handle_of", "job_from_json"]
