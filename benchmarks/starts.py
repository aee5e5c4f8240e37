"""How long a person waits before anything happens. Run: ``python -m benchmarks.starts``.

Whole commands in processes of their own, the best of several; converted networks are kept on disk by then, as they are
from the second start on. The large network of the set-up is loaded without and with such files.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from benchmarks.networks import photograph, write_compact

REPOSITORY = Path(__file__).resolve().parent.parent
TARGETS = {
    "main.py --help": 1.0,
    "import engine": None,
    "REST API answers (main.py serve)": 3.0,
    "first answer at the interface's address (main.py)": 3.0,
    "interface answers (main.py)": 3.0,
    "its page answers a click (main.py, Chromium)": None,
    "enhance a 64x64 picture, whole command": None,
    "load a network, converted before": 1.0,
    "load it again": 0.1,
    "first load of RealESRGAN_x4plus, self-test included": 2.0,
    "and a window of 256x256 ready": None,
    "load of RealESRGAN_x4plus in a later start": 0.7,
    "and a window of 256x256 ready, later": None,
    "analyse 12 megapixels": 0.15,
    "the originals' imports alone": None,
}
"""What is measured, and the seconds that it may take at most; None = no target."""
LARGE = """
import sys, time
from engine.model_manager import ModelManager
manager = ModelManager(weights_dir=sys.argv[1], cache_dir=sys.argv[2], device="cpu")
begun = time.perf_counter()
session = manager.load_model("RealESRGAN_x4plus").session
loaded = time.perf_counter()
session.prepare(256, 256)
print(loaded - begun, time.perf_counter() - begun)
"""
ORIGINALS = "from engine.backends.original import import_originals; import_originals()"


def measure(checkpoint: Path, folder: Path, runs: int = 3) -> dict[str, float]:
    """Best seconds by name of ``TARGETS``; what is not installed is left out.

    Args:
        checkpoint: a network for enlarging.
        folder: room for pictures and caches.
    """
    source = folder / "start.png"
    Image.fromarray(photograph(64, 64)).save(source)
    where = {
        "REALESRGAN_WEIGHTS_DIR": str(checkpoint.parent),
        "REALESRGAN_CACHE_DIR": str(folder / "cache" / "engine"),
        "REALESRGAN_DATA_DIR": str(folder / "data"),
        "REALESRGAN_LOG_DIR": str(folder / "logs"),
        "REALESRGAN_OUTPUT_DIR": str(folder / "outputs"),
    }
    environment = {**os.environ, **where}
    enhance = ["main.py", "enhance", str(source), "-o", str(folder / "out.png"), "--force", "--model", checkpoint.stem]
    ways: dict[str, Callable[[], float | None]] = {
        "main.py --help": lambda: _command(["main.py", "--help"], environment),
        "import engine": lambda: _command(["-c", "import engine"], environment),
        "REST API answers (main.py serve)": lambda: _answers(["main.py", "serve"], "/health", environment),
        "first answer at the interface's address (main.py)": lambda: _answers(
            ["main.py"], "/", environment, (200, 503)
        ),
        "interface answers (main.py)": lambda: _answers(["main.py"], "/", environment),
        "its page answers a click (main.py, Chromium)": lambda: _clicked(["main.py"], environment),
        "enhance a 64x64 picture, whole command": lambda: _command(enhance, environment),
        "the originals' imports alone": lambda: _command(["-c", ORIGINALS], environment),
    }
    found: dict[str, float] = {}
    for name, way in ways.items():
        seconds = [taken for taken in (way() for _ in range(runs)) if taken is not None]
        if seconds:
            found[name] = min(seconds)
    found |= _inside(checkpoint, folder)
    found |= _large(folder, runs)
    return {name: found[name] for name in TARGETS if name in found}


def _command(command: list[str], environment: dict[str, str]) -> float | None:
    """Seconds of a whole Python command; None when it fails."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *command], capture_output=True, cwd=REPOSITORY, env=environment)
    return time.perf_counter() - begun if done.returncode == 0 else None


