"""Browsers are kept apart; the queue is fair and bounded; jobs outlive a refresh of their page."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from engine.jobs.job_list import JobKind, MoveTo, QueueState
from engine.types import WAITING, Progress
from tests.waiting import LONG, until
from ui import jobs
from ui.fair_queue import FairQueue
from ui.handlers import jobs_view
from ui.handlers.common import progress_html
from ui.strings import words_in
from ui.visitors import COOKIE, VisitorCookie, Visitors
from utils.errors import JobCancelled, QueueFullError

PICTURE = {"kind": JobKind.PICTURE}


def request(browser: str, window: str = "w"):
    return SimpleNamespace(cookies={COOKIE: browser}, session_hash=f"{browser}-{window}")


def test_a_browser_keeps_its_folder_over_a_refresh_and_shares_it_with_nobody(tmp_path):
    visitors = Visitors(tmp_path)
    folder = visitors.of(request("a", "1")).folder
    assert visitors.of(request("a", "2")).folder == folder != visitors.of(request("b")).folder
    assert Visitors(tmp_path).of(request("a")).folder == folder, "the program was started again"
    assert "a" not in folder.name.split("-")


def test_jobs_of_one_owner_let_the_others_pass():
    turns = FairQueue(running=1, waiting=8)
    running = turns.enter("many")
    mine = [turns.enter("many") for _ in range(3)]
    other = turns.enter("one")
    assert (other.position, [turn.position for turn in mine]) == (1, [2, 3, 4])
    running.leave()
    assert (other.position, [turn.position for turn in mine]) == (0, [1, 2, 3])


def test_the_queue_is_bounded_and_places_given_up_are_free():
    turns = FairQueue(running=1, waiting=2)
    turns.enter("a")
    waiting = [turns.enter(name) for name in "bc"]
    with pytest.raises(QueueFullError):
        turns.enter("d")
    waiting[0].leave()
    assert turns.enter("d").position == 2
    assert waiting[0].position == 0, "a window may still look at a job that has just ended"


def test_a_job_reports_is_cancelled_and_is_found_again_after_a_refresh(tmp_path):
    visitors = Visitors(tmp_path)
    begun = threading.Event()

    def work(control):
        control.report(Progress("Enhancing", 1, 2, 0.5))
        begun.set()
        while True:
            control.check()

    job = visitors.start(request("a", "before"), "image", work, **PICTURE)
    assert begun.wait(LONG) and job.step.progress.done == 1
    assert visitors.resume(request("b"), "image") is None
    visitors.end(request("a", "before"))
    assert visitors.resume(request("a", "after"), "image") is job
    visitors.cancel(request("a", "after"), "image")
    with pytest.raises(JobCancelled):
        job.result()
    assert visitors.resume(request("a", "after"), "image") is None


def test_two_browsers_run_one_after_the_other_and_see_their_place(tmp_path):
    visitors = Visitors(tmp_path)
    gate = threading.Event()
    first = visitors.start(request("a"), "image", lambda control: gate.wait(LONG), **PICTURE)
    second = visitors.start(request("b"), "image", lambda control: "done", **PICTURE)
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

    job = Visitors(tmp_path).start(request("a"), "image", work, **PICTURE)
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
        asyncio.run(VisitorCookie(page)(scope, None, send))
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


def test_what_is_started_beside_another_leaves_it_alone_and_waits_behind_it(tmp_path):
    visitors, gate = Visitors(tmp_path), threading.Event()
    turns = FairQueue()

    def film(browser, work):
        return visitors.start(request(browser), "video", work, kind=JobKind.VIDEO, queue=turns, beside=True)

    first = film("a", lambda control: gate.wait(LONG))
    second, other = film("a", lambda control: "second"), film("b", lambda control: "theirs")
    assert not first.control.cancelled
    assert (other.step.position, second.step.position) == (1, 2), "nobody waits behind another's many"
    assert [job.number for job in visitors.job_list.jobs()] == [first.number, other.number, second.number]
    gate.set()
    assert [job.result() for job in (first, other, second)] == [True, "theirs", "second"]
    until(lambda: not visitors.job_list.jobs())


def places(turns):
    return [turn.position for turn in turns]


def test_a_person_orders_their_own_and_nobody_else_loses_a_place():
    turns = FairQueue(running=1, waiting=9)
    turns.enter("x")
    a1, a2, a3 = (turns.enter("a") for _ in range(3))
    b1 = turns.enter("b")
    assert places([a1, b1, a2, a3]) == [1, 2, 3, 4]
    assert turns.move(a3, MoveTo.UP, among_own=True)
    assert places([a1, b1, a3, a2]) == [1, 2, 3, 4]
    assert turns.move(a2, MoveTo.FRONT, among_own=True)
    assert places([a2, b1, a1, a3]) == [1, 2, 3, 4]


def test_whoever_may_act_on_all_puts_one_before_others_and_it_stays_there():
    turns = FairQueue(running=1, waiting=9)
    first = turns.enter("x")
    a1, a2, b1 = turns.enter("a"), turns.enter("a"), turns.enter("b")
    assert places([a1, b1, a2]) == [1, 2, 3]
    assert turns.move(a2, MoveTo.UP, among_own=False)
    assert places([a1, a2, b1]) == [1, 2, 3]
    newcomer = turns.enter("n")
    assert places([a1, a2]) == [1, 2], "fairness does not undo it"
    assert turns.move(newcomer, MoveTo.FRONT, among_own=False)
    assert places([newcomer, a1, a2]) == [1, 2, 3]
    assert turns.move(a2, MoveTo.FRONT, among_own=True)
    assert places([newcomer, a2, a1]) == [1, 2, 3], "own ones change places among the fixed too"
    first.leave()
    assert newcomer.position == 0 and not turns.move(newcomer, MoveTo.UP, among_own=False)
    a2.leave()
    assert places([a1, b1]) == [1, 2]


def test_a_job_in_the_list_shows_its_progress_and_is_gone_when_it_ends(tmp_path):
    visitors, begun, gate = Visitors(tmp_path), threading.Event(), threading.Event()

    def work(control):
        control.report(Progress("Enhancing", 1, 4, 0.25, 30.0))
        begun.set()
        gate.wait(LONG)

    job = visitors.start(request("a"), "image", work, kind=JobKind.PICTURE, name="lake.png")
    assert begun.wait(LONG)
    (listed,) = visitors.job_list.jobs()
    assert (listed.name, listed.kind, listed.owner) == ("lake.png", JobKind.PICTURE, visitors.of(request("a")).key)
    assert (listed.view.state, listed.view.fraction, listed.view.eta_seconds) == (QueueState.RUNNING, 0.25, 30.0)
    job.cancel()
    assert visitors.job_list.jobs()[0].view.state is QueueState.STOPPING
    gate.set()
    until(lambda: not visitors.job_list.jobs())


def test_a_job_that_waits_for_a_worker_is_shown_as_waiting(tmp_path):
    """It has its turn, so nobody can move it; and it does not run at 0 %."""
    visitors = Visitors(tmp_path)
    told, begin, ran, end = (threading.Event() for _ in range(4))

    def work(control):
        control.report(Progress(WAITING, 0, 0, 0.0, waiting=2))
        told.set()
        begin.wait(LONG)
        control.report(Progress("Enhancing", 1, 4, 0.25))
        ran.set()
        end.wait(LONG)

    job = visitors.start(request("a"), "image", work, kind=JobKind.PICTURE, name="lake.png")
    assert told.wait(LONG) and job.step.position == 2
    (listed,) = visitors.job_list.jobs()
    assert (listed.view.state, listed.view.position) == (QueueState.WAITING, 2)
    assert not job.move(MoveTo.FRONT, among_own=False)
    html = jobs_view.overview_html([listed], listed.owner, True, words_in("en"), 0.0)
    assert "waiting, place 2" in html and "%" not in html and 'data-act="front"' not in html
    assert "place 2" in progress_html(words_in("en"), job.step)
    begin.set()
    assert ran.wait(LONG) and job.step.position == 0
    assert visitors.job_list.jobs()[0].view.state is QueueState.RUNNING
    end.set()
    job.result()


def test_what_belongs_to_a_job_is_put_away_however_it_ends(tmp_path):
    visitors, ended, gate = Visitors(tmp_path), [], threading.Event()
    running = visitors.start(
        request("a"), "image", lambda control: gate.wait(LONG), at_end=lambda: ended.append("ran"), **PICTURE
    )
    waiting = visitors.start(
        request("b"), "image", lambda control: None, at_end=lambda: ended.append("never began"), **PICTURE
    )
    waiting.cancel()
    with pytest.raises(JobCancelled):
        waiting.result()
    assert ended == ["never began"]
    gate.set()
    running.result()
    assert ended == ["never began", "ran"]


def test_a_window_remembers_for_itself_and_until_it_is_closed(tmp_path):
    visitors = Visitors(tmp_path)
    visitors.note(request("a", "1"), "picture", "x.png")
    assert visitors.noted(request("a", "1"), "picture") == "x.png"
    assert visitors.noted(request("a", "2"), "picture", "none") == "none"
    visitors.end(request("a", "1"))
    assert visitors.noted(request("a", "1"), "picture") is None


def test_a_job_that_the_full_queue_refuses_cancels_no_other(tmp_path):
    over = threading.Event()
    visitors = Visitors(tmp_path, FairQueue(running=1, waiting=1))
    running = visitors.start(request("a"), "image", lambda control: over.wait(LONG), **PICTURE)
    behind = visitors.start(request("b"), "image", lambda control: None, **PICTURE)
    with pytest.raises(QueueFullError):
        visitors.start(request("a"), "image", lambda control: None, **PICTURE)
    assert not running.control.cancelled and visitors.goes_on(request("a"), "image")
    over.set()
    assert running.join(LONG) and behind.join(LONG) and not visitors.goes_on(request("a"), "image")
