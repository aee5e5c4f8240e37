"""Jobs in this very process, on one shared ``ModelManager``: no isolation, no start-up time."""

from __future__ import annotations

from typing import Any

from engine.executors.base import Executor, RunnerStats
from engine.jobs import Job
from engine.types import EnhanceResult, JobControl


class InProcessRunner:
    """One job at a time in the executor's own thread."""

    retries = 0
    places = 1

    def __init__(self, config: Any, manager: Any = None) -> None:
        self.name = "in-process"
        self._config = config
        self._manager = manager
        self._owned = manager is None

    def run(self, job: Job, control: JobControl) -> EnhanceResult:
        from engine.executors.work import run_job
        from engine.model_manager import ModelManager

        if self._manager is None:
            self._manager = ModelManager.from_config(self._config)
        return run_job(job, self._manager, self._config, control)

    def available(self) -> bool:
        return True

    def rest(self) -> None:
        if self._manager is not None:
            self._manager.unload_all()

    def close(self) -> None:
        if self._manager is not None and self._owned:
            self._manager.close()

    def stats(self, busy: bool) -> RunnerStats:
        import os

        import psutil

        loaded = self._manager.status() if self._manager is not None else {}
        state = "busy" if busy else "idle" if loaded else "asleep"
        memory = psutil.Process().memory_info().rss / 2**20
        return RunnerStats(
            self.name, state, str(self._config.device), os.getpid(), round(memory, 1), details={"models": loaded}
        )


def in_process_executor(config: Any, manager: Any = None) -> Executor:
    """An executor in this process; with ``manager`` it shares the caller's loaded models."""
    return Executor(
        "in-process",
        [InProcessRunner(config, manager)],
        queue_limit=config.queue_limit,
        idle_timeout=config.worker_idle_timeout or None,
    )
