"""Which faces are restored, and the reason for every one that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.faces.choose import Surroundings, choose
from engine.types import EnhanceSettings
from tests.engine.faces.conftest import face_at
from utils.errors import InvalidSettingsError

PHOTO = Surroundings(size=(2000, 1500), drawn=0.02, blur=lambda face: 0.6)


def decisions(faces, around=PHOTO, **settings):
    settings.setdefault("face_enhance", True)
    return choose(faces, EnhanceSettings.create(**settings), around)


def test_every_ordinary_face_is_restored_and_numbered():
    found = decisions([face_at(500, 400, 60), face_at(900, 400, 30)])
    assert [(one.number, one.restore) for one in found] == [(1, True), (2, True)]


@pytest.mark.parametrize(
    ("face", "around", "settings", "words"),
    [
        (face_at(500, 400, 6), PHOTO, {}, "Too small"),
        (face_at(500, 400, 30), PHOTO, {"face_min_height": 100}, "Too small"),
        (face_at(900, 700, 190), PHOTO, {}, "570 pixels high"),
        (face_at(500, 400, 60), replace(PHOTO, drawn=0.97), {}, "drawn"),
        (face_at(500, 400, 60), PHOTO, {"face_skip": (1,)}, "Skipped"),
        (face_at(500, 400, 60), PHOTO, {"face_keep": (2,)}, "Not among"),
        (face_at(100, 100, 60), replace(PHOTO, size=(500, 500), origin=(800, 0)), {}, "cut away"),
        (replace(face_at(500, 400, 60), landmarks=None), PHOTO, {}, "YuNet"),
        (face_at(500, 400, 100), replace(PHOTO, blur=lambda face: 0.1), {"face_enhance": "auto"}, "Sharp"),
    ],
)
def test_what_speaks_against_a_face_is_said(face, around, settings, words):
    (one,) = decisions([face], around, **settings)
    assert not one.restore and words in one.reason


def test_large_faces_are_restored_when_asked_and_sharp_ones_with_on():
    assert decisions([face_at(900, 700, 190)], face_large=True)[0].restore
    assert decisions([face_at(500, 400, 100)], replace(PHOTO, blur=lambda face: 0.1))[0].restore


def test_a_chosen_number_overrules_everything_but_missing_landmarks():
    drawn = replace(PHOTO, drawn=1.0)
    tiny, unknown = face_at(500, 400, 6), replace(face_at(900, 400, 60), landmarks=None)
    found = decisions([tiny, unknown], drawn, face_keep=(1, 2))
    assert [one.restore for one in found] == [True, False]


def test_only_the_most_central_of_those_that_qualify():
    faces = [face_at(300, 300, 60), face_at(950, 650, 60), face_at(1010, 740, 5)]
    found = decisions(faces, face_central_only=True)
    assert [one.restore for one in found] == [False, True, False]
    assert "nearer to the middle" in found[0].reason


def test_central_is_measured_in_the_part_that_is_used():
    faces = [face_at(300, 300, 60), face_at(950, 650, 60)]
    part = replace(PHOTO, size=(1200, 600), origin=(0, 0))
    assert [one.restore for one in decisions(faces, part, face_central_only=True)] == [True, False]


@pytest.mark.parametrize(
    "settings",
    [
        {"face_strength": 1.2},
        {"face_keep": (0,)},
        {"face_keep": (1, 2), "face_skip": (2,)},
        {"face_enhance": "sometimes"},
        {"face_min_height": 1},
    ],
)
def test_wrong_settings_are_refused_by_name(settings):
    with pytest.raises(InvalidSettingsError, match="face"):
        EnhanceSettings.create(**settings)


@pytest.mark.parametrize(("word", "meant"), [("on", True), ("off", False), ("auto", "auto"), (True, True)])
def test_words_and_truth_values_mean_the_same(word, meant):
    assert EnhanceSettings.create(face_enhance=word).face_enhance == meant
