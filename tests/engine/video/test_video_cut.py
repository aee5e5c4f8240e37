"""Short parts of films as files that every browser plays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engine.types import JobControl
from engine.video import VideoOptions, cut
from engine.video.deinterlace import deinterlacer_for
from tests import clips
from utils.errors import EmptyVideoError, JobCancelled
from utils.video_files import ColorTags, probe_video


def test_a_cut_holds_the_frames_of_its_part_at_their_times(clip, tmp_path):
    made = cut.write_cut(probe_video(clip(frames=100)), tmp_path / "cut.mp4", 1.0, 3.0)
    read = clips.read_clip(made.path)
    assert read.numbers == list(range(25, 75)) and read.times == [Fraction(number, 25) for number in range(50)]
    assert (made.frames, made.seconds, made.size) == (50, 2.0, (64, 48))
    assert (read.codec, read.pixel_format, read.audio) == ("h264", "yuv420p", [])


def test_uneven_times_stay_uneven(clip, tmp_path):
    stamps = [0, 1, 3, 4, 8, 9]
    source = clip("in.mkv", frames=6, rate=25, time_base=Fraction(1, 25), stamps=stamps)
    read = clips.read_clip(cut.write_cut(probe_video(source), tmp_path / "cut.mp4").path)
    assert [round(float(time) * 25) for time in read.times] == stamps


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size"), [("libx265", "yuv420p10le", (64, 48)), ("libx264", "yuv444p", (65, 47))]
)
def test_whatever_the_film_is_browsers_can_play_the_cut(clip, tmp_path, codec, pixel_format, size):
    source = clip("in.mkv", frames=4, codec=codec, pixel_format=pixel_format, size=size, audio=None)
    made = cut.write_cut(probe_video(source), tmp_path / "cut.mp4")
    info = probe_video(made.path)
    assert (info.codec, info.pixel_format, info.bit_depth) == ("h264", "yuv420p", 8)
    assert made.size == (size[0] + size[0] % 2, size[1] + size[1] % 2) == (info.width, info.height)
    assert info.color == ColorTags(1, 1, 1, False), "browsers guess what is not said"
    assert clips.read_clip(made.path).numbers == [0, 1, 2, 3]


def test_both_cuts_of_one_film_say_the_same_of_their_colours(clip, tmp_path, enhance):
    """Else the one looks paler under the divider: what is not said is guessed by the size."""
    source = clip(frames=3, tags={"colorspace": 5})
    result, _ = enhance(source, scale=4)
    before, after = (
        clips.read_clip(cut.write_cut(probe_video(path), tmp_path / f"{name}.mp4").path)
        for name, path in (("before", source), ("after", result.output_path))
    )
    means = [np.mean([one.mean((0, 1)) for one in read.pixels], axis=0) for read in (before, after)]
    assert np.abs(means[0] - means[1]).max() < 3


def test_frames_that_no_browser_decodes_are_reduced(tmp_path, monkeypatch):
    monkeypatch.setattr(cut, "MOST_SIDE", 40)
    made = cut.write_clip([clips.numbered_frame(number) for number in range(3)], tmp_path / "small.mp4", 12)
    assert made.size == (40, 30) and clips.read_clip(made.path).times[1] == Fraction(1, 12)


def test_interlaced_frames_are_cut_as_whole_ones(clip, tmp_path):
    source = clip("in.mkv", frames=12, size=(320, 256), draw=clips.woven_frame, audio=None)
    info = probe_video(source)
    fields = deinterlacer_for(info, VideoOptions.create(deinterlace="double"))
    made = cut.write_cut(info, tmp_path / "cut.mp4", 0.0, 0.4, fields=fields)
    assert (made.frames, made.seconds) == (20, pytest.approx(0.4))


def test_nothing_is_left_where_there_is_nothing_or_it_is_cancelled(clip, tmp_path):
    info, control = probe_video(clip(frames=5)), JobControl()
    with pytest.raises(EmptyVideoError):
        cut.write_cut(info, tmp_path / "none.mp4", 50.0, 52.0)
    control.cancel()
    with pytest.raises(JobCancelled):
        cut.write_cut(info, tmp_path / "none.mp4", control=control)
    assert not (tmp_path / "none.mp4").exists()
