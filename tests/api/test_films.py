"""Films over the API: received within limits, enhanced one at a time, watched, cancelled, gone on with after a restart."""

from __future__ import annotations

import threading
from contextlib import closing
from functools import partial

import pytest

from api import film_requests
from api.fetch import FetchLimits
from api.film_schemas import VideoUpload
from api.films import FilmExecutor
from engine.jobs.job_list import MoveTo
from engine.model_manager import ModelManager
from engine.types import JobControl, Progress
from engine.video.run import enhance_video
from tests.clips import make_clip, read_clip
from tests.waiting import until
from utils.errors import InvalidVideoError


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "my film.mp4"
    return make_clip(path, frames=6).read_bytes()


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """More frames than are in flight at a time."""
    return make_clip(tmp_path_factory.mktemp("clips") / "long.mp4", frames=60).read_bytes()


@pytest.fixture
def here(monkeypatch):
    """Films run in a thread of this process, which loads nothing; returned is what may take their place."""
    stands_in = {"run": None}

    def enhance(source, target, settings, options, *, config, control, overwrite):
        if stands_in["run"] is not None:
            stands_in["run"](control)
        own = JobControl()

        def pass_on(step):  # as a process of its own is asked
            control.report(step)
            if control.cancelled:
                own.cancel()

        own.on_progress = pass_on
        with closing(ModelManager.from_config(config)) as manager:
            return enhance_video(
                source, target, settings, options, manager=manager, config=config, control=own, overwrite=overwrite
            )

    monkeypatch.setattr("api.service.FilmExecutor", partial(FilmExecutor, enhance=enhance))
    return stands_in


class Held:
    """The body of a film that runs, with progress, until it is cancelled, the program stops, or it is let go."""

    def __init__(self) -> None:
        self.begun, self.free = threading.Event(), threading.Event()

    def __call__(self, control: JobControl) -> None:
        control.report(Progress("Enhancing", 3, 6, 0.5))
        self.begun.set()
        until(lambda: control.cancelled or self.free.is_set())
        control.check()


def send(client, data, name="my film.mp4", **fields):
    return client.post("/videos", files={"file": (name, data)}, data=fields)


def finished(client, job_id):
    assert client.app.state.service.jobs.get(job_id).handle.wait(120)
    return client.get(f"/jobs/{job_id}").json()


def test_a_film_from_acceptance_to_result_in_a_process_of_its_own(client, clip, tmp_path):
    answer = send(client, clip, scale="2", model="lanczos", quality="70")
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['job_id']}"
    done = finished(client, job["job_id"])
    assert done["state"] == "done" and done["progress"] == 1, done
    told = client.get("/" + done["result_url"]).json()
    assert told["upscaled_size"] == {"width": 128, "height": 96} and told["original_size"] == {
        "width": 64,
        "height": 48,
    }
    assert (told["frames"], told["codec"], told["model"]) == (6, "h264", "lanczos")
    film = client.get("/" + done["result_url"], headers={"Accept": "video/mp4"})
    assert film.headers["content-type"] == "video/mp4"
    (tmp_path / "out.mp4").write_bytes(film.content)
    result = read_clip(tmp_path / "out.mp4")
    assert result.numbers == list(range(6)) and result.size == (128, 96) and result.audio
    part = client.get("/" + told["file_path"], headers={"Range": "bytes=0-99"})
    assert part.status_code == 206 and part.content == film.content[:100]


def test_container_range_and_sound_are_as_asked_for(here, client, clip, tmp_path):
    fields = {"container": "mkv", "start": "0.1", "copy_audio": "false", "scale": "1", "model": "lanczos"}
    job_id = send(client, clip, **fields).json()["job_id"]
    assert finished(client, job_id)["state"] == "done"
    answer = client.get(f"/jobs/{job_id}/result", headers={"Accept": "video/*"})
    assert answer.headers["content-type"] == "video/x-matroska"
    (tmp_path / "out.mkv").write_bytes(answer.content)
    result = read_clip(tmp_path / "out.mkv")
    assert 0 < len(result.numbers) < 6 and result.numbers[-1] == 5 and not result.audio


def test_events_tell_progress_and_the_end(here, client, clip):
    job_id = send(client, clip, scale="2").json()["job_id"]
    with client.stream("GET", f"/jobs/{job_id}/events") as stream:
        events = [line.removeprefix("event: ") for line in stream.iter_lines() if line.startswith("event: ")]
    assert events[-1] == "done" and set(events[:-1]) <= {"progress"}


