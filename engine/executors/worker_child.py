"""The worker's own side: runs inside the child process that ``worker.py`` starts.

A process pool hands functions over by name, so what they share (models, the pipe, the network queue) has to live in
the module. It is set once, by ``start``, before ``serve_jobs`` takes the first job. A job is read and written while
another one's windows are in the network, which is so never idle.
"""

from __future__ import annotations

import logging
import os
import pickle  # nosec B403
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from engine.jobs.job import Job
from engine.jobs.network_queue import NetworkQueue
from engine.types import EnhanceResult, EnhanceSettings, JobControl, Progress
from utils.engine_config import EngineConfig
from utils.errors import EngineError

if TYPE_CHECKING:
    from engine.model_manager import ModelManager

logger = logging.getLogger(__name__)

PLACES = 2
"""Jobs in a worker at a time: one in the network, the other being decoded or encoded."""


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to know; it travels to the child by pickle.

    Attributes:
        config: the application's ``Config``.
        cores: the processor cores this worker keeps to, or None for all.
        visible_gpu: the one GPU it may see (a number or UUID as in ``CUDA_VISIBLE_DEVICES``), or None for all.
    """

    config: EngineConfig
    cores: tuple[int, ...] | None = None
    visible_gpu: str | None = None


@dataclass
class _Worker:
    setup: WorkerSetup
    pipe: Connection
    manager: ModelManager | None = None
    controls: dict[str, _Control] = field(default_factory=dict)
    network_queue: NetworkQueue = field(default_factory=NetworkQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    sending: threading.Lock = field(default_factory=threading.Lock)

    def say(self, kind: str, job_id: str | None, value: object = None) -> None:
        with self.sending:
            self.pipe.send((kind, job_id, value))


class _Control(JobControl):
    """A job's control: progress goes up the pipe, and its windows wait behind those of the job before."""

    def __init__(self, worker: _Worker, job_id: str) -> None:
        super().__init__(self._say)
        self._worker, self._job_id = worker, job_id
        self._rank = worker.network_queue.next_rank()

    def _say(self, progress: Progress) -> None:
        self._worker.say("progress", self._job_id, progress)

    @contextmanager
    def turn(self, width: int) -> Iterator[None]:
        waiting = False

        def still_waiting() -> None:
            nonlocal waiting
            self.check()
            if not waiting:
                waiting = True
                self._worker.say("waiting", self._job_id)

        with self._worker.network_queue.turn(self._rank, width, self.network, still_waiting):
            if waiting:
                self._worker.say("working", self._job_id)
            yield


_worker: _Worker | None = None


def start(setup: WorkerSetup, pipe: Connection) -> None:
    """Prepare the process: threads and GPU before any library counts them."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what to do
    if setup.visible_gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = setup.visible_gpu
    if setup.cores is not None:
        os.environ["OMP_NUM_THREADS"] = str(len(setup.cores))
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, setup.cores)
    from utils.logger import setup_logging

    setup_logging(None, setup.config.log_level)
    _worker = _Worker(setup, pipe)
    _worker.say("started", None, os.getpid())


def serve_jobs() -> None:
    """Take jobs and obey "cancel", until the parent ends this process or is gone: then there is nobody to work for."""
    worker = _worker
    assert worker is not None, "the pool runs start() first"
    threads = ThreadPoolExecutor(PLACES, thread_name_prefix="job")
    while True:
        try:
            order, value = worker.pipe.recv()
        except (EOFError, OSError):
            os._exit(1)
        if order == "job":
            control = worker.controls[value.id] = _Control(worker, value.id)
            threads.submit(_work, worker, value, control)
        elif order == "prepare":
            threads.submit(_prepare, worker, *value)
        elif order == "cancel" and (asked := worker.controls.get(value)) is not None:
            asked.cancel()


def _work(worker: _Worker, job: Job, control: JobControl) -> None:
    """One job, from "working" to "ended"; the picture itself never goes through the pipe."""
    worker.say("working", job.id)
    outcome: EnhanceResult | BaseException
    try:
        from engine.executors.enhance_job import run_job
        from engine.imaging.context import JobContext

        worker.say("working", job.id)  # signs of life: bringing the libraries takes its time on a busy machine
        manager = _manager(worker)
        worker.say("working", job.id)
        outcome = run_job(job, JobContext(manager, worker.setup.config, control))
    except EngineError as error:
        outcome = error
    except BaseException as error:
        logger.exception("Job %s failed in an unforeseen way", job.id)
        outcome = EngineError(f"Unforeseen fault: {type(error).__name__}: {error}. The log has the details.")
    del worker.controls[job.id]
    if worker.manager is not None:
        worker.say("models", None, worker.manager.status())  # before the answer, so it is heard with it
    try:
        worker.say("ended", job.id, outcome)
    except (TypeError, ValueError, AttributeError, pickle.PicklingError) as error:  # it cannot go through the pipe
        worker.say("ended", job.id, EngineError(f"The result could not be handed over: {error}."))


def _prepare(worker: _Worker, settings: EnhanceSettings, pixels: int) -> None:
    """Bring the libraries and the network that a job with such settings needs; whatever fails is the job's to say."""
    try:
        from engine.executors.enhance_job import load_for

        manager = _manager(worker)
        load_for(settings, manager, pixels)
        worker.say("models", None, manager.status())
    except Exception as error:
        logger.info("Nothing was prepared: %s", error)


def _manager(worker: _Worker) -> ModelManager:
    from engine.model_manager import ModelManager

    with worker.lock:
        if worker.manager is None:
            worker.manager = ModelManager.from_config(worker.setup.config)
        return worker.manager
