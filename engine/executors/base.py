"""The one executor: a bounded queue in front of runners. Runners differ in where the work is done.

Every runner has a thread for each of its places, which takes the next job as soon as it is free; the least loaded
runner gets it. The queue is short and bounded; what does not fit is refused with an estimate of when to come back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.executors.follow import follow
from engine.executors.quarantine import Quarantine
from engine.executors.runner import JobRunner, RunnerStats, RunnerUnavailable
from engine.jobs.job import Job, JobHandle, JobState, JobStatus
from engine.jobs.job_queue import JobQueue
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from utils.errors import EngineError, JobCancelled, QueueFullError, ServiceStoppedError, WorkerLostError

logger = logging.getLogger(__name__)

DEFAULT_QUEUE_LIMIT = 64
_SMOOTHING = 0.2
_GIVE_BACKS = 3
_AVAILABLE_SECONDS = 2.0
_BLAMELESS_RETRIES = 3
"""How often a job may lose a worker that had not begun with it, beside the runner's own retries."""


@dataclass(frozen=True)
class ExecutorStats:
    """All of an executor. ``seconds_per_job`` is a moving average, 0 before the first job."""

    kind: str
    runners: tuple[RunnerStats, ...]
    queued: int
    running: int
    done: int
    failed: int
    cancelled: int
    queue_limit: int
    seconds_per_job: float
    accepting: bool


@dataclass(eq=False)
class _RunnerState:
    """What the threads of one runner share; guarded by the executor's condition."""

    runner: JobRunner
    busy: int = 0
    usable: bool = True
    resting: bool = True
    leaving: bool = False
    """It is on its way to rest: no job may begin."""
    idle_since: float = 0.0
    rests_done: int = 0


