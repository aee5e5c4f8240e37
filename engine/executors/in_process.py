"""Jobs in this very process, on one shared ``ModelManager``: no isolation, no start-up time."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from engine.executors.base import Executor, RunnerStats
from engine.jobs.job import Job
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from utils.engine_config import EngineConfig
from utils.errors import EngineError

if TYPE_CHECKING:
    from engine.model_manager import ModelManager

logger = logging.getLogger(__name__)


class InProcessRunner:
    """One job at a time in the executor's own thread."""

    retries = 0
    places = 1

    def __init__(self, config: EngineConfig, manager: ModelManager | None = None) -> None:
        self.name = "in-process"
        self._config = config
        self._manager = manager
        self._owned = manager is None
        self._opening = threading.Lock()

    def run(self, job: Job, control: JobControl) -> EnhanceResult:
        from engine.executors.enhance_job import run_job
        from engine.imaging.context import JobContext

        return run_job(job, JobContext(self._opened(), self._config, control))

    def _opened(self) -> ModelManager:
        from engine.model_manager import ModelManager

        with self._opening:
            if self._manager is None:
                self._manager = ModelManager.from_config(self._config)
            return self._manager

    def prepare(self, settings: EnhanceSettings, pixels: int = 0) -> None:
        from engine.executors.enhance_job import load_for

        try:
            load_for(settings, self._opened(), pixels)
        except EngineError as error:  # the job would meet it again, and say it
            logger.info("Nothing was prepared: %s", error)

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


def in_process_executor(config: EngineConfig, manager: ModelManager | None = None) -> Executor:
    """An executor in this process; with ``manager`` it shares the caller's loaded models."""
    return Executor(
        "in-process",
        [InProcessRunner(config, manager)],
        queue_limit=config.queue_limit,
        idle_timeout=config.worker_idle_timeout or None,
    )
