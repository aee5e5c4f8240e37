"""Every job of the program by number: who may see, cancel and move what."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from engine.jobs.job_list import JobKind, JobView, MoveTo, QueueState
from tests.api.conftest import b64, png
from tests.engine.executors.test_behaviour import running
from tests.waiting import until


class Film:
    """A job of somebody's browser."""

    kind, owner, name, created = JobKind.VIDEO, "a browser's key", "secret holiday.mp4", 1.0

    def __init__(self):
        self.asked = []

    def view(self):
        return JobView(QueueState.QUEUED, 1)

    def cancel(self):
        self.asked.append("cancel")

    def move(self, to, *, among_own):
        self.asked.append(to)
        return True


@pytest.fixture
def here(make_client, held):
    """A server on loopback without a key, asked from its own machine: one job runs, two wait; their ids in order."""
    client = make_client()
    client.base_url = "http://127.0.0.1:7860"
    ids = [client.post("/jobs", json=held).json()["job_id"]]
    running(client.app.state.service.jobs.get(ids[0]).handle)
    ids += [client.post("/jobs", json={"image_b64": b64(png(level)), "scale": 2}).json()["job_id"] for level in (9, 99)]
    yield client, ids
    client.delete(f"/jobs/{ids[0]}")


def listed(client: TestClient, **how):
    answer = client.get("/queue", **how)
    assert answer.status_code == 200
    return answer.json()


def test_the_list_names_what_runs_and_waits_and_leads_to_no_result(here):
    client, ids = here
    told = listed(client)
    assert told["manageable"]
    first, *waiting = told["jobs"]
    assert first["state"] == "running" and first["progress"] == 0.5 and first["started"] >= first["created"]
    assert first["position"] is None and first["source"] == "api" and first["kind"] == "picture"
    assert [(job["state"], job["position"]) for job in waiting] == [("queued", 1), ("queued", 2)]
    assert not any(job_id in str(told) for job_id in ids)


def test_a_waiting_job_is_moved_to_the_front_and_one_that_runs_is_not(here):
    client, _ = here
    first, second, third = (job["number"] for job in listed(client)["jobs"])
    assert client.post(f"/queue/{third}/move", json={"to": "front"}).status_code == 204
    assert [job["number"] for job in listed(client)["jobs"]] == [first, third, second]
    assert client.post(f"/queue/{second}/move", json={"to": "up"}).status_code == 204
    assert [job["number"] for job in listed(client)["jobs"]] == [first, second, third]
    refused = client.post(f"/queue/{first}/move", json={"to": "front"})
    assert refused.status_code == 409 and refused.json()["error"]["type"] == "JobNotWaitingError"
    assert client.post(f"/queue/{second}/move", json={"to": "last"}).status_code == 422


def test_jobs_are_cancelled_by_number_whether_they_wait_or_run(here):
    client, ids = here
    first, second, third = (job["number"] for job in listed(client)["jobs"])
    assert client.delete(f"/queue/{second}").status_code == 204
    assert client.get(f"/jobs/{ids[1]}").json()["state"] == "cancelled"
    gone = client.delete(f"/queue/{second}")
    assert gone.status_code == 404 and gone.json()["error"]["type"] == "JobNotFoundError"
    assert client.delete(f"/queue/{first}").status_code == 204
    until(lambda: not listed(client)["jobs"])
    assert [client.get(f"/jobs/{job_id}").json()["state"] for job_id in ids] == ["cancelled", "cancelled", "done"]
    assert client.delete("/queue/0").status_code == 422 and third


def test_a_persons_film_is_in_the_list_without_its_name(make_client):
    client, film = make_client(api_key="key"), Film()
    number = client.app.state.service.job_list.add(film)
    with_key = {"headers": {"X-API-Key": "key"}}
    assert client.get("/queue").status_code == 401 == client.delete(f"/queue/{number}").status_code
    told = listed(client, **with_key)
    assert told["jobs"][0]["kind"] == "video" and told["jobs"][0]["source"] == "interface"
    assert told["jobs"][0]["name"] is None and "secret" not in str(told)
    assert client.post(f"/queue/{number}/move", json={}, **with_key).status_code == 204
    assert client.delete(f"/queue/{number}", **with_key).status_code == 204
    assert film.asked == [MoveTo.FRONT, "cancel"]


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({"server_name": "0.0.0.0"}, {}),
        ({"api_hosts": "gallery.example"}, {"host": "gallery.example"}),
        ({}, {"x-forwarded-for": "203.0.113.5"}),
    ],
    ids=["open to the network", "by a proxy's name", "through a proxy"],
)
def test_where_others_can_ask_without_a_key_nobody_acts_on_everybodys_jobs(make_client, settings, headers):
    client, film = make_client(**settings), Film()
    client.base_url = "http://127.0.0.1:7860"
    number = client.app.state.service.job_list.add(film)
    told = listed(client, headers=headers)
    assert not told["manageable"] and told["jobs"][0]["name"] is None
    for answer in (
        client.delete(f"/queue/{number}", headers=headers),
        client.post(f"/queue/{number}/move", json={"to": "front"}, headers=headers),
    ):
        assert answer.status_code == 403 and answer.json()["error"]["type"] == "JobAccessError"
    assert film.asked == []
