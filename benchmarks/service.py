"""The service under load, with kills, and over a long time of coming and going.

Run: ``python -m benchmarks.service load``, ``... load --kill`` or ``... soak``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image

from benchmarks.networks import write_compact

ROOT = Path(__file__).resolve().parent.parent
MB = 2**20


@dataclass
class Tally:
    """What happened, counted by the clients."""

    outcomes: Counter[str] = field(default_factory=Counter)
    turned_away: int = 0
    mixed_up: int = 0
    seconds: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    kills: int = 0


def mark(number: int, side: int) -> tuple[bytes, tuple[int, int, int]]:
    """A picture of a colour that no other one has, and that colour."""
    color = (40 + number % 6 * 32, 40 + number // 6 % 6 * 32, 40 + number // 36 % 6 * 32)
    out = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), color, np.uint8)).save(out, "PNG")
    return out.getvalue(), color


def bears(data: bytes, color: tuple[int, int, int]) -> bool:
    """Whether a result has the colour; neighbours are 32 apart, a network may drift by a few."""
    mean = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).mean(axis=(0, 1))
    return bool(np.all(np.abs(mean - color) < 12))


@contextmanager
def server(**settings: object) -> Iterator[tuple[str, psutil.Process]]:
    """``main.py serve`` with one compact network; gives its address and its process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        write_compact(folder / "weights" / "network.pth")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        values = {f"{kind}_DIR": folder / kind.lower() for kind in ("WEIGHTS", "OUTPUT", "CACHE", "LOG")}
        values |= {"SERVER_PORT": port, "DEFAULT_MODEL": "network", "LOG_LEVEL": "ERROR", "DEVICE": "cpu"} | settings
        environment = os.environ | {f"REALESRGAN_{key}": str(value) for key, value in values.items()}
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "main.py", "serve"], cwd=ROOT, env=environment)
        address = f"http://127.0.0.1:{port}"
        try:
            while not _answers(address):
                time.sleep(0.02)
            print(f"server answers after {time.perf_counter() - started:.2f} s")
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.TransportError:
        return False


async def client(http: httpx.AsyncClient, number: int, side: int, tally: Tally) -> None:
    """One request until it is accepted and answered; turned away it comes back when it was told to."""
    data, color = mark(number, side)
    body = {"image_b64": base64.b64encode(data).decode(), "scale": 4}
    while True:
        started = time.perf_counter()
        answer = await http.post("/upscale", json=body, headers={"Accept": "image/png"})
        if answer.status_code == 200:
            tally.outcomes["result"] += 1
            tally.seconds.append(time.perf_counter() - started)
            tally.mixed_up += not bears(answer.content, color)
            return
        kind = answer.json()["error"]["type"]
        if kind != "QueueFullError":
            tally.outcomes[f"error: {kind}"] += 1
            return
        tally.turned_away += 1
        await asyncio.sleep(float(answer.headers["retry-after"]) * random.uniform(0.5, 1.5))


async def watch_health(http: httpx.AsyncClient, process: psutil.Process, tally: Tally) -> None:
    while True:
        started = time.perf_counter()
        await http.get("/health")
        tally.health.append(time.perf_counter() - started)
        tally.memory.append(process.memory_info().rss / MB)
        await asyncio.sleep(0.1)


async def kill_at_random(process: psutil.Process, tally: Tally) -> None:
    """SIGKILL to a worker every two to eight seconds."""
    while True:
        await asyncio.sleep(random.uniform(2, 8))
        for child in process.children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.send_signal(signal.SIGKILL)
                tally.kills += 1


async def crowd(address: str, process: psutil.Process, requests: int, side: int, kill: bool) -> Tally:
    tally = Tally()
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=address, timeout=None, limits=limits) as http,
        httpx.AsyncClient(base_url=address, timeout=60) as other,
    ):
        tasks = [asyncio.create_task(watch_health(other, process, tally))]
        if kill:
            tasks.append(asyncio.create_task(kill_at_random(process, tally)))
        await asyncio.gather(*(client(http, number, side, tally) for number in range(requests)))
        for task in tasks:
            task.cancel()
    return tally


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def load(requests: int, side: int, kill: bool) -> None:
    with server(QUEUE_LIMIT=64) as (address, process):
        for number in range(3):  # the worker starts, and the server has done everything once
            body = {"image_b64": base64.b64encode(mark(number, side)[0]).decode()}
            httpx.post(f"{address}/upscale", json=body, timeout=120).raise_for_status()
        started = time.perf_counter()
        tally = asyncio.run(crowd(address, process, requests, side, kill))
        seconds = time.perf_counter() - started
        stats = httpx.get(f"{address}/status").json()["executor"]
    ended = sum(tally.outcomes.values())
    third = max(1, len(tally.memory) // 3)
    print(f"\n| {requests} requests at once, {side}x{side} to x4, queue of 64 | |\n|---|---|")
    print(f"| answered | {ended} in {seconds:.1f} s ({ended / seconds:.1f} a second) |")
    for outcome, count in sorted(tally.outcomes.items()):
        print(f"| {outcome} | {count} |")
    print(f"| lost | {requests - ended} |")
    print(f"| mixed up | {tally.mixed_up} |")
    print(f"| turned away, came back | {tally.turned_away} |")
    print(f"| workers killed | {tally.kills} (noticed: {stats['runners'][0]['losses']}) |")
    print(f"| p50, p99 of an accepted request | {_seconds(tally.seconds, 0.5)}, {_seconds(tally.seconds, 0.99)} |")
    print(f"| p50, p99 of /health meanwhile | {_ms(tally.health, 0.5)}, {_ms(tally.health, 0.99)} |")
    first, last = statistics.median(tally.memory[:third]), statistics.median(tally.memory[-third:])
    print(f"| server's memory, first and last third, peak (MB) | {first:.0f}, {last:.0f}, {max(tally.memory):.0f} |")


def _seconds(values: list[float], part: float) -> str:
    return f"{percentile(values, part):.2f} s" if values else "-"


def _ms(values: list[float], part: float) -> str:
    return f"{percentile(values, part) * 1000:.0f} ms" if values else "-"


def family_mb(process: psutil.Process) -> float:
    """The server's memory with all its children's."""
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / MB


def soak(seconds: float) -> None:
    """Bursts of jobs with pauses longer than the idle timeout: every worker that came has to go again."""
    with server(WORKER_IDLE_TIMEOUT=2, API_KEEP_SECONDS=5) as (address, process):
        rounds, readings = 0, []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for number in range(3):
                body = {"image_b64": base64.b64encode(mark(number, 96)[0]).decode()}
                httpx.post(f"{address}/upscale", json=body, timeout=120).raise_for_status()
            while httpx.get(f"{address}/status").json()["executor"]["runners"][0]["state"] != "asleep":
                time.sleep(0.2)
            rounds += 1
            readings.append(family_mb(process))
        before, after = readings[0], readings[-1]
        print("\n| soak: idle timeout 2 s | |\n|---|---|")
        print(f"| workers that came and went | {rounds} |")
        print(
            f"| memory after the first, after the last (MB) | {before:.1f}, {after:.1f} ({after / before - 1:+.1%}) |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("load", "soak"))
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--kill", action="store_true", help="kill the worker every two to eight seconds")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    if arguments.what == "load":
        load(arguments.requests, arguments.side, arguments.kill)
    else:
        soak(arguments.seconds)


if __name__ == "__main__":
    main()
