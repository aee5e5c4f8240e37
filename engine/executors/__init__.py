"""Where a job runs: in this process, in worker processes of its own, or on a Ray cluster. One interface for all.

This is the one module to import. Imports jobs, storage, pixels, analysis and imaging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.executors.base import Executor
from engine.executors.bulk import run_many
from utils.engine_config import EngineConfig
from utils.errors import InvalidSettingsError

if TYPE_CHECKING:
    from engine.model_manager import ModelManager

__all__ = ["Executor", "create_executor", "run_many"]


def create_executor(config: EngineConfig, *, manager: ModelManager | None = None) -> Executor:
    """The executor that the settings ask for (``REALESRGAN_EXECUTOR``: worker, in-process or ray).

    Args:
        config: the application's ``Config``; it travels to worker processes as it is.
        manager: a ``ModelManager`` to share; used by the in-process executor only.

    Raises:
        InvalidSettingsError: an unknown name, or Ray is asked for and cannot be used.
    """
    kind = config.executor if config.worker_enabled or config.executor == "ray" else "in-process"
    if kind == "in-process":
        from engine.executors.in_process import in_process_executor

        return in_process_executor(config, manager)
    if kind == "worker":
        from engine.executors.worker import worker_executor

        return worker_executor(config)
    if kind == "ray":
        from engine.executors.ray_executor import ray_executor

        return ray_executor(config)
    raise InvalidSettingsError(f"executor: '{kind}' is none of worker, in-process, ray.")
