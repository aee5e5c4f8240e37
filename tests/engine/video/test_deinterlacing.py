"""Frames whose lines belong to two moments become whole: found by flags and by combs, at the times they had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.imaging.context import JobContext
from engine.types import EnhanceSettings
from engine.video.decide import decide_video
from engine.video.deinterlace import Fields
from engine.video.fields import is_interlaced, upper_lines_first
from engine.video.frames_in import frame_at
from engine.video.options import VideoOptions
from engine.video.preview import preview_video_frame
from engine.video.reader import FrameReader
from tests.clips import COMBED_SHARE, combed_share, make_clip, moving_frame, telecined_frame, woven_frame
from utils.metrics import luma
from utils.opencv import cv2
from utils.video_files import probe_video

FIELDS_APART = {"flags": "+ildct+ilme", "x264-params": "tff=1"}
SIZE = (320, 256)


def frames_of(path, every: bool | None, **reading):
    info = probe_video(path)
    deinterlacer = None if every is None else Fields("every" if every else "flagged")
    return list(FrameReader(info, reading.get("start"), reading.get("end"), deinterlacer).frames())


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Interlaced and said so, interlaced and not said, progressive."""
    folder = tmp_path_factory.mktemp("fields")
    common = {"size": SIZE, "audio": None, "frames": 10}
    return {
        "flagged": make_clip(folder / "flagged.mkv", draw=woven_frame, options=FIELDS_APART, **common),
        "unflagged": make_clip(folder / "unflagged.mkv", draw=woven_frame, **common),
        "progressive": make_clip(folder / "progressive.mkv", draw=moving_frame, **common),
    }


def picture(seed: int, finest: float = 0.6) -> np.ndarray:
    """``(480, 640, 3) uint8``: shapes before clouds, sharp ones and soft ones, down to details of ``finest`` pixels."""
    random = np.random.default_rng(seed)
    drawn = np.full((480, 640, 3), 120.0)
    for blur, height in ((0.6, 10), (3, 60), (12, 90)):
        drawn += cv2.GaussianBlur(random.normal(0, 1, drawn.shape), (0, 0), blur) * blur * height
    for _ in range(25):
        place, size = random.integers(0, (640, 480)), random.integers(8, 60, 2)
        cv2.ellipse(drawn, place.tolist(), size.tolist(), 0, 0, 360, random.integers(20, 236, 3).tolist(), -1)
    soft = cv2.GaussianBlur(drawn, (0, 0), finest) if finest > 1 else drawn
    return np.clip(soft, 0, 255).astype(np.uint8)


def part(whole: np.ndarray, right: float = 0, down: float = 0) -> np.ndarray:
    """What a camera sees that moves over a picture by whole pixels."""
    x, y = round(right) + 100, round(down) + 60
    return whole[y : y + SIZE[1], x : x + SIZE[0]].copy()


def film(see, frames: int = 3) -> list[list[np.ndarray]]:
    """Frames in a row of what is seen at a moment, from one place of a film."""
    return [[see(float(number)) for number in range(frames)]]


def interlaced(see, lower_first: bool = False) -> list[list[np.ndarray]]:
    """The same with the other lines half a frame later."""

    def frame(moment):
        woven = see(moment)
        woven[int(not lower_first) :: 2] = see(moment + 0.5)[int(not lower_first) :: 2]
        return woven

    return film(frame)


def test_every_pan_of_two_moments_is_found_be_it_a_pixel_a_field_or_twelve():
    for seed in range(5):
        whole = picture(seed)
        for speed in (1, 2, 4, 8, 12):
            for lower_first in (False, True):
                seen = interlaced(lambda t, by=2 * speed, of=whole: part(of, by * t), lower_first)
                assert is_interlaced(seen), (seed, speed)
                assert upper_lines_first(seen) is not lower_first


