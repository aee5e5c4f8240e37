"""Health, keys, limits, metrics, heartbeat, library; and the documents about it all."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from api.heartbeat import Heartbeat
from api.job_events import SharedJobs
from api.job_store import JobEntry
from api.library import Library, is_fresh
from api.routes import library
from api.security import RateLimiter
from engine.executors import create_executor
from engine.jobs.job import Job, JobHandle, JobState
from engine.types import EnhanceSettings
from tests.api.conftest import b64, png
from tests.conftest import REPOSITORY
from tests.waiting import LONG
from utils.errors import InvalidImageError


def test_health_names_the_limits(client):
    health = client.get("/health").json()
    assert (
        health["status"] == "ok"
        and health["limits"]["max_request_mb"] == 7
        and health["limits"]["max_input_side"] == 2048
    )
    assert {name: limit["longest_side"] for name, limit in health["supported_resolutions"].items()} == {
        "2k": 2048,
        "4k": 3840,
        "8k": 7680,
    }
    assert client.get("/ready").json() == {"ready": True, "reason": None}


def test_status_shows_workers_and_queue(client):
    client.post("/upscale", json={"image_b64": b64(png())})
    status = client.get("/status").json()
    assert status["executor"]["done"] == 1 and status["executor"]["queued"] == 0
    assert status["executor"]["runners"][0]["name"] == "in-process" and status["memory_mb"] > 10


def test_the_key_is_asked_for_everywhere_but_at_health(make_client):
    client = make_client(api_key="sesame")
    assert client.get("/health").status_code == client.get("/ready").status_code == 200
    for method, path in (
        ("GET", "/status"),
        ("GET", "/metrics"),
        ("POST", "/cleanup"),
        ("POST", "/upscale"),
        ("GET", "/api/upscale"),
    ):
        assert client.request(method, path).status_code == 401
        assert client.request(method, path, headers={"X-API-Key": "wrong"}).status_code == 401
        assert client.request(method, path, headers={"X-API-Key": "sesame"}).status_code != 401
        assert client.request(method, path, headers={"Authorization": "Bearer sesame"}).status_code != 401


def test_who_asks_too_often_has_to_wait(make_client):
    client = make_client(api_rate_limit=3)
    answers = [client.get("/status") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert client.get("/health").status_code == 200


def test_the_rate_limit_refills_and_forgets():
    limiter = RateLimiter(60)
    assert all(limiter.wait_for("a", now=0) == 0 for _ in range(60))
    assert limiter.wait_for("a", now=0) > 0 and limiter.wait_for("b", now=0) == 0
    assert limiter.wait_for("a", now=1.01) == 0
    for number in range(20_000):
        limiter.wait_for(str(number), now=2)
    assert len(limiter._buckets) <= 10_000


def test_other_web_pages_cannot_ask(make_client):
    client = make_client()
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/upscale", files={"file": png()}, headers=foreign).status_code == 403
    assert client.post("/upscale", files={"file": png()}, headers={"Origin": "http://testserver"}).status_code == 200
    assert "access-control-allow-origin" not in client.get("/health", headers=foreign).headers
    friendly = make_client(api_cors_origins="https://evil.example")
    assert friendly.post("/upscale", files={"file": png()}, headers=foreign).status_code == 200
    assert friendly.get("/health", headers=foreign).headers["access-control-allow-origin"] == "https://evil.example"


@pytest.mark.parametrize(
    ("host", "settings", "code"),
    [
        ("evil.example:7860", {}, 403),
        ("127.0.0.1.evil.example", {}, 403),
        ("localhost:7860", {}, 200),
        ("[::1]:7860", {}, 200),
        ("up.localhost", {}, 200),
        ("photos.example", {"api_hosts": "photos.example"}, 200),
        ("photos.example", {"api_cors_origins": "https://photos.example"}, 200),
        ("evil.example", {"api_key": "secret"}, 200),
        ("evil.example", {"server_name": "0.0.0.0"}, 200),
    ],
)
def test_a_page_whose_name_was_pointed_at_this_machine_is_refused(make_client, host, settings, code):
    """DNS rebinding: the browser sends the page's own name as the host, and no strange origin."""
    client = make_client(**settings)
    client.base_url = "http://127.0.0.1:7860"
    answer = client.get("/health", headers={"Host": host})
    assert answer.status_code == code
    assert code == 200 or "REALESRGAN_API_HOSTS" in answer.json()["error"]["message"]


def test_metrics_count_jobs_and_requests(client):
    client.post("/upscale", json={"image_b64": b64(png())})
    client.get("/jobs/" + "0" * 32)
    text = client.get("/metrics").text
    assert 'realesrgan_jobs_total{state="done"} 1.0' in text and "realesrgan_queue_length 0.0" in text
    assert 'realesrgan_requests_total{method="POST",route="/upscale",status="200"} 1.0' in text
    assert "0" * 32 not in text


def test_switched_off_it_takes_no_jobs(make_client):
    client = make_client(enable_api=False)
    assert client.get("/ready").status_code == 503 and client.get("/health").status_code == 200
    assert client.post("/upscale", json={"image_b64": b64(png())}).status_code == 503


