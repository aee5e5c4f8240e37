"""A video job's life: ranges, cancelling, crashes, damaged files, repetition, flicker, clips, previews."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.imaging.upscaler import Upscaler
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, VideoProgress, enhance_video, enhance_video_direct, preview_video_frame
from engine.video.segments import SegmentStore
from engine.video.temporal import FlickerFilter
from tests import clips
from tests.conftest import REPOSITORY
from tests.waiting import LONG
from utils.errors import (
    BackendError,
    EmptyVideoError,
    InvalidVideoError,
    JobCancelled,
    NoVideoStreamError,
    OutputError,
    TruncatedVideoError,
    VideoTooLargeError,
)
from utils.files import temporary_for
from utils.video_files import VideoLimits, probe_video


class CancelAfter(JobControl):
    """Cancels itself once so many frames are done, and remembers what was reported."""

    def __init__(self, frames=10**9):
        super().__init__()
        self.reports = []
        self._frames = frames
        self.on_progress = self._note

    def _note(self, step):
        self.reports.append(step)
        if step.done >= self._frames:
            self.cancel()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(".realesrgan"))


# -- a part of the video -----------------------------------------------------------------------------------------------


def test_a_range_has_its_frames_and_its_sound_and_starts_at_zero(clip, enhance):
    source = clip(frames=50, audio="aac")
    before, after = clips.read_clip(source), enhance(source, start=0.4, end=1.2)[1]
    assert after.numbers == list(range(10, 30))
    assert after.times == [Fraction(number, 25) for number in range(20)]
    wanted = [(time - Fraction(2, 5), data) for time, data in before.audio if Fraction(2, 5) <= time < Fraction(6, 5)]
    assert [data for _, data in after.audio] == [data for _, data in wanted]
    assert all(abs(a - b) < Fraction(1, 48000) for (a, _), (b, _) in zip(after.audio, wanted, strict=True))


def test_containers_that_cannot_seek_are_read_from_the_beginning(clip, enhance):
    source = clip("in.flv", frames=50, options={"g": "10"}, audio="aac", time_base=Fraction(1, 1000))
    after = enhance(source, "out.mkv", start=0.4, end=1.2)[1]
    assert after.numbers == list(range(10, 30)) and len(after.audio) > 30


def test_chapters_are_cut_to_the_range(clip, enhance):
    source = clip(frames=50, chapters=[(0, 0.4, "One"), (0.4, 1, "Two"), (1, 2, "Three")], audio=None)
    after = enhance(source, start=0.6, end=1.0)[1]
    assert [(round(float(start), 3), round(float(end), 3), name) for start, end, name in after.chapters] == [
        (0.0, 0.4, "Two")
    ]


@pytest.mark.parametrize(
    ("name", "text", "cut"),
    [("in.mp4", (0.2, 1.0), 0.6), ("in.mkv", (0.2, 1.0), 0.6), ("in.mkv", (1.0, 15.0), 12.0)],
)
def test_a_subtitle_showing_where_the_range_begins_is_shown_for_the_rest_of_its_time(clip, enhance, name, text, cut):
    slow = {"rate": 1, "options": {"g": "1"}, "frames": 20} if cut > 2 else {"frames": 50}
    source = clip(name, subtitles=[(0.0, 0.1, "Over"), (*text, "Long"), (text[1] + 0.2, text[1] + 0.6, "Next")], **slow)
    _, after = enhance(source, f"out{Path(name).suffix}", start=cut)
    assert [(round(float(time), 2), words) for time, words in after.subtitles] == [
        (0.0, "Long"),
        (round(text[1] + 0.2 - cut, 2), "Next"),
    ]
    with av.open(str(source.with_name(f"out{source.suffix}"))) as file:
        first = next(packet for packet in file.demux(subtitles=0) if packet.size > 2)
        assert float(first.duration * first.time_base) == pytest.approx(text[1] - cut, abs=0.002)


def test_a_slow_part_of_a_film_of_changing_rate_is_not_called_cut_off(clip, enhance):
    quick, slow = range(0, 1000, 10), range(1000, 3000, 100)
    source = clip(stamps=[*quick, *slow], time_base=Fraction(1, 1000), audio=None)
    control = CancelAfter()
    result, _ = enhance(source, start=1.0, end=2.5, control=control)
    assert result.frames == 15 and not result.warnings
    assert {step.total for step in control.reports} == {15}


def test_a_range_that_a_cut_off_file_does_not_hold_is_told(clip, enhance, tmp_path):
    whole = clip(frames=60, container={"movflags": "+faststart"}, options={"g": "10", "crf": "1"}, audio=None)
    path = tmp_path / "half.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    result, _ = enhance(path, start=0.4)
    assert any("cut off" in warning for warning in result.warnings)


def test_a_range_behind_the_end_is_an_error(clip, enhance):
    with pytest.raises(EmptyVideoError, match="range"):
        enhance(clip(), start=90)


# -- stopping and going on ---------------------------------------------------------------------------------------------


def test_cancelling_keeps_a_playable_file_with_its_sound_and_the_same_call_goes_on(clip, enhance, tmp_path):
    source = clip(frames=40)
    before = clips.read_clip(source)
    result, after = enhance(source, control=CancelAfter(20), segment_frames=8)
    assert not result.complete and 20 <= result.frames < 40
    assert after.numbers == list(range(result.frames)) and after.times == before.times[: result.frames]
    end = Fraction(result.frames, 25)
    assert after.audio == [(time, data) for time, data in before.audio if time < end]
    assert "goes on from there" in result.warnings[-1] and leftovers(tmp_path)

    again, whole = enhance(source, segment_frames=8)
    assert again.complete and again.resumed_frames == result.frames
    assert whole.numbers == list(range(40)) and whole.times == before.times and whole.audio == before.audio
    assert leftovers(tmp_path) == []


def test_cancelling_without_resuming_leaves_only_the_file(clip, enhance, tmp_path):
    result, after = enhance(clip(frames=30), control=CancelAfter(9), segment_frames=8, resume=False)
    assert not result.complete and after.numbers == list(range(result.frames)) and leftovers(tmp_path) == []


def test_cancelling_before_the_first_frame_writes_nothing(clip, enhance, tmp_path):
    control = JobControl()
    control.cancel()
    with pytest.raises(JobCancelled):
        enhance(clip(), model="tiny-x4", control=control)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


CRASHING = """
import os, sys
from dataclasses import dataclass
from pathlib import Path
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, enhance_video
from engine.model_manager import ModelManager
from tests.conftest import Limits
def kill(step):
    if step.done == 21:
        os.kill(os.getpid(), 9)
