"""What all routes share: configuration, executor, jobs, limits, metrics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.callbacks import Callbacks
from api.fetch import Resolver, system_resolver
from api.films import FilmExecutor
from api.job_events import SharedJobs
from api.job_store import JobEntry, JobStore
from api.metrics import Metrics
from api.schemas import TARGET_SIDES, Limits
from engine.executors import Executor, create_executor
from engine.jobs.job import JobStatus
from engine.jobs.job_list import JobList
from engine.model_manager import ModelManager
from engine.models.isolated import inspect_isolated
from engine.settings_manager import SettingsManager
from utils.addresses import is_loopback
from utils.errors import QueueFullError, ServiceStoppedError

logger = logging.getLogger(__name__)

_FILMS_AT_A_TIME = 4
"""Films that are received at a time: one may take minutes, in one of the threads that all requests share."""


class Service:
    """The running service behind one application.

    Args:
        executor: shared with others (the interface); made from the settings, and closed at the end, when None.
        resolve: how host names become addresses.
        job_list: the list of all jobs, shared with the interface where there is one.
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
        job_list: JobList | None = None,
    ) -> None:
        self.config = config
        self.job_list = job_list or JobList()
        self._owned = executor is None or close_executor
        self.executor = executor if executor is not None else create_executor(config)
        self.resolve = resolve
        self.metrics = Metrics(self.executor)
        self.callbacks = Callbacks(config.api_callback_secret, _list(config.api_callback_hosts), resolve)
        self.presets = SettingsManager.from_config(config)
        self.models = ModelManager.from_config(config, inspect=inspect_isolated)
        self.films = FilmExecutor(config, config.api_video_queue_limit)
        self.jobs = JobStore(Path(config.cache_dir) / "service", self.executor, self._ended, self.job_list, self.films)
        self.library_roots = tuple(Path(name).expanduser().resolve() for name in _list(config.api_library_roots))
        self.cors_origins = _list(config.api_cors_origins)
        self.own_names: frozenset[str] | None = None
        if is_loopback(config.server_name) and not config.api_key:
            own = {urlsplit(origin).hostname for origin in (*self.cors_origins, config.api_public_url)}
            self.own_names = frozenset({name.lower() for name in (*own, *_list(config.api_hosts)) if name})
        self.library_jobs = SharedJobs()
        self.hurry = False
        self._draining = False
        self._request_slots = threading.BoundedSemaphore(max(16, config.queue_limit))
        self._film_request_slots = threading.BoundedSemaphore(_FILMS_AT_A_TIME)

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

    @property
    def largest_film(self) -> int:
        """Bytes of the largest film that is taken."""
        return int(min(self.config.api_max_video_mb, self.config.max_video_mb) * 10**6)

    @contextmanager
    def admitted(self, queue: Executor | FilmExecutor | None = None) -> Iterator[None]:
        """A place for one request's body. Asked before it is read, so that a flood costs no memory.

        Args:
            queue: where its job will wait; the executor by default.

        Raises:
            QueueFullError, ServiceStoppedError.
        """
        if self._draining:
            raise ServiceStoppedError("The server is shutting down and takes no new jobs.")
        queue = queue or self.executor
        slots = self._film_request_slots if queue is self.films else self._request_slots
        if not queue.has_room or not slots.acquire(blocking=False):
            raise QueueFullError("As many jobs wait as may wait; try again later.", queue.retry_after())
        try:
            yield
        finally:
            slots.release()

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
        self.films.stop_accepting()
        if self._owned:
            self.executor.stop_accepting()

    def stop(self, grace: float) -> None:
        """Give running jobs ``grace`` seconds, then end. Unfinished jobs stay on disk for the next start."""
        self.drain()
        begun = time.monotonic()
        self.films.close(grace)
        if self._owned:
            left = self.executor.close(max(0.0, grace - (time.monotonic() - begun)))
            if left:
                logger.info("%d unfinished jobs stay queued for the next start", len(left))
        self.callbacks.close()
        self.jobs.release()


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


__all__ = ["Service"]
