"""From the executor's threads to the server's event loop: wait for a job, or watch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request

from engine.jobs import JobHandle, JobStatus

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


async def until_final(handle: JobHandle, request: Request) -> JobStatus:
    """Wait for a job's end. A client that leaves cancels its job and ``ClientGone`` is raised."""
    ended = asyncio.ensure_future(_last(handle))
    try:
        while not (await asyncio.wait({ended}, timeout=_LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                handle.cancel()
                raise ClientGone
        return ended.result()
    finally:
        ended.cancel()


async def _last(handle: JobHandle) -> JobStatus:
    return [status async for status in watch(handle)][-1]
