"""What the Video tab says and does, without a browser."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import pytest

from engine.processor import enhance_file
from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, VideoProgress, enhance_video
from tests import clips
from ui.handlers import video
from ui.strings import words_in
from utils.errors import InvalidSettingsError, InvalidVideoError, JobCancelled, OutputError
from utils.video_files import probe_video

FORM = {
    "model": "tiny-x4",
    "scale": 2,
    "kind": "same",
    "codec": "h265",
    "quality": 70,
    "from": "0:01",
    "to": "",
    "speed": "fast",
    "mode": "best",
    "smoothing": 0.2,
    "skip_duplicates": True,
    "audio": True,
    "subtitles": False,
    "color_match": True,
    "denoise_strength": None,
    "tile": None,
}


def test_the_form_becomes_settings_and_options():
    settings, options = video.make_values(FORM)
    assert (settings.model, settings.mode, settings.scale, settings.tile) == ("tiny-x4", "best", 2, 0)
    assert (options.codec, options.quality, options.start, options.end) == ("h265", 70, 1.0, None)
    assert (options.smoothing, options.copy_subtitles) == (0.2, False)
    with pytest.raises(InvalidSettingsError, match="end must come after"):
        video.make_values({**FORM, "to": "0.5"})


@pytest.mark.parametrize(("language", "words"), [("en", "no sound"), ("de", "ohne Ton")])
def test_facts_are_told_in_both_languages(tmp_path, config, language, words):
    path = clips.make_clip(tmp_path / "in.mp4", frames=5, audio=None)
    text = video.describe(video.look_at(str(path), config), words_in(language))
    assert text.startswith("64 × 48") and words in text and "H264" in text


def test_a_bad_upload_is_an_error_and_none_is_none(tmp_path, config):
    (tmp_path / "bad.mp4").write_text("words")
    assert video.look_at(None, config) is None
    with pytest.raises(InvalidVideoError):
        video.look_at(str(tmp_path / "bad.mp4"), config)


@pytest.mark.parametrize(
    ("source", "kind", "name"),
    [
        ("a.mp4", "same", "a_x2.mp4"),
        ("a.mp4", "gif", "a_x2.gif"),
        ("a.avi", "same", "a_x2.mkv"),
        ("a.mp4", "mkv", "a_x2.mkv"),
    ],
)
def test_results_get_names_of_their_own(tmp_path, source, kind, name):
    settings = EnhanceSettings.create(scale=2)
    assert video.target_of(Path(source), tmp_path, settings, kind) == tmp_path / name
    (tmp_path / name).touch()
    assert video.target_of(Path(source), tmp_path, settings, kind) != tmp_path / name


def test_a_preview_is_made_by_what_enhances_pictures_and_says_how_long_all_will_take(tmp_path, manager, config):
    path = clips.make_clip(tmp_path / "in.mp4", frames=50, audio=None)
    settings, options = video.make_values({**FORM, "model": "auto", "from": "", "to": "1"})
    shown = video.preview_frame(
        str(path),
        1.2,
        settings,
        options,
        enhance=partial(enhance_file, manager=manager, config=config),
        manager=manager,
        folder=tmp_path / "session",
        config=config,
        control=JobControl(),
        words=words_in("en"),
    )
    assert all(Path(one).is_file() for one in shown.pair)
    assert "The frame at 1.2 s: 128 × 96 pixels" in shown.sentence and "(25 frames) will take about" in shown.sentence


def test_progress_counts_frames():
    words = words_in("en")
    assert video.progress_words(words, VideoProgress("Enhancing", 0, 240, 0.0)) == "Loading the model"
    step = VideoProgress("Enhancing", 12, 240, 0.05, 74.0, 3.1)
    assert video.progress_words(words, step) == "Frame 12 of 240, 3.10 a second, about 1 min 14 s left"
    assert video.progress_words(words, VideoProgress("Enhancing", 7, 0, 0.0, None, 2.0)) == "Frame 7, 2.00 a second"
    assert 'aria-valuenow="5"' in video.progress_bar(words, step)


def test_the_result_is_offered_as_the_file_itself(tmp_path, manager, config):
    path = clips.make_clip(tmp_path / "a 'b' <c>.mp4", frames=3, audio=None)
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    target = tmp_path / "out & 'x'.mkv"
    result = enhance_video(path, target, settings, VideoOptions.create(), manager=manager, config=config)
    shown = video.player(result, words_in("de"))
    assert "out%20%26%20%27x%27.mkv" in shown and "Ergebnis herunterladen" in shown
    assert "spielt diese Dateiart vielleicht nicht" in shown
    assert "**3 Bilder, 128 × 96 Pixel** mit lanczos" in video.summary(result, words_in("de"))
    assert probe_video(target).frames is not None


@pytest.mark.parametrize(("kind", "goes_on"), [("mkv", True), ("gif", False), ("webp", False)])
def test_only_what_can_be_gone_on_with_after_a_cancel_promises_it(tmp_path, manager, config, kind, goes_on):
    path = clips.make_clip(tmp_path / "in.mp4", frames=20, audio=None)
    control = JobControl(on_progress=lambda progress: progress.done >= 3 and control.cancel())
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    result = enhance_video(
        path, tmp_path / f"out.{kind}", settings, VideoOptions.create(), manager=manager, config=config, control=control
    )
    assert not result.complete
    assert ("to go on from there" in video.summary(result, words_in("en"))) is goes_on
    assert ("geht es dort weiter" in video.summary(result, words_in("de"))) is goes_on


def test_errors_become_sentences():
    words = words_in("en")
    assert "nothing was written" in video.sentence_of(JobCancelled("x"), words)
    assert video.sentence_of(OutputError("The disk is full."), words) == "**Not enhanced.** The disk is full."


def test_parts_of_films_that_nobody_went_on_with_are_swept(tmp_path):
    week_ago = time.time() - 8 * 86400
    for name in ("old", "young"):
        part = tmp_path / "session-a" / f".realesrgan-video-{name}" / "000000.mp4"
        part.parent.mkdir(parents=True)
        part.write_bytes(b"film")
        if name == "old":
            os.utime(part, (week_ago, week_ago))
    (tmp_path / "session-a" / "film_x2.mp4").write_bytes(b"result")
    os.utime(tmp_path / "session-a" / "film_x2.mp4", (week_ago, week_ago))
    video.sweep_parts(tmp_path)
    left = sorted(path.name for path in (tmp_path / "session-a").iterdir())
    assert left == [".realesrgan-video-young", "film_x2.mp4"]
