"""Remembers jobs that kill their workers, so that one bad picture cannot take a service down again and again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

from engine.jobs.job import Job
from engine.storage.json_store import JsonStore
from utils.errors import JobSetAsideError

logger = logging.getLogger(__name__)

LIMIT = 3


class Quarantine:
    """Counts lost workers by picture content and settings; at three the job is set aside.

    Args:
        path: JSON file that keeps the counts over restarts; None forgets them with the process.
        limit: how many lost workers are too many.
    """

    def __init__(self, path: Path | None, limit: int = LIMIT) -> None:
        self._store = JsonStore(path)
        self._memory: dict[str, int] = {}
        self._path, self._limit = path, limit
        self._memory.update({key: int(count) for key, count in self._store.all().items() if isinstance(count, int)})

    def check(self, job: Job) -> None:
        """Raises ``JobSetAsideError`` for a job that has been set aside."""
        if self._memory and self._memory.get(_fingerprint(job), 0) >= self._limit:
            raise self._error(job)

    def blame(self, job: Job, losses: int = 1) -> JobSetAsideError | None:
        """Count lost workers against a job; the error to end it with once there were too many."""
        key = _fingerprint(job)
        count = self._memory[key] = self._memory.get(key, 0) + losses
        self._store.put(key, count)
        if count < self._limit:
            return None
        logger.error("Set aside after %d lost workers: '%s'", count, job.input_path)
        return self._error(job)

    def forgive(self, job: Job) -> None:
        """The job went well after all: what happened before was not its fault."""
        if self._memory and self._memory.pop(_fingerprint(job), 0):
            self._store.put(_fingerprint(job), 0)

    def _error(self, job: Job) -> JobSetAsideError:
        where = f" Delete '{self._path}' to allow it again." if self._path else ""
        return JobSetAsideError(
            f"'{job.input_path.name}' with these settings has ended {self._limit} worker processes and is not tried "
            f"again.{where}"
        )


def _fingerprint(job: Job) -> str:
    """Content and settings, not names: an upload has a new path every time."""
    digest = hashlib.sha256(json.dumps(job.settings.model_dump(mode="json"), sort_keys=True).encode())
    try:
        with job.input_path.open("rb") as stream:
            while block := stream.read(2**20):
                digest.update(block)
    except OSError:
        digest.update(os.fsencode(job.input_path))
    return digest.hexdigest()
