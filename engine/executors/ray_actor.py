"""What lives on a Ray node: one actor, one job at a time. Pictures come and go through Ray's object store."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.jobs.job import Job
from engine.types import EnhanceResult, JobControl, Progress
from utils.engine_config import EngineConfig
from utils.json_types import JsonObject

if TYPE_CHECKING:
    from engine.model_manager import ModelManager


class UpscaleActor:
    """Runs jobs on its node. ``run`` is idempotent: it works in a folder of its own, so a retry does no harm.

    Args:
        config: the application's ``Config``; weights are looked for at its ``weights_dir`` on this node.
        cores: how many processor cores to keep to; 0 = whatever Ray gave.
        number: which of the actors this is, to keep to other cores than its neighbours.
    """

    def __init__(self, config: EngineConfig, cores: int, number: int) -> None:
        if cores and hasattr(os, "sched_getaffinity"):
            own = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {own[(number * cores + step) % len(own)] for step in range(cores)})
        self._config = config
        self._manager: ModelManager | None = None
        self._control: JobControl | None = None
        self._job_id: str | None = None
        self._progress: Progress | None = None
        self._progress_of: str | None = None

    def run(self, job: Job, data: bytes) -> tuple[EnhanceResult, bytes]:
        """Enhance ``data`` (an encoded picture); returns the result and the encoded output."""
        from engine.executors.enhance_job import run_job
        from engine.imaging.context import JobContext
        from engine.model_manager import ModelManager

        if self._manager is None:
            self._manager = ModelManager.from_config(self._config)
        self._progress = None
        self._progress_of = job.id
        self._control, self._job_id = JobControl(self._remember), job.id
        try:
            with tempfile.TemporaryDirectory(prefix="realesrgan-") as folder:
                source = Path(folder) / "in" / job.input_path.name
                target = Path(folder) / "out" / job.output_path.name
                source.parent.mkdir()
                source.write_bytes(data)
                local = replace(job, input_path=source, output_path=target)
                result = run_job(local, JobContext(self._manager, self._config, self._control))
                return replace(result, input_path=job.input_path, output_path=job.output_path), target.read_bytes()
        finally:
            self._control = self._job_id = None

    def _remember(self, progress: Progress) -> None:
        self._progress = progress

    def progress(self, job_id: str) -> Progress | None:
        """The latest step of the job, also after its end."""
        return self._progress if self._progress_of == job_id else None

    def cancel(self, job_id: str) -> None:
        """Cancel that job if it is the one that runs."""
        if self._control is not None and self._job_id == job_id:
            self._control.cancel()

    def rest(self) -> None:
        """Unload the models; the process stays."""
        if self._manager is not None:
            self._manager.unload_all()

    def where(self) -> JsonObject:
        """Process number and memory of this actor."""
        import psutil
        import ray

        context = ray.get_runtime_context()
        memory = psutil.Process().memory_info().rss / 2**20
        return {"pid": os.getpid(), "node": context.get_node_id(), "memory_mb": round(memory, 1)}