def test_a_film_by_its_address(make_client, clip, here, monkeypatch):
    asked = []

    def fetch_into(target, url, limits, *, resolve):
        asked.append((url, limits))
        target.write(clip)

    monkeypatch.setattr("api.film_requests.fetch_into", fetch_into)
    body = {"video_url": "https://films.example/one.mp4?key=1", "scale": 2}
    off = make_client().post("/videos", json=body)
    assert off.status_code == 400 and "switched off" in off.json()["error"]["message"] and asked == []
    client = make_client(api_img_url=True, api_max_video_mb=5, api_video_timeout=77)
    job_id = client.post("/videos", json=body).json()["job_id"]
    assert finished(client, job_id)["state"] == "done"
    assert asked == [(body["video_url"], FetchLimits(5 * 10**6, 77, "film", "video/*, image/*"))]


def test_addresses_inside_the_network_are_refused(make_client, here):
    client = make_client(api_img_url=True, resolve=lambda host, port: ["10.0.0.1"])
    answer = client.post("/videos", json={"video_url": "http://inside.example/film.mp4"})
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "AddressRefusedError"
    assert list(client.app.state.service.jobs.folder.iterdir()) == []
    for url in ("http://[/film.mp4", "file:///film.mp4", "no address"):
        assert client.post("/videos", json={"video_url": url}).status_code == 400


@pytest.mark.parametrize(
    ("changes", "fields", "code", "words"),
    [
        ({"api_max_video_mb": 0.001}, {}, 413, "limit is 0.001 MB"),
        ({"max_video_mb": 0.001}, {}, 413, "limit is 0.001 MB"),
        ({"max_video_minutes": 0.0001}, {}, 413, "minutes"),
        ({"api_max_side": 60}, {}, 413, "longest side may have 60"),
        ({"max_output_megapixels": 0.01}, {"scale": "4"}, 413, "megapixels"),
        ({}, {"scale": "17"}, 422, "scale"),
        ({}, {"scale": "2", "target_resolution": "4k"}, 422, "not both"),
        ({}, {"start": "3", "end": "2"}, 422, "end"),
        ({}, {"start": "7"}, 422, "ends at"),
        ({}, {"codec": "mpeg2"}, 422, "codec"),
        ({}, {"nonsense": "1"}, 422, "nonsense"),
        ({}, {"callback_url": "http://a.example/"}, 422, "callbacks are off"),
        ({"enable_video": False}, {}, 404, "no films"),
        ({"enable_api": False}, {}, 503, "switched off"),
    ],
)
def test_what_is_over_a_limit_or_wrong_is_refused(make_client, clip, here, changes, fields, code, words):
    client = make_client(**changes)
    answer = send(client, clip, **fields)
    assert answer.status_code == code and words in answer.json()["error"]["message"], answer.text
    assert not [path for path in client.app.state.service.jobs.folder.glob("*") if path.is_dir()]


def test_a_film_that_is_large_enough_is_refused(make_client, here, tmp_path):
    wide = make_clip(tmp_path / "wide.mp4", frames=2, size=(2048, 16)).read_bytes()
    answer = send(make_client(), wide, target_resolution="2k")
    assert answer.status_code == 422 and "2048x16 already" in answer.json()["error"]["message"]