def test_every_route_is_documented_with_its_errors(client):
    document = client.get("/openapi.json").json()
    assert "UpscaleRequest" in document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route["summary"], (method, path)
            assert "422" in route["responses"] and "401" in route["responses"]
    assert document["components"]["schemas"]["UpscaleRequest"]["examples"]


def test_the_heartbeat_backs_off_and_says_goodbye(client, api_config):
    calls, pauses = [], []

    def central(request):
        pauses.append(heartbeat.pause())
        calls.append((request.method, json.loads(request.content)))
        if len(calls) == 4:
            enough.set()
        return httpx.Response(500 if len(calls) <= 2 else 200)

    class WithHeartbeat:
        config = api_config(api_heartbeat_url="http://central.example/servers", api_heartbeat_seconds=0.1)
        executor = client.app.state.service.executor
        not_ready = None

    async def scenario():
        heartbeat.start()
        await enough.wait()
        await heartbeat.stop()

    enough, heartbeat = asyncio.Event(), Heartbeat(WithHeartbeat(), httpx.MockTransport(central))
    asyncio.run(asyncio.wait_for(scenario(), LONG))
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.1], "before each call: doubled by every failure"
    assert calls[-1][0] == "DELETE"
    assert calls[0][1]["capacity"] == 1 and calls[0][1]["load"] == {"queued": 0, "running": 0} and calls[0][1]["ready"]


# -- the library -----------------------------------------------------------------------------------------------------


@pytest.fixture
def gallery(tmp_path):
    root = tmp_path / "gallery"
    (root / "holiday").mkdir(parents=True)
    (root / "holiday" / "beach.png").write_bytes(png(90))
    (tmp_path / "secret.png").write_bytes(png(1))
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "notes.txt").write_text("words")
    return root


def test_a_gallery_asks_twice_and_the_work_is_done_once(make_client, gallery):
    client = make_client(api_library_roots=str(gallery))
    wanted = {"path": "holiday/beach.png", "scale": 2}
    first, second = client.post("/api/upscale", json=wanted).json(), client.post("/api/upscale", json=wanted).json()
    assert first["cached"] is False and second["cached"] is True and first["width"] == 32
    assert client.get("/" + first["file_path"]).status_code == 200
    later = time.time() + 5
    os.utime(gallery / "holiday" / "beach.png", (later, later))
    assert client.post("/api/upscale", json=wanted).json()["cached"] is False
    listing = client.get("/api/upscale").json()
    assert listing["total"] == 1 and listing["items"][0]["path"] == "holiday/beach.png"
    assert client.delete("/api/upscale", params={"path": "holiday/beach.png"}).json()["removed"] == [first["file_path"]]
    assert client.get("/api/upscale").json()["total"] == 0 and (gallery / "holiday" / "beach.png").exists()


def test_two_who_ask_at_the_same_time_share_the_work(make_client, gallery):
    client = make_client(api_library_roots=str(gallery))
    executor = client.app.state.service.executor
    with ThreadPoolExecutor(4) as pool:
        wanted = {"path": "holiday/beach.png", "scale": 8}
        told = [each.json() for each in pool.map(lambda _: client.post("/api/upscale", json=wanted), range(4))]
    assert len({answer["file_path"] for answer in told}) == 1
    assert executor.stats().done == 1


def test_who_looked_before_another_s_job_ended_makes_nothing_anew(make_client, gallery, monkeypatch):
    client = make_client(api_library_roots=str(gallery))
    wanted = {"path": "holiday/beach.png", "scale": 2}
    first = client.post("/api/upscale", json=wanted).json()
    looks = iter([False])  # as it was when this one came
    monkeypatch.setattr(library, "is_fresh", lambda *given: next(looks, None) is None and is_fresh(*given))
    second = client.post("/api/upscale", json=wanted).json()
    assert second == {**first, "cached": True} and client.app.state.service.executor.stats().done == 1


def test_a_shared_job_is_cancelled_by_the_last_who_leaves(client):
    handle = JobHandle(Job.new("a.png", "b.png", EnhanceSettings()))
    shared, target = SharedJobs(), Path("b.png")
    begun = []

    def begin():
        begun.append(JobEntry(handle, Path(".")))
        return begun[-1]

    first, second = shared.join(target, begin), shared.join(target, begin)
    assert first is second and len(begun) == 1
    shared.leave(target, first)
    assert not handle.status.state.final
    shared.leave(target, second)
    assert handle.status.state is JobState.CANCELLED


def test_versions_of_a_picture_that_is_gone_can_be_removed(make_client, gallery):
    client = make_client(api_library_roots=str(gallery))
    made = client.post("/api/upscale", json={"path": "holiday/beach.png", "scale": 2}).json()["file_path"]
    (gallery / "holiday" / "beach.png").unlink()
    assert client.get("/api/upscale").json()["total"] == 1
    assert client.delete("/api/upscale", params={"path": "holiday/beach.png"}).json()["removed"] == [made]
    assert client.delete("/api/upscale", params={"path": "holiday/beach.png"}).status_code == 404


