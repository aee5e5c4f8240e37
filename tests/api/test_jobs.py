"""Jobs in the background: watched, cancelled, kept over a restart, swept away, reported to others."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import json

import httpx
import pytest

from api.callbacks import Callbacks
from api.job_store import JobStore
from engine.jobs.job import JobState
from tests.api.conftest import b64, level_of, png
from tests.engine.executors.test_behaviour import running
from tests.waiting import until
from utils.errors import OutputError


def finished(client, job_id):
    assert client.app.state.service.jobs.get(job_id).handle.wait(60)
    return client.get(f"/jobs/{job_id}").json()


def test_a_job_from_acceptance_to_result(client):
    answer = client.post("/jobs", json={"image_b64": b64(png(120)), "scale": 3})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['job_id']}" and job["state"] in ("queued", "running", "done")
    done = finished(client, job["job_id"])
    assert done["state"] == "done" and done["progress"] == 1 and done["finished"] >= done["started"] >= done["created"]
    assert client.get("/" + done["result_url"]).json()["upscaled_size"] == {"width": 48, "height": 36}
    raw = client.get("/" + done["result_url"], headers={"Accept": "image/png"})
    assert level_of(raw.content) == 120


def test_events_end_with_the_outcome(client):
    job_id = client.post("/jobs", json={"image_b64": b64(png())}).json()["job_id"]
    with client.stream("GET", f"/jobs/{job_id}/events") as stream:
        lines = [line for line in stream.iter_lines() if line]
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    last = json.loads([line.removeprefix("data: ") for line in lines if line.startswith("data: ")][-1])
    assert events[-1] == "done" and set(events[:-1]) <= {"progress"} and last["state"] == "done"


def test_a_failed_job_tells_why(client):
    job_id = client.post("/jobs", json={"image_b64": b64(png()), "model": "no-such-model"}).json()["job_id"]
    failed = finished(client, job_id)
    assert failed["state"] == "failed" and failed["error"]["type"] == "ModelNotFoundError"
    assert client.get(f"/jobs/{job_id}/result").status_code == 422


def test_cancelling(make_client, held):
    client = make_client()
    first = client.post("/jobs", json=held).json()["job_id"]
    second = client.post("/jobs", json={"image_b64": b64(png())}).json()["job_id"]
    assert client.get(f"/jobs/{second}/result").status_code == 409
    assert client.delete(f"/jobs/{second}").json()["state"] == "cancelled"
    client.delete(f"/jobs/{first}")
    assert finished(client, first)["state"] == "cancelled"
    assert client.get(f"/jobs/{first}/result").status_code == 409


@pytest.mark.parametrize("job_id", ["0" * 32, "f" * 32])
@pytest.mark.parametrize("path", ["/jobs/{}", "/jobs/{}/result", "/jobs/{}/events", "/files/{}/picture.png"])
def test_unknown_jobs_are_404(client, path, job_id):
    assert client.get(path.format(job_id)).status_code == 404


@pytest.mark.parametrize(
    "job_id", ["..", "../../etc/passwd", "%2e%2e%2f", "x" * 32, "0" * 31, "0" * 33, "0" * 31 + "%00"]
)
def test_ids_that_are_none_are_refused(client, job_id):
    assert client.get(f"/jobs/{job_id}").status_code in (404, 405, 422)


def test_a_full_queue_says_when_to_come_back(make_client, held):
    client = make_client(queue_limit=1)
    slow = client.post("/jobs", json=held).json()["job_id"]
    running(client.app.state.service.jobs.get(slow).handle)
    assert client.post("/jobs", json={"image_b64": b64(png())}).status_code == 202
    refused = client.post("/jobs", json={"image_b64": b64(png())})
    assert refused.status_code == 503 and int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["type"] == "QueueFullError"
    client.delete(f"/jobs/{slow}")


def test_unfinished_jobs_are_done_after_a_restart(make_client, held):
    """What was promised is kept: the queue is on disk, and the next start takes it up."""
    first = make_client(api_shutdown_grace=0)
    slow = first.post("/jobs", json=held).json()["job_id"]
    running(first.app.state.service.jobs.get(slow).handle)
    waiting = first.post("/jobs", json={"image_b64": b64(png(140)), "scale": 2}).json()["job_id"]
    first.app.state.service.stop(0)
    assert first.get("/ready").status_code == 503
    assert first.post("/jobs", json={"image_b64": b64(png())}).status_code == 503
    second = make_client()
    second.delete(f"/jobs/{slow}")
    assert finished(second, waiting)["state"] == "done"
    assert finished(second, slow)["state"] == "cancelled"
    second.app.state.service.stop(0)
    third = make_client()
    answer = third.get(f"/jobs/{waiting}/result", headers={"Accept": "image/png"})
    assert level_of(answer.content) == 140
    assert third.get(f"/jobs/{slow}").json()["state"] == "cancelled"


def test_two_servers_on_one_cache_folder_leave_each_others_jobs_alone(make_client, held):
    first = make_client()
    slow = first.post("/jobs", json=held).json()["job_id"]
    second = make_client()
    assert second.get(f"/jobs/{slow}").status_code == 404
    assert second.app.state.service.jobs.folder != first.app.state.service.jobs.folder
    assert second.post("/upscale", json={"image_b64": b64(png())}).status_code == 200
    first.delete(f"/jobs/{slow}")


def leave_behind(client, **changes):
    """A job that an earlier run had written down and not finished."""
    store = client.app.state.service.jobs
    job_id = client.post("/jobs", json={"image_b64": b64(png(120)), "scale": 2}).json()["job_id"]
    finished(client, job_id)
    client.app.state.service.stop(0)
    record = store.folder / job_id / "job.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"state": "queued"} | changes))
    return job_id


def test_what_a_request_waited_for_is_not_done_for_nobody(make_client):
    job_id = leave_behind(make_client(), waiting=True)
    again = make_client()
    assert again.get(f"/jobs/{job_id}").status_code == 404
    assert not (again.app.state.service.jobs.folder / job_id).exists()


def test_a_job_that_is_there_whenever_the_program_ends_is_not_tried_for_ever(make_client):
    job_id = leave_behind(make_client(), restores=2)
    once_more = make_client()
    assert finished(once_more, job_id)["state"] == "done"
    once_more.app.state.service.stop(0)
    record = once_more.app.state.service.jobs.folder / job_id / "job.json"
    kept = json.loads(record.read_text())
    assert kept["restores"] == 3
    record.write_text(json.dumps(kept | {"state": "running"}))
    told = make_client().get(f"/jobs/{job_id}").json()
    assert told["state"] == "failed" and "3 times" in told["error"]["message"]


def test_a_full_disk_is_said_as_such(client):
    with pytest.raises(OutputError, match="No space"), client.app.state.service.jobs.prepared("a") as folder:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))


def test_old_results_go_by_themselves(make_client):
    client = make_client(api_keep_seconds=1)
    made = client.post("/upscale", json={"image_b64": b64(png())}).json()
    until(lambda: client.get("/" + made["file_path"]).status_code == 404)
    until(lambda: not (client.app.state.service.jobs.folder / made["job_id"]).exists())
    assert client.post("/cleanup").status_code == 200


def test_old_results_stay_while_they_are_read(client):
    store: JobStore = client.app.state.service.jobs
    one, two = (client.post("/upscale", json={"image_b64": b64(png())}).json() for _ in range(2))
    with store.reading(two["job_id"]):
        assert store.sweep(-1) == 1
        assert client.get("/" + one["file_path"]).status_code == 404
        assert client.get("/" + two["file_path"]).status_code == 200
    assert store.sweep(-1) == 1


def test_sweeping_spares_what_is_being_received_or_run(make_client, held):
    client = make_client()
    store: JobStore = client.app.state.service.jobs
    slow = client.post("/jobs", json=held).json()["job_id"]
    with store.prepared("half-received") as folder:
        (store.folder / "stray").mkdir()
        assert store.sweep(-1) == 1
        assert folder.exists() and (store.folder / slow).exists() and not (store.folder / "stray").exists()
    assert not folder.exists()
    client.delete(f"/jobs/{slow}")


def test_a_callback_is_signed_and_repeated(client):
    """The first two deliveries fail; the third is accepted."""
    received = []

    def other_side(request):
        received.append(request)
        return httpx.Response(200 if len(received) == 3 else 500)

    service = client.app.state.service
    service.callbacks = Callbacks(
        "secret", ("hook.example",), lambda host, port: ["10.0.0.9"], httpx.MockTransport(other_side), (0, 0, 0, 0)
    )
    body = {"image_b64": b64(png()), "callback_url": "http://hook.example/done"}
    job_id = client.post("/jobs", json=body).json()["job_id"]
    finished(client, job_id)
    until(lambda: len(received) >= 3)
    last = received[2]
    assert last.url.host == "10.0.0.9" and last.headers["host"] == "hook.example"
    expected = hmac.new(
        b"secret", last.headers["x-timestamp"].encode() + b"." + last.content, hashlib.sha256
    ).hexdigest()
    assert last.headers["x-signature"] == f"sha256={expected}"
    assert json.loads(last.content)["job_id"] == job_id and json.loads(last.content)["state"] == JobState.DONE.value


class OtherSides(httpx.AsyncBaseTransport):
    """``dead`` never answers, ``endless`` never ends its answer, the others just thank."""

    def __init__(self):
        self.asked = []

    async def handle_async_request(self, request):
        host = request.headers["host"]
        self.asked.append(host)
        if host == "dead":
            await asyncio.sleep(3600)

        async def body():
            while True:
                yield b"0" * 65536
                if host != "endless":
                    return

        return httpx.Response(200, content=body())


def outcomes(client, transport, hosts, **options):
    """Callbacks to these hosts, one after the other, of one finished job."""
    job_id = client.post("/jobs", json={"image_b64": b64(png())}).json()["job_id"]
    finished(client, job_id)
    entry = client.app.state.service.jobs.get(job_id)
    callbacks = Callbacks("secret", tuple(hosts), lambda host, port: ["10.0.0.9"], transport, **options)
    for host in hosts:
        callbacks.send(f"http://{host}/", entry, entry.handle.status)
    return callbacks


def test_a_host_that_never_answers_keeps_no_other_one_waiting(client):
    sides = OtherSides()
    outcomes(client, sides, ["dead", "endless", "good"], pauses=(0,))
    until(lambda: len(sides.asked) == 3)
    assert set(sides.asked) == {"dead", "endless", "good"}


def test_what_waits_at_the_end_is_tried_once_more(client):
    sides = OtherSides()
    callbacks = outcomes(client, sides, ["good", "endless"], pauses=(3600,))
    callbacks.close()
    assert sorted(sides.asked) == ["endless", "good"]


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://10.0.0.1/", "file:///etc/passwd", "http://[::1]/"])
def test_callbacks_do_not_go_inward(make_client, url):
    off, on = make_client(), make_client(api_callback_secret="secret")
    assert off.post("/jobs", json={"image_b64": b64(png()), "callback_url": url}).status_code == 422
    assert on.post("/jobs", json={"image_b64": b64(png()), "callback_url": url}).status_code == 400
