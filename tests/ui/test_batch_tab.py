"""What happens at each event of the Batch tab while a batch runs. Without a browser."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import gradio as gr
import pytest

from engine.settings_manager import SettingsManager
from engine.types import EnhanceSettings
from tests import waiting
from ui.handlers.batch import Wanted, make_request, new_place
from ui.tabs import watching
from ui.tabs.batch_events import CHANGING, BatchEvents
from ui.visitors import COOKIE, Visitors

SKIP = gr.skip()


def window(name: str):
    """The request of an event in one window of a browser."""
    return SimpleNamespace(cookies={COOKIE: "browser"}, session_hash=name, headers={"accept-language": "en"})


@pytest.fixture
def tab(config, manager, tmp_path):
    def until_cancelled(source, target, settings, *, control, **how):
        while True:
            control.check()
            time.sleep(0.01)

    presets = SettingsManager(tmp_path)
    return BatchEvents(config, manager, Visitors(config.output_dir), None, presets, until_cancelled, 1)


@pytest.fixture
def paused(tab, config, manager, photo):
    """A batch that waits inside."""
    visitor = tab._visitors.of(window("first"))
    place = new_place(visitor)
    request = make_request(Wanted((photo,)), EnhanceSettings(model="lanczos"), False, place, config)
    tab._batches.begin(visitor, request, place)
    batch = tab._batches.current(visitor)
    batch.pause()
    yield batch
    batch.cancel()
    batch.join(waiting.LONG)


def timer_of(answer) -> object:
    return answer[CHANGING.index("timer")]


def test_a_look_from_before_the_start_does_not_stop_the_watch_when_its_answer_comes_late(tab):
    before = tab.look(window("first"), "all", 1)
    assert timer_of(before) == SKIP
    assert before[CHANGING.index("start")] == gr.update(interactive=True), "all else is told"


def test_a_look_at_a_running_batch_begins_the_watch(tab, paused):
    assert timer_of(tab.look(window("first"), "all", 1)) == gr.update(active=True)


def test_a_window_has_one_watch_and_a_tick_meanwhile_is_answered_by_nothing(tab, paused, monkeypatch):
    monkeypatch.setattr(watching, "_ALIVE", waiting.LONG)

    async def both():
        first = tab.watch(window("first"), "all", 1)
        shown = await anext(first)
        again = [change async for change in tab.watch(window("first"), "all", 1)]
        other = tab.watch(window("second"), "all", 1)
        elsewhere = await anext(other)
        await other.aclose()
        paused.cancel()
        paused.resume()
        rest = [change async for change in first]
        after = tab.watch(window("first"), "all", 1)
        anew = await anext(after)
        await after.aclose()
        return shown, again, elsewhere, rest, anew

    shown, again, elsewhere, rest, anew = asyncio.run(both())
    assert SKIP not in shown, "all is drawn"
    assert again == [[SKIP] * len(CHANGING)]
    assert SKIP not in elsewhere, "another window has its own"
    assert timer_of(rest[-1]) == gr.update(active=False), "the last change stops the ticks"
    assert SKIP not in anew, "once it has ended, there may be a new one"
