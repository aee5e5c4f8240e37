"""The preview: a numbered box a face, and the number under a click."""

from __future__ import annotations

import numpy as np
import pytest

from engine.faces.choose import Surroundings, choose
from engine.faces.preview import numbered
from engine.types import EnhanceSettings
from tests.engine.faces.conftest import face_at
from utils.picture import Picture


@pytest.fixture
def preview():
    faces = [face_at(1000, 800, 120), face_at(400, 300, 60), face_at(1000, 780, 20)]
    around = Surroundings((2560, 1600), 0.0, lambda face: 0.6)
    found = choose(faces, EnhanceSettings.create(face_enhance=True, face_skip=(2,)), around)
    return numbered(np.full((1600, 2560, 3), 200, np.uint8), found)


def test_the_picture_is_reduced_and_carries_boxes(preview):
    assert preview.pixels.shape == (800, 1280, 3) and preview.scale == 0.5
    assert (preview.pixels != 200).any(axis=2).sum() > 1000


def test_a_click_gives_the_face_under_it(preview):
    for one in preview.faces:
        x, y = one.face.center
        assert preview.number_at(x / 2, y / 2) == one.number
    assert preview.number_at(5, 5) is None


def test_of_nested_boxes_the_smaller_one_is_meant(preview):
    x, y = preview.faces[2].face.center
    assert preview.number_at(x / 2, y / 2) == 3


def test_restored_and_skipped_faces_look_different(preview):
    def color(one):
        left, top, right, _ = (round(value * preview.scale) for value in one.box)
        return preview.pixels[top, (left + right) // 2 + 20].astype(int)

    assert np.ptp(color(preview.faces[0])) > 60 > np.ptp(color(preview.faces[1]))


def test_gray_sixteen_bit_pictures_are_shown_in_their_own_size():
    picture = Picture(np.full((300, 400, 1), 40000, np.uint16))
    shown = numbered(picture, ())
    assert shown.pixels.shape == (300, 400, 3) and shown.scale == 1.0
