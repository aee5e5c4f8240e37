"""Jobs in child processes: a crash, a hang or a kill costs one job one attempt, and nothing else.

Each runner owns a pebble pool of one process. It is started by the first job and stopped when idle, so all its memory
goes back to the system; a pool whose worker was lost is thrown away whole. Pictures travel as files, progress and
cancelling through a pipe.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine.executors import worker_child
from engine.executors.base import Executor, RunnerStats
from engine.executors.quarantine import Quarantine
from engine.executors.worker_child import WorkerSetup
from engine.jobs import Job
from engine.types import EnhanceResult, JobControl
from utils.errors import JobCancelled, WorkerLostError
from utils.gpu import cpu_count

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_CANCEL_GRACE_SECONDS = 1.5
"""How long a cancelled job may take to stop by itself (after its current tile) before its worker is ended."""
_DEATH_NOTICE_SECONDS = 2.0
_IMPORT_SECONDS = 10.0


@dataclass
class _Process:
    """One generation of a worker: the pool that keeps it, our end of its pipe, and what it reported of itself."""

    pool: Any
    pipe: Connection
    pid: int | None = None
    working_on: str | None = None
    models: dict[str, Any] = field(default_factory=dict)


class WorkerRunner:
    """One child process, made when needed.

    Args:
        hang_timeout: seconds without any progress after which a running worker counts as hung; None = never.
    """

    retries = 1

    def __init__(self, name: str, setup: WorkerSetup, hang_timeout: float | None = None) -> None:
        self.name = name
        self._setup = setup
        self._hang_timeout = hang_timeout
        self._process: _Process | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._losses = 0

    # -- the runner's interface --------------------------------------------------------------------------------------

    def run(self, job: Job, control: JobControl) -> EnhanceResult:
        process = self._start()
        before = _partial_files(job)
        try:
            try:
                future: Future[EnhanceResult] = process.pool.schedule(worker_child.work, args=[job])
            except RuntimeError as error:  # the pool broke since it was looked at
                self._stop(process)
                raise WorkerLostError(_lost_sentence(job, "ended before the work began"), losses=0) from error
            return self._follow(process, future, job, control)
        except (WorkerLostError, JobCancelled) as error:
            if self._process is not process:  # the worker was ended, so it could not tidy up
                for path in _partial_files(job) - before:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            if isinstance(error, WorkerLostError):
                self._losses += 1
            raise

    def available(self) -> bool:
        return True

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

    def _start(self) -> _Process:
        from pebble import ProcessPool

        _finish_importing_opencv()
        if self._process is not None and self._process.pid is not None and not _is_alive(self._process.pid):
            self._losses += 1
            self._stop(self._process)  # it died while there was nothing to do
        with self._lock:
            if self._closed:
                raise WorkerLostError("The worker has been stopped.", losses=0)
            if self._process is None:
                # Spawned, not forked: a fork of a process with threads may hang, and would share all of its memory.
                context = multiprocessing.get_context("spawn")
                ours, theirs = context.Pipe()
                pool = ProcessPool(
                    max_workers=1, initializer=worker_child.start, initargs=(self._setup, theirs), context=context
                )
                self._process = _Process(pool, ours)
            return self._process

    def _stop(self, process: _Process | None) -> None:
        """End a generation for good, whatever it does."""
        with self._lock:
            if process is None or self._process is not process:
                return
            self._process = None
        if process.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.pool.stop()
        process.pool.join()
        process.pipe.close()

    def _follow(self, process: _Process, future: Future[EnhanceResult], job: Job, control: JobControl) -> EnhanceResult:
        """Pass progress up and cancelling down until the job ends, one way or another."""
        last_sign = time.monotonic()
        process.working_on = None
        asked_at: float | None = None
        piped = True
        while not future.done():
            try:
                if piped and process.pipe.poll(_POLL_SECONDS):
                    self._hear(process, control, quiet=asked_at is not None)
                    last_sign = time.monotonic()
                elif not piped:
                    time.sleep(_POLL_SECONDS)
            except (EOFError, OSError):  # our only sign where the pool is slower to notice
                piped, last_sign = False, time.monotonic()
            now = time.monotonic()
            if control.cancelled and asked_at is None:
                asked_at = now
                with contextlib.suppress(OSError):
                    process.pipe.send(("cancel", job.id))
            if asked_at is not None and now - asked_at > _CANCEL_GRACE_SECONDS:
                self._stop(process)
                raise JobCancelled("Cancelled; nothing was written.")
            if not piped and now - last_sign > _DEATH_NOTICE_SECONDS:
                self._stop(process)
                raise WorkerLostError(_lost_sentence(job, "ended"), losses=process.working_on == job.id)
            if self._hang_timeout is not None and now - last_sign > self._hang_timeout:
                self._stop(process)
                raise WorkerLostError(_lost_sentence(job, f"showed no progress for {self._hang_timeout:g} seconds"))
        return self._outcome(process, future, job)

    def _outcome(self, process: _Process, future: Future[EnhanceResult], job: Job) -> EnhanceResult:
        from pebble import ProcessExpired

        with contextlib.suppress(EOFError, OSError):
            while process.pipe.poll(0):  # what arrived together with the end must not be heard by the next job
                self._hear(process, JobControl(), quiet=True)
        began = process.working_on == job.id
        try:
            return future.result(timeout=0)
        except ProcessExpired as error:
            self._stop(process)
            # One that died before it took the job up is no mark against the job.
            raise WorkerLostError(_lost_sentence(job, _how_it_ended(error.exitcode)), losses=began) from error
        except BrokenProcessPool as error:
            self._stop(process)
            raise WorkerLostError(_lost_sentence(job, "ended"), losses=began) from error
        except CancelledError as error:
            self._stop(process)
            raise WorkerLostError(_lost_sentence(job, "was stopped"), losses=0) from error

    def _hear(self, process: _Process, control: JobControl, quiet: bool) -> None:
        kind, value = process.pipe.recv()
        if kind == "started":
            process.pid = value
        elif kind == "working":
            process.working_on = value
        elif kind == "models":
            process.models = value
        elif kind == "progress" and not quiet:
            control.report(value)


def _finish_importing_opencv() -> None:
    """Wait until OpenCV is imported, also where another thread is at it.

    A spawned child gets this process's module path, and during that import it begins with a folder of OpenCV's own,
    whose "typing" hides Python's: such a child dies at once.
    """
    import_module("cv2")
    deadline = time.monotonic() + _IMPORT_SECONDS
    while any(Path(entry).name == "cv2" for entry in sys.path) and time.monotonic() < deadline:
        time.sleep(0.005)


def worker_executor(config: Any) -> Executor:
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


def worker_setups(config: Any) -> list[WorkerSetup]:
    """How the machine is divided. ``config.workers`` 0 means: one a GPU, one in all where there is none."""
    if config.worker_backend != "auto":
        config = config.model_copy(update={"device": config.worker_backend})
    gpus = 0 if config.device in ("cpu", "mps") or ":" in config.device else _gpu_count()
    count = config.workers or max(1, gpus)
    if gpus > 1:
        return [WorkerSetup(config, visible_gpu=number % gpus) for number in range(count)]
    if gpus == 1 or count == 1:
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


def _gpu_count() -> int:
    """NVIDIA GPUs by their device files: asking torch would load it into this process."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    return len([path for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()])


def _device(setup: WorkerSetup) -> str:
    return f"cuda:{setup.visible_gpu}" if setup.visible_gpu is not None else str(setup.config.device)


def _partial_files(job: Job) -> set[Path]:
    """Hidden temporary files and folders beside the output."""
    try:
        return set(job.output_path.parent.glob(".*.part"))
    except OSError:
        return set()


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


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is None:
        return "ended"
    number = -exit_code if exit_code < 0 else 0
    if number == getattr(signal, "SIGKILL", 9):
        return "was killed (by a person, or by the system for lack of memory)"
    try:
        return f"crashed ({signal.Signals(number).name})" if number else f"ended with code {exit_code}"
    except ValueError:
        return f"ended by signal {number}"


def _lost_sentence(job: Job, how: str) -> str:
    return f"The worker process {how} while it worked on '{job.input_path.name}'."


__all__ = ["WorkerRunner", "WorkerSetup", "worker_executor", "worker_setups"]
