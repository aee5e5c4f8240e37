"""What a browser kept from an earlier visit: used where it still holds, else as if there were nothing."""

from __future__ import annotations

import json

import gradio as gr
import pytest

from tests.ui.test_image_tab import Opened
from tests.ui.test_image_work import config  # noqa: F401 (a fixture)
from ui.tabs.image_memory import MemoryEvents


@pytest.fixture
def memory(config, manager) -> MemoryEvents:  # noqa: F811
    opened = Opened(config, manager)
    with gr.Blocks() as blocks:
        opened.parts.memory.render()
        opened.parts.kept.render()
        for part in opened.parts.form.components:
            part.render()
        made = MemoryEvents(opened.parts, opened.service, opened.visitors, opened.tab.config)
        made.connect(blocks)
    return made


def remembered(memory, settings: object) -> tuple[dict, dict]:
    """What is kept, and what the form shows of it."""
    kept, *updates = memory.remembered(json.dumps(settings))
    shown = dict(zip(memory.parts.form.names, updates, strict=True))
    return kept, {name: one["value"] for name, one in shown.items() if "value" in one}


def test_what_was_changed_by_hand_comes_back(memory):
    settings = {"mode": "quick", "scale": 2, "color_match": False, "width": 800, "goal": "exact", "format": "webp"}
    kept, shown = remembered(memory, settings)
    assert kept == settings and shown == {**settings, "width": "800"}
    assert json.loads(memory.text(kept)) == settings


def test_what_belongs_to_one_picture_is_not_kept(memory):
    assert json.loads(memory.text({"pages": "1-3", "salvage": True, "scale": 2})) == {"scale": 2}
    assert remembered(memory, {"pages": "1-3", "salvage": True})[0] == {}


@pytest.mark.parametrize(
    "stale",
    [
        {"model": "one-that-was-deleted"},
        {"mode": "splendid"},
        {"scale": 400},
        {"scale": "4"},
        {"scale": float("nan")},
        {"color_match": 1},
        {"quality": True},
        {"quality": 0},
        {"tile": 3},
        {"format": ["png"]},
        {"never_heard_of": 1},
        {"precision": None},
        [1],
        "quick",
        None,
        17,
    ],
)
def test_what_is_stale_or_unknown_falls_back_and_spoils_nothing_else(memory, stale):
    both = {**stale, "mode": "quick"} if isinstance(stale, dict) and "mode" not in stale else stale
    kept, shown = remembered(memory, both)
    assert kept == shown == ({"mode": "quick"} if both is not stale else {})


@pytest.mark.parametrize("text", ["", None, "{", "[]", "null", "[" * 5000, '{"mode": "{"}', "x" * 30_000])
def test_whatever_stands_in_the_browser_the_page_opens(memory, text):
    kept, *updates = memory.remembered(text)
    assert kept == {} and not any("value" in one for one in updates)
