"""From the executor's threads to the server's event loop: wait for a job, or watch it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fastapi import Request

from api.job_store import JobEntry
from engine.jobs.job import JobHandle, JobStatus

_LOOK_SECONDS = 0.5


class ClientGone(Exception):
    """Whoever asked has closed the connection."""


async def watch(handle: JobHandle) -> AsyncIterator[JobStatus]:
    """Every status that there is time for, the last one surely. A slow reader skips some; nothing piles up."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def wake(status: JobStatus) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(changed.set)

    stop = handle.subscribe(wake)
    try:
        while True:
            changed.clear()
            status = handle.status
            yield status
            if status.state.final:
                return
            await changed.wait()
    finally:
        stop()


class SharedJobs:
    """Jobs that several requests may want: begun once, cancelled when the last who waits has left."""

    def __init__(self) -> None:
        self._waiting: dict[Path, tuple[JobEntry, int]] = {}
        self._lock = threading.Lock()

    def join(self, target: Path, begin: Callable[[], JobEntry | None]) -> JobEntry | None:
        """The job that writes ``target``: one that runs already, else what ``begin`` returns. ``leave`` ends it.

        ``begin`` returns None where a job that has just ended left nothing to do; then there is nothing to leave.
        """
        with self._lock:
            entry, count = self._waiting.get(target, (None, 0))
            if entry is None or entry.handle.status.state.final:
                entry, count = begin(), 0
            if entry is None:
                return None
            self._waiting[target] = (entry, count + 1)
            return entry

    def leave(self, target: Path, entry: JobEntry) -> None:
        """One fewer waits for ``entry``; nobody left cancels it, which does nothing to a job that has ended."""
        with self._lock:
            held, count = self._waiting.get(target, (None, 0))
            if held is not entry:
                return
            if count > 1:
                self._waiting[target] = (entry, count - 1)
                return
            del self._waiting[target]
        entry.handle.cancel()


async def until_final(handle: JobHandle, request: Request, *, shared: bool = False) -> JobStatus:
    """Wait for a job's end. A client that leaves cancels its job, unless it is ``shared``; ``ClientGone`` is raised."""
    ended = asyncio.ensure_future(_last(handle))
    try:
        while not (await asyncio.wait({ended}, timeout=_LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                if not shared:
                    handle.cancel()
                raise ClientGone
        return ended.result()
    finally:
        ended.cancel()


async def _last(handle: JobHandle) -> JobStatus:
    return [status async for status in watch(handle)][-1]