def test_a_picture_that_is_named_like_a_version_keeps_its_own(make_client, gallery):
    client, beach = make_client(api_library_roots=str(gallery)), gallery / "holiday" / "beach.png"
    odd = beach.with_name("beach.png.upscaled-x2.png")
    odd.write_bytes(beach.read_bytes())
    made = [
        client.post("/api/upscale", json={"path": f"holiday/{path.name}", "scale": 2}).json()["file_path"]
        for path in (beach, odd)
    ]
    listed = {item["file_path"]: item["path"] for item in client.get("/api/upscale").json()["items"]}
    assert listed == dict(zip(made, ["holiday/beach.png", f"holiday/{odd.name}"], strict=True))
    removed = client.request("DELETE", "/api/upscale", json={"path": "holiday/beach.png"}).json()["removed"]
    assert removed == made[:1]


def test_special_wishes_have_versions_of_their_own(make_client, gallery):
    client = make_client(api_library_roots=str(gallery))
    plain = {"path": "holiday/beach.png", "scale": 2}
    files = [
        client.post("/api/upscale", json=plain | more).json()["file_path"]
        for more in ({}, {"model": "nearest"}, {"model": "bicubic"}, {"quality": 50})
    ]
    assert len(set(files)) == 4 and all("beach.png.upscaled-x2" in name for name in files)
    assert client.post("/api/upscale", json=plain | {"model": "nearest"}).json()["cached"] is True
    removed = client.request("DELETE", "/api/upscale", json={"path": "holiday/beach.png"}).json()["removed"]
    assert sorted(removed) == sorted(files)
    assert client.delete("/api/upscale").status_code == 422


TRICKS = [
    "../secret.png", "holiday/../../secret.png", "/etc/passwd", "link.png", "notes.txt", "holiday", "missing.png", ".", "..",
    "//etc/passwd", "holiday\\..\\..\\secret.png", "C:\\secret.png", "C:/secret.png", "file:///etc/passwd", "~/secret.png",
    "holiday/beach.png\0.txt", "holiday/beach.png/", "%2e%2e/secret.png", "..%2fsecret.png", "\u2025/secret.png",
    "....//secret.png", "a" * 1000, "holiday/" * 100 + "x.png", "\x01.png", "beach.png:stream", "$HOME/secret.png", "*",
]  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_paths_that_lead_out_of_the_library_are_refused(make_client, gallery, name):
    if name == "holiday/beach.png/":
        pytest.skip("names the picture itself")
    client = make_client(api_library_roots=str(gallery))
    assert client.post("/api/upscale", json={"path": name}).status_code in (404, 422)
    assert client.delete("/api/upscale", params={"path": name}).status_code in (404, 422)
    assert client.request("DELETE", "/api/upscale", json={"path": name}).status_code in (404, 422)
    with pytest.raises(InvalidImageError):
        Library((gallery,), gallery.parent / "outputs").find(name)


@pytest.mark.parametrize(
    "name", ["../secret.png", "..%2f..%2fsecret.png", "%2e%2e/secret.png", "/etc/passwd", "0/%00", "."]
)
def test_downloads_stay_among_the_enlarged_versions(make_client, gallery, name):
    client = make_client(api_library_roots=str(gallery))
    assert client.get(f"/library-files/{name}").status_code == 404


def test_without_folders_there_is_no_library(client):
    assert client.get("/api/upscale").status_code == 404


# -- the process -----------------------------------------------------------------------------------------------------


def test_the_server_imports_no_torch(tmp_path):
    """Nor any other runtime, nor the interface: models live in the worker processes."""
    code = (
        "import sys\n"
        "from config import Config\n"
        "from api import create_app\n"
        "import api.server, cli.serve\n"
        f"config = Config(_env_file=None, cache_dir={str(tmp_path)!r})\n"
        "app = create_app(config)\n"
        "from starlette.testclient import TestClient\n"
        "with TestClient(app) as client:\n"
        "    assert client.get('/status').status_code == 200\n"
        "heavy = {'torch', 'openvino', 'gradio', 'spandrel', 'cv2', 'ray'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_it_stands_beside_the_interface_on_one_server(api_config):
    """The interface takes larger files than the API, and neither hides the other."""
    import gradio

    from api import create_app

    app = create_app(api_config())
    with gradio.Blocks() as blocks:
        gradio.Markdown("The interface")
    gradio.mount_gradio_app(app, blocks, path="/")
    with TestClient(app) as client:
        assert client.get("/health").json()["status"] == "ok" and "gradio" in client.get("/").text
        large = b"0" * 30_000_000
        assert client.post("/gradio_api/upload", files={"files": large}).status_code == 200
        assert client.post("/upscale", files={"file": large}).status_code == 413
        assert client.post("/upscale", files={"file": png()}).status_code == 200


@pytest.mark.parametrize("close", [True, False])
def test_a_shared_executor_ends_with_the_application_only_where_asked(api_config, close):
    from api.app import create_app

    config = api_config()
    with create_executor(config) as executor:
        with TestClient(create_app(config, executor, close_executor=close)) as client:
            assert client.get("/ready").json()["ready"]
        assert executor.stats().accepting is not close
