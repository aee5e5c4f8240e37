"""Jobs on disk: each in a folder of its own with its input, its result and ``job.json``.

A job is written down before it is accepted and when it ends, so whatever happens to the process, the next one knows
what was promised: unfinished jobs run again, finished ones can still be fetched until they are swept away.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from api.api_job import ApiJob
from api.films import FilmExecutor, FilmHandle, FilmJob, handle_of, job_from_json
from engine.executors import Executor
from engine.jobs.job import Job, JobFailure, JobHandle, JobState, JobStatus
from engine.jobs.job_list import JobList
from engine.types import EnhanceResult
from utils.errors import EngineError, JobCancelled, OutputError, ServiceStoppedError, WorkerLostError
from utils.files import last_changed

logger = logging.getLogger(__name__)

_RECORD = "job.json"
_MOST_RESTORES = 3
_RESULT: TypeAdapter[EnhanceResult] = TypeAdapter(EnhanceResult)


@dataclass(frozen=True)
class JobEntry:
    """An accepted job. ``temporary_output``: the result lies in the job's folder and goes with it."""

    handle: JobHandle
    folder: Path
    callback_url: str | None = None
    include_base64: bool = True

    @property
    def job(self) -> Job:
        return self.handle.job


class JobStore:
    """The jobs of this server.

    Args:
        folder: where they live; made when missing. A second server on the same folder gets one beside it.
        on_final: called once with every job that reaches its end here.
        job_list: the list of all jobs of the program.
        films: where films run, as pictures do on ``executor``.
    """

    def __init__(
        self,
        folder: Path,
        executor: Executor,
        on_final: Callable[[JobEntry, JobStatus], None],
        job_list: JobList | None = None,
        films: FilmExecutor | None = None,
    ) -> None:
        self._films = films
        self.folder = folder
        self._job_list = job_list or JobList()
        self._executor = executor
        self._on_final = on_final
        self._entries: dict[str, JobEntry] = {}
        self._readers: dict[str, int] = {}
        self._preparing: set[Path] = set()
        self._lock = threading.Lock()
        self._claim: Any = None

    def claim(self) -> None:
        """Take the folder for this server alone: jobs of another one are neither run again nor swept away.

        Raises:
            OutputError: it cannot be made or written.
        """
        from filelock import FileLock, Timeout

        first = self.folder
        for number in range(1, 1000):
            folder = first if number == 1 else first.with_name(f"{first.name}-{number}")
            lock = FileLock(folder.with_name(f"{folder.name}.lock"), thread_local=False)  # another thread lets go of it
            try:
                folder.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=0)
            except Timeout:
                continue
            except OSError as error:
                raise OutputError(f"'{folder}' cannot be used: {error.strerror or error}.") from error
            self.folder, self._claim = folder, lock
            return
        raise OutputError(f"'{first}' and all others like it are in use.")

    def release(self) -> None:
        """Let another server have the folder."""
        if self._claim is not None:
            self._claim.release()

    @contextmanager
    def prepared(self, job_id: str) -> Iterator[Path]:
        """A folder for a job's input, safe from sweeping; removed again if the job is not accepted."""
        path = self.folder / job_id
        with self._lock:
            self._preparing.add(path)
        try:
            try:
                path.mkdir(parents=True)
                yield path
            except OSError as error:  # a full disk, most likely
                raise OutputError(f"'{path}' cannot be written: {error.strerror or error}.") from error
        finally:
            with self._lock:
                self._preparing.discard(path)
                accepted = job_id in self._entries
            if not accepted:
                shutil.rmtree(path, ignore_errors=True)

    def accept(
        self, job: Job, *, callback_url: str | None = None, include_base64: bool = True, waiting: bool = False
    ) -> JobEntry:
        """Write a job down and queue it. Raises what ``Executor.submit`` raises; then nothing remains.

        Args:
            waiting: a request waits for its end; should this process end first, there is nobody to do it for.
        """
        folder = self.folder / job.id
        record: dict[str, Any] = {"job": job.to_json(), "waiting": waiting, "restores": 0}
        record |= {"callback_url": callback_url, "include_base64": include_base64}
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(folder / _RECORD, {**record, "state": JobState.QUEUED.value})
        try:
            return self._submit(job, folder, record)
        except EngineError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _submit(self, job: Job, folder: Path, record: dict[str, Any], urgent: bool = False) -> JobEntry:
        queue = self._films if self._films is not None and isinstance(job, FilmJob) else self._executor
        handle = queue.submit(job, urgent=urgent)
        entry = JobEntry(handle, folder, record.get("callback_url"), bool(record.get("include_base64", True)))
        with self._lock:
            self._entries[job.id] = entry
        self._job_list.add(ApiJob(handle, queue))
        handle.subscribe(lambda status: self._keep(entry, record, status))
        return entry

    def _keep(self, entry: JobEntry, record: dict[str, Any], status: JobStatus) -> None:
        """Write down how a job ended. One that was stopped with the program stays queued for the next start."""
        if not status.state.final:
            return
        if status.failure is not None and status.failure.type == ServiceStoppedError.__name__:
            return
        final = {
            **record,
            "state": status.state.value,
            "started": status.started,
            "finished": status.finished,
            "attempts": status.attempts,
            "result": _result_to_json(entry.handle),
            "failure": [status.failure.type, status.failure.message] if status.failure else None,
        }
        try:
            _write_json(entry.folder / _RECORD, final)
        except OSError as error:
            logger.warning("The end of job %s cannot be written down: %s", entry.job.id, error)
        self._on_final(entry, status)

    def get(self, job_id: str) -> JobEntry | None:
        with self._lock:
            return self._entries.get(job_id)

    @contextmanager
    def reading(self, job_id: str) -> Iterator[None]:
        """Keep a job's files while they are read."""
        with self._lock:
            self._readers[job_id] = self._readers.get(job_id, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._readers[job_id] -= 1
                if not self._readers[job_id]:
                    del self._readers[job_id]

    def restore(self) -> int:
        """Take up the jobs of an earlier run; returns how many are queued again."""
        queued = 0
        for path in sorted(self.folder.glob(f"*/{_RECORD}"), key=lambda path: path.stat().st_mtime):
            try:
                record = json.loads(path.read_text("utf-8"))
                job = job_from_json(record["job"])
                state = JobState(record["state"])
                if state.final:
                    self._restore_final(job, path.parent, record)
                    continue
            except (OSError, ValueError, KeyError, TypeError, EngineError) as error:
                logger.warning("'%s' is not a job that can be taken up: %s", path, error)
                continue
            kept = {key: record.get(key) for key in ("job", "callback_url", "include_base64")}
            kept["restores"] = int(record.get("restores") or 0) + 1
            if record.get("waiting"):  # whoever waited was turned away, and asks again
                shutil.rmtree(path.parent, ignore_errors=True)
                continue
            try:
                if kept["restores"] > _MOST_RESTORES:
                    raise WorkerLostError(f"The program ended {_MOST_RESTORES} times while this job was there.")
                _write_json(path, {**kept, "state": JobState.QUEUED.value})
                # The earlier run may have written the result and died before it could say so.
                self._submit(replace(job, overwrite=True), path.parent, kept, urgent=True)
                queued += 1
            except (EngineError, OSError) as error:
                handle = handle_of(job)
                entry = JobEntry(handle, path.parent, record.get("callback_url"))
                self._entries[job.id] = entry
                handle.fail(error if isinstance(error, EngineError) else OutputError(f"'{path}': {error}."))
                self._keep(entry, kept, handle.status)
        return queued

    def _restore_final(self, job: Job, folder: Path, record: dict[str, Any]) -> None:
        handle = handle_of(job)
        handle.begin(int(record.get("attempts") or 1))
        if record.get("result"):
            _finish_from_json(handle, record["result"])
        elif record.get("failure"):
            handle.fail(JobFailure(*record["failure"]).to_error())
        else:
            handle.fail(JobCancelled("The job was cancelled."))
        self._entries[job.id] = JobEntry(handle, folder, None, bool(record.get("include_base64", True)))

    def sweep(self, older_than: float) -> int:
        """Remove ended jobs and strange folders older than so many seconds, but none that is written or read."""
        limit = time.time() - older_than
        removed = 0
        try:
            folders = [path for path in self.folder.iterdir() if path.is_dir()]
        except OSError:
            return 0
        for path in folders:
            with self._lock:
                entry = self._entries.get(path.name)
                if path in self._preparing or self._readers.get(path.name):
                    continue
                if entry is not None:
                    status = entry.handle.status
                    if not status.state.final or (status.finished or time.time()) > limit:
                        continue
                    del self._entries[path.name]
                elif last_changed(path) > limit:
                    continue
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
        return removed


def _result_to_json(handle: JobHandle) -> Any:
    if isinstance(handle, FilmHandle):
        return handle.result_to_json()
    result = handle.status.result
    return None if result is None else _RESULT.dump_python(result, mode="json")


def _finish_from_json(handle: JobHandle, values: Any) -> None:
    if isinstance(handle, FilmHandle):
        handle.finish_from_json(values)
    else:
        handle.finish(_RESULT.validate_python(values))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    os.replace(temporary, path)


__all__ = ["JobEntry", "JobStore"]
