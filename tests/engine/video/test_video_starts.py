"""When picture and sound begin: at different times, before zero, hidden by an edit list; and the rate that is told."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from tests import clips

KINDS = ["mp4", "mov", "mkv"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("input_kind", ["mp4", "mkv"])
@pytest.mark.parametrize(("video", "audio"), [(0.42, 0.35), (0.0, 0.4), (0.4, 0.0), (1.5, 1.2)])
def test_whichever_begins_later_no_packet_of_sound_is_lost(clip, enhance, tmp_path, input_kind, kind, video, audio):
    source = clips.moved(clip("even.mp4", frames=25), tmp_path / f"in.{input_kind}", video, audio)
    before, after = clips.read_clip(source), enhance(source, f"out.{kind}")[1]
    assert [data for _, data in after.audio] == [data for _, data in before.audio]
    assert after.numbers == list(range(25))
    apart = [float(one.times[0] - one.audio[0][0]) for one in (before, after)]
    assert apart[0] == pytest.approx(apart[1], abs=0.002)


@pytest.mark.parametrize("kind", KINDS)
def test_a_beginning_that_an_edit_list_hides_stays_away_and_is_no_damage(clip, enhance, tmp_path, kind):
    """Phones and FFmpeg cut MP4 files so: all is still in the file, and players begin later."""
    source = clips.moved(clip("whole.mp4", frames=50), tmp_path / "cut.mp4", -0.6, -0.6)
    shown = clips.read_clip(source)
    assert shown.numbers[0] == 15 and shown.audio[0][0] < -0.5
    result, after = enhance(source, f"out.{kind}")
    assert after.numbers == shown.numbers and result.warnings == ()
    hidden = float(after.times[0] - after.audio[0][0])
    assert 0 <= hidden <= 0.1, "what a decoder needs to begin, and no more of the hidden sound"
    assert after.audio[-1][1] == shown.audio[-1][1]


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(60)])
def test_every_container_tells_players_the_inputs_rate(clip, enhance, tmp_path, kind, rate):
    enhance(clip("in.mkv", frames=12, rate=rate), f"out.{kind}")
    with av.open(str(tmp_path / f"out.{kind}")) as file:
        told = file.streams.video[0].average_rate
    assert float(told) == pytest.approx(float(rate), rel=0.01), "in a short clip MP4 gives the mean of rounded times"


@pytest.mark.parametrize(("codec", "name"), [("flac", "flac"), ("libopus", "opus")])
def test_sound_that_quicktime_does_not_hold_is_encoded_as_aac(clip, enhance, codec, name):
    result, after = enhance(clip("in.mkv", audio=codec, frames=25), "out.mov")
    assert any(f"({name})" in warning and "AAC" in warning for warning in result.warnings)
    assert len(after.audio) > 20


@pytest.mark.parametrize(("codec", "kept"), [("h264", "yuv444p"), ("h265", "yuv444p"), ("av1", "yuv420p")])
def test_full_colour_is_kept_where_the_encoder_can_else_it_is_said(clip, enhance, codec, kept):
    source = clip("in.mkv", pixel_format="yuv444p", frames=3, audio=None)
    result, after = enhance(source, "out.mkv", codec=codec)
    assert after.pixel_format == kept
    assert any("4:4:4" in warning for warning in result.warnings) == (kept == "yuv420p")
