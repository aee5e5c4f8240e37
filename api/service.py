"""What all routes share: configuration, executor, jobs, limits, metrics."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.callbacks import Callbacks
from api.fetch import Resolver, system_resolver
from api.job_store import JobEntry, JobStore
from api.metrics import Metrics
from api.schemas import TARGET_SIDES, Limits
from api.waiting import SharedJobs
from engine.executors import Executor, create_executor
from engine.isolated import inspect_isolated
from engine.jobs import JobStatus
from engine.model_manager import ModelManager
from engine.settings_manager import SettingsManager
from utils.addresses import is_loopback
from utils.errors import QueueFullError, ServiceStoppedError

logger = logging.getLogger(__name__)


class Service:
    """The running service behind one application.

    Args:
        executor: shared with others (the interface); made from the settings, and closed at the end, when None.
        resolve: how host names become addresses.
        close_executor: close a shared executor at the end as well.

    Attributes:
        own_names: host names under which a server on loopback without a key may be asked; None = under any.
        hurry: end without giving running jobs time.
    """

    def __init__(
        self,
        config: Any,
        executor: Executor | None = None,
        resolve: Resolver = system_resolver,
        *,
        close_executor: bool = False,
    ) -> None:
        self.config = config
        self._owned = executor is None or close_executor
        self.executor = executor if executor is not None else create_executor(config)
        self.resolve = resolve
        self.metrics = Metrics(self.executor)
        self.callbacks = Callbacks(config.api_callback_secret, _list(config.api_callback_hosts), resolve)
        self.presets = SettingsManager.from_config(config)
        self.models = ModelManager.from_config(config, inspect=inspect_isolated)
        self.jobs = JobStore(Path(config.cache_dir) / "service", self.executor, self._ended)
        self.library_roots = tuple(Path(name).expanduser().resolve() for name in _list(config.api_library_roots))
        self.cors_origins = _list(config.api_cors_origins)
        self.own_names: frozenset[str] | None = None
        if is_loopback(config.server_name) and not config.api_key:
            own = {urlsplit(origin).hostname for origin in (*self.cors_origins, config.api_public_url)}
            self.own_names = frozenset({name.lower() for name in (*own, *_list(config.api_hosts)) if name})
        self.library_jobs = SharedJobs()
        self.hurry = False
        self._draining = False
        self._intake = threading.BoundedSemaphore(max(16, config.queue_limit))

    def _ended(self, entry: JobEntry, status: JobStatus) -> None:
        self.metrics.job_ended(status)
        if entry.callback_url:
            self.callbacks.send(entry.callback_url, entry, status)

    # -- limits ------------------------------------------------------------------------------------------------------

    def limits(self, target: str | None) -> Limits:
        """Larger targets take larger inputs, in proportion to their side."""
        config = self.config
        factor = max(1.0, TARGET_SIDES[target] / TARGET_SIDES["2k"]) if target else 1.0
        return Limits(
            longest_side=TARGET_SIDES[target] if target else None,
            max_request_mb=round(config.api_max_mb * factor, 2),
            max_input_side=int(config.api_max_side * factor),
        )

    @property
    def largest_request(self) -> int:
        """Bytes of the largest request that any target resolution allows."""
        return int(max(self.limits(target).max_request_mb for target in TARGET_SIDES) * 10**6)

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """A place for one request's body. Asked before it is read, so that a flood costs no memory.

        Raises:
            QueueFullError, ServiceStoppedError.
        """
        if self._draining:
            raise ServiceStoppedError("The server is shutting down and takes no new jobs.")
        if not self.executor.has_room or not self._intake.acquire(blocking=False):
            raise QueueFullError("As many jobs wait as may wait; try again later.", self.executor.retry_after())
        try:
            yield
        finally:
            self._intake.release()

    def installed_models(self) -> list[str]:
        """Names of the models whose files are here and usable.

        May look into new files, in a process that first imports torch: seconds. Call it from a thread.
        """
        return [status.name for status in self.models.list() if status.installed and status.problem is None]

    # -- life --------------------------------------------------------------------------------------------------------

    @property
    def not_ready(self) -> str | None:
        """Why no jobs are taken, or None."""
        if self._draining:
            return "shutting down"
        if not self.config.enable_api:
            return "switched off (REALESRGAN_ENABLE_API)"
        return None

    def start(self) -> None:
        """Take up what an earlier run left over."""
        self.jobs.claim()
        queued = self.jobs.restore()
        if queued:
            logger.info("%d jobs of an earlier run are queued again", queued)

    def drain(self) -> None:
        """Not ready from now on; running jobs go on."""
        self._draining = True
        if self._owned:
            self.executor.stop_accepting()

    def stop(self, grace: float) -> None:
        """Give running jobs ``grace`` seconds, then end. Unfinished jobs stay on disk for the next start."""
        self.drain()
        if self._owned:
            left = self.executor.close(grace)
            if left:
                logger.info("%d unfinished jobs stay queued for the next start", len(left))
        self.callbacks.close()
        self.jobs.release()


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


__all__ = ["Service"]
