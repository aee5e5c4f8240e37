"""Goals become sizes; impossible ones are refused before any work."""

from __future__ import annotations

import pytest

from engine.pixels.sizing import passes_for, plan_size
from engine.types import EnhanceSettings
from utils.errors import ImageTooLargeError, InvalidSettingsError


def sizes(in_width, in_height, **settings):
    return plan_size(in_width, in_height, EnhanceSettings.create(**settings))


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ({}, (800, 400)),
        ({"scale": 1}, (200, 100)),
        ({"scale": 1.5}, (300, 150)),
        ({"scale": 16}, (3200, 1600)),
        ({"long_edge": 3840 // 4}, (960, 480)),
        ({"width": 500}, (500, 250)),
        ({"height": 500}, (1000, 500)),
        ({"width": 500, "height": 500, "fit": "fit"}, (500, 250)),
        ({"width": 500, "height": 500, "fit": "fill"}, (500, 500)),
        ({"width": 500, "height": 500, "fit": "pad"}, (500, 500)),
        ({"width": 500, "height": 500, "fit": "stretch"}, (500, 500)),
        ({"print_size": (5.08, 2.54), "dpi": 300}, (600, 300)),
        ({"print_size": (2.54, 5.08), "dpi": 300}, (600, 300)),
    ],
)
def test_goals_for_a_200_by_100_picture(goal, expected):
    assert sizes(200, 100, **goal).canvas == expected


def test_fill_cuts_the_input_in_the_middle_before_enhancing_it():
    plan = sizes(200, 100, width=500, height=500, fit="fill")
    assert plan.crop == (50, 0, 100, 100)
    assert plan.content == (500, 500) and plan.scale == 5


def test_pad_centres_the_picture_on_its_canvas():
    plan = sizes(200, 100, width=500, height=500, fit="pad")
    assert plan.content == (500, 250) and plan.offset == (0, 125)


@pytest.mark.parametrize(
    ("scale", "native", "passes"),
    [(1, 4, 1), (4, 4, 1), (4.003, 4, 1), (4.5, 4, 2), (16, 4, 2), (3, 2, 2), (8, 2, 3), (4, 1, 1)],
)
def test_number_of_passes(scale, native, passes):
    assert passes_for(scale, native) == passes


def test_a_picture_that_reaches_the_goal_is_recognised():
    assert sizes(4000, 2000, long_edge=3840).reached
    assert not sizes(3000, 2000, long_edge=3840).reached


def test_output_size_is_checked_not_only_the_input():
    with pytest.raises(ImageTooLargeError, match="30000x30000"):
        plan_size(7500, 7500, EnhanceSettings(scale=4), max_output_pixels=500_000_000)


def test_more_than_sixteen_times_is_refused():
    with pytest.raises(InvalidSettingsError, match="at most 16"):
        sizes(100, 100, width=5000, height=5000)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"scale": 0.5}, "scale"),
        ({"scale": 17}, "scale"),
        ({"scale": "four"}, "scale"),
        ({"tile": 8}, "tile"),
        ({"fit": "squeeze"}, "fit"),
        ({"quality": 0}, "quality"),
        ({"denoise_strength": 1.5}, "denoise_strength"),
        ({"precision": "int3"}, "precision"),
        ({"scale": 2, "long_edge": 1000}, "one goal"),
        ({"no_such_setting": 1}, "no_such_setting"),
        ({"print_size": (0, 5)}, "print_size"),
    ],
)
def test_a_wrong_setting_is_named(wrong, named):
    with pytest.raises(InvalidSettingsError, match=named):
        EnhanceSettings.create(**wrong)


def test_settings_go_to_json_and_back():
    settings = EnhanceSettings(model="x", scale=2.5, print_size=None, exif="drop")
    assert EnhanceSettings.model_validate_json(settings.model_dump_json()) == settings
