"""What the browser keeps of the Video and the Batch tab's settings: used where it still holds."""

from __future__ import annotations

import json
from types import SimpleNamespace

import gradio as gr
import pytest

from config import Config
from engine.settings_manager import SettingsManager
from ui.components import SettingsForm
from ui.handlers import video as film_work
from ui.tabs import batch_tab
from ui.tabs.batch_events import FORM_FIELDS
from ui.tabs.memory import FormMemory
from ui.tabs.video_form import OF_ONE_FILM, film_form


@pytest.fixture
def film(manager) -> FormMemory:
    with gr.Blocks():
        form = film_form(manager)
    return FormMemory("video", form, film_work.make_values, forgotten=OF_ONE_FILM)


@pytest.fixture
def batch(tmp_path) -> FormMemory:
    presets = SettingsManager(tmp_path)
    with gr.Blocks():
        form = SettingsForm(FORM_FIELDS, tuple(batch_tab._fields(Config(data_dir=tmp_path), presets).all))
    return batch_tab._memory(form, SimpleNamespace(presets=[preset.name for preset in presets.presets()]))


def at_first(memory: FormMemory, **changed) -> list:
    """The form's values as events bring them."""
    return [{**memory._form.defaults, **changed}[name] for name in memory.names]


def comes_back(memory: FormMemory, found: dict) -> dict:
    """What the form shows at the next visit."""
    updates = zip(memory._form.names, memory.restored(json.dumps(found)), strict=True)
    return {name: update["value"] for name, update in updates if "value" in update}


def test_what_is_not_as_at_first_is_kept_and_comes_back(film, batch):
    assert json.loads(film.changed(*at_first(film))) == json.loads(batch.changed(*at_first(batch))) == {}
    chosen = {"mode": "best", "scale": 3, "codec": "av1", "quality": 60, "audio": False, "denoise_strength": "0.5"}
    assert json.loads(film.changed(*at_first(film, **chosen))) == chosen == comes_back(film, chosen)
    chosen = {"how": "preset", "preset": "Portrait", "template": "{name}_big", "skip_done": False, "output": "/results"}
    assert json.loads(batch.changed(*at_first(batch, **chosen))) == chosen == comes_back(batch, chosen)


def test_what_belongs_to_one_film_or_batch_or_lets_files_be_replaced_is_chosen_anew(film, batch):
    of_one = {"pictures": ["a.png"], "rate": 12, "from": "1:00", "to": "2:00"}
    assert not set(of_one) & set(film.names) and comes_back(film, of_one) == {}
    risky = {"files": ["a.png"], "folder": "/pictures", "watch": True, "overwrite": True, "originals": "trash"}
    risky["backup"] = "/backup"
    assert not set(risky) & set(batch.names) and comes_back(batch, risky) == {}
    assert json.loads(batch.text(risky)) == {}


@pytest.mark.parametrize(
    "stale",
    [
        {"model": "one-that-was-deleted"},
        {"mode": "balanced"},
        {"scale": 400},
        {"scale": "2"},
        {"quality": 0},
        {"smoothing": 7},
        {"denoise_strength": "strong"},
        {"codec": "mpeg2"},
        {"audio": 1},
        {"never_heard_of": 1},
    ],
)
def test_what_a_film_cannot_be_done_with_any_more_falls_back_and_spoils_nothing_else(film, stale):
    assert comes_back(film, {**stale, "kind": "mkv"}) == {"kind": "mkv"}


def test_a_preset_that_is_gone_falls_back(batch):
    assert comes_back(batch, {"how": "preset", "preset": "Gone"}) == {"how": "preset"}


@pytest.mark.parametrize("text", ["", None, "{", "[]", "null", "[" * 5000, "x" * 30_000])
def test_whatever_stands_in_the_browser_the_page_opens(film, text):
    assert not any("value" in update for update in film.restored(text))