def test_soft_pans_small_things_noise_and_telecine_are_found():
    for seed in range(5):
        soft, sharp = picture(seed, finest=4), picture(seed)
        random = np.random.default_rng(seed)

        def thing(moment, still=sharp):
            """A twentieth of the frame moves over a still ground."""
            seen, left = part(still), 60 + round(12 * moment)
            seen[100:170, left : left + 54] = still[:70, :54]
            return seen

        assert is_interlaced(interlaced(lambda t, of=soft: part(of, 6 * t))), seed
        assert is_interlaced(interlaced(thing)), seed
        assert not is_interlaced(film(thing)), seed
        (clean,) = interlaced(lambda t, of=sharp: part(of, 8 * t))
        noisy = [np.clip(frame + random.normal(0, 6, frame.shape), 0, 255).astype(np.uint8) for frame in clean]
        assert is_interlaced([noisy]), seed
    for first in range(5):
        assert is_interlaced(film(lambda t, by=first: telecined_frame(int(t) + by, *SIZE), 5)), first


def lines(period: int) -> np.ndarray:
    """Lines across the whole picture."""
    light = np.arange(480) % period < period / 2
    return np.where(light[:, None, None], 200, 40).astype(np.uint8).repeat(640, 1).repeat(3, 2)


def words() -> np.ndarray:
    """Thin letters, as titles that roll."""
    drawn = np.full((480, 640, 3), 16, np.uint8)
    for row in range(12, 480, 14):
        cv2.putText(drawn, "EFHTZ=- " * 9, (row % 9, row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (230, 230, 230))
    return drawn


def test_whole_frames_are_never_called_interlaced_however_fine_their_patterns_and_however_they_move():
    dither = np.where(np.indices((480, 640)).sum(0) % 2, 190, 60).astype(np.uint8)[..., None].repeat(3, 2)
    mixed = [(picture(seed) // 2 + lines(2 + seed) // 2) for seed in range(4)]
    doubled = picture(1)[::2, ::2].repeat(2, 0).repeat(2, 1)
    for number, whole in enumerate(
        (*map(picture, range(3)), *mixed, *map(lines, (2, 3, 4, 6)), words(), dither, doubled)
    ):
        for right, down in ((0, 0), (1, 0), (3, 0), (9, 0), (0, 1), (0, 2), (3, 3)):
            seen = film(lambda t, of=whole, x=right, y=down: part(of, x * t, y * t))
            assert not is_interlaced(seen), (number, right, down)


def test_noise_and_what_a_screen_does_to_lines_are_no_second_moment():
    for seed in range(3):
        whole, random = picture(seed), np.random.default_rng(seed)

        def noisy(moment, by, of=whole, grain=random):
            return np.clip(part(of, by * moment) + grain.normal(0, 12, (SIZE[1], SIZE[0], 1)), 0, 255).astype(np.uint8)

        def on_screen(moment, dark, light=0.0, of=whole):
            seen = part(of, 3 * moment) * (0.5 + light * moment)
            seen[::2] *= dark
            return seen.astype(np.uint8)

        for by in (0, 3):
            assert not is_interlaced(film(lambda t, by=by: noisy(t, by))), seed
        for dark in (0.96, 0.8, 0.3):
            assert not is_interlaced(film(lambda t, by=dark: on_screen(t, by))), seed
            assert not is_interlaced(film(lambda t, by=dark: on_screen(t, by, light=0.12))), "a film that grows lighter"


def test_deep_frames_are_judged_as_others_and_one_frame_or_none_tells_nothing():
    whole = picture(0)
    (eight,) = interlaced(lambda t: part(whole, 8 * t))
    assert is_interlaced([[frame.astype(np.uint16) * 257 for frame in eight]])
    assert not is_interlaced([eight[:1]] * 3) and not is_interlaced([[], []]) and not is_interlaced([])
    assert not is_interlaced([[frame[:2] for frame in eight]])


def test_a_film_that_stands_still_for_the_most_part_is_judged_by_what_moves():
    still = [moving_frame(0, *SIZE)] * 3
    (moving,) = interlaced(lambda t: moving_frame(t, *SIZE))
    assert is_interlaced([still, still, moving])
    assert not is_interlaced([still, still])
    whole = film(lambda t: moving_frame(t, *SIZE), 12)
    assert not is_interlaced([*whole, moving]), "two stray frames in a film of whole ones"


@pytest.mark.parametrize(("name", "every"), [("flagged", False), ("flagged", True), ("unflagged", True)])
def test_frames_become_whole_and_keep_their_number_and_times(clips, name, every):
    before, after = frames_of(clips[name], None), frames_of(clips[name], every)
    assert [(one.stamp, one.duration) for one in after] == [(one.stamp, one.duration) for one in before]
    assert min(combed_share(one.pixels) for one in before) > COMBED_SHARE
    assert max(combed_share(one.pixels) for one in after) < COMBED_SHARE / 4
    # Of two moments the first one's lines are kept; which ones these are, the file says ("bff" where it is flagged).
    moment = 0.5 if name == "flagged" else 0.0
    for number, frame in enumerate(after):
        assert np.abs(luma(frame.pixels) - luma(moving_frame(number + moment, *SIZE))).mean() < 0.6  # woven: 1.8


def test_what_is_not_called_interlaced_stays_where_the_file_tells_them_apart(clips):
    before, after = frames_of(clips["progressive"], None), frames_of(clips["progressive"], False)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_range_and_a_single_frame_are_those_of_the_whole(clips):
    whole = frames_of(clips["flagged"], True)
    part = frames_of(clips["flagged"], True, start=0.16, end=0.32)
    assert [one.stamp for one in part] == [one.stamp for one in whole[4:8]]
    for one, other in zip(part, whole[4:8], strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    info = probe_video(clips["flagged"])
    shown = frame_at(info, 0.2, Fields("every"))
    np.testing.assert_array_equal(shown.pixels, whole[5].pixels)


def test_going_on_after_a_frame_gives_what_reading_through_gives(clips):
    whole = frames_of(clips["flagged"], True)
    reader = FrameReader(probe_video(clips["flagged"]), None, None, Fields("every"))
    for one, other in zip(reader.frames(after=whole[3].stamp), whole[4:], strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize(
    ("name", "way", "whole", "words"),
    [
        ("flagged", "auto", True, "were made whole (bwdif)"),
        ("unflagged", "auto", True, "were made whole (bwdif)"),
        ("progressive", "auto", False, None),
        ("flagged", "off", False, "were left so"),
        ("unflagged", "off", False, None),
        ("progressive", "on", True, None),
    ],
)
def test_what_is_decided_and_said(clips, manager, config, name, way, whole, words):
    settings, options = EnhanceSettings.create(model="lanczos", scale=2), VideoOptions.create(deinterlace=way)
    task = decide_video(clips[name], Path("out.mkv"), settings, options, JobContext(manager, config))
    assert (task.deinterlacer is not None) is whole
    assert [words in warning for warning in task.warnings] == ([True] if words else [])


def test_a_film_of_one_frame_is_looked_at_as_well(manager, config, tmp_path):
    one = make_clip(tmp_path / "one.mp4", size=SIZE, audio=None, frames=1)
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    assert (
        decide_video(one, Path("out.mkv"), settings, VideoOptions.create(), JobContext(manager, config)).deinterlacer
        is None
    )


@pytest.mark.parametrize(("way", "whole"), [("auto", True), ("off", False)])
def test_a_preview_shows_what_the_film_will_be(clips, manager, config, way, whole):
    settings, options = EnhanceSettings.create(model="lanczos", scale=2), VideoOptions.create(deinterlace=way)
    shown = preview_video_frame(clips["unflagged"], 0.2, settings, options, manager=manager, config=config)
    assert (combed_share(shown.before.pixels) < COMBED_SHARE / 4) is whole


def test_a_film_is_enlarged_from_whole_frames(clips, enhance):
    _, after = enhance(clips["unflagged"])
    assert len(after.times) == 10 and max(map(combed_share, after.pixels)) < COMBED_SHARE / 4
    _, left = enhance(clips["unflagged"], "left.mp4", scale=1, deinterlace="off")
    assert max(map(combed_share, left.pixels)) > COMBED_SHARE
