"""Jobs in child processes: a crash, a hang or a kill costs one job one attempt, and nothing else.

Each runner owns one process. It is started by the first job and stopped when idle, so all its memory goes back to the
system; one that was lost is thrown away whole. Pictures travel as files, progress and cancelling through a pipe. Two
jobs are in a process at a time, so that one is decoded or encoded while the other is in the network. When a process
dies and it cannot be told which of the two it was, neither is blamed, and each is tried again alone.
"""

from __future__ import annotations

import itertools
import logging
import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.executors.base import Executor, RunnerStats
from engine.executors.quarantine import Quarantine
from engine.executors.worker_child import PLACES, WorkerSetup
from engine.executors.worker_process import Flight, WorkerProcess
from engine.jobs.job import Job
from engine.types import EnhanceResult, EnhanceSettings, JobControl, Progress
from utils.engine_config import EngineConfig
from utils.errors import JobCancelled, WorkerLostError
from utils.files import remove_temporaries
from utils.gpu import cpu_count

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_CANCEL_GRACE_SECONDS = 1.5
"""How long a cancelled job may take to stop by itself (after its current tile) before its worker is ended."""


class WorkerRunner:
    """One child process, made when needed.

    Args:
        hang_timeout: seconds without any progress after which a running worker counts as hung; None = never.
    """

    retries = 1
    places = PLACES

    def __init__(self, name: str, setup: WorkerSetup, hang_timeout: float | None = None) -> None:
        self.name = name
        self._setup = setup
        self._hang_timeout = hang_timeout
        self._process: WorkerProcess | None = None
        self._changed = threading.Condition()
        self._aboard: set[str] = set()
        self._suspects: set[str] = set()
        """Jobs that were at work beside another one when their process died: each is tried again alone."""
        self._wanted_alone = 0
        self._closed = False
        self._losses = 0

    # -- the runner's interface --------------------------------------------------------------------------------------

    def run(self, job: Job, control: JobControl) -> EnhanceResult:
        with self._place(job, control):
            process = self._start()
            flight = process.board(job)
            try:
                result = self._follow(process, flight, control)
                self._suspects.discard(job.id)
                return result
            finally:
                process.leave(flight)
                if process.gone.is_set() and process.pid is not None:  # it was ended, so it could not tidy up
                    remove_temporaries(job.output_path.parent, process.pid)

    def available(self) -> bool:
        return True

    def prepare(self, settings: EnhanceSettings, pixels: int = 0) -> None:
        try:
            self._start().prepare(settings, pixels)
        except (WorkerLostError, OSError) as error:  # a job would meet it again, and say it
            logger.info("The worker could not be prepared: %s", error)

    def rest(self) -> None:
        self._stop(self._process)

    def close(self) -> None:
        self._closed = True
        self._stop(self._process)

    def stats(self, busy: bool) -> RunnerStats:
        process = self._process
        pid = process.pid if process is not None else None
        state = "asleep" if process is None else "busy" if busy else "idle"
        return RunnerStats(
            name=self.name,
            state=state,
            device=_device(self._setup),
            pid=pid,
            memory_mb=_memory_mb(pid),
            losses=self._losses,
            details={
                "cores": len(self._setup.cores) if self._setup.cores else cpu_count(),
                "models": process.models if process is not None else {},
            },
        )

    # -- the process -------------------------------------------------------------------------------------------------

    @contextmanager
    def _place(self, job: Job, control: JobControl) -> Iterator[None]:
        """Wait for a place in the process: beside another job, or for one that is suspected until it is empty."""

        def may_enter() -> bool:
            if job.id in self._suspects:
                return not self._aboard
            return not self._wanted_alone and not self._aboard & self._suspects

        with self._changed:
            alone = job.id in self._suspects
            self._wanted_alone += alone
            try:
                while not self._changed.wait_for(may_enter, _POLL_SECONDS):
                    if control.cancelled:
                        raise JobCancelled("Cancelled; nothing was written.")
            finally:
                self._wanted_alone -= alone
            self._aboard.add(job.id)
        try:
            yield
        finally:
            with self._changed:
                self._aboard.discard(job.id)
                self._changed.notify_all()

    def _start(self) -> WorkerProcess:
        from utils.opencv import finish_importing

        finish_importing()
        process = self._process
        if process is not None and (process.gone.is_set() or (process.pid is not None and not _is_alive(process.pid))):
            self._stop(process, lost=True)  # it died while there was nothing to do
        with self._changed:
            if self._closed:
                raise WorkerLostError("The worker has been stopped.", losses=0)
            if self._process is None:
                self._process = WorkerProcess(self._setup)
            return self._process

    def _stop(self, process: WorkerProcess | None, why: str = "", *, lost: bool = False) -> None:
        """End a generation for good, whatever it does; ``lost`` when it died or hung by itself."""
        with self._changed:
            if process is None or self._process is not process:
                return
            self._process = None
            self._losses += lost
        process.stop(why)

    def _follow(self, process: WorkerProcess, flight: Flight, control: JobControl) -> EnhanceResult:
        """Pass progress up and cancelling down until the job ends, one way or another."""
        last_sign = time.monotonic()
        asked_at: float | None = None
        job = flight.job
        while True:
            gone = process.gone.is_set()  # asked before the mail is looked at: all of it is there then
            try:
                kind, value = flight.mail.get(timeout=0 if gone else _POLL_SECONDS)
            except queue.Empty:
                if gone:
                    error = self._lost(process, flight)
                    self._stop(process, lost=True)
                    raise error from None
            else:
                last_sign = time.monotonic()
                if kind == "ended":
                    if isinstance(value, BaseException):
                        raise value
                    assert isinstance(value, EnhanceResult)
                    return value
                if isinstance(value, Progress) and asked_at is None:
                    control.report(value)
            now = time.monotonic()
            if flight.idle:
                last_sign = now
            if control.cancelled and asked_at is None:
                asked_at = now
                process.cancel(job)
            if asked_at is not None and now - asked_at > _CANCEL_GRACE_SECONDS:
                self._stop(process, job.id)
                raise JobCancelled("Cancelled; nothing was written.")
            if self._hang_timeout is not None and now - last_sign > self._hang_timeout:
                self._stop(process, job.id, lost=True)
                raise WorkerLostError(_lost_sentence(job, f"showed no progress for {self._hang_timeout:g} seconds"))

    def _lost(self, process: WorkerProcess, flight: Flight) -> WorkerLostError:
        """The error of a job whose process has ended, with the blame where it belongs."""
        if process.stopped_for is not None:
            return WorkerLostError(
                _lost_sentence(flight.job, "was stopped"), losses=0, for_another=bool(process.stopped_for)
            )
        how, losses = process.how_it_ended(), 0
        if flight.job.id in process.at_the_end:
            if len(process.at_the_end) == 1:
                losses = 1
            else:
                self._suspects.update(process.at_the_end)
        return WorkerLostError(_lost_sentence(flight.job, how), losses=losses)


