"""Executors over tiny real models, and pictures to give them."""

from __future__ import annotations

import pytest
from PIL import Image

from engine.jobs.job import Job
from engine.types import EnhanceSettings
from tests.engine.executors.gated import GatedConfig
from tests.gate import FOLDER, Gate, gated
from tests.pictures import shade


@pytest.fixture(scope="session", autouse=True)
def gate_folder(tmp_path_factory):
    """For the session, since some executors live longer than a test."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("gate")
        patch.setenv(FOLDER, str(folder))
        yield folder


@pytest.fixture
def gate(gate_folder, monkeypatch):
    """The gate of this process and of every worker process that begins here, open at first."""
    from engine.imaging.upscaler import Upscaler

    made = Gate(gate_folder)
    monkeypatch.setattr(Upscaler, "_through_network", gated(Upscaler._through_network, gate_folder))
    yield made
    made.open()


@pytest.fixture
def service_config(weights, tmp_path):
    """A configuration with folders of the test's own and the tiny models."""

    def make(**changes):
        values = {
            "weights_dir": weights,
            "output_dir": tmp_path / "outputs",
            "cache_dir": tmp_path / "cache",
            "log_dir": tmp_path / "logs",
            "optimize": False,
            "device": "cpu",
            "backend": "torch",
            "worker_idle_timeout": 60,
            "log_level": "WARNING",
        }
        return GatedConfig(_env_file=None, **(values | changes))

    return make


@pytest.fixture
def picture_file(tmp_path):
    """A function that writes a small picture of one gray level, which marks it, and returns its path."""

    def make(name="in.png", level=128, side=24):
        path = tmp_path / name
        Image.fromarray(shade(level, side, side)).save(path)
        return path

    return make


@pytest.fixture
def new_job(picture_file, tmp_path):
    """A job: quick by default; ``slow`` cuts a larger picture into hundreds of tiles, some of which a gate may hold."""

    def make(name="in.png", level=128, side=24, slow=False, **settings):
        chosen = {"model": "tiny-x4", "scale": 4} | settings
        if slow:
            side, chosen["tile"] = 600, 32
        source = picture_file(name, level, side)
        return Job.new(source, tmp_path / "outputs" / f"{source.stem}.png", EnhanceSettings.create(**chosen))

    return make
