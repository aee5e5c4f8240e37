"""``jobs`` against a running server: what it prints, what it does there, and what it says where there is none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
import uvicorn

from cli import jobs
from tests.api.conftest import api_config, b64, held, png  # noqa: F401
from tests.conftest import REPOSITORY
from tests.engine.executors.test_behaviour import running
from tests.ports import free_port
from tests.waiting import LONG, until


@pytest.fixture
def server(api_config, held, monkeypatch):  # noqa: F811
    """A function that serves the API on a free port with one job that runs and two that wait."""
    from api.app import create_app

    started = []

    def serve(**settings):
        port = free_port()
        app = create_app(api_config(**settings))
        made = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
        thread = threading.Thread(target=made.run, daemon=True)
        thread.start()
        until(lambda: made.started)
        started.append((made, thread, app))
        monkeypatch.setenv("REALESRGAN_SERVER_PORT", str(port))
        monkeypatch.setenv("REALESRGAN_API_KEY", settings.get("api_key", ""))
        ask = jobs._Client(f"http://127.0.0.1:{port}", settings.get("api_key", ""))
        slow = ask("POST", "/jobs", held)["job_id"]
        running(app.state.service.jobs.get(slow).handle)
        for level in (9, 99):
            ask("POST", "/jobs", {"image_b64": b64(png(level)), "scale": 2})
        return f"http://127.0.0.1:{port}"

    yield serve
    for made, thread, app in started:
        for job in app.state.service.job_list.jobs():
            app.state.service.job_list.cancel(job.number, owner=None)
        made.should_exit = True
        thread.join(LONG)


@pytest.fixture
def said(tmp_path):
    """A function that runs ``main.py jobs`` and gives exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        folders = {f"REALESRGAN_{name}_DIR": str(tmp_path / name) for name in ("CACHE", "OUTPUT", "LOG", "DATA")}
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "main.py"), "jobs", *arguments],
            env={**os.environ, **folders, "PYTHONWARNINGS": "ignore"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def numbers(said) -> list[int]:
    return [job["number"] for job in json.loads(said("list", "--json")[1])["jobs"]]


def test_the_configured_server_is_found_and_its_jobs_are_listed_moved_and_cancelled(server, said):
    server()
    code, table, _ = said("list")
    assert code == 0 and "running" in table and "50%" in table and "api" in table
    first, second, third = numbers(said)
    assert said("move", str(third))[1] == f"Job {third}: place 1\n"
    assert numbers(said) == [first, third, second]
    assert json.loads(said("move", str(second), "--to", "up", "--json")[1]) == {"number": second, "position": 1}
    assert said("cancel", str(second), str(first))[1].splitlines() == [
        f"Job {second}: cancelled",
        f"Job {first}: cancelled",
    ]
    until(lambda: numbers(said) == [])
    assert said("list")[1] == "Nothing runs or waits.\n"


def test_the_key_of_the_settings_is_sent_and_without_it_the_server_says_so(server, said, monkeypatch):
    address = server(api_key="right")
    assert said("list", "--server", address)[0] == 0
    monkeypatch.setenv("REALESRGAN_API_KEY", "wrong")
    code, out, error = said("list")
    assert code == 11 and not out and "asks for a key" in error


def test_a_job_that_is_not_there_or_does_not_wait_is_said(server, said):
    server()
    code, _, error = said("cancel", "999")
    assert code == 11 and error == "Error: There is no job 999 (any more).\n"
    code, _, error = said("move", str(numbers(said)[0]))
    assert code == 11 and "does not wait any more" in error


def test_no_server_and_another_program_are_told_apart(said):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        code, _, error = said("list", "--server", address)
        assert code == 11 and f"No server answers at http://{address}" in error
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def answer():
            connection, _ = other.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        code, _, error = said("list", "--server", f"127.0.0.1:{other.getsockname()[1]}")
        thread.join(LONG)
    assert code == 11 and "is not this program (200)" in error


@pytest.mark.parametrize("address", ["ftp://host", "http://", "http://host:99999", "http://[::1"])
def test_what_is_no_address_is_refused(address, said):
    code, _, error = said("list", "--server", address)
    assert code == 11 and "is not the address of a server" in error


@pytest.mark.parametrize(
    ("name", "address"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80")],
)
def test_the_address_follows_the_settings(api_config, name, address):  # noqa: F811
    assert jobs._address("", api_config(server_name=name, server_port=80)) == address


def test_a_row_says_what_is_known():
    job = {"number": 7, "kind": "video", "source": "interface", "name": None, "state": "running", "position": None}
    job |= {"progress": 0.414, "eta_seconds": 7620.0, "created": 0.0, "started": 1000.0}
    assert jobs._cells(job, 1185.0) == (
        "7",
        "video",
        "interface",
        "",
        "running",
        "41%",
        "3 min 05 s",
        "about 2 h 07 min",
    )
    job |= {"state": "queued", "position": 2, "started": None, "eta_seconds": None}
    assert jobs._cells(job, time.time())[4:] == ("queued, place 2", "", "", "")
