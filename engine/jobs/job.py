"""A job's life: queued, running, then exactly one of done, failed, cancelled.

``Job`` is what is to be done, ``JobStatus`` what is known about it at one moment; both are frozen. ``JobHandle`` is
the one thing that changes: executors move it on, whoever submitted the job watches it, waits for it or cancels it.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Self, TypedDict, Unpack

from engine.types import EnhanceResult, EnhanceSettings, JobControl, Progress
from utils import errors
from utils.errors import EngineError, JobCancelled
from utils.json_types import JsonObject

logger = logging.getLogger(__name__)


class JobState(StrEnum):
    """Where a job is in its life: queued, running, then one of the three that are final.

    One whose place goes away (a node of a cluster) is queued again.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether a job in this state never changes again."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class Job:
    """One picture to enhance.

    Attributes:
        overwrite: replace an existing output file.
        mixed_passes: reach goals beyond x4 by the shortest sequence of x4 and x2 networks instead of one network
            run twice, see ``engine.executors.enhance_job``.
    """

    id: str
    input_path: Path
    output_path: Path
    settings: EnhanceSettings
    overwrite: bool = False
    mixed_passes: bool = False
    created: float = field(default_factory=time.time)

    @classmethod
    def new(
        cls,
        input_path: Path | str,
        output_path: Path | str,
        settings: EnhanceSettings,
        *,
        overwrite: bool = False,
        mixed_passes: bool = False,
    ) -> Self:
        """A job with a fresh, unguessable id."""
        return cls(secrets.token_hex(16), Path(input_path), Path(output_path), settings, overwrite, mixed_passes)

    def to_json(self) -> JsonObject:
        """The fields as JSON values; ``from_json`` reads them back."""
        return {
            "id": self.id,
            "input_path": str(self.input_path),
            "output_path": str(self.output_path),
            "settings": self.settings.model_dump(mode="json", exclude_defaults=True),
            "overwrite": self.overwrite,
            "mixed_passes": self.mixed_passes,
            "created": self.created,
        }

    @classmethod
    def from_json(cls, values: JsonObject) -> Job:
        """The inverse of ``to_json``. Raises ``KeyError``, ``TypeError`` or ``InvalidSettingsError``."""
        return cls(
            id=str(values["id"]),
            input_path=Path(values["input_path"]),
            output_path=Path(values["output_path"]),
            settings=EnhanceSettings.create(**values["settings"]),
            overwrite=bool(values["overwrite"]),
            mixed_passes=bool(values["mixed_passes"]),
            created=float(values["created"]),
        )


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed: the error's class name and its sentence."""

    type: str
    message: str

    @classmethod
    def of(cls, error: BaseException) -> JobFailure:
        """The error's class name and message."""
        return cls(type(error).__name__, str(error))

    def to_error(self) -> EngineError:
        """The error again, as its own class where that is one of ``utils.errors``."""
        kind = getattr(errors, self.type, EngineError)
        return (
            kind(self.message)
            if isinstance(kind, type) and issubclass(kind, EngineError)
            else EngineError(self.message)
        )


@dataclass(frozen=True)
class JobStatus:
    """What is known about a job at one moment. Times are seconds since 1970; ``number`` grows with every change."""

    job: Job
    state: JobState = JobState.QUEUED
    number: int = 0
    attempts: int = 0
    progress: Progress | None = None
    result: EnhanceResult | None = None
    failure: JobFailure | None = None
    started: float | None = None
    finished: float | None = None


Listener = Callable[[JobStatus], None]


class _Changes(TypedDict, total=False):
    """Fields of ``JobStatus`` that change."""

    state: JobState
    attempts: int
    progress: Progress | None
    result: EnhanceResult
    failure: JobFailure
    started: float
    finished: float


class JobHandle:
    """A submitted job. Thread-safe. Listeners are called from the executor's threads and must be quick."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.control = JobControl(on_progress=self._progress)
        self.given_back = 0
        """How often a runner that became unavailable put the job back into the queue."""
        self._status = JobStatus(job)
        self._lock = threading.Lock()
        self._final = threading.Event()
        self._listeners: list[Listener] = []

    @property
    def status(self) -> JobStatus:
        """The present status, a value that no longer changes."""
        return self._status

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every new status, and at once with the present one; returns how to stop that."""
        with self._lock:
            self._listeners.append(listener)
            status = self._status
        listener(status)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def cancel(self) -> None:
        """A waiting job is cancelled at once, a running one as soon as its worker stops or is stopped."""
        self.control.cancel()
        self._change(lambda status: status.state is JobState.QUEUED, state=JobState.CANCELLED, finished=time.time())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for a final state; False when ``timeout`` seconds passed first."""
        return self._final.wait(timeout)

    def result(self, timeout: float | None = None) -> EnhanceResult:
        """Wait for the result. Raises the job's ``EngineError``, ``JobCancelled``, or ``TimeoutError``."""
        if not self.wait(timeout):
            raise TimeoutError(f"Job {self.job.id} was not finished within {timeout} seconds.")
        status = self._status
        if status.state is JobState.CANCELLED:
            raise JobCancelled("Cancelled; nothing was written.")
        if status.failure is not None:
            raise status.failure.to_error()
        assert status.result is not None
        return status.result

    # -- for executors -----------------------------------------------------------------------------------------------

    def begin(self, attempt: int) -> bool:
        """Enter "running"; False when the job was cancelled before."""
        return self._change(
            lambda status: not status.state.final,
            state=JobState.RUNNING,
            attempts=attempt,
            started=self._status.started or time.time(),
        )

    def wait_again(self) -> None:
        """Back from "running" to "queued", or to "cancelled" where that was asked for meanwhile."""
        self._change(lambda status: status.state is JobState.RUNNING, state=JobState.QUEUED, progress=None)
        if self.control.cancelled:
            self.cancel()

    def finish(self, result: EnhanceResult) -> None:
        """End the job with its result; nothing happens where it has ended before."""
        self._end(state=JobState.DONE, result=result)

    def fail(self, error: EngineError) -> None:
        """End the job with an error, ``JobCancelled`` as cancelled; nothing happens where it has ended before."""
        if isinstance(error, JobCancelled):
            self._end(state=JobState.CANCELLED)
        else:
            self._end(state=JobState.FAILED, failure=JobFailure.of(error))

    def _end(self, **changes: Unpack[_Changes]) -> None:
        changes["finished"] = time.time()
        self._change(lambda status: not status.state.final, **changes)

    def _progress(self, progress: Progress) -> None:
        self._change(lambda status: status.state is JobState.RUNNING, progress=progress)

    def _change(self, allowed: Callable[[JobStatus], bool], **changes: Unpack[_Changes]) -> bool:
        """Move to a new status if the present one allows it; a final status is reached exactly once."""
        with self._lock:
            if not allowed(self._status):
                return False
            status = self._status = replace(self._status, number=self._status.number + 1, **changes)
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener(status)
            except Exception:  # a listener's fault must not stop the job
                logger.exception("A listener of job %s failed", self.job.id)
        if status.state.final:
            self._final.set()
        return True


__all__ = ["Job", "JobFailure", "JobHandle", "JobState", "JobStatus", "Listener"]
