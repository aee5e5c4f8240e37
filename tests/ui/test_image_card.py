"""The Image tab's card and what follows the picture by itself, without a browser."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import pytest

from engine.analysis.choice import Chosen
from tests.ui.test_image_tab import Opened, event, window
from tests.ui.test_image_work import config  # noqa: F401 (a fixture)
from ui.handlers import automatic as auto
from ui.handlers import common
from ui.handlers.common import ModelNote
from ui.strings import LANGUAGES, words_in

ENGLISH = words_in("en")


@pytest.fixture
def opened(config, manager) -> Opened:  # noqa: F811
    return Opened(config, manager)


def planned(opened, path, automatic=None, kept=None, **changes) -> dict:
    """What the card says of the form, by part."""
    form = list({**opened.parts.form.defaults, **changes}.values())
    told = opened.tab.card.planned(window("a"), path and str(path), automatic, kept or {}, *form)
    return dict(zip(("plan", "changes", "marks", "named", "kept"), told, strict=True))


def test_the_form_follows_the_picture_by_default_except_where_a_person_chose(opened, photo):
    scale = opened.parts.form.component("scale")
    updates = opened.tab.opened(window("a"), str(photo))
    automatic = updates[opened.parts.automatic]
    assert updates[scale]["value"] == automatic.values["scale"] == 4 and automatic.values["model"] == "auto"
    again = opened.tab.opened(window("b"), str(photo), False, {"scale": 2})
    assert scale not in again and opened.parts.form.component("face_enhance") in again


def test_a_picture_that_cannot_be_used_changes_no_setting_and_can_be_put_away(opened, tmp_path):
    (tmp_path / "<bad>.png").write_text("no")
    updates = opened.tab.opened(window("a"), str(tmp_path / "<bad>.png"))
    assert updates[opened.parts.line]["visible"] and "&lt;bad&gt;" in updates[opened.parts.name]
    assert opened.parts.automatic not in updates and opened.parts.form.component("scale") not in updates
    assert not opened.tab.opened(window("a"), None)[opened.parts.line]["visible"]


def test_what_will_be_done_is_said_with_why_and_by_the_form_as_it_is(opened, photo):
    automatic = opened.tab.opened(window("a"), str(photo))[opened.parts.automatic]
    told = planned(opened, photo, automatic)
    assert "×4, quality: Best" in told["plan"] and "best installed model" in told["plan"]
    assert "Small picture: x4 gives 480x360." in told["plan"] and not told["changes"] and not told["named"]
    assert "quickest installed model" in planned(opened, photo, automatic, mode="quick")["plan"]
    named = planned(opened, photo, automatic, model="tiny-x2", scale=2)
    assert "×2 with tiny-x2" in named["plan"] and "tiny-x2" in named["named"]
    assert "<style>#mode, " in named["named"]


def test_what_is_done_because_of_a_doubt_is_in_sight_in_every_language(opened, photo, monkeypatch):
    doubt = "Photograph or drawing: not sure. tiny-x4 is chosen, since it serves both."
    chosen = Chosen("tiny-x4", ("A reason.", doubt), doubt=doubt)
    monkeypatch.setattr(opened.service, "chosen", lambda path, settings: chosen)
    plan = planned(opened, photo)["plan"]
    assert plan.index(doubt) < plan.index("<details>") and plan.count(doubt) == 1
    assert words_in("de").said(doubt) == "Foto oder Zeichnung: nicht sicher. tiny-x4 ist gewählt, da es beidem dient."


def test_every_change_is_told_and_marked_and_goes_back_alone_or_with_all(opened, photo):
    automatic = opened.tab.opened(window("a"), str(photo))[opened.parts.automatic]
    changes = {"scale": 2, "quality": 80, "color_match": False}
    told = planned(opened, photo, automatic, **changes)
    assert told["kept"] == changes
    assert [
        f'data-back="{name}"' in told["changes"] for name in ("size", "quality", "color_match", "all", "scale")
    ] == [
        *[True] * 4,
        False,
    ]
    assert "Size: ×2" in told["changes"] and "Match colours to the original: no" in told["changes"]
    assert "#scale {" in told["marks"] and "#file .label-wrap" in told["marks"] and "#faces .label" not in told["marks"]

    form = opened.parts.form
    given = list({**form.defaults, **changes}.values())
    left, *updates = opened.tab.card.back(event(name="size"), automatic, told["kept"], *given)
    shown = dict(zip(form.names, updates, strict=True))
    assert left == {"quality": 80, "color_match": False} and shown["scale"]["value"] == 4
    assert "value" not in shown["quality"], "what was not asked for stays"
    left, *updates = opened.tab.card.back(event(name="all"), automatic, told["kept"], *given)
    values = form.values(tuple(update["value"] for update in updates))
    assert left == {} and values == dict(automatic.values)
    left, *updates = opened.tab.card.back(event(name="<unknown>"), automatic, told["kept"], *given)
    assert left == told["kept"] and not any("value" in update for update in updates)


def test_one_change_needs_no_way_back_for_all(opened, photo):
    assert 'data-back="all"' not in planned(opened, photo, mode="quick")["changes"]
    assert planned(opened, None)["changes"] == planned(opened, None)["plan"] == planned(opened, None)["marks"] == ""


def test_a_choice_stays_a_choice_where_a_picture_happens_to_want_the_same():
    automatic, values = {"scale": 2.0, "pages": ""}, {"scale": 2, "pages": None}
    assert auto.by_hand({"scale": 2}, values, automatic) == {"scale": 2}
    assert auto.by_hand({}, values, automatic) == {} == auto.by_hand({"scale": 4}, values, automatic)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_a_label_and_a_value_in_words(opened, language):
    words, form = words_in(language), opened.parts.form
    size = {"goal": "exact", "width": 800, "height": 600, "fit": "fill"}
    for values in (form.defaults, {**form.defaults, "goal": "long_edge"}, {**form.defaults, **size}):
        for name in ("size", *(name for name in form.names if name not in auto.SIZE)):
            assert auto.label_of(name, words) and auto.value_words(name, values, words)
    assert auto.value_words("size", {**form.defaults, **size}, ENGLISH) == "800 × 600, Fill and crop"


def test_reasons_about_another_quality_s_model_are_not_told(work_advice):
    automatic = auto.automatic_settings(work_advice, {"scale": 4.0, "model": "auto"})
    assert automatic.reasons and not [one for one in automatic.reasons if work_advice.settings["model"] in one]
    assert automatic.values["model"] == "auto"


@pytest.fixture
def work_advice(opened, photo):
    advice = opened.service.recommend(photo)
    return replace(advice, settings={**advice.settings, "denoise_strength": 0.5})


def test_a_size_that_is_no_number_is_shown_as_it_was_typed():
    values = {"goal": "exact", "width": "wide", "height": 300, "fit": "fit"}
    assert "wide × 300" in auto.value_words("size", values, ENGLISH)


def test_the_field_for_the_denoise_strength_is_touched_only_where_it_comes_or_goes(opened, monkeypatch):
    """What is made visible or invisible in a group that was never open makes the whole group anew, which asks again."""

    def denoise(has: bool, strength: float | None = None):
        note = ModelNote("A model.", installed=True, download=False, denoise=has)
        monkeypatch.setattr(common, "model_note", lambda *given: note)
        return opened.tab.card.noted(window("a"), None, *opened.form(denoise_strength=strength))[2]

    told = [denoise(has) for has in (False, True, True, False, False)]
    assert told[0] == told[2] == told[4] == gr.skip()
    assert told[1] == gr.update(visible=True) and told[3] == gr.update(visible=False)
    assert denoise(False, 0.5) == gr.update(value=None), "a preset's, for a model that has none"
