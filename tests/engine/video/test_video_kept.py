"""What an enhanced video keeps: every frame, every time stamp, sound, text, colour, orientation."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest

from engine.video import VideoOptions
from tests import clips
from tests.conftest import shared
from utils.errors import InvalidSettingsError

HDR_TAGS = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}
HDR_LIGHT = (
    "log-level=none:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ":max-cll=1000,400"
)


def levels(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference in levels of 255."""
    return float(np.abs(a.astype(float) - b.astype(float)).mean()) * 255 / np.iinfo(a.dtype).max


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
def test_every_frame_comes_out_in_order_at_its_time_whatever_the_codec(clip, enhance, codec):
    source = clip(frames=30, audio=None)
    before = clips.read_clip(source)
    # Segments much shorter than the encoder's look-ahead: joints everywhere.
    result, after = enhance(source, codec=codec, segment_frames=8)
    assert after.numbers == list(range(30))
    assert after.times == before.times
    assert after.size == result.output_size == (128, 96)
    assert result.frames == 30 and result.complete and not result.warnings
    assert after.codec == {"h264": "h264", "h265": "hevc", "av1": "libdav1d"}[codec]


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="scheduling policies are Linux's")
def test_an_encoder_makes_no_thread_a_real_time_one(clip, enhance):
    """SVT-AV1 does, as root: this process and its children would then starve everything else."""
    enhance(clip(frames=3, audio=None), codec="av1")
    policies = {int(thread): os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}
    assert not set(policies.values()) & {os.SCHED_FIFO, os.SCHED_RR}


def test_the_network_enlarges_every_frame(clip, enhance, manager, config, tmp_path):
    source = clip(frames=3, audio=None)
    result, after = enhance(source, model="tiny-x4", scale=4, quality=100)
    assert after.size == (256, 192) and result.model == "tiny-x4" and result.backend != "pillow"
    assert result.network_share > 0
    plain = enhance(source, "plain.mp4", model="lanczos", scale=4, quality=100)[1]
    # The tiny network's residual is small: close to the plainly enlarged frame, and not equal to it.
    assert 0.2 < levels(after.pixels[1], plain.pixels[1]) < 20


def test_sound_is_copied_packet_by_packet_and_stays_in_step(clip, enhance):
    source = clip(frames=25)
    before, after = clips.read_clip(source), enhance(source)[1]
    assert len(before.audio) > 20
    assert after.audio == before.audio
    assert after.times == before.times


def test_sound_can_be_left_out(clip, enhance):
    assert enhance(clip(), copy_audio=False)[1].audio == []


def test_variable_frame_rate_is_carried_exactly(clip, enhance):
    stamps = [0, 1001, 2002, 5005, 5500, 9009, 12012, 30030, 30031, 31031]
    source = clip(stamps=stamps, time_base=Fraction(1, 30000), rate=Fraction(30000, 1001))
    result, after = enhance(source, segment_frames=8)
    assert after.times == [Fraction(stamp, 30000) for stamp in stamps]
    assert after.numbers == list(range(10))


@pytest.mark.parametrize("codec", ["h265", "av1"])
def test_variable_frame_rate_survives_the_other_encoders(clip, enhance, codec):
    stamps = [0, 40, 41, 200, 240, 1000, 1040, 1080, 1300]
    source = clip(stamps=stamps, time_base=Fraction(1, 1000), audio=None)
    assert enhance(source, codec=codec)[1].times == [Fraction(stamp, 1000) for stamp in stamps]


def test_matroska_has_no_frame_count_and_works(clip, enhance):
    source = clip("in.mkv", frames=20, subtitles=[(0.1, 0.3, "Wörter")])
    before = clips.read_clip(source)
    result, after = enhance(source, "out.mkv")
    assert after.numbers == list(range(20)) and after.times == before.times
    assert after.audio == before.audio and after.subtitles == before.subtitles


def test_webm_in_and_out(clip, enhance):
    source = clip("in.webm", codec="libvpx-vp9", audio="libopus", frames=10)
    before = clips.read_clip(source)
    result, after = enhance(source, "out.webm")
    assert result.codec == "av1" and after.numbers == list(range(10))
    assert [data for _, data in after.audio] == [data for _, data in before.audio]


def test_mp4_into_matroska_moves_sound_and_picture_together(clip, enhance):
    """Matroska knows no negative times: the encoder's lead-in before zero moves everything, but nothing apart."""
    source = clip(frames=25)
    before, after = clips.read_clip(source), enhance(source, "out.mkv")[1]
    picture = [float(b - a) for a, b in zip(before.times, after.times, strict=True)]
    sound = [float(b[0] - a[0]) for a, b in zip(before.audio, after.audio, strict=True)]
    assert max(picture) - min(picture) <= 0.001 and max(picture) < 0.022
    assert all(abs(late - picture[0]) <= 0.0015 for late in sound)
    assert [data for _, data in after.audio] == [data for _, data in before.audio]