def worker_executor(config: EngineConfig) -> Executor:
    """Worker processes as the settings ask: one a GPU, or ``config.workers`` that share the cores between them."""
    return Executor(
        "worker",
        [
            WorkerRunner(f"worker-{number}", setup, config.worker_hang_timeout or None)
            for number, setup in enumerate(worker_setups(config))
        ],
        queue_limit=config.queue_limit,
        idle_timeout=config.worker_idle_timeout or None,
        quarantine=Quarantine(config.cache_dir / "set_aside.json"),
    )


def worker_setups(config: EngineConfig) -> list[WorkerSetup]:
    """How the machine is divided. ``config.workers`` 0 means: one a GPU, one in all where there is none."""
    if config.worker_backend != "auto":
        config = config.model_copy(update={"device": config.worker_backend})
    gpus = [] if config.device in ("cpu", "mps") or ":" in config.device else _gpus()
    count = config.workers or max(1, len(gpus))
    if len(gpus) > 1:
        return [WorkerSetup(config, visible_gpu=gpus[number % len(gpus)]) for number in range(count)]
    if gpus or count == 1:
        return [WorkerSetup(config)] * count
    config = config.model_copy(update={"device": "cpu"}) if config.device == "auto" else config
    return [WorkerSetup(config, cores=cores) for cores in _shares(count)]


def _shares(count: int) -> list[tuple[int, ...]]:
    """The cores this process may use, dealt out to ``count`` workers; fewer cores than workers are shared."""
    try:
        cores = sorted(os.sched_getaffinity(0))
    except AttributeError:
        cores = list(range(os.cpu_count() or 1))
    cores = cores[: cpu_count()]
    size = max(1, len(cores) // count)
    return [tuple(cores[(number * size + step) % len(cores)] for step in range(size)) for number in range(count)]


def _gpus() -> list[str]:
    """The NVIDIA GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them (numbers or UUIDs).

    Without that variable they are counted by their device files: asking torch would load it into this process.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = (name.strip() for name in visible.split(","))
        return list(itertools.takewhile(lambda name: name not in ("", "-1"), names))  # CUDA stops at one that is none
    return [str(number) for number in range(sum(path.name[6:].isdigit() for path in Path("/dev").glob("nvidia[0-9]*")))]


def _device(setup: WorkerSetup) -> str:
    return f"cuda:{setup.visible_gpu}" if setup.visible_gpu is not None else str(setup.config.device)


def _memory_mb(pid: int | None) -> float | None:
    import psutil

    if pid is None:
        return None
    try:
        return round(psutil.Process(pid).memory_info().rss / 2**20, 1)
    except psutil.Error:
        return None


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _lost_sentence(job: Job, how: str) -> str:
    return f"The worker process {how} while it worked on '{job.input_path.name}'."


__all__ = ["WorkerRunner", "WorkerSetup", "worker_executor", "worker_setups"]
