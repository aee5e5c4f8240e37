"""The list of all jobs in System Info: what a browser sees of others, and what it may do. Without a browser."""

from __future__ import annotations

import re
import threading
from types import SimpleNamespace

import gradio as gr
import pytest

from engine.batch import BatchControl, BatchQueue, BatchRequest
from engine.jobs.job_list import API_OWNER, JobKind, JobView, ListedJob, MoveTo, QueueState
from engine.types import EnhanceSettings
from tests.waiting import LONG, until
from ui.handlers import jobs_view
from ui.handlers.batch import BatchService
from ui.strings import LANGUAGES, words_in
from ui.tabs.jobs_card import JobsEvents
from ui.visitors import COOKIE, Visitors

WORDS = words_in("en")


def request(browser: str, **headers: str):
    return SimpleNamespace(cookies={COOKIE: browser}, session_hash=browser, headers={"host": "127.0.0.1", **headers})


def press(job: int, act: str):
    return SimpleNamespace(_data={"job": job, "act": act})


@pytest.fixture
def gate():
    made = threading.Event()
    yield made
    made.set()


@pytest.fixture
def visitors(tmp_path, gate) -> Visitors:
    """Anna's picture runs; one of Ben's and two of Anna's wait."""
    made = Visitors(tmp_path)
    for browser, name in (("anna", "lake"), ("ben", "secret"), ("anna", "forest"), ("anna", "meadow")):
        made.start(
            request(browser),
            name,
            lambda control: gate.wait(LONG),
            kind=JobKind.PICTURE,
            name=f"{name}.png",
        )
    until(lambda: made.job_list.jobs()[0].view.state is QueueState.RUNNING)
    return made


@pytest.fixture
def here():
    """A server for this machine alone."""
    return SimpleNamespace(server_name="127.0.0.1", share=False)


@pytest.fixture
def public():
    """One that others reach."""
    return SimpleNamespace(server_name="0.0.0.0", share=False)


def order(visitors) -> list[str]:
    return [job.name.removesuffix(".png") for job in visitors.job_list.jobs()]


def number(visitors, name: str) -> int:
    return next(job.number for job in visitors.job_list.jobs() if job.name == f"{name}.png")


def test_only_ones_own_files_are_named(visitors, here):
    html = JobsEvents(here, visitors).look(request("anna"))
    assert "lake.png" in html and "meadow.png" in html
    assert "secret" not in html and html.count("another person") == 1 and html.count("this browser") == 3
    assert "waiting, place 1" in html and "waiting, place 3" in html


def test_on_a_server_for_this_machine_everything_can_be_cancelled_and_moved(visitors, here):
    events = JobsEvents(here, visitors)
    assert order(visitors) == ["lake", "secret", "forest", "meadow"]
    html, told = events.act(request("anna"), press(number(visitors, "meadow"), "front"))
    assert not told and order(visitors) == ["lake", "meadow", "secret", "forest"]
    assert html.count('data-act="cancel"') == 4
    events.act(request("anna"), press(number(visitors, "secret"), "cancel"))
    assert "secret" not in order(visitors)


@pytest.mark.parametrize("way", ["open to the network", "through a proxy"])
def test_where_others_come_in_a_browser_acts_on_its_own_jobs_alone(visitors, here, public, way):
    events = JobsEvents(public if way == "open to the network" else here, visitors)
    anna = request("anna", **({"x-forwarded-for": "203.0.113.5"} if way == "through a proxy" else {}))
    html, told = events.act(anna, press(number(visitors, "secret"), "cancel"))
    assert "another person" in told and "secret" in order(visitors)
    assert html.count('data-act="cancel"') == 3
    events.act(anna, press(number(visitors, "meadow"), "front"))
    assert order(visitors) == ["lake", "secret", "meadow", "forest"], "Ben keeps his place"


def test_what_no_button_sends_does_nothing(visitors, here):
    events = JobsEvents(here, visitors)
    for data in (None, {}, {"job": "1", "act": "cancel"}, {"job": 1, "act": "delete"}, [1]):
        assert events.act(request("anna"), SimpleNamespace(_data=data)) == [gr.skip(), gr.skip()]
    _, told = events.act(request("anna"), press(999, "cancel"))
    assert "There is no job 999" in told


