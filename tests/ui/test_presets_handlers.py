"""The Presets tab's work without a browser."""

from __future__ import annotations

import json

import gradio as gr
import pytest

from engine.settings_manager import SettingsManager
from engine.storage.presets import BUILTIN_PRESETS
from engine.types import EnhanceSettings
from ui.handlers import presets as handlers
from ui.strings import LANGUAGES, texts, words_in
from ui.tabs.presets_tab import PresetEvents
from utils.errors import InvalidSettingsError

WORDS = words_in("en")


@pytest.fixture
def presets(tmp_path):
    made = SettingsManager(tmp_path / "data")
    made.save_preset("Mine", {"scale": 3, "fidelity": 0.25, "format": "webp"}, "For <me>.")
    return made


def test_the_built_in_ones_are_marked(presets):
    choices = handlers.choices(presets, WORDS)
    assert choices[0] == ("Photo · built in", "Photo") and choices[-1] == ("Mine", "Mine")


def test_a_preview_says_what_is_set_in_words(presets):
    html = handlers.preview_html(presets.get("Mine"), (), WORDS)
    for part in ("Enlargement", "×3", "Share of the original", "25%", "WEBP", "For &lt;me&gt;.", "your own"):
        assert part in html
    html = handlers.preview_html(presets.get("Anime"), (), WORDS)
    assert "RealESRGAN_x4plus_anime_6B (not installed)" in html
    html = handlers.preview_html(presets.get("True to the original"), (), WORDS)
    assert "Quality" in html and "True to the original" in html
    assert "built in" in html and "the best installed model does it" not in html
    assert "the best installed model does it" in handlers.preview_html(presets.get("Anime"), (), WORDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_built_in_setting_has_a_name_and_a_value(language, presets):
    words = words_in(language)
    for preset in BUILTIN_PRESETS:
        for name, value in preset.settings.items():
            assert f"presets_field_{name}" in words.table, name
            assert handlers.value_words(name, value, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_preset_may_set_has_a_name(language):
    assert not [name for name in EnhanceSettings.model_fields if f"presets_field_{name}" not in texts(language)]


@pytest.mark.parametrize(
    ("language", "values"),
    [
        ("en", ["Keep, without location", "Pad with bars", "on all sides"]),
        ("de", ["Behalten, ohne Ort", "Mit Balken auffüllen", "nach allen Seiten"]),
        ("es", ["Conservar, sin ubicación", "Rellenar con bandas", "por todos los lados"]),
    ],
)
def test_what_is_set_to_a_word_is_said_in_the_persons_words(language, values):
    words = words_in(language)
    given = (("exif", "no-location"), ("fit", "pad"), ("seamless", "both"))
    assert [handlers.value_words(name, value, words) for name, value in given] == values


def test_applying_takes_the_best_installed_model(manager, presets):
    presets.save_preset("Tiny", {"model": "tiny-x4", "scale": 4})
    assert handlers.settings_of(presets.get("Tiny"), manager).model == "tiny-x4"
    assert handlers.settings_of(presets.get("Photo"), manager) == EnhanceSettings.create(scale=4)


def test_what_the_form_cannot_show_is_named(presets):
    names = ("model", "goal", "scale", "long_edge", "format", "fidelity")
    assert handlers.not_in_form(presets.get("Wallpaper 4K"), names) == ["skip_if_large_enough"]
    assert handlers.not_in_form(presets.get("Mine"), names) == []


def test_names_are_judged_while_they_are_typed(presets):
    assert handlers.name_hint("  ", presets, WORDS) == handlers.name_hint("New one", presets, WORDS) == ""
    assert "of yours" in handlers.name_hint("mine", presets, WORDS)
    assert "built in" in handlers.name_hint("photo", presets, WORDS)
    assert "64 characters" in handlers.name_hint("x" * 65, presets, WORDS)


def test_export_one_or_all_of_ones_own(presets, tmp_path):
    one = handlers.export(presets, ["Portrait"], tmp_path)
    assert one.name == "Portrait.json" and list(json.loads(one.read_text("utf-8"))["presets"]) == ["Portrait"]
    everything = handlers.export(presets, [], tmp_path)
    assert everything.name == "presets.json" and list(json.loads(everything.read_text("utf-8"))["presets"]) == ["Mine"]
    presets.delete("Mine")
    with pytest.raises(InvalidSettingsError, match="no presets of your own"):
        handlers.export(presets, [], tmp_path)


def test_a_list_that_is_asked_again_leaves_what_a_person_chose_meanwhile(manager, presets):
    events = PresetEvents(manager, None, None, presets)
    chosen, _, *told_and_asked = events.refresh(None, "Mine")[:5]
    assert "value" not in chosen and told_and_asked == [gr.skip()] * 3
    assert events.refresh(None, None)[0]["value"] == "Photo", "nothing was chosen yet"
    presets.delete("Mine")
    assert events.refresh(None, "Mine")[0]["value"] == "Photo", "it is gone"