@contextlib.contextmanager
def _server(command: list[str], environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """A Python command that serves on a free port, its address, and when it was started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {**environment, "REALESRGAN_SERVER_PORT": str(port), "REALESRGAN_SERVER_NAME": "127.0.0.1"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], cwd=REPOSITORY, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process, f"http://127.0.0.1:{port}", begun
    finally:
        process.terminate()
        process.wait(60)


def _answers(
    command: list[str], path: str, environment: dict[str, str], wanted: tuple[int, ...] = (200,)
) -> float | None:
    """Seconds until a server answers with a wanted status; None when it ends or takes over a minute."""
    with _server(command, environment) as (process, address, begun):
        while process.poll() is None and time.perf_counter() - begun < 60:
            try:
                if httpx.get(f"{address}{path}", headers={"Accept": "text/html"}, timeout=20).status_code in wanted:
                    return time.perf_counter() - begun
            except httpx.TransportError:
                time.sleep(0.02)
        return None


def _clicked(command: list[str], environment: dict[str, str]) -> float | None:
    """Seconds until a browser that runs already, and goes to the address at its first answer, shows what a click on a
    sample picture brings; None where there is no Chromium."""
    from tests.ui.running import CHROMIUM, chromium

    if CHROMIUM is None or importlib.util.find_spec("playwright") is None:
        return None
    with chromium() as browser:
        page = browser.new_page()
        with _server(command, environment) as (process, address, begun):
            while process.poll() is None and not _is_answered(address):
                time.sleep(0.02)
            page.goto(address)
            page.click("#sample-drawing", timeout=60_000)
            page.wait_for_selector("#facts .chips", timeout=60_000)
            return time.perf_counter() - begun


def _is_answered(address: str) -> bool:
    try:
        httpx.get(address, timeout=20)
    except httpx.TransportError:
        return False
    return True


def _inside(checkpoint: Path, folder: Path) -> dict[str, float]:
    """What takes place within a running program."""
    from benchmarks.analysis import analysis_seconds
    from engine.intelligent_enhancer import IntelligentEnhancer
    from engine.model_manager import ModelManager

    found = {}
    manager = ModelManager({}, checkpoint.parent, cache_dir=folder / "cache" / "engine", bundled_dir=None)
    for name in ("load a network, converted before", "load it again"):
        begun = time.perf_counter()
        manager.load_model(checkpoint.stem)
        found[name] = time.perf_counter() - begun
    picture = np.tile(photograph(500, 500), (6, 8, 1))
    found["analyse 12 megapixels"] = min(analysis_seconds(IntelligentEnhancer(manager), picture))
    manager.close()
    return found


def _large(folder: Path, runs: int) -> dict[str, float]:
    """RRDBNet-23 with an empty cache and with a full one, each in a new process; nothing where it is not installed."""
    first: list[tuple[float, ...]] = []
    later: list[tuple[float, ...]] = []
    for run in range(runs):
        for seconds in (first, later):
            command = [sys.executable, "-c", LARGE, str(folder / "none"), str(folder / f"large {run}")]
            done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
            if done.returncode != 0:
                return {}
            seconds.append(tuple(float(part) for part in done.stdout.split()))
    best = (min(part) for seconds in (first, later) for part in zip(*seconds, strict=True))
    return dict(zip([name for name in TARGETS if "x4plus" in name or "256x256" in name], best, strict=True))


def lines(found: dict[str, float]) -> list[str]:
    """A table in Markdown."""
    rows = ["| start | seconds | target |", "|---|---|---|"]
    for name, seconds in found.items():
        target = TARGETS[name]
        rows.append(f"| {name} | {seconds:.{3 if seconds < 0.1 else 2}f} | {f'under {target:g}' if target else ''} |")
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        found = measure(write_compact(folder / "weights" / "network.pth"), folder)
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main()