def test_what_is_no_film_is_refused(here, client, clip):
    for data, name in ((b"no film", "film.mp4"), (b"", "film.mp4"), (clip[: len(clip) // 3], "film.mp4")):
        answer = send(client, data, name)
        assert answer.status_code == 400 and "'film.mp4'" in answer.json()["error"]["message"]
    assert client.post("/videos", data={"scale": "2"}, files={"other": ("a", b"b")}).status_code == 422
    assert client.post("/videos", content=b"x", headers={"Content-Type": "video/mp4"}).status_code == 415
    assert client.post("/videos", json={"video_url": "x" * 70_000}).status_code == 413
    assert client.post("/videos", json={"scale": 2}).status_code == 422


def test_a_list_of_other_files_is_no_film(here, client, clip, tmp_path):
    """FFmpeg opens what it names: here a file beside it."""
    assert send(client, b"ffconcat version 1.0\nfile film.mp4\n").status_code == 400
    (tmp_path / "other.mp4").write_bytes(clip)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    service, options = client.app.state.service, VideoUpload(model="lanczos")
    settings, how = options.settings("lanczos", {}), options.video_options()
    with pytest.raises(InvalidVideoError, match="a list of other files"):
        film_requests._check(tmp_path / "list.mp4", options, settings, how, service)


def test_a_key_is_asked_for(make_client, clip, here):
    client = make_client(api_key="secret")
    assert send(client, clip).status_code == 401
    files, key = {"file": ("a.mp4", clip)}, {"X-API-Key": "secret"}
    assert client.post("/videos", files=files, headers=key).status_code == 202


def test_one_runs_the_others_wait_in_order_and_can_be_moved_and_cancelled(make_client, clip, here):
    client, held = make_client(api_video_queue_limit=2), Held()
    here["run"] = held
    first = send(client, clip).json()["job_id"]
    assert held.begun.wait(120)
    second, third = (send(client, clip).json()["job_id"] for _ in range(2))
    full = send(client, clip)
    assert full.status_code == 503 and int(full.headers["retry-after"]) > 1
    told = client.get(f"/jobs/{first}").json()
    assert (told["state"], told["progress"], told["stage"]) == ("running", 0.5, "Enhancing")
    lines = client.get("/queue").json()["jobs"]
    assert [(line["kind"], line["source"], line["state"], line["position"]) for line in lines] == [
        ("video", "api", "running", None),
        ("video", "api", "queued", 1),
        ("video", "api", "queued", 2),
    ]
    service = client.app.state.service
    number = lines[2]["number"]
    service.job_list.move(number, MoveTo.FRONT, None)
    assert [line["number"] for line in client.get("/queue").json()["jobs"]][1] == number
    assert client.delete(f"/jobs/{second}").json()["state"] == "cancelled"
    assert client.get(f"/jobs/{second}/result").status_code == 409
    client.delete(f"/jobs/{first}")
    assert finished(client, first)["state"] == "cancelled"
    held.free.set()
    assert finished(client, third)["state"] == "done"


def test_what_is_done_of_a_cancelled_film_is_not_kept(here, client, long_clip):
    def cancel_midway(control: JobControl) -> None:
        until(lambda: client.app.state.service.jobs._entries)  # it may begin before it is noted
        (handle,) = [entry.handle for entry in client.app.state.service.jobs._entries.values()]
        report = control.on_progress
        control.on_progress = lambda step: (report(step), handle.cancel() if step.done >= 2 else None)

    here["run"] = cancel_midway
    job_id = send(client, long_clip, scale="2").json()["job_id"]
    assert finished(client, job_id)["state"] == "cancelled"
    entry = client.app.state.service.jobs.get(job_id)
    assert not entry.job.output_path.exists()
    assert client.get(f"/jobs/{job_id}/result").status_code == 409


def test_a_failed_film_tells_why(here, client, clip):
    job_id = send(client, clip, model="no-such-model").json()["job_id"]
    failed = finished(client, job_id)
    assert failed["state"] == "failed" and failed["error"]["type"] == "ModelNotFoundError"
    assert client.get(f"/jobs/{job_id}/result").status_code == 422


def test_unfinished_films_are_done_after_a_restart(make_client, clip, here):
    """The one that ran goes on, the one that waited begins; a third start still has the results."""
    first, held = make_client(), Held()
    here["run"] = held
    ran = send(first, clip, scale="2").json()["job_id"]
    assert held.begun.wait(120)
    waited = send(first, clip, scale="3", container="mkv").json()["job_id"]
    first.app.state.service.stop(60)
    assert send(first, clip).status_code == 503
    here["run"] = None
    second = make_client()
    assert [finished(second, job)["state"] for job in (ran, waited)] == ["done", "done"]
    second.app.state.service.stop(0)
    third = make_client()
    assert third.get(f"/jobs/{waited}/result").json()["upscaled_size"] == {"width": 192, "height": 144}
    assert third.get(f"/jobs/{ran}/result", headers={"Accept": "video/*"}).content


def test_a_stopped_program_leaves_what_a_film_has(make_client, long_clip, here):
    """Cancelled by the program and not by a person: finished parts stay, and it is no cancelled job."""
    client = make_client()

    def stop_midway(control: JobControl) -> None:
        report = control.on_progress
        stopping = client.app.state.service.films._stopping
        control.on_progress = lambda step: (report(step), stopping.set() if step.done >= 2 else None)

    here["run"] = stop_midway
    job_id = send(client, long_clip, scale="2").json()["job_id"]
    handle = client.app.state.service.jobs.get(job_id).handle
    assert handle.wait(120) and handle.status.failure.type == "ServiceStoppedError"
    client.app.state.service.stop(0)
    here["run"] = None
    again = make_client()
    assert finished(again, job_id)["state"] == "done"
    told = again.get(f"/jobs/{job_id}/result").json()
    assert told["frames"] == 60 and told["metrics"]["resumed_frames"] >= 2


def test_a_fault_in_a_film_ends_that_film_alone(here, client, clip):
    def broken(control: JobControl) -> None:
        raise RuntimeError("broken")

    here["run"] = broken
    failed = finished(client, send(client, clip).json()["job_id"])
    assert failed["state"] == "failed" and "unforeseen" in failed["error"]["message"]
    here["run"] = None
    assert finished(client, send(client, clip).json()["job_id"])["state"] == "done"
