"""Interlaced films at their full rate, and cinema that was spread over television's frames given back."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.imaging.context import JobContext
from engine.types import EnhanceSettings, JobControl
from engine.video.decide import decide_video
from engine.video.deinterlace import Fields, deinterlacer_for
from engine.video.fields import is_telecined, upper_lines_first
from engine.video.frames_in import frame_at
from engine.video.options import VideoOptions
from engine.video.preview import preview_video_frame
from engine.video.reader import FrameReader
from tests.clips import (
    COMBED_SHARE,
    combed_share,
    make_clip,
    moving_frame,
    telecined_frame,
    telecined_frame_lower_first,
    woven_frame,
    woven_frame_lower_first,
)
from utils.errors import InvalidSettingsError
from utils.metrics import luma
from utils.video_files import probe_video

SIZE = (320, 256)
NTSC, CINEMA = Fraction(30000, 1001), Fraction(24000, 1001)
FLAGS = {"flags": "+ildct+ilme", "x264-params": "tff=1"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Films of every kind, with their lines' order in their names where it is not the usual one."""
    folder = tmp_path_factory.mktemp("fields")
    pal = {"size": SIZE, "frames": 12}
    ntsc = {"size": SIZE, "frames": 25, "rate": NTSC}
    return {
        "interlaced": make_clip(folder / "interlaced.mp4", draw=woven_frame, **pal),
        "interlaced lower first": make_clip(folder / "lower.mp4", draw=woven_frame_lower_first, **pal),
        "progressive": make_clip(folder / "progressive.mp4", draw=moving_frame, **ntsc),
        "interlaced 29.97": make_clip(folder / "ntsc.mp4", draw=woven_frame, **ntsc),
        "flagged 29.97": make_clip(folder / "flagged.mkv", draw=woven_frame, options=FLAGS, **ntsc),
        "telecined": make_clip(folder / "telecined.mp4", draw=telecined_frame, options={"g": "7"}, **ntsc),
        "telecined lower first": make_clip(folder / "tlower.mkv", draw=telecined_frame_lower_first, **ntsc),
        "telecined mpeg2": make_clip(
            folder / "telecined.mpg",
            draw=telecined_frame,
            codec="mpeg2video",
            options={"b": "20M"},
            audio="mp2",
            **ntsc,
        ),
    }


def options(way, **more):
    return VideoOptions.create(deinterlace=way, **more)


def frames_of(path, way, start=None, end=None, after=None):
    """The reader, and the frames that it gives."""
    info = probe_video(path)
    reader = FrameReader(info, start, end, deinterlacer_for(info, options(way)))
    return reader, list(reader.frames(after))


def off_by(frame, moment):
    """Mean difference in luma from the scene at a moment."""
    return np.abs(luma(frame.pixels) - luma(moving_frame(moment, *SIZE))).mean()


@pytest.mark.parametrize("name", ["interlaced", "interlaced lower first"])
def test_both_moments_of_a_frame_come_out_in_their_order(clips, name):
    reader, frames = frames_of(clips[name], "double")
    assert len(frames) == 24 == reader.expected
    times = [frame.stamp * reader.time_base for frame in frames]
    assert times == [Fraction(number, 50) for number in range(24)]
    assert {frame.duration * reader.time_base for frame in frames} == {Fraction(1, 50)}
    for number, frame in enumerate(frames):
        assert off_by(frame, number / 2) < 0.6  # half a frame later or earlier: 1.7
        assert combed_share(frame.pixels) < COMBED_SHARE / 4
    assert not any(frame.repaired for frame in frames)


def test_a_film_at_the_double_rate_keeps_its_length_and_its_sound(clips, enhance):
    from tests.clips import read_clip

    before = read_clip(clips["interlaced"])
    result, after = enhance(clips["interlaced"], deinterlace="double")
    assert after.times == [Fraction(number, 50) for number in range(24)]
    assert (result.frames, result.duration) == (24, pytest.approx(12 / 25))
    assert after.audio == before.audio
    info = probe_video(result.output_path)
    assert (info.fps, info.frames) == (50, 24)
    assert info.duration == pytest.approx(12 / 25)