def test_subtitles_chapters_and_titles_are_kept(clip, enhance):
    source = clip(
        frames=25,
        subtitles=[(0.0, 0.2, "Hello"), (0.4, 0.8, "Grüße")],
        chapters=[(0, 0.4, "One"), (0.4, 1, "Two")],
        language="deu",
        title="My film",
    )
    before, after = clips.read_clip(source), enhance(source)[1]
    assert after.subtitles == before.subtitles == [(Fraction(0), "Hello"), (Fraction(2, 5), "Grüße")]
    assert after.chapters == before.chapters and [name for *_, name in after.chapters] == ["One", "Two"]
    assert after.metadata["title"] == "My film"
    assert after.stream["audio_languages"] == ["deu"]


@pytest.mark.parametrize(("source_name", "target_name"), [("in.mp4", "out.mkv"), ("in.mkv", "out.mp4")])
def test_text_subtitles_change_form_where_the_container_needs_it(clip, enhance, source_name, target_name):
    source = clip(source_name, frames=25, subtitles=[(0.0, 0.2, "Hello"), (0.4, 0.8, "Grüße")], audio=None)
    result, after = enhance(source, target_name)
    assert [(round(float(time), 2), words) for time, words in after.subtitles] == [(0.0, "Hello"), (0.4, "Grüße")]
    assert not result.warnings