manager = ModelManager({}, sys.argv[3], bundled_dir=None, optimize=False, device="cpu")
enhance_video(sys.argv[1], sys.argv[2], EnhanceSettings.create(model="lanczos", scale=2),
    VideoOptions.create(speed="fast", quality=90, segment_frames=8), manager=manager, config=Limits(Path(".")),
    control=JobControl(kill))
"""


def test_a_killed_run_goes_on_from_its_last_finished_segment(clip, enhance, weights, tmp_path):
    source, output = clip(frames=40), tmp_path / "out.mp4"
    before = clips.read_clip(source)
    command = [sys.executable, "-c", CRASHING, str(source), str(output), str(weights)]
    killed = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, timeout=LONG)
    assert killed.returncode == -signal.SIGKILL and not output.exists() and leftovers(tmp_path)

    result, after = enhance(source, segment_frames=8)
    assert result.resumed_frames == 16
    assert after.numbers == list(range(40)) and after.times == before.times and after.audio == before.audio
    assert leftovers(tmp_path) == []


def test_other_settings_do_not_take_over_finished_segments(clip, enhance):
    source = clip(frames=30)
    assert not enhance(source, "first.mp4", control=CancelAfter(10), segment_frames=8)[0].complete
    other = enhance(source, "other.mp4", segment_frames=8, scale=3)[0]
    assert other.resumed_frames == 0 and other.frames == 30


def test_another_file_of_the_same_model_name_does_not_take_over_finished_segments(clip, config, weights, tmp_path):
    source, target, own = clip(frames=30), tmp_path / "out.mp4", tmp_path / "own"
    own.mkdir()

    def enhance_with(name, control=None):
        shutil.copy(weights / name, own / "mine.pth")
        manager = ModelManager({}, own, bundled_dir=None, optimize=False, device="cpu")
        settings, options = EnhanceSettings.create(model="mine", scale=2), VideoOptions.create(segment_frames=8)
        try:
            return enhance_video(source, target, settings, options, manager=manager, config=config, control=control)
        finally:
            manager.close()

    assert not enhance_with("tiny-x4.pth", CancelAfter(9)).complete
    target.unlink()
    other = enhance_with("neutral-x4.pth")
    assert other.resumed_frames == 0 and other.frames == 30


def test_a_segment_that_was_damaged_since_is_made_again(clip, enhance, tmp_path):
    source = clip(frames=30)
    assert enhance(source, control=CancelAfter(20), segment_frames=8)[0].frames >= 20
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    (folder / "000001.mp4").write_bytes(b"damaged")
    result, after = enhance(source, segment_frames=8)
    assert result.resumed_frames == 8 and after.numbers == list(range(30))


def test_two_runs_of_the_same_work_do_not_meet(tmp_path):
    with SegmentStore(tmp_path, "key"), pytest.raises(OutputError, match="already"):
        SegmentStore(tmp_path, "key")
    assert leftovers(tmp_path) == []


def test_a_file_that_a_killed_run_was_putting_together_goes_with_the_next(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    going = temporary_for(tmp_path / "film.mp4")
    left = going.with_name(going.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    going.touch()
    left.touch()
    with SegmentStore(tmp_path, "key"):
        assert going.exists() and not left.exists()


def test_parts_that_nobody_went_on_with_are_removed_after_a_week(clip, enhance, tmp_path):
    old = tmp_path / ".realesrgan-video-0123"
    old.mkdir()
    (old / "000000.mp4").write_bytes(b"x")
    week_ago = time.time() - 8 * 24 * 3600
    os.utime(old / "000000.mp4", (week_ago, week_ago))
    os.utime(old, (week_ago, week_ago))
    enhance(clip(frames=2))
    assert not old.exists()


def test_an_existing_output_is_safe(clip, enhance, tmp_path):
    source = clip(frames=2)
    (tmp_path / "out.mp4").write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists"):
        enhance(source)
    assert (tmp_path / "out.mp4").read_bytes() == b"precious"
    assert enhance(source, overwrite=True)[0].frames == 2
    with pytest.raises(OutputError, match="own input"):
        enhance(source, "in.mp4", overwrite=True)


# -- what files can be like --------------------------------------------------------------------------------------------


def test_an_empty_file(tmp_path, enhance):
    path = tmp_path / "empty.mp4"
    path.touch()
    with pytest.raises(EmptyVideoError, match="empty.mp4' is empty"):
        enhance(path)


def test_a_file_without_its_index_is_called_cut_off(clip, enhance, tmp_path):
    path = tmp_path / "half.mp4"
    path.write_bytes(clip(frames=30).read_bytes()[:6000])
    with pytest.raises(TruncatedVideoError, match="cut off"):
        enhance(path)


def test_sound_alone_is_no_video(tmp_path, enhance):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as file:
        clips._write_tone(file, file.add_stream("aac", rate=48000, layout="mono"), 0.3)
    with pytest.raises(NoVideoStreamError, match="no video .only audio"):
        enhance(path)


RANDOM = np.random.default_rng(3).bytes(64)


@pytest.mark.parametrize("content", [b"no video at all, only words" * 50, b"\x00" * 4096, RANDOM])
def test_other_files_are_refused(tmp_path, enhance, content):
    path = tmp_path / "strange.mp4"
    path.write_bytes(content)
    with pytest.raises(InvalidVideoError, match=r"strange\.mp4"):
        enhance(path)


def test_a_missing_file(tmp_path, enhance):
    with pytest.raises(InvalidVideoError, match="no file"):
        enhance(tmp_path / "nothing.mp4")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (VideoLimits(max_bytes=1000), "MAX_VIDEO_MB"),
        (VideoLimits(max_seconds=0.1), "MAX_VIDEO_MINUTES"),
        (VideoLimits(max_pixels=100), "64x48"),
    ],
)
def test_limits_are_checked_first(clip, limits, words):
    with pytest.raises(VideoTooLargeError, match=words):
        probe_video(clip(), limits)


def test_a_file_that_is_cut_off_behind_its_index_gives_what_it_holds(clip, enhance, tmp_path):
    whole = clip(frames=60, container={"movflags": "+faststart"}, options={"g": "10", "crf": "1"}, audio=None)
    path = tmp_path / "half.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    result, after = enhance(path)
    assert 20 < result.frames < 60 and after.numbers[:20] == list(range(20))
    assert any("cut off" in warning for warning in result.warnings)


@pytest.mark.parametrize(("damaged", "shows"), [(5, 4), (11, 10), (0, 1)])
def test_a_frame_that_cannot_be_decoded_repeats_its_neighbour_and_is_not_dropped(
    clip, enhance, tmp_path, damaged, shows
):
    source = clip("in.mkv", codec="mjpeg", pixel_format="yuvj420p", frames=12, audio=None)
    with av.open(str(source)) as file:
        packet = [bytes(packet) for packet in file.demux(video=0) if packet.size][damaged]
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(source.read_bytes().replace(packet, bytes(len(packet))))
    result, after = enhance(broken, "out.mkv")
    assert after.times == clips.read_clip(source).times and result.frames == 12
    assert after.numbers == [shows if number == damaged else number for number in range(12)]
    assert result.repaired == 1 and any("could not be decoded" in warning for warning in result.warnings)


def test_damaged_sound_and_picture_in_a_broadcast_still_give_a_whole_file(clip, enhance, tmp_path):
    source = clip("in.ts", frames=150, options={"g": "10", "crf": "1"}, time_base=Fraction(1, 90000))
    data = bytearray(source.read_bytes())
    for place in range(len(data) // 8, len(data) * 7 // 8, 3001):
        data[place : place + 60] = bytes(60)
    broken = tmp_path / "broken.ts"
    broken.write_bytes(data)
    result, after = enhance(broken, "out.mp4")
    assert result.complete and len(after.times) == result.frames >= 140
    assert len(after.audio) > 200 and after.times == sorted(set(after.times))


# -- when the network fails --------------------------------------------------------------------------------------------


def test_a_frame_that_the_network_fails_on_is_enlarged_plainly(clip, enhance, monkeypatch):
    through, calls = Upscaler._through_network, []

    def sometimes(self, window):
        calls.append(1)
        if len(calls) == 4:
            raise RuntimeError("the device hiccuped")
        return through(self, window)

    monkeypatch.setattr(Upscaler, "_through_network", sometimes)
    result, after = enhance(clip(frames=8, audio=None), model="tiny-x4", scale=4)
    assert after.numbers == list(range(8)) and result.fallbacks == 1
    assert any("1 frames" in warning for warning in result.warnings)


def test_a_network_that_never_works_is_an_error(clip, enhance, monkeypatch, tmp_path):
    def never(self, window):
        raise RuntimeError("broken")

    monkeypatch.setattr(Upscaler, "_through_network", never)
    with pytest.raises(BackendError, match="broken"):
        enhance(clip(), model="tiny-x4", scale=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


# -- repetition and flicker --------------------------------------------------------------------------------------------


def test_repeated_frames_are_enhanced_once_and_all_written(clip, enhance, monkeypatch):
    """Drawn animation shows each drawing two or three times."""
    calls, through = [], Upscaler._through_network
    monkeypatch.setattr(Upscaler, "_through_network", lambda self, w: (calls.append(1), through(self, w))[1])

    def twos(number, width, height):
        return clips.numbered_frame(number // 2, width, height)

    source = clip("in.mkv", codec="ffv1", pixel_format="bgr0", frames=12, draw=twos, audio=None)
    result, after = enhance(source, "out.mkv", model="tiny-x4", scale=4)
    assert result.duplicates == 6 and len(calls) == 6
    assert after.numbers == [number // 2 for number in range(12)] and after.times == clips.read_clip(source).times

    calls.clear()
    result, _ = enhance(source, "all.mkv", model="tiny-x4", scale=4, skip_duplicates=False)
    assert result.duplicates == 0 and len(calls) == 12


def test_a_slow_fade_is_no_repetition(clip, enhance):
    def fade(number, width, height):
        """Half a level brighter a frame: too little to see from one frame to the next."""
        checks = np.indices((height, width)).sum(axis=0) % 2 * 0.5
        return np.repeat((100 + number / 2 + checks)[..., None], 3, axis=2).astype(np.uint8)

    source = clip("in.mkv", codec="ffv1", pixel_format="bgr0", frames=40, draw=fade, audio=None)
    _, after = enhance(source, "out.mkv", quality=100)
    assert after.pixels[-1].mean() == pytest.approx(119, abs=1.5)


def test_smoothing_calms_flicker_and_leaves_motion_alone():
    rng = np.random.default_rng(0)
    source = np.full((40, 60, 3), 120, np.uint8)
    calm = FlickerFilter(0.8)
    first = calm.apply(source, rng.normal(128, 10, (80, 120, 3)).clip(0, 255).astype(np.uint8))
    spread = [float(first.std())]
    for _ in range(8):
        noisy = rng.normal(128, 10, (80, 120, 3)).clip(0, 255).astype(np.uint8)
        spread.append(float(calm.apply(source, noisy).std()))
    assert spread[-1] < spread[0] / 2
    moved = source.copy()
    moved[10:30, 20:40] = 220
    result = np.full((80, 120, 3), 50, np.uint8)
    after = calm.apply(moved, result)
    assert (after[24:56, 44:76] == 50).all(), "what moved must be the new frame alone"
    assert after[70:, 100:].mean() > 90, "what stood still is mixed"


def test_smoothing_of_a_whole_video_changes_its_result(clip, enhance):
    noise = np.random.default_rng(0).integers(-12, 12, (10, 48, 64, 3))

    def still(number, width, height):
        return np.clip(clips.numbered_frame(0, width, height).astype(int) + noise[number], 0, 255).astype(np.uint8)

    source = clip("in.mkv", codec="ffv1", pixel_format="bgr0", frames=10, draw=still, audio=None)
    plain, calm = (enhance(source, f"{name}.mkv", smoothing=name, quality=100)[1] for name in (0.0, 0.8))

    def flicker(one):
        return np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(one.pixels[4:], one.pixels[5:], strict=False)])

    assert flicker(calm) < flicker(plain) * 0.7


# -- clips, previews, progress, scripts --------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "step"), [("gif", 10), ("webp", 1)])
def test_short_clips_become_animated_pictures_with_their_time(clip, enhance, manager, config, tmp_path, suffix, step):
    from PIL import Image

    source = clip(frames=9, rate=24, time_base=Fraction(1, 24), audio=None)
    target = tmp_path / f"clip.{suffix}"
    result = enhance_video(
        source, target, EnhanceSettings.create(model="lanczos", scale=2), manager=manager, config=config
    )
    with Image.open(target) as image:
        assert image.n_frames == 9 and image.size == (128, 96)
        durations, numbers = [], []
        for index in range(9):
            image.seek(index)
            numbers.append(clips.number_of(np.asarray(image.convert("RGB"))))
            durations.append(image.info["duration"])
    assert numbers == list(range(9))
    assert abs(sum(durations) - 375) <= step and max(durations) - min(durations) <= step
    assert result.frames == 9 and result.codec == suffix


def test_cancelling_an_animated_picture_keeps_what_is_done(clip, manager, config, tmp_path):
    from PIL import Image

    control = CancelAfter(5)
    result = enhance_video(
        clip(frames=30),
        tmp_path / "clip.gif",
        EnhanceSettings.create(model="lanczos", scale=1),
        manager=manager,
        config=config,
        control=control,
    )
    with Image.open(tmp_path / "clip.gif") as image:
        assert not result.complete and image.n_frames == result.frames < 30


def test_a_preview_shows_the_frame_of_that_moment(clip, manager, config):
    source = clip(frames=50, audio=None)
    settings = EnhanceSettings.create(model="tiny-x4")
    shown = preview_video_frame(source, 1.2, settings, manager=manager, config=config)
    assert shown.seconds == pytest.approx(1.2) and shown.model == "tiny-x4"
    assert clips.number_of(shown.before.pixels) == clips.number_of(shown.after.pixels) == 30
    assert shown.after.size == (256, 192)
    assert (
        clips.number_of(preview_video_frame(source, 99, settings, manager=manager, config=config).before.pixels) == 49
    )


def test_progress_counts_frames_and_tells_speed_and_time_left(clip, enhance):
    control = CancelAfter()
    enhance(clip(frames=20), control=control)
    steps = control.reports
    assert [step.done for step in steps[:-1]] == list(range(21)) and all(step.total == 20 for step in steps)
    assert all(isinstance(step, VideoProgress) for step in steps)
    assert steps[-1].fraction == 1.0 and steps[10].fps > 0 and steps[10].eta_seconds > 0


def test_one_call_for_scripts(clip, manager, config):
    source = clip(frames=5)
    path, given, status, metrics = enhance_video_direct(
        source, "lanczos", 2, model_manager=manager, config=config, video_options=VideoOptions.create(codec="h265")
    )
    assert given == str(source) and Path(path).name == "in_x2.mp4" and Path(path).is_file()
    assert metrics["frames"] == 5 and metrics["codec"] == "h265" and "5 frames" in status


def test_two_calls_at_once_choose_two_names(clip, manager, config):
    """The second begins while the first is under way: nothing stands under the first name yet."""
    source, paths, begun = clip(frames=5), [], []

    def call(quality, progress=None):
        options = VideoOptions.create(quality=quality)
        shared = {"model_manager": manager, "config": config, "video_options": options}
        paths.append(enhance_video_direct(source, "lanczos", 2, progress=progress, **shared))

    call(80, lambda step: begun or (begun.append(step), call(60)))
    assert {Path(path).name for path, *_ in paths} == {"in_x2.mp4", "in_x2-2.mp4"}
    assert len({Path(path) for path, *_ in paths}) == len(list(config.output_dir.glob("*"))) == 2


def test_frames_in_flight_are_bounded(clip, enhance, monkeypatch):
    """However slow the encoder is, the reader waits for it."""
    from engine.video import encoder, reader

    read, written, most = [], [], []
    to_pixels, add = reader.to_pixels, encoder.SegmentWriter.add

    def counted(frame, info):
        read.append(1)
        return to_pixels(frame, info)

    def slow(self, pixels, stamp, duration):
        time.sleep(0.02)
        most.append(len(read) - len(written))
        written.append(1)
        add(self, pixels, stamp, duration)

    monkeypatch.setattr(reader, "to_pixels", counted)
    monkeypatch.setattr(encoder.SegmentWriter, "add", slow)
    result, _ = enhance(clip(frames=60, audio=None))
    assert result.frames == 60 and max(most) <= 8


# -- how long the next one will take -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "scale", "learnt"), [(12, 2, True), (4, 2, False), (12, 8, False)], ids=["film", "too short", "twice"]
)
def test_a_film_tells_how_fast_its_network_is_where_each_frame_went_through_it_once(
    clip, config, weights, tmp_path, frames, scale, learnt
):
    film, settings = clip(frames=frames), EnhanceSettings.create(model="tiny-x4", scale=scale)
    manager = ModelManager({}, weights, bundled_dir=None, cache_dir=tmp_path / "cache", device="cpu", optimize=False)
    with closing(manager):
        options = VideoOptions.create(skip_duplicates=False)
        result = enhance_video(film, tmp_path / "out.mp4", settings, options, manager=manager, config=config)
        info = manager.info("tiny-x4")
        known = manager.speeds.get(info.architecture, info.parameters, info.scale, "cpu")
    assert (known is not None) is learnt
    if learnt:
        width, height = result.input_size
        busy = result.network_share * result.timings.inference  # that time went on a little after the last frame
        assert known == pytest.approx(busy / (frames * width * height / 1e6), rel=0.3)
