"""When picture and sound begin: at different times, before zero, hidden by an edit list; and the rate that is told."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import av
import pytest

from engine.types import JobControl
from tests import clips

KINDS = ["mp4", "mov", "mkv"]
MADE = {
    "avi": {"codec": "mpeg4", "audio": "libmp3lame"},
    "mov": {},
    "webm": {"codec": "libvpx-vp9", "audio": "libopus", "options": {"deadline": "realtime", "cpu-used": "8"}},
}
"""How clips are made whose containers do not hold what the others do."""


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


@pytest.mark.parametrize(
    ("input_kind", "kind"),
    [*product(["avi", "mov"], KINDS), ("webm", "mp4"), ("webm", "mkv"), ("webm", "webm")],  # MOV holds no Opus
)
@pytest.mark.parametrize(("video", "audio"), [(0.0, 0.4), (0.4, 0.0)])
def test_inputs_of_other_containers_keep_their_sound_as_well(clip, enhance, tmp_path, input_kind, kind, video, audio):
    made = clip(f"even.{input_kind}", frames=25, **MADE[input_kind])
    source = clips.moved(made, tmp_path / f"in.{input_kind}", video, audio)
    before = clips.read_clip(source)
    result, after = enhance(source, f"out.{kind}", codec="av1" if kind == "webm" else "h264")
    assert result.warnings == ()
    assert after.numbers == before.numbers == list(range(25))
    assert [data for _, data in after.audio] == [data for _, data in before.audio]
    for one, other in after_the_sound(before, after):
        assert one == pytest.approx(other, abs=0.002)


def after_the_sound(before, after):
    """Seconds of each frame after the sound's beginning, in both clips."""
    seconds = [[float(time - one.audio[0][0]) for time in one.times] for one in (before, after)]
    return zip(*seconds, strict=True)


def test_an_avi_whose_pictures_last_longer_is_no_damaged_one(clip, enhance, tmp_path):
    """In AVI a frame lasts longer by empty chunks after it, which the header counts as frames."""
    stamps = [*range(20), *range(30, 50)]
    source = clip("in.avi", codec="mpeg4", audio="libmp3lame", stamps=stamps)
    with av.open(str(source)) as file:
        assert file.streams.video[0].frames >= 50
    told = []
    result, after = enhance(source, control=JobControl(lambda step: told.append((step.done, step.total))))
    assert (result.frames, after.numbers, result.warnings) == (40, list(range(40)), ())
    assert after.times == clips.read_clip(source).times
    assert told[-1] == (40, 40) and {total for _, total in told} == {40}
    part, _ = enhance(source, "part.mp4", start=0.4, end=1.4)
    assert (part.frames, part.warnings) == (15, ())


def test_an_avi_that_was_cut_off_is_called_so(clip, enhance, tmp_path):
    whole = clip("whole.avi", codec="mpeg4", audio=None, stamps=[*range(20), *range(30, 50)]).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 2 // 3])
    result, _ = enhance(tmp_path / "cut.avi")
    assert result.frames < 40 and any("cut off or damaged" in warning for warning in result.warnings)


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
