"""Many jobs through one executor: as many at once as it has runners, never so many that its queue is full."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable, Iterator

from engine.executors.base import Executor
from engine.jobs.job import Job, JobHandle, JobStatus
from engine.types import JobControl
from utils.errors import QueueFullError


def run_many(executor: Executor, jobs: Iterable[Job], control: JobControl | None = None) -> Iterator[JobHandle]:
    """Submit jobs one after another and yield each as it ends, the quickest first.

    Args:
        jobs: taken one at a time, so a folder of any size costs no memory.
        control: cancelling it cancels what runs and takes no more jobs.

    Raises:
        ServiceStoppedError, JobSetAsideError: as ``Executor.submit``. A job's own error stays in its handle.
    """
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    underway: dict[str, JobHandle] = {}
    width = min(executor.enough, executor.queue_limit)
    waiting = iter(jobs)
    exhausted = False

    def note(status: JobStatus) -> None:
        if status.state.final:
            ended.put(status.job.id)

    def submit() -> bool:
        """Bring one more job under way; False when there is none, or others fill the queue."""
        nonlocal exhausted
        job = next(waiting, None)
        if job is None or (control is not None and control.cancelled):
            exhausted = True
            return False
        while True:
            try:
                handle = executor.submit(job)
                break
            except QueueFullError as error:
                if control is not None and control.cancelled:
                    return False
                time.sleep(min(error.retry_after, 1.0))
        underway[job.id] = handle
        handle.subscribe(note)
        return True

    while True:
        while not exhausted and len(underway) < width and submit():
            pass
        if not underway:
            return
        try:
            job_id = ended.get(timeout=0.2)
        except queue.Empty:
            if control is not None and control.cancelled:
                for handle in underway.values():
                    handle.cancel()
            continue
        handle = underway.pop(job_id)
        handle.wait()
        yield handle


__all__ = ["run_many"]
