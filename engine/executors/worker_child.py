"""The worker's own side: runs inside the child process that ``worker.py`` starts.

A process pool hands functions over by name, so what they share (models, the pipe, the job's control) has to live in
the module. It is set once, by ``start``, before the first job.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from engine.jobs import Job
from engine.types import EnhanceResult, JobControl, Progress


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to know; it travels to the child by pickle.

    Attributes:
        config: the application's ``Config``.
        cores: the processor cores this worker keeps to, or None for all.
        visible_gpu: the one GPU it may see (a number as in ``CUDA_VISIBLE_DEVICES``), or None for all.
    """

    config: Any
    cores: tuple[int, ...] | None = None
    visible_gpu: int | None = None


@dataclass
class _Worker:
    setup: WorkerSetup
    pipe: Connection
    manager: Any = None
    control: JobControl | None = None
    job_id: str | None = None
    sending: threading.Lock = field(default_factory=threading.Lock)


_worker: _Worker | None = None


def start(setup: WorkerSetup, pipe: Connection) -> None:
    """Prepare the process: threads and GPU before any library counts them, then listen to the parent."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what to do
    if setup.visible_gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(setup.visible_gpu)
    if setup.cores is not None:
        os.environ["OMP_NUM_THREADS"] = str(len(setup.cores))
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, setup.cores)
    from utils.logger import setup_logging

    setup_logging(None, setup.config.log_level)
    _worker = _Worker(setup, pipe)
    threading.Thread(target=_listen, args=(_worker,), name="listener", daemon=True).start()
    pipe.send(("started", os.getpid()))


def _listen(worker: _Worker) -> None:
    """Obey "cancel"; when the parent is gone there is nobody to work for."""
    while True:
        try:
            order, job_id = worker.pipe.recv()
        except (EOFError, OSError):
            os._exit(1)
        if order == "cancel" and worker.control is not None and worker.job_id == job_id:
            worker.control.cancel()


def work(job: Job) -> EnhanceResult:
    """One job. Progress goes up the pipe; the picture itself never does."""
    worker = _worker
    assert worker is not None, "the pool runs start() before any job"

    def report(progress: Progress) -> None:
        with worker.sending:
            worker.pipe.send(("progress", progress))

    worker.control, worker.job_id = JobControl(report), job.id
    with worker.sending:
        worker.pipe.send(("working", job.id))
    from engine.executors.work import run_job
    from engine.model_manager import ModelManager

    if worker.manager is None:
        worker.manager = ModelManager.from_config(worker.setup.config)
    try:
        return run_job(job, worker.manager, worker.setup.config, worker.control)
    finally:
        worker.control = worker.job_id = None
        with worker.sending:
            worker.pipe.send(("models", worker.manager.status()))  # before the answer, so it is heard with it