class Executor(JobQueue):
    """Runs jobs.

    Args:
        kind: name of the kind of runners, for people.
        queue_limit: jobs that may wait; running ones do not count.
        idle_timeout: seconds without work after which a runner rests; None = never.
        quarantine: remembers jobs that kill their workers.
    """

    def __init__(
        self,
        kind: str,
        runners: Sequence[JobRunner],
        *,
        queue_limit: int = DEFAULT_QUEUE_LIMIT,
        idle_timeout: float | None = None,
        quarantine: Quarantine | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.queue_limit = queue_limit
        self._runners = tuple(runners)
        self._idle_timeout = idle_timeout
        self._quarantine = quarantine or Quarantine(None)
        self._running: dict[str, JobHandle] = {}
        self._states = tuple(_RunnerState(runner) for runner in self._runners)
        self._counts = dict.fromkeys((JobState.DONE, JobState.FAILED, JobState.CANCELLED), 0)
        self._seconds_per_job = 0.0
        self._stopping = False
        self._rests_asked = 0
        self._threads = [
            threading.Thread(target=self._serve, args=(state,), name=f"runner-{state.runner.name}", daemon=True)
            for state in self._states
            for _ in range(state.runner.places)
        ]
        for thread in self._threads:
            thread.start()

    # -- for callers -------------------------------------------------------------------------------------------------

    def submit(self, job: Job, *, urgent: bool = False) -> JobHandle:
        """Queue a job.

        Args:
            urgent: accept it beyond the queue's limit (jobs of an earlier run of the program).

        Raises:
            QueueFullError: too many jobs wait; ``retry_after`` says when to come back.
            ServiceStoppedError: the executor is closing.
            JobSetAsideError: this job has killed its workers before.
        """
        self._quarantine.check(job)
        handle = JobHandle(job)
        with self._changed:
            if self._stopping:
                raise ServiceStoppedError("The program is shutting down and takes no new jobs.")
            if len(self._waiting) >= self.queue_limit and not urgent:
                raise QueueFullError(
                    f"{len(self._waiting)} jobs are waiting already, which is the limit; try again later.",
                    retry_after=self.retry_after(),
                )
            self._waiting.append(handle)
            self._changed.notify_all()  # one alone might be a runner that cannot take it
        handle.subscribe(self._watch)
        return handle

    def enhance_file(
        self,
        input_path: Path | str,
        output_path: Path | str,
        settings: EnhanceSettings,
        *,
        control: JobControl | None = None,
        overwrite: bool = False,
    ) -> EnhanceResult:
        """Submit one picture and wait: ``engine.enhance_file``, done wherever this executor works.

        Raises:
            EngineError: as ``engine.enhance_file``, and those of ``submit``.
        """
        handle = self.submit(Job.new(input_path, output_path, settings, overwrite=overwrite))
        if control is None:
            return handle.result()
        return follow(handle, control, self.position)

    def prepare(self, settings: EnhanceSettings, pixels: int = 0) -> None:
        """Let an idle runner be ready for a job with such settings, the model named; returns at once.

        For the time in which a person still chooses. While jobs run or wait nothing is done.

        Args:
            pixels: of the input; large ones may be run in another number type.
        """
        with self._changed:
            if self._stopping or self._running or self._waiting:
                return
            state = next((one for one in self._states if one.usable and not one.leaving), None)
            if state is None:
                return
            state.resting, state.idle_since = False, time.monotonic()  # so that it rests again when nothing comes
            self._changed.notify_all()
        threading.Thread(target=state.runner.prepare, args=(settings, pixels), name="prepare", daemon=True).start()

    def retry_after(self) -> float:
        """Seconds until a place in the queue is likely to be free."""
        return max(1.0, self._seconds_per_job / max(1, self.places))

    @property
    def places(self) -> int:
        """How many jobs run at a time."""
        return sum(runner.places for runner in self._runners)

    @property
    def enough(self) -> int:
        """How many jobs to have under way so that no runner is ever without work: one more a runner than can run."""
        return self.places + len(self._runners)

    @property
    def has_room(self) -> bool:
        """Whether ``submit`` would take a job now."""
        return not self._stopping and len(self._waiting) < self.queue_limit

    def stats(self) -> ExecutorStats:
        """Queue, runners and counts at this moment."""
        with self._changed:
            busy = {state.runner.name for state in self._states if state.busy}
            queued, running = len(self._waiting), len(self._running)
            counts = dict(self._counts)
        return ExecutorStats(
            kind=self.kind,
            runners=tuple(runner.stats(runner.name in busy) for runner in self._runners),
            queued=queued,
            running=running,
            done=counts[JobState.DONE],
            failed=counts[JobState.FAILED],
            cancelled=counts[JobState.CANCELLED],
            queue_limit=self.queue_limit,
            seconds_per_job=round(self._seconds_per_job, 3),
            accepting=not self._stopping,
        )

    def rest(self) -> None:
        """Let every runner give its memory back now (processes end, models are unloaded); one that works does it after
        its job, unless another job waits. The next job starts it again."""
        with self._changed:
            self._rests_asked += 1
            self._changed.notify_all()

    def stop_accepting(self) -> None:
        """Refuse new jobs from now on; those that run go on, those that wait are left to ``close``."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def close(self, grace: float = 0.0) -> tuple[Job, ...]:
        """Stop. Running jobs get ``grace`` seconds to finish; what is left over ends with ``ServiceStoppedError``.

        Returns:
            The jobs that were accepted and not finished.
        """
        with self._changed:
            self._stopping = True
            left = list(self._waiting)
            self._waiting.clear()
            running = list(self._running.values())
            self._changed.notify_all()
        deadline = time.monotonic() + grace
        left += [handle for handle in running if not handle.wait(max(0.0, deadline - time.monotonic()))]
        for handle in left:
            handle.fail(ServiceStoppedError("The program was stopped before this job was finished."))
            handle.control.cancel()
        for runner in self._runners:
            runner.close()
        for thread in self._threads:
            thread.join(timeout=10)
        return tuple(handle.job for handle in left if handle.status.state is JobState.FAILED)

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the runners' threads ----------------------------------------------------------------------------------------

    def _watch(self, status: JobStatus) -> None:
        """Count a job that reached its end; one cancelled while it waited frees its place."""
        if not status.state.final:
            return
        with self._changed:
            self._counts[status.state] += 1
            for handle in self._waiting:
                if handle.job.id == status.job.id:
                    self._waiting.remove(handle)
                    break

    def _serve(self, state: _RunnerState) -> None:
        """One place of a runner."""
        while (handle := self._next(state)) is not None:
            try:
                self._execute(state.runner, handle)
            except RunnerUnavailable:
                self._give_back(state, handle)
                self._wait_for(state)
            else:
                self._leave(state, handle)

    def _next(self, state: _RunnerState) -> JobHandle | None:
        """The next job for this runner, which rests when there is none for long. None = the executor is closing."""
        while True:
            with self._changed:
                if self._stopping:
                    return None
                if self._waiting and not state.leaving and self._least_loaded(state):
                    state.busy += 1
                    state.resting = False
                    handle = self._waiting.popleft()
                    self._running[handle.job.id] = handle
                    return handle
                if state.resting:
                    state.rests_done = self._rests_asked
                if not self._rest_is_due(state):
                    timed = self._idle_timeout is not None and not (state.busy or state.resting or state.leaving)
                    left = state.idle_since + (self._idle_timeout or 0.0) - time.monotonic()
                    self._changed.wait(max(0.01, left) if timed else None)
                    continue
                state.leaving = True
                state.rests_done = self._rests_asked
            state.runner.rest()
            with self._changed:
                state.leaving, state.resting = False, True
                self._changed.notify_all()

    def _least_loaded(self, state: _RunnerState) -> bool:
        return all(state.busy <= other.busy for other in self._states if other.usable and not other.leaving)

    def _rest_is_due(self, state: _RunnerState) -> bool:
        if state.busy or state.resting or state.leaving:
            return False
        idle = time.monotonic() - state.idle_since
        return self._rests_asked > state.rests_done or (self._idle_timeout is not None and idle >= self._idle_timeout)

    def _leave(self, state: _RunnerState, handle: JobHandle) -> None:
        with self._changed:
            state.busy -= 1
            state.idle_since = time.monotonic()
            self._running.pop(handle.job.id, None)
            self._changed.notify_all()

    def _give_back(self, state: _RunnerState, handle: JobHandle) -> None:
        """Put a job first in the queue again, but not for ever."""
        handle.given_back += 1
        if handle.given_back > _GIVE_BACKS:
            handle.fail(WorkerLostError(f"'{handle.job.input_path.name}' lost its place {_GIVE_BACKS} times."))
        else:
            handle.wait_again()
        with self._changed:
            self._leave(state, handle)
            if not self._stopping and not handle.status.state.final:  # close() ends what it found running
                self._waiting.appendleft(handle)

    def _wait_for(self, state: _RunnerState) -> None:
        with self._changed:
            state.usable = False
            self._changed.notify_all()
        while not state.runner.available():
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, _AVAILABLE_SECONDS):
                    return
        with self._changed:
            state.usable = True

    def _execute(self, runner: JobRunner, handle: JobHandle) -> None:
        """Run one job to its end, once more on a fresh worker if the first one was lost."""
        started = time.monotonic()
        job = handle.job
        attempt, blameless, for_others = 0, 0, 0
        while handle.begin(attempt := attempt + 1):
            try:
                result = runner.run(job, handle.control)
            except WorkerLostError as error:
                set_aside = self._quarantine.blame(job, error.losses) if error.losses else None
                for_others += error.for_another
                blameless += not error.losses and not error.for_another
                if handle.control.cancelled:
                    handle.fail(JobCancelled("Cancelled; nothing was written."))
                elif (
                    set_aside is not None or attempt > runner.retries + min(blameless, _BLAMELESS_RETRIES) + for_others
                ):
                    logger.error("Job %s failed: %s", job.id, error)
                    handle.fail(set_aside or error)
                else:
                    logger.warning("Job %s is tried once more: %s", job.id, error)
                    # The lost worker may have written the file and died before it could say so.
                    job = replace(job, overwrite=True)
            except EngineError as error:
                handle.fail(error)
            except RunnerUnavailable:
                raise
            except Exception as error:
                logger.exception("Job %s failed in an unforeseen way", job.id)
                handle.fail(EngineError(f"Unforeseen fault: {type(error).__name__}: {error}. The log has the details."))
            else:
                self._quarantine.forgive(job)
                seconds = time.monotonic() - started
                previous = self._seconds_per_job or seconds
                self._seconds_per_job = previous + _SMOOTHING * (seconds - previous)
                handle.finish(result)


__all__ = ["DEFAULT_QUEUE_LIMIT", "Executor", "ExecutorStats", "JobRunner", "RunnerStats", "RunnerUnavailable"]
