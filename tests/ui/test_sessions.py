"""Browsers are kept apart; the queue is fair and bounded; jobs outlive a refresh of their page."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from engine.types import Progress
from tests.waiting import LONG
from ui import jobs
from ui.sessions import COOKIE, AlreadyRunningError, SessionCookie, Sessions
from ui.turns import Turns
from utils.errors import JobCancelled, QueueFullError


def request(browser: str, window: str = "w"):
    return SimpleNamespace(cookies={COOKIE: browser}, session_hash=f"{browser}-{window}")


def test_a_browser_keeps_its_folder_over_a_refresh_and_shares_it_with_nobody(tmp_path):
    sessions = Sessions(tmp_path)
    folder = sessions.of(request("a", "1")).folder
    assert sessions.of(request("a", "2")).folder == folder != sessions.of(request("b")).folder
    assert Sessions(tmp_path).of(request("a")).folder == folder, "the program was started again"
    assert "a" not in folder.name.split("-")


def test_jobs_of_one_owner_let_the_others_pass():
    turns = Turns(running=1, waiting=8)
    running = turns.enter("many")
    mine = [turns.enter("many") for _ in range(3)]
    other = turns.enter("one")
    assert (other.position, [turn.position for turn in mine]) == (1, [2, 3, 4])
    running.leave()
    assert (other.position, [turn.position for turn in mine]) == (0, [1, 2, 3])


def test_the_queue_is_bounded_and_places_given_up_are_free():
    turns = Turns(running=1, waiting=2)
    turns.enter("a")
    waiting = [turns.enter(name) for name in "bc"]
    with pytest.raises(QueueFullError):
        turns.enter("d")
    waiting[0].leave()
    assert turns.enter("d").position == 2
    assert waiting[0].position == 0, "a window may still look at a job that has just ended"


def test_a_job_reports_is_cancelled_and_is_found_again_after_a_refresh(tmp_path):
    sessions = Sessions(tmp_path)
    begun = threading.Event()

    def work(control):
        control.report(Progress("Enhancing", 1, 2, 0.5))
        begun.set()
        while True:
            control.check()

    job = sessions.start(request("a", "before"), "image", work)
    assert begun.wait(LONG) and job.step.progress.done == 1
    assert sessions.resume(request("b"), "image") is None
    sessions.end(request("a", "before"))
    assert sessions.resume(request("a", "after"), "image") is job
    sessions.cancel(request("a", "after"), "image")
    with pytest.raises(JobCancelled):
        job.result()
    assert sessions.resume(request("a", "after"), "image") is None


def test_two_browsers_run_one_after_the_other_and_see_their_place(tmp_path):
    sessions = Sessions(tmp_path)
    gate = threading.Event()
    first = sessions.start(request("a"), "image", lambda control: gate.wait(LONG))
    second = sessions.start(request("b"), "image", lambda control: "done")
    assert second.step.position == 1

    async def watch():
        positions = []
        async for step in second.watch():
            positions.append(step.position)
            gate.set()
        return positions

    assert asyncio.run(watch())[0] == 1
    assert first.result() is True and second.result() == "done"


def test_a_job_that_nobody_watches_any_more_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "ABANDONED_AFTER", 0.05)

    def work(control):
        while True:
            control.report(Progress("Enhancing", 1, 2, 0.5))
            control.check()

    job = Sessions(tmp_path).start(request("a"), "image", work)
    with pytest.raises(JobCancelled):
        job.result()


def test_only_pages_bring_the_cookie_and_each_renews_it():
    async def page(scope, receive, send):
        await send({"type": "http.response.start", "headers": [(b"content-type", scope["kind"])]})

    def cookies(kind: bytes, *headers):
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "headers": list(headers), "kind": kind}
        asyncio.run(SessionCookie(page)(scope, None, send))
        return [value for name, value in sent[0]["headers"] if name == b"set-cookie"]

    assert len(cookies(b"text/html")) == 1 and b"HttpOnly" in cookies(b"text/html")[0]
    assert cookies(b"text/html") != cookies(b"text/html")
    assert not cookies(b"text/css")
    assert not cookies(b"text/css", (b"cookie", f"{COOKIE}=x".encode()))
    (again,) = cookies(b"text/html", (b"cookie", f"{COOKIE}=x".encode()))
    assert again.startswith(f"{COOKIE}=x;".encode()) and b"Max-Age" in again, "every page renews what there is"
    others = b'a/b=c; state={"open": 1}; '
    (mine,) = cookies(b"text/html", (b"cookie", others + f"{COOKIE}=x".encode()))
    assert mine == again, "another program's cookies"
    assert not cookies(b"text/html", (b"cookie", COOKIE.encode() + b'="a\\012b"')), "what we never set is not sent back"


def test_where_a_browser_may_have_only_one_a_second_is_refused_and_the_first_goes_on(tmp_path):
    sessions, gate = Sessions(tmp_path), threading.Event()
    first = sessions.start(request("a", "1"), "video", lambda control: gate.wait(LONG), only_one=True)
    for window in ("1", "2"):
        with pytest.raises(AlreadyRunningError):
            sessions.start(request("a", window), "video", lambda control: None, only_one=True)
    other = sessions.start(request("b"), "video", lambda control: "theirs", only_one=True)
    assert not first.control.cancelled
    gate.set()
    assert first.result() is True and other.result() == "theirs"
    assert sessions.start(request("a", "2"), "video", lambda control: "next", only_one=True).result() == "next"


def test_what_belongs_to_a_job_is_put_away_however_it_ends(tmp_path):
    sessions, ended, gate = Sessions(tmp_path), [], threading.Event()
    running = sessions.start(request("a"), "image", lambda control: gate.wait(LONG), at_end=lambda: ended.append("ran"))
    waiting = sessions.start(request("b"), "image", lambda control: None, at_end=lambda: ended.append("never began"))
    waiting.cancel()
    with pytest.raises(JobCancelled):
        waiting.result()
    assert ended == ["never began"]
    gate.set()
    running.result()
    assert ended == ["never began", "ran"]


def test_a_window_remembers_for_itself_and_until_it_is_closed(tmp_path):
    sessions = Sessions(tmp_path)
    sessions.note(request("a", "1"), "picture", "x.png")
    assert sessions.noted(request("a", "1"), "picture") == "x.png"
    assert sessions.noted(request("a", "2"), "picture", "none") == "none"
    sessions.end(request("a", "1"))
    assert sessions.noted(request("a", "1"), "picture") is None
