"""Shared pieces: tiny models on disk, a manager over them, limits, and pictures."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import checkpoints
from tests.gate import Gate, gated

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser) -> None:
    parser.addoption("--reversed", action="store_true", help="run the tests from the last to the first")


def pytest_configure(config) -> None:
    """Whatever is set on this machine for the program itself is not set for its tests, nor for what they start."""
    # Programs that are begun here inherit it, as a shell's background has it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in os.environ if name.startswith("REALESRGAN_")]:
        if not name.startswith("REALESRGAN_TEST_"):
            del os.environ[name]


def pytest_collection_modifyitems(config, items) -> None:
    """A test that needs another one before it fails from the last to the first.

    A browser, a page's network and an app in three processes now and then miss a moment of each other: their tests get
    a second try, and the summary shows what the first one ran into.
    """
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker(pytest.mark.flaky(reruns=1))
    if config.getoption("reversed"):
        items.reverse()


def pytest_terminal_summary(terminalreporter) -> None:
    """What a test ran into that passed at its second try."""
    tried = terminalreporter.stats.get("rerun", [])
    if tried:
        terminalreporter.section("tried a second time")
    for report in tried:
        terminalreporter.write_sep("-", report.nodeid)
        terminalreporter.write_line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.write_line(f"{title}:\n{text}")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(config, report):
    """Reports travel between processes as UTF-8: what is no text (names of files, in logs) is escaped."""
    return as_text((yield))


def as_text(value):
    """The value with every lone surrogate in its strings written as ``\\udcXX``."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {as_text(key): as_text(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_text(entry) for entry in value)
    return value


@dataclass(frozen=True)
class Limits:
    """The part of ``Config`` that the engine reads, with folders of the test's own."""

    output_dir: Path
    max_image_mb: float = 200
    max_image_megapixels: float = 200
    max_pages: int = 2000
    max_output_megapixels: float = 1000
    max_video_mb: float = 2000
    max_video_minutes: float = 600
    gpu_memory_reserve_mb: int = 512
    cache_dir: Path | None = None
    data_dir: Path | None = None
    history: bool = False

    def model_copy(self, *, update):
        return replace(self, **update)


@dataclass(frozen=True)
class Settings(Limits):
    """What the report and the System Info tab name besides: every folder, the queue, what is allowed."""

    weights_dir: Path = Path()
    cache_dir: Path = Path()
    data_dir: Path = Path()
    log_dir: Path = Path()
    queue_limit: int = 64
    enable_downloads: bool = True
    share: bool = False


@pytest.fixture
def config(tmp_path):
    return Limits(tmp_path / "outputs")


@pytest.fixture
def settings(tmp_path, weights) -> Settings:
    """With every folder but that of the weights in the test's own."""
    folders = {f"{name}_dir": tmp_path / name for name in ("output", "cache", "data", "log")}
    return Settings(weights_dir=weights, **folders)


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """A weights folder with an x4 and an x2 compact network and an x4 and an x2 RRDBNet."""
    folder = tmp_path_factory.mktemp("weights")
    checkpoints.save_pth(checkpoints.compact_state(), folder / "tiny-x4.pth")
    checkpoints.save_pth(checkpoints.compact_state(residual=0), folder / "neutral-x4.pth")
    checkpoints.save_safetensors(checkpoints.compact_state(scale=2, seed=1), folder / "tiny-x2.safetensors")
    checkpoints.save_pth(checkpoints.rrdb_state(), folder / "rrdb-x4.pth", "params_ema")
    checkpoints.save_pth(checkpoints.rrdb_state(scale=2), folder / "rrdb-x2.pth", "params_ema")
    return folder


@pytest.fixture(scope="session")
def manager(weights, tmp_path_factory):
    """A manager over the tiny models, on the CPU, with a cache that lasts for the session."""
    from engine.model_manager import ModelManager

    made = ModelManager(
        {}, weights, cache_dir=tmp_path_factory.mktemp("cache"), bundled_dir=None, optimize=False, device="cpu"
    )
    yield made
    made.close()


@pytest.fixture
def gate(tmp_path_factory, monkeypatch):
    """A gate before the networks of this process, open at first; ``tests/gate.py`` has it by ``gate.environment``."""
    from engine.imaging.upscaler import Upscaler

    made = Gate(tmp_path_factory.mktemp("gate"))
    monkeypatch.setattr(Upscaler, "_through_network", gated(Upscaler._through_network, made.folder))
    yield made
    made.open()


@pytest.fixture
def cli_environment(weights, tmp_path_factory, tmp_path) -> dict[str, str]:
    """Environment variables for ``main.py`` as a process, with the tiny models."""
    from tests.command_line import environment_for

    return environment_for(weights, tmp_path_factory.getbasetemp() / "cli", tmp_path / "data")


@pytest.fixture
def own_environment(monkeypatch, weights, tmp_path) -> None:
    """Settings of this process: the tiny models on the CPU, and folders of the test's own."""
    for name in ("cache", "data", "output", "log"):
        monkeypatch.setenv(f"REALESRGAN_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.setenv("REALESRGAN_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("REALESRGAN_DEVICE", "cpu")
    monkeypatch.setenv("REALESRGAN_OPTIMIZE", "false")


@pytest.fixture
def scene() -> np.ndarray:
    """A 90 x 120 RGB picture with a gradient, edges and some noise."""
    y, x = np.mgrid[0:90, 0:120].astype(np.float32)
    base = np.stack([x / 120, y / 90, 0.5 + 0.4 * np.sin(x / 9)], axis=-1)
    base[20:50, 30:70] = (0.9, 0.2, 0.1)
    base += np.random.default_rng(1).normal(0, 0.02, base.shape)
    return (np.clip(base, 0, 1) * 255).astype(np.uint8)


@pytest.fixture
def photo(tmp_path, scene) -> Path:
    """The 120 x 90 scene as a PNG file."""
    path = tmp_path / "photo.png"
    Image.fromarray(scene).save(path)
    return path


def shared(*parts: str) -> Path:
    """A file of the test material beside the repository (or in REALESRGAN_TEST_MATERIAL); skips where it is not."""
    root = Path(os.environ.get("REALESRGAN_TEST_MATERIAL", REPOSITORY.parent / "shared"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"test material is not here: {'/'.join(parts)}")
    return path
