"""The API over a resampler, which enlarges in milliseconds: these tests are about the service, not the pictures."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from config import Config
from engine.executors.in_process import InProcessRunner
from engine.types import Progress
from tests.pictures import shade


@pytest.fixture
def api_config(tmp_path):
    def make(**changes):
        values = {
            "weights_dir": tmp_path / "weights",
            "output_dir": tmp_path / "outputs",
            "cache_dir": tmp_path / "cache",
            "data_dir": tmp_path / "data",
            "log_dir": tmp_path / "logs",
            "executor": "in-process",
            "default_model": "lanczos",
            "device": "cpu",
            "log_level": "WARNING",
            "api_shutdown_grace": 5,
        }
        return Config(_env_file=None, **(values | changes))

    return make


@pytest.fixture
def make_client(api_config):
    """A function that starts the API with changed settings; all are stopped at the end."""
    from api import create_app

    clients = []

    def make(resolve=None, **changes):
        more = {} if resolve is None else {"resolve": resolve}
        from api.app import create_app as create

        app = create(api_config(**changes), **more) if more else create_app(api_config(**changes))
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def held(monkeypatch):
    """The body of a job that runs, with progress, until it is cancelled: one of scale 16."""
    run = InProcessRunner.run

    def run_or_wait(self, job, control):
        if job.settings.scale == 16:
            control.report(Progress("Enhancing", 1, 2, 0.5))
            control._cancelled.wait(250)
        return run(self, job, control)

    monkeypatch.setattr(InProcessRunner, "run", run_or_wait)
    return {"image_b64": b64(png(60)), "scale": 16}


def png(level=100, width=16, height=12):
    """An encoded picture of one gray level."""
    out = io.BytesIO()
    Image.fromarray(shade(level, width, height)).save(out, "PNG")
    return out.getvalue()


def b64(data):
    return base64.b64encode(data).decode()


def level_of(data):
    return round(float(np.asarray(Image.open(io.BytesIO(data)).convert("L")).mean()))