@pytest.mark.parametrize(("options", "begins"), [({}, 0.0), ({"start": 0.4, "end": 1.2}, 0.4)])
def test_sound_that_a_container_cannot_hold_is_encoded_anew_and_stays_in_step(clip, enhance, tmp_path, options, begins):
    source = clip(frames=50)
    result, after = enhance(source, "out.webm", **options)
    assert "aac" in result.warnings[0] and "Opus" in result.warnings[0]
    before, made = clips.sound_of(source), clips.sound_of(tmp_path / "out.webm")
    # The tone rises all the time, so it fits at one place only.
    part = made[9600:19200]
    start = round(begins * 48000) + 9600
    lags = range(-960, 961, 8)
    fits = [float(np.dot(part, before[start + lag : start + lag + len(part)])) for lag in lags]
    assert abs(lags[int(np.argmax(fits))]) <= 96, "within 2 ms"
    assert after.times[0] < 0.001


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_recordings_come_out_upright(clip, enhance, tmp_path, degrees):
    lying = clip(frames=3, audio=None)
    source = clips.turned(lying, tmp_path / "turned.mp4", degrees)
    after = enhance(source, quality=100)[1]
    upright = np.rot90(clips.read_clip(lying).pixels[1], -degrees // 90)
    assert after.size == (upright.shape[1] * 2, upright.shape[0] * 2)
    assert "DISPLAYMATRIX" not in after.stream["side"]
    smaller = after.pixels[1].reshape(upright.shape[0], 2, upright.shape[1], 2, 3).mean((1, 3))
    assert np.abs(smaller - upright).mean() < 6


def test_odd_sizes_get_a_repeated_row_and_nothing_is_squeezed(clip, enhance):
    source = clip("in.mkv", size=(51, 37), codec="ffv1", pixel_format="yuv420p", frames=4, audio=None, draw=_lines)
    result, after = enhance(source, "out.mkv", scale=1, quality=100)
    assert after.size == (52, 38) == result.output_size and "52x38" in result.warnings[0]
    assert levels(after.pixels[0][:37, :51], _lines(0, 51, 37)) < 2.5
    assert levels(after.pixels[0][:37, 51], after.pixels[0][:37, 50]) < 2.5


def _lines(number, width, height):
    """Gray lines, one pixel wide: any squeezing would blur them."""
    y, x = np.mgrid[0:height, 0:width]
    return np.repeat(((x + y + number) % 4 * 60 + 30).astype(np.uint8)[..., None], 3, axis=2)


def test_full_colour_needs_no_even_sides(clip, enhance):
    source = clip("in.mkv", size=(51, 37), codec="ffv1", pixel_format="bgr0", frames=2, audio=None)
    after = enhance(source, "out.mkv", scale=1)[1]
    assert after.size == (51, 37) and after.pixel_format == "yuv444p"


def test_an_odd_side_doubled_is_even(clip, enhance):
    source = clip("in.mkv", size=(51, 37), codec="ffv1", pixel_format="bgr0", frames=2, audio=None)
    result, after = enhance(source)
    assert after.size == (102, 74) and not result.warnings


def test_ten_bits_stay_ten_bits(clip, enhance):
    def ramp(number, width, height):
        return np.repeat(np.linspace(40, 56, width)[None, :, None], height, axis=0).repeat(3, axis=2).astype(np.uint8)

    source = clip("in.mkv", codec="ffv1", pixel_format="yuv420p10le", frames=2, audio=None, draw=ramp)
    result, after = enhance(source, "out.mkv", quality=100)
    assert result.codec == "h265" and after.pixel_format == "yuv420p10le"
    # Twice as wide, the ramp's 17 levels have steps between them that 8 bits do not have.
    assert len(np.unique(after.pixels[0][40, :, 0] >> 6)) > 30


@pytest.mark.parametrize("codec", ["h265", "av1"])
def test_hdr_keeps_its_tags_and_its_static_metadata(clip, enhance, codec):
    source = clip(
        codec="libx265", pixel_format="yuv420p10le", tags=HDR_TAGS, options={"x265-params": HDR_LIGHT}, frames=4
    )
    before, after = clips.read_clip(source), enhance(source, codec=codec)[1]
    assert after.pixel_format == "yuv420p10le"
    assert {name: after.stream[name] for name in HDR_TAGS} == HDR_TAGS
    for name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"):
        assert ratios(after.stream["side"][name], name) == pytest.approx(
            ratios(before.stream["side"][name], name), rel=0.01, abs=1e-4
        )
    assert levels(after.pixels[0][::2, ::2], before.pixels[0]) < 6


def ratios(raw: bytes, name: str) -> list[float]:
    if name == "CONTENT_LIGHT_LEVEL":
        return list(np.frombuffer(raw[:8], np.uint32))
    numbers = np.frombuffer(raw[:80], np.int32).reshape(-1, 2)
    return list(numbers[:, 0] / numbers[:, 1])


@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("value_range", [1, 2])
def test_colours_survive_every_matrix_and_range(clip, enhance, matrix, value_range):
    def patches(number, width, height):
        colors = np.array([(200, 40, 40), (40, 200, 40), (40, 40, 200), (230, 230, 230), (20, 20, 20)], np.uint8)
        return np.repeat(np.repeat(colors[None], height, 0), width // 5 + 1, 1)[:, :width]

    tags = {"colorspace": matrix, "color_range": value_range, "color_primaries": matrix, "color_trc": 1}
    source = clip(tags=tags, draw=patches, frames=2, audio=None, size=(80, 48))
    after = enhance(source, quality=100)[1]
    assert after.stream["colorspace"] in (matrix, 6 if matrix == 5 else matrix)
    assert after.stream["color_range"] == value_range and after.stream["color_primaries"] == matrix
    wanted = patches(0, 80, 48)
    for column in (8, 24, 40, 56, 72):
        assert np.abs(after.pixels[0][48, column * 2].astype(int) - wanted[24, column]).max() <= 6


def test_a_matrix_that_is_not_said_is_said_afterwards(clip, enhance):
    """Players guess it by the number of lines; enlarged over 720 lines, an untagged video would change its colours."""
    source = clip(size=(320, 240), frames=1, audio=None)
    assert clips.read_clip(source).stream["colorspace"] == 2
    assert enhance(source, scale=4)[1].stream["colorspace"] == 6


def test_pixels_that_are_not_square_stay_so(clip, enhance):
    source = clip(aspect=Fraction(16, 11), frames=2, audio=None)
    assert enhance(source)[1].stream["aspect"] == Fraction(16, 11)


def test_settings_are_written_into_the_file_unless_told_otherwise(clip, enhance):
    assert '"model": "lanczos"' in enhance(clip(frames=2))[1].metadata["comment"]
    assert "comment" not in enhance(clip(frames=2), "b.mp4", settings={"embed_settings": False})[1].metadata


def test_h265_is_tagged_as_apple_players_know_it(clip, enhance):
    assert enhance(clip(frames=2), codec="h265")[1].stream["tag"] == "hvc1"


def test_a_real_recording_keeps_frames_times_and_sound(enhance):
    source = shared("samples", "video", "onepiece_demo.mp4")
    before = clips.read_clip(source)
    result, after = enhance(source, scale=1, quality=60)
    assert result.frames == len(before.times) == 181
    assert after.times == before.times and after.audio == before.audio
    assert levels(after.pixels[90], before.pixels[90]) < 4


@pytest.mark.parametrize(
    ("options", "target", "words"),
    [
        ({"codec": "h264"}, "out.webm", "av1"),
        ({"codec": "av1"}, "out.mov", "mkv"),
        ({}, "out.xyz", ".mp4"),
    ],
)
def test_what_does_not_go_together_is_said_before_any_work(clip, enhance, tmp_path, options, target, words):
    with pytest.raises(InvalidSettingsError, match=words):
        enhance(clip(frames=2), target, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


@pytest.mark.parametrize(
    "values", [{"quality": 0}, {"codec": "mpeg2"}, {"start": 5, "end": 5}, {"smoothing": 2}, {"start": -1}]
)
def test_wrong_options_are_named(values):
    with pytest.raises(InvalidSettingsError, match=next(reversed(values))):
        VideoOptions.create(**values)
