"""The page that shows quick networks beside each other."""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmarks.distilled import film_frames, side_by_side
from tests.clips import make_clip, number_of
from tests.pictures import pattern


def test_it_shows_parts_of_pictures_and_frames_in_a_column_a_model_of_x4(manager, tmp_path):
    frames = film_frames(make_clip(tmp_path / "in.mp4", size=(192, 160), frames=24, audio=None))
    assert [number_of(frame) for frame in frames] == [7, 15]
    out = tmp_path / "page.png"
    side_by_side(manager, ["bicubic", "bicubic x2", "nearest"], [pattern(192, 192), *frames], out, crop=40)
    page = np.asarray(Image.open(out))
    assert page.shape == (3 * (160 + 22 + 6), 3 * (160 + 6) + 6, 3)
    row = page[22 : 22 + 160]
    shown = [row[:, 6 + column * 166 : 6 + column * 166 + 160] for column in range(3)]
    assert (shown[0] == shown[2]).all(), "the input's pixels are repeated, as the nearest neighbour does"
    assert (shown[0] != shown[1]).any()