def test_a_range_is_the_part_of_the_whole(clips):
    _, whole = frames_of(clips["interlaced"], "double")
    _, part = frames_of(clips["interlaced"], "double", start=0.10, end=0.30)
    assert [frame.stamp for frame in part] == [frame.stamp for frame in whole[5:15]]
    for one, other in zip(part, whole[5:15], strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize(("name", "way"), [("interlaced", "double"), ("telecined", "telecine")])
@pytest.mark.parametrize("last", [6, 7, 8])
def test_going_on_gives_what_reading_through_gives(clips, name, way, last):
    _, whole = frames_of(clips[name], way)
    _, rest = frames_of(clips[name], way, after=whole[last].stamp)
    assert [frame.stamp for frame in rest] == [frame.stamp for frame in whole[last + 1 :]]
    for one, other in zip(rest, whole[last + 1 :], strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_cancelled_film_goes_on_at_the_double_rate(clips, enhance):
    _, straight = enhance(clips["interlaced"], "straight.mp4", deinterlace="double")

    def stop(step):
        if step.done >= 9:
            control.cancel()

    control = JobControl(stop)
    cancelled, part = enhance(clips["interlaced"], "resumed.mp4", control, deinterlace="double", segment_frames=8)
    assert not cancelled.complete and len(part.times) < 24
    result, whole = enhance(clips["interlaced"], "resumed.mp4", deinterlace="double", segment_frames=8)
    assert result.resumed_frames >= 8
    assert whole.times == straight.times
    for one, other in zip(whole.pixels, straight.pixels, strict=True):
        assert np.abs(one.astype(int) - other).mean() < 2


def test_a_preview_shows_the_moment_between_two_frames(clips, manager, config):
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    shown = preview_video_frame(clips["interlaced"], 0.10, settings, options("double"), manager=manager, config=config)
    assert shown.seconds == pytest.approx(0.10)
    assert np.abs(luma(shown.before.pixels) - luma(moving_frame(2.5, *SIZE))).mean() < 0.6


@pytest.mark.parametrize("name", ["telecined", "telecined lower first", "telecined mpeg2"])
def test_cinema_comes_back_frame_for_frame(clips, name):
    reader, frames = frames_of(clips[name], "telecine")
    assert len(frames) == 20
    start = frames[0].stamp * reader.time_base
    exact = Fraction(1, 1000) if name.endswith("first") else Fraction(1, 50_000)  # Matroska counts milliseconds
    for number, frame in enumerate(frames):
        assert abs(frame.stamp * reader.time_base - start - number / CINEMA) <= exact
        assert off_by(frame, number) < 1.0  # a frame later: 3.3
        assert combed_share(frame.pixels) < COMBED_SHARE / 4


def test_a_film_of_cinema_has_its_rate_length_and_sound(clips, enhance):
    from tests.clips import read_clip

    before = read_clip(clips["telecined"])
    result, after = enhance(clips["telecined"], deinterlace="telecine")
    assert len(after.times) == 20 and after.audio == before.audio
    info = probe_video(result.output_path)
    assert (info.fps, info.frames) == (CINEMA, 20)
    assert info.duration == pytest.approx(25 / float(NTSC), abs=1e-4)
    assert after.times[10] == 10 / CINEMA
    assert not result.warnings


def test_frames_that_are_missing_do_not_move_those_after_them(tmp_path):
    stamps = [number for number in range(30) if number not in (11, 12)]
    drawn = iter(stamps)
    clip = make_clip(
        tmp_path / "gap.mkv",
        size=SIZE,
        rate=NTSC,
        audio=None,
        stamps=stamps,
        draw=lambda _, *size: telecined_frame(next(drawn), *size),
    )
    reader, frames = frames_of(clip, "telecine")
    for frame in frames[-8:]:
        assert off_by(frame, round(float(frame.stamp * reader.time_base * CINEMA))) < 1.0


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("telecined", True),
        ("telecined lower first", True),
        ("telecined mpeg2", True),
        ("interlaced 29.97", False),
        ("flagged 29.97", False),
        ("progressive", False),
        ("interlaced", False),
    ],
)
def test_telecine_is_found_and_nothing_else_taken_for_it(clips, manager, config, name, found):
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    task = decide_video(clips[name], Path("out.mkv"), settings, options("auto"), JobContext(manager, config))
    assert any("`--deinterlace telecine`" in warning for warning in task.warnings) is found


def test_still_places_say_nothing_and_the_pattern_may_begin_anywhere():
    still = [moving_frame(0, *SIZE)] * 15
    for first in range(5):
        assert is_telecined([still, [telecined_frame(first + number, *SIZE) for number in range(15)]])
    assert not is_telecined([still, still])
    assert not is_telecined([])
    stop = [woven_frame(number, *SIZE) if number < 6 else moving_frame(6, *SIZE) for number in range(15)]
    assert not is_telecined([stop])


def test_which_lines_come_first_is_seen():
    for upper, lower in ((woven_frame, woven_frame_lower_first), (telecined_frame, telecined_frame_lower_first)):
        assert upper_lines_first([[upper(number, *SIZE) for number in range(6)]])
        assert not upper_lines_first([[lower(number, *SIZE) for number in range(6)]])
    assert upper_lines_first([])


def test_a_rate_that_is_no_televisions_is_refused_and_a_film_without_pattern_named(clips, manager, config):
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    with pytest.raises(InvalidSettingsError, match="29.97 frames a second; 'interlaced.mp4' has 25.000"):
        decide_video(clips["interlaced"], Path("out.mkv"), settings, options("telecine"), JobContext(manager, config))
    task = decide_video(
        clips["progressive"], Path("out.mkv"), settings, options("telecine"), JobContext(manager, config)
    )
    assert any("No telecine was found" in warning for warning in task.warnings)


def test_one_frame_of_cinema(clips):
    info = probe_video(clips["telecined"])
    frame = frame_at(info, 0.5, Fields("telecine", "tff", info.fps))
    assert min(off_by(frame, moment) for moment in range(10, 15)) < 1.0


def test_duplicates_of_the_double_rate_are_none(clips):
    _, frames = frames_of(clips["interlaced"], "double")
    assert all((one.pixels != other.pixels).any() for one, other in pairwise(frames))
