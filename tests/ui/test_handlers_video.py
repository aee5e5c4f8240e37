"""What the Video tab says and does, without a browser."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from engine.processor import enhance_file
from engine.storage.output_names import reserved
from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, VideoProgress, enhance_video
from tests import clips
from ui.handlers import video, video_frames
from ui.strings import words_in
from ui.upload_cache import CachedUpload
from utils import image_io
from utils.errors import InvalidSettingsError, InvalidVideoError, JobCancelled, OutputError
from utils.picture import Picture
from utils.video_files import probe_video
from utils.writers import SaveOptions

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
    "deinterlace": "auto",
    "skip_duplicates": True,
    "audio": True,
    "subtitles": False,
    "color_match": True,
    "denoise_strength": None,
    "tile": None,
    "pictures": None,
    "rate": 24,
}


def test_the_form_becomes_settings_and_options():
    settings, options = video.make_values(FORM)
    assert (settings.model, settings.mode, settings.scale, settings.tile) == ("tiny-x4", "best", 2, 0)
    assert (options.codec, options.quality, options.start, options.end) == ("h265", 70, 1.0, None)
    assert (options.smoothing, options.copy_subtitles) == (0.2, False)
    assert [
        video.make_values({**FORM, "denoise_strength": typed})[0].denoise_strength
        for typed in ("", " 0,5", "0.25", None)
    ] == [None, 0.5, 0.25, None]
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
    another = f"{Path(name).stem}-2{Path(name).suffix}"
    with (
        video.target_of(Path(source), tmp_path, settings, kind) as first,
        video.target_of(Path(source), tmp_path, settings, kind) as second,
    ):
        assert (first, second) == (tmp_path / name, tmp_path / another), "none of them is written yet"
        first.touch()
    with video.target_of(Path(source), tmp_path, settings, kind) as third:
        assert third == tmp_path / another


@pytest.fixture
def preview(tmp_path, manager, config):
    """One frame before and after: (path, seconds, settings, options)."""
    enhance, folder = partial(enhance_file, manager=manager, config=config), tmp_path / "session"
    given = {"manager": manager, "folder": folder, "config": config, "control": JobControl(), "words": words_in("en")}
    return partial(video.preview_frame, enhance=enhance, **given)


def test_a_preview_is_made_by_what_enhances_pictures_and_says_how_long_all_will_take(tmp_path, preview):
    path = clips.make_clip(tmp_path / "in.mp4", frames=50, audio=None)
    settings, options = video.make_values({**FORM, "model": "auto", "from": "", "to": "1"})
    shown = preview(str(path), 1.2, settings, options)
    assert all(Path(one).is_file() for one in (shown.view.before, shown.view.after))
    assert (shown.view.width, shown.view.height, shown.view.input_width) == (128, 96, 64)
    assert "The frame at 1.2 s: 128 × 96 pixels" in shown.sentence and "(25 frames) will take about" in shown.sentence


@pytest.mark.parametrize(("way", "whole"), [("auto", True), ("off", False)])
def test_a_preview_of_an_interlaced_film_is_as_the_film_will_be(tmp_path, preview, way, whole):
    path = clips.make_clip(tmp_path / "in.mkv", size=(320, 256), draw=clips.woven_frame, audio=None)
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    preview(str(path), 0.2, settings, VideoOptions.create(deinterlace=way))
    before = image_io.load(next((tmp_path / "session" / "previews").glob("*-before.png"))).pixels
    assert (clips.combed_share(before) < clips.COMBED_SHARE / 4) is whole


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


def numbered(folder, count=4, name="shot_{:03d}.png"):
    """Uploads as Gradio keeps them: each in a folder of its own."""
    paths = []
    for number in range(count):
        path = folder / f"upload-{number}" / name.format(number)
        path.parent.mkdir(parents=True)
        image_io.save(Picture(clips.numbered_frame(number)), path, SaveOptions("png"))
        paths.append(str(path))
    return paths


def test_uploaded_pictures_are_one_film_and_frames_come_back_in_an_archive(tmp_path, config, manager):
    import zipfile

    uploads = numbered(tmp_path)
    values = {**FORM, "model": "lanczos", "from": "", "pictures": uploads, "rate": 12.5, "kind": "png"}
    settings, options = video.make_values(values)
    assert options.rate == 12.5 and video.make_values({**FORM, "rate": 30})[1].rate is None
    folder = tmp_path / "session"
    name, pictures = video_frames.dropped(None, values)
    upload = CachedUpload.keep(name, folder, pictures=pictures)
    info = video.look_at(str(upload.path), config, options)
    assert "12.5" in video.describe(info, words_in("en")) and info.frames == 4
    with video.target_of(upload.path, folder, settings, "png", options) as target:
        pass
    with video.target_of(upload.path, folder, settings, "png", options) as again:
        assert target == again, "what was cancelled is gone on with"
    made = enhance_video(upload.path, target, settings, options, manager=manager, config=config)
    upload.release()
    assert not upload.path.exists() and all(Path(path).exists() for path in uploads)
    with reserved(folder / "shot_x2_frames.zip"):  # another film of that name is being packed
        cancelled = video_frames.packed(replace(made, complete=False), folder)
    assert cancelled.output_path.name == "shot_x2_frames-2.zip"
    result = video_frames.packed(made, folder)
    with zipfile.ZipFile(result.output_path) as archive:
        assert archive.namelist() == [f"{number:06d}.png" for number in range(4)]
        assert clips.number_of(image_io.load(archive.read("000003.png")).pixels) == 3
    assert result.output_path.name == "shot_x2_frames.zip" and result.bytes == result.output_path.stat().st_size
    assert not target.parent.exists(), "the frames are in the archive alone"
    page = video.player(result, words_in("en"))
    assert "shot_x2_frames.zip" in page and "<video" not in page and "play" not in page
    assert "4 frames" in video.summary(result, words_in("en"))


def test_films_stay_as_they_are_and_pictures_of_one_name_are_refused(tmp_path, config, manager):
    film = clips.make_clip(tmp_path / "in.mp4", frames=3)
    made = enhance_video(
        film,
        tmp_path / "out.mp4",
        *video.make_values({**FORM, "model": "lanczos", "from": ""}),
        manager=manager,
        config=config,
    )
    assert video_frames.packed(made, tmp_path) is made
    with pytest.raises(InvalidVideoError, match="called '1.png'"):
        video_frames.dropped(None, {"pictures": numbered(tmp_path / "same", 2, "1.png")})
    assert video_frames.dropped(None, {"pictures": None}) is None
