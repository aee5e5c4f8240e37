"""A part of a picture as the whole would show it: its faces are those that were chosen in the whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from engine.faces.face import Face
from engine.imaging.region import enhance_region
from engine.processor import enhance_file
from engine.types import EnhanceSettings
from tests.engine.faces.conftest import KnownFaces, face_at
from tests.engine.test_face_restorer import brighter
from tests.pictures import portrait
from utils import image_io
from utils.picture import crop

pytest_plugins = ["tests.engine.faces.conftest"]
LARGE, SMALL, MIDDLE = (100, 100, 40), (420, 100, 30), (250, 320, 20)
"""Numbers 1, 2 and 3 of the whole; in the part on the right the second is the first."""
WHOLE = portrait(400, 540, [LARGE, SMALL, MIDDLE])


@dataclass
class Looking(KnownFaces):
    """Finds the faces whose place in the whole is in the part that it is shown."""

    def detect(self, rgb: np.ndarray) -> tuple[Face, ...]:
        height, width = rgb.shape[:2]
        for top in range(WHOLE.shape[0] - height + 1):
            for left in np.flatnonzero((WHOLE[top, : WHOLE.shape[1] - width + 1] == rgb[0, 0]).all(-1)):
                if np.array_equal(WHOLE[top : top + height, left : left + width], rgb):
                    moved = [face.moved(-float(left), -float(top)) for face in self.faces]
                    return tuple(one for one in moved if 0 <= one.center[0] < width and 0 <= one.center[1] < height)
        return ()


@pytest.fixture
def right(stand_in, config, monkeypatch):
    """The part on the right, with the small face; returns it enhanced."""
    looking = Looking(tuple(face_at(*spot) for spot in (LARGE, SMALL, MIDDLE)))
    monkeypatch.setattr("engine.face_restorer.open_detector", lambda manager, **_: looking)
    monkeypatch.setattr("engine.face_restorer._probability_drawn", lambda picture: 0.0)
    manager = stand_in(brighter)

    def part(**choice):
        return enhance_region(
            image_io.from_array(WHOLE),
            (420, 110),
            EnhanceSettings.create(model="lanczos", scale=1, face_strength=1.0, **choice),
            enhance=partial(enhance_file, manager=manager, config=config),
            manager=manager,
            config=config,
            side=200,
        ).after.pixels.astype(int)

    return part


@pytest.mark.parametrize(
    ("choice", "restored"),
    [
        ({}, True),
        ({"face_skip": (2,)}, False),
        ({"face_skip": (1,)}, True),
        ({"face_keep": (2,)}, True),
        ({"face_keep": (1, 3)}, False),
        ({"face_central_only": True}, False),
    ],
)
def test_numbers_are_those_of_the_whole(right, choice, restored):
    plain = right()
    changed = np.abs(right(face_enhance=True, **choice) - plain).max() > 5
    assert changed == restored


def test_the_part_is_cut_where_it_was_asked_for(right):
    wanted = crop(image_io.from_array(WHOLE), (320, 10, 200, 200)).pixels
    assert np.abs(right() - wanted).max() <= 1
