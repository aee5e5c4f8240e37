"""The part of a picture to look at."""

from __future__ import annotations

import numpy as np

from utils.pixels import most_detailed


def test_it_is_where_the_picture_changes_most():
    rgb = np.full((300, 400, 3), 90, np.uint8)
    rgb[210:240:4, 260:290] = 200
    part = most_detailed(rgb, 100)
    assert part.shape == (100, 100, 3) and (part == 200).sum() == (rgb == 200).sum()


def test_of_a_smaller_picture_it_is_a_smaller_square_and_shares_no_memory():
    rgb = np.zeros((50, 60, 3), np.uint8)
    part = most_detailed(rgb, 100)
    assert part.shape == (50, 50, 3) and not np.shares_memory(part, rgb)
