"""What the form's fields mean, without a browser."""

from __future__ import annotations

import pytest

from engine.types import EnhanceSettings, Progress
from ui.handlers import common
from ui.jobs import Step
from ui.strings import words_in
from utils.errors import InvalidSettingsError, JobCancelled

FORM = {
    "model": "tiny-x4",
    "goal": "scale",
    "scale": 2,
    "long_edge": 3840,
    "width": None,
    "height": None,
    "format": "png",
    "quality": 90,
    "fidelity": 0,
    "color_match": True,
    "denoise_strength": None,
    "tile": 0,
    "precision": "auto",
    "fit": "fit",
    "exif": "keep",
    "face_enhance": "off",
    "face_strength": 0.8,
    "face_min_height": 24,
}
ENGLISH = words_in("en")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"scale": 2}),
        ({"goal": "long_edge"}, {"scale": None, "long_edge": 3840}),
        ({"goal": "exact", "width": 100.0}, {"scale": None, "width": 100, "height": None}),
        ({"tile": None}, {"tile": 0}),
        ({"face_enhance": "on"}, {"face_enhance": True}),
    ],
)
def test_the_form_becomes_settings(changes, expected):
    settings = common.make_settings({**FORM, **changes})
    assert {name: getattr(settings, name) for name in expected} == expected


def test_a_wrong_field_is_named_in_a_sentence():
    with pytest.raises(InvalidSettingsError, match="tile"):
        common.make_settings({**FORM, "tile": 5})


@pytest.mark.parametrize("typed", ["4k", "3840.5", "many"])
def test_what_cannot_be_a_long_side_is_said_in_both_languages(typed):
    with pytest.raises(InvalidSettingsError, match=f"whole number of pixels, not '{typed}'") as caught:
        common.make_settings({**FORM, "goal": "long_edge", "long_edge": typed})
    assert "ganze Zahl" in words_in("de").said(caught.value)
    assert common.make_settings({**FORM, "goal": "long_edge", "long_edge": "3000"}).long_edge == 3000


@pytest.mark.parametrize(
    "settings",
    [
        EnhanceSettings(scale=2, fidelity=0.3),
        EnhanceSettings(long_edge=2048, face_enhance="auto"),
        EnhanceSettings(width=640, fit="fill", face_enhance=True),
    ],
)
def test_settings_go_into_the_form_and_come_back(settings):
    values = common.form_values(settings, tuple(FORM))
    assert common.make_settings(values) == settings


def test_the_model_list_marks_what_is_not_installed(manager):
    labels = {name: label for label, name in common.model_choices(manager)}
    assert next(iter(labels)) == "auto" and not labels["tiny-x4"].startswith("↓") and "nearest" in labels
    assert set(labels) >= {name for _, name in common.model_choices(manager, installed_only=True)}
    assert all(not label.startswith("↓") for label, _ in common.model_choices(manager, installed_only=True))


def test_a_model_says_what_it_is_for_and_whether_it_can_be_brought(manager, tmp_path):
    from engine.model_manager import ModelManager
    from engine.models.registry import REGISTRY

    bare = {"bundled_dir": None, "device": "cpu", "from_setup": lambda pair: None}
    empty = ModelManager(REGISTRY, tmp_path / "w", cache_dir=tmp_path / "c", **bare)
    try:
        missing = common.model_note(empty, "RealESRGAN_x4plus", 4, ENGLISH)
    finally:
        empty.close()
    assert missing.download and not missing.installed and missing.text.startswith("Not installed, 67 MB.")
    here = common.model_note(manager, "tiny-x4", 4, ENGLISH)
    assert "tiny-x4, " in here.text and common.model_note(manager, "auto", 4, ENGLISH, "tiny-x4") == here
    assert here.installed and not here.download and not here.denoise
    assert "without a network" in common.model_note(manager, "lanczos", 4, ENGLISH).text


def test_progress_is_a_labelled_bar_in_the_persons_language():
    step = Step(0, Progress("Enhancing", 3, 12, 0.25, 65.0))
    assert "Verbessern: 3 von 12, noch etwa 1 min 05 s" in common.progress_html(words_in("de"), step)
    shown = common.progress_html(ENGLISH, step)
    assert 'role="progressbar"' in shown and 'aria-valuenow="25"' in shown
    assert "place 2" in common.progress_html(ENGLISH, Step(2))


def test_cancelling_is_no_error_and_errors_are_escaped():
    assert "trouble" not in common.trouble_html(ENGLISH, JobCancelled("x"))
    assert "&lt;b&gt;" in common.trouble_html(ENGLISH, InvalidSettingsError("<b>"))
