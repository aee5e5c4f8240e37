"""The shortest sequence of passes."""

from __future__ import annotations

import pytest

from engine.executors.enhance_job import shortest_passes


@pytest.mark.parametrize(
    ("factor", "passes"),
    [
        (0.5, ()),
        (1, ()),
        (1.5, (2,)),
        (2, (2,)),
        (2.001, (2,)),
        (3, (4,)),
        (4, (4,)),
        (6, (4, 2)),
        (8, (4, 2)),
        (9, (4, 4)),
        (16, (4, 4)),
    ],
)
def test_fewest_passes_and_least_shrinking(factor, passes):
    assert shortest_passes(factor) == passes
