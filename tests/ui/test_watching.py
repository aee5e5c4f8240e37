"""A window's watch over a tab: only changes are sent, one watch a window, and an end. Without a browser."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import gradio as gr
import pytest

from tests import waiting
from tests.waiting import LONG
from ui.tabs import watching
from ui.tabs.watching import Watching
from ui.visitors import COOKIE, Visitors

SKIP = gr.skip()
CHANGING = ("done", "page", "timer")


class Work:
    """What a tab shows; a step is what its mark tells."""

    def __init__(self) -> None:
        self.done, self.active, self.asked = 0, True, 0

    def mark(self, request: object) -> object:
        return self.done, self.active

    def state(self, request: object, page: int = 1) -> dict[str, object]:
        self.asked += 1
        return {"done": self.done, "page": page, "timer": gr.update(active=self.active)}


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def tab(work, tmp_path) -> Watching:
    return Watching(Visitors(tmp_path), "work", CHANGING, work.mark, work.state)


def window(name: str = "first"):
    return SimpleNamespace(cookies={COOKIE: "browser"}, session_hash=name)


def told(story):
    async def within():
        return await asyncio.wait_for(story(), waiting.LONG)

    return asyncio.run(within())


def test_all_is_drawn_first_and_then_only_what_changes_until_the_work_has_ended(tab, work):
    async def story():
        watch = tab.watch(window(), 1)
        first = await anext(watch)
        work.done = 5
        second = await anext(watch)
        work.active = False
        return first, second, [answer async for answer in watch]

    first, second, rest = told(story)
    assert first == [0, 1, gr.update(active=True)]
    assert second == [5, SKIP, SKIP]
    assert rest == [[5, 1, gr.update(active=False)]], (
        "the last change draws all, whatever came between, and stops the ticks"
    )


def test_what_is_shown_is_not_even_computed_while_nothing_changes(tab, work, monkeypatch):
    monkeypatch.setattr(watching, "_PAUSE", 0.001)

    async def story():
        watch = tab.watch(window(), 1)
        await anext(watch)
        following = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0.05)
        asked = work.asked
        work.done = 1
        return asked, await following

    assert told(story) == (1, [1, SKIP, SKIP])


def test_a_tick_is_answered_by_nothing_while_the_window_has_a_watch_and_another_window_has_its_own(tab, monkeypatch):
    monkeypatch.setattr(watching, "_ALIVE", LONG)

    async def story():
        watch, elsewhere = tab.watch(window(), 1), tab.watch(window("second"), 1)
        await anext(watch)
        again = [answer async for answer in tab.watch(window(), 1)]
        other = await anext(elsewhere)
        await watch.aclose()
        await elsewhere.aclose()
        return again, other

    again, other = told(story)
    assert again == [[SKIP] * len(CHANGING)]
    assert SKIP not in other


def test_a_watch_ends_where_another_took_its_place_or_the_window_was_closed(tab, monkeypatch):
    monkeypatch.setattr(watching, "_ALIVE", 0)

    async def story():
        first = tab.watch(window(), 1)
        await anext(first)
        second = tab.watch(window(), 1)
        await anext(second)
        replaced = [answer async for answer in first]
        tab._visitors.end(window())
        return replaced, [answer async for answer in second]

    assert told(story) == ([], [])


def test_what_is_given_away_is_not_what_is_compared(tab, work, monkeypatch):
    """Gradio takes the value out of an update that it is given."""
    monkeypatch.setattr(work, "state", None)
    tab._state = lambda request, page=1: {
        "done": gr.update(value="x"),
        "page": work.done,
        "timer": gr.update(active=True),
    }

    async def story():
        watch = tab.watch(window(), 1)
        (await anext(watch))[0].pop("value")
        work.done = 1
        return await anext(watch)

    assert told(story) == [SKIP, 1, SKIP]


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "lost"])
def test_there_may_be_a_new_watch_once_one_has_ended_or_asks_no_more(tab, work, monkeypatch, ended):
    monkeypatch.setattr(watching, "_ALIVE", 1000 if ended else 0)
    work.active = not ended

    async def story():
        lost = tab.watch(window(), 1)
        await anext(lost)
        if ended:
            assert [answer async for answer in lost] == []
        return await anext(tab.watch(window(), 1))

    assert SKIP not in told(story)


def test_after_a_look_in_between_all_is_drawn_again_for_the_place_that_it_was_for(tab):
    """Its answer may come before that which the watch has sent last."""

    async def story():
        watch = tab.watch(window(), 1)
        first = await anext(watch)
        tab.look(window(), 2)
        second = await anext(watch)
        tab.look(window(), 2)
        third = await anext(watch)
        tab.look(window("second"), 3)
        return first, second, third, await asyncio.wait({asyncio.ensure_future(anext(watch))}, timeout=0.3)

    first, second, third, (finished, _) = told(story)
    assert [first[1], second[1], third[1]] == [1, 2, 2]
    assert SKIP not in second and SKIP not in third, "even where it is the same place"
    assert not finished, "another window's look is no matter"


def test_a_watch_begins_where_the_last_look_was(tab):
    async def story():
        tab.look(window(), 4)
        return await anext(tab.watch(window(), 1))

    assert told(story)[1] == 4


def test_a_look_begins_the_watch_and_never_ends_it(tab, work):
    assert tab.look(window(), 1) == [0, 1, gr.update(active=True)]
    work.active = False
    assert tab.look(window(), 1) == [0, 1, SKIP]


def test_a_tab_without_places_is_watched_alike(tab, work):
    async def story():
        watch = tab.watch(window())
        await anext(watch)
        tab.look(window())
        work.active = False
        return [answer async for answer in watch]

    assert told(story) == [[0, 1, gr.update(active=False)]]
