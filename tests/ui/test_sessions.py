"""Browsers are kept apart; the queue is fair and bounded; jobs outlive a refresh of their page."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from engine.types import Progress
from ui import jobs
from ui.sessions import COOKIE, SessionCookie, Sessions
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
    assert begun.wait(5) and job.step.progress.done == 1
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
    first = sessions.start(request("a"), "image", lambda control: gate.wait(5))
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


def test_only_pages_bring_the_cookie_and_only_once():
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
    assert not cookies(b"text/html", (b"cookie", f"{COOKIE}=x".encode()))
    others = b'a/b=c; state={"open": 1}; '
    assert not cookies(b"text/html", (b"cookie", others + f"{COOKIE}=x".encode())), "another program's cookies"
