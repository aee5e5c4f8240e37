"""The real server in a process of its own, over a worker process: signals, kills, clients that leave."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from tests.api.conftest import b64, level_of, png
from tests.gate import PROGRAM, REPOSITORY
from tests.ports import free_port
from tests.processes import is_alive
from tests.waiting import LONG

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def wait_until(condition, seconds=LONG):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds")


class Server:
    """``main.py serve`` with settings by environment, as a person starts it; ``gate`` stands before its networks."""

    def __init__(self, folder, weights, gate, **settings):
        self.port, self.gate = free_port(), gate
        values = {
            "WEIGHTS_DIR": weights,
            "OUTPUT_DIR": folder / "outputs",
            "CACHE_DIR": folder / "cache",
            "LOG_DIR": folder / "logs",
            "OPTIMIZE": "false",
            "BACKEND": "torch",
            "DEVICE": "cpu",
            "SERVER_PORT": self.port,
            "DEFAULT_MODEL": "tiny-x4",
            "LOG_LEVEL": "WARNING",
        } | settings
        environment = os.environ | {f"REALESRGAN_{name}": str(value) for name, value in values.items()}
        command = [sys.executable, str(PROGRAM), "serve"]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, env=environment | gate.environment)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=LONG)
        wait_until(self.answers)

    def answers(self):
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            assert self.process.poll() is None, "the server ended"
            return False

    def job(self, job_id):
        return self.http.get(f"/jobs/{job_id}").json()

    def worker(self):
        return self.http.get("/status").json()["executor"]["runners"][0]

    def post_job(self, level):
        return self.http.post("/jobs", json={"image_b64": b64(png(level)), "scale": 4}).json()["job_id"]

    def held_job(self):
        """A job that stays in the network until the gate opens."""
        self.gate.close()
        job_id = self.post_job(60)
        self.gate.wait_for_windows()
        return job_id

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self.http.close()


@pytest.fixture
def start(tmp_path, weights, gate):
    servers = []

    def make(**settings):
        servers.append(Server(tmp_path, weights, gate, **settings))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def test_a_killed_worker_and_a_client_that_leaves_harm_nobody(start, gate):
    server = start()
    held = server.held_job()
    os.kill(server.worker()["pid"], signal.SIGKILL)
    wait_until(lambda: server.job(held)["attempts"] == 2)
    server.http.delete(f"/jobs/{held}")
    gate.open()
    answer = server.http.post("/upscale", json={"image_b64": b64(png(70)), "scale": 4}, headers={"Accept": "image/png"})
    assert abs(level_of(answer.content) - 70) < 12

    # A client that sends a picture and hangs up: its job does not go on for nobody.
    before = server.http.get("/status").json()["executor"]["cancelled"]
    gate.close()
    client = http.client.HTTPConnection("127.0.0.1", server.port)
    body = json.dumps({"image_b64": b64(png(60)), "scale": 4})
    client.request("POST", "/upscale", body, {"Content-Type": "application/json"})
    gate.wait_for_windows()
    client.close()
    wait_until(lambda: server.http.get("/status").json()["executor"]["cancelled"] == before + 1)


def test_sigterm_lets_the_running_jobs_finish_and_keeps_the_queue(start, gate):
    server = start()
    running = [server.held_job(), server.post_job(90)]  # as many as a worker takes
    wait_until(lambda: server.job(running[1])["state"] == "running")
    waiting = server.post_job(150)
    child = server.worker()["pid"]
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: server.http.get("/ready").status_code == 503)
    assert server.job(waiting)["state"] == "queued"
    gate.open()
    assert server.process.wait(60) is not None
    assert not is_alive(child)
    gate.close()
    again = start()
    assert [again.job(one)["state"] for one in running] == ["done", "done"]
    assert again.job(waiting)["state"] != "done"
    gate.open()
    wait_until(lambda: again.job(waiting)["state"] == "done")
    answer = again.http.get(f"/jobs/{waiting}/result", headers={"Accept": "image/png"})
    assert abs(level_of(answer.content) - 150) < 12


def test_a_second_ctrl_c_ends_it_at_once(start):
    server = start(API_SHUTDOWN_GRACE=600)
    server.held_job()
    server.process.send_signal(signal.SIGINT)
    wait_until(lambda: server.http.get("/ready").status_code == 503)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(60) is not None


def test_a_killed_server_keeps_its_promises_and_leaves_no_worker(start):
    server = start()
    held = server.held_job()
    child = server.worker()["pid"]
    server.process.kill()
    wait_until(lambda: not is_alive(child))
    again = start()
    wait_until(lambda: again.job(held)["state"] == "running")
    again.http.delete(f"/jobs/{held}")


def test_slow_clients_do_not_keep_others_from_being_answered(start):
    """A hundred clients that trickle their body; those that take too long are cut off."""
    server = start(API_BODY_TIMEOUT=2)
    head = (
        b"POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    )
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    ended = threading.Event()

    def trickle():
        while not ended.wait(0.5):
            for client in clients:
                try:
                    client.send(b" ")
                except OSError:
                    continue

    for client in clients:
        client.send(head)
    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    assert server.http.get("/health").status_code == 200
    clients[0].settimeout(30)
    answer = clients[0].recv(1000)
    assert b" 408 " in answer or b" 503 " in answer
    ended.set()
    thread.join()
    wait_until(lambda: server.http.post("/upscale", json={"image_b64": b64(png())}).status_code == 200)
    for client in clients:
        client.close()