def listed(number: int, kind: JobKind, view: JobView, owner: str = "me", name: str = "") -> ListedJob:
    return ListedJob(number, kind, owner, name, 0.0, view)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_and_state_has_its_words(language):
    words = words_in(language)
    states = [JobView(state, 1 if state is QueueState.QUEUED else 0, 0.5, 90.0, 10.0) for state in QueueState]
    jobs = [listed(index, kind, view) for kind in JobKind for index, view in enumerate(states)]
    html = jobs_view.overview_html(jobs, "me", False, words, 20.0)
    assert html.count("<tr>") == 1 + len(jobs) and "{" not in html
    assert jobs_view.overview_html([], "me", True, words, 0.0)


def test_a_row_shows_progress_time_and_rest_and_escapes_names():
    running = listed(1, JobKind.VIDEO, JobView(QueueState.RUNNING, 0, 0.415, 7620.0, 1000.0), name="<b>.mp4")
    html = jobs_view.overview_html([running], "me", False, WORDS, 1185.0)
    assert "&lt;b&gt;.mp4" in html and "<b>" not in html
    assert 'aria-valuenow="42"' in html and "3 min 05 s" in html and "about 2 h 07 min" in html


def test_each_queue_stands_together_and_only_what_can_move_has_the_buttons():
    def waiting(number: int, kind: JobKind, place: int, owner: str = "me") -> ListedJob:
        return listed(number, kind, JobView(QueueState.QUEUED, place), owner)

    jobs = [
        waiting(1, JobKind.VIDEO, 1),
        waiting(2, JobKind.PICTURE, 1, API_OWNER),
        waiting(3, JobKind.VIDEO, 2, "another"),
        waiting(4, JobKind.PICTURE, 2, API_OWNER),
        waiting(5, JobKind.VIDEO, 3),
    ]

    def buttons(may_all: bool) -> dict[int, list[str]]:
        html = jobs_view.overview_html(jobs, "me", may_all, WORDS, 0.0)
        found: dict[int, list[str]] = {}
        for job, act in re.findall(r'data-job="(\d)" data-act="(\w+)"', html):
            found.setdefault(int(job), []).append(act)
        return found

    assert buttons(may_all=False) == {1: ["cancel"], 5: ["up", "cancel"]}
    everything = buttons(may_all=True)
    assert list(everything) == [2, 4, 1, 3, 5]
    assert everything[5] == ["front", "up", "cancel"] and everything[3] == ["up", "cancel"]


def test_a_batch_is_in_the_list_from_its_start_to_its_end(manager, config, visitors, photo, tmp_path):
    held, begun = threading.Event(), threading.Event()

    def enhance(source, target, settings, *, control, overwrite):
        begun.set()
        held.wait(LONG)
        control.check()

    batches = BatchService(manager, config, enhance, visitors.job_list)
    wanted = BatchRequest((photo,), tmp_path / "out", EnhanceSettings.create(model="lanczos"))
    batch = batches.begin(visitors.of(request("anna")), wanted)
    assert begun.wait(LONG)

    def now() -> ListedJob | None:
        return next((job for job in visitors.job_list.jobs() if job.kind is JobKind.BATCH), None)

    job = now()
    assert job is not None and job.name == "photo.png" and job.owner == visitors.of(request("anna")).key
    assert job.view.state is QueueState.RUNNING and job.view.started is not None
    batch.pause()
    assert now().view.state is QueueState.PAUSED
    visitors.job_list.cancel(job.number, owner=None)
    assert now().view.state is QueueState.STOPPING
    held.set()
    assert batch.join(LONG) and now() is None


def test_batches_that_wait_are_moved():
    queue = BatchQueue(places=1)
    a, b, c = (object() for _ in range(3))
    for one in (a, b, c):
        queue.join(one, BatchControl())
    queue.wait(a)
    assert not queue.move(a, MoveTo.FRONT) and not queue.move(object(), MoveTo.UP)
    assert [queue.ahead(one) for one in (a, b, c)] == [0, 1, 2]
    assert queue.move(c, MoveTo.FRONT)
    assert [queue.ahead(one) for one in (a, b, c)] == [0, 2, 1]
    queue.leave(a)
    queue.wait(c)
    assert [queue.ahead(one) for one in (b, c)] == [1, 0]
