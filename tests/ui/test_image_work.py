"""The Image tab's work without a browser: runs, results, parts, comparisons, previews."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.face_detector import Face
from engine.face_restorer import FaceRestorer
from engine.processor import enhance_file
from engine.types import EnhanceSettings, JobControl
from tests.conftest import Limits
from ui import previews
from ui.handlers import image_html
from ui.handlers.image import ImageWork
from ui.samples import SAMPLES, sample_file
from ui.sessions import Session
from ui.strings import words_in
from utils import image_io
from utils.errors import InvalidImageError, JobCancelled

ENGLISH = words_in("en")
SETTINGS = EnhanceSettings(model="tiny-x4", scale=2, format="png")


@dataclass(frozen=True)
class WithHistory(Limits):
    history: bool = True
    database_url: str = ""
    data_dir: Path = Path()
    cache_dir: Path = Path()


@pytest.fixture
def config(tmp_path):
    return WithHistory(tmp_path / "outputs", data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")


@pytest.fixture
def work(config, manager):
    return ImageWork(config, manager, partial(enhance_file, manager=manager, config=config))


@pytest.fixture
def session(config):
    return Session("key", config.output_dir / "session-key")


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_a_run_is_the_engines_picture_judged_and_kept(work, session, photo, manager, config, tmp_path):
    work.open(session, photo)
    run = work.enhance(session, photo, SETTINGS, JobControl())
    enhance_file(photo, tmp_path / "direct.png", SETTINGS, manager=manager, config=config)
    assert (pixels(run.output_path) == pixels(tmp_path / "direct.png")).all()
    assert run.output_size == (240, 180) and "verdict" in run.metrics
    assert work.desk(session).current == run and [one.id for one in work.desk(session).runs] == [run.id]
    again = work.enhance(session, photo, SETTINGS, JobControl())
    assert again.output_path != run.output_path, "a second run must not replace the first result"


def test_results_are_there_after_the_program_was_started_again_and_only_for_their_browser(
    work, session, photo, config, manager
):
    run = work.enhance(session, photo, SETTINGS, JobControl())
    later = ImageWork(config, manager, partial(enhance_file, manager=manager, config=config))
    same, other = Session("key", session.folder), Session("other", config.output_dir / "session-other")
    assert [Path(one.output_path) for one in later.desk(same).runs] == [Path(run.output_path)]
    assert later.desk(other).runs == []


def test_the_same_picture_again_keeps_its_result_and_another_begins_anew(work, session, photo, tmp_path):
    work.open(session, photo)
    work.enhance(session, photo, SETTINGS, JobControl())
    (tmp_path / "up").mkdir()
    copy = tmp_path / "up" / photo.name
    copy.write_bytes(photo.read_bytes())
    assert work.open(session, copy) is None, "the page was refreshed: the same file comes under another path"
    assert work.desk(session).current is not None
    sample = sample_file("drawing", tmp_path)
    view = work.open(session, sample)
    assert view.after is None and (view.width, view.height) == (360, 270)


@pytest.mark.parametrize("first", [0.0, 0.4])
def test_fidelity_moves_after_the_run_as_if_it_had_been_set_before(work, session, photo, first):
    run = work.enhance(session, photo, SETTINGS.but(fidelity=first), JobControl())
    moved = work.readjust(session, run, fidelity=0.25)
    direct = work.enhance(session, photo, SETTINGS.but(fidelity=0.25), JobControl())
    assert np.abs(pixels(moved.output_path) - pixels(direct.output_path)).max() <= 1
    assert moved.settings["fidelity"] == 0.25


def test_moving_fidelity_back_gives_the_first_file_again(work, session, photo):
    run = work.enhance(session, photo, SETTINGS, JobControl())
    moved = work.readjust(session, run, fidelity=0.5)
    assert moved.output_path != run.output_path
    back = work.readjust(session, moved, fidelity=0.0)
    assert back.output_path == run.output_path and len(work.desk(session).runs) == 1


def test_fidelity_of_a_plain_enlargement_or_without_the_input_cannot_be_moved(work, session, photo):
    plain = work.enhance(session, photo, SETTINGS.but(model="lanczos"), JobControl())
    assert work.readjust(session, plain, fidelity=0.5) is None
    run = work.enhance(session, photo, SETTINGS, JobControl())
    photo.unlink()
    assert not work.can_readjust(run)


def test_fidelity_is_offered_only_while_restored_faces_are_remembered(work, session, photo, config):
    run = work.enhance(session, photo, SETTINGS.but(face_enhance=True), JobControl())
    assert work.can_readjust(run), "that there is no face is remembered too"
    for layer in (config.cache_dir / "faces").iterdir():
        layer.unlink()
    assert not work.can_readjust(run) and work.readjust(session, run, fidelity=0.5) is None


def test_a_part_is_what_the_whole_would_show_there(work, session, tmp_path):
    source = sample_file("page", tmp_path)
    part, view = work.region(session, source, (200, 140), SETTINGS, JobControl())
    assert part.box == (72, 12, 256, 256) and part.after.size == (512, 512) == (view.width, view.height)
    run = work.enhance(session, source, SETTINGS.but(color_match=False), JobControl())
    plain, _ = work.region(session, source, (200, 140), SETTINGS.but(color_match=False), JobControl())
    left, top, width, height = (2 * side for side in plain.box)
    inside = pixels(run.output_path)[top : top + height, left : left + width]
    assert np.abs(inside - plain.after.pixels.astype(int)).mean() < 0.5


def test_models_are_compared_on_the_same_part_and_a_failure_stays_its_own(work, session, photo):
    made = work.compare(session, photo, ["tiny-x4", "no-such-model", "lanczos"], SETTINGS, JobControl())
    assert [one.model for one in made] == ["", "tiny-x4", "no-such-model", "lanczos"]
    assert made[2].problem and Path(made[1].file).exists() and Path(made[3].file).exists()
    shown = image_html.compare_html(made, ENGLISH)
    assert shown.count("<figure>") == 4 and 'data-model="lanczos"' in shown


def test_a_cancelled_comparison_is_cancelled(work, session, photo):
    control = JobControl()
    control.cancel()
    with pytest.raises(JobCancelled):
        work.compare(session, photo, ["tiny-x4"], SETTINGS, control)


def test_the_estimate_names_the_outputs_size_and_refuses_what_is_too_large(work, photo):
    size, expected = work.estimate(photo, SETTINGS)
    assert size == (240, 180) and expected.seconds > 0
    assert "240 × 180 pixels" in image_html.estimate_html(size, expected, 10**12, ENGLISH)
    assert "free" in image_html.estimate_html(size, expected, 1, ENGLISH)


def test_findings_are_said_with_their_reasons(work, tmp_path):
    source = sample_file("landscape", tmp_path)
    said = image_html.advice_html(work.probe(source), work.recommend(source), ENGLISH)
    assert "480 × 320" in said and "JPEG quality 70" in said and "<li>" in said


def test_a_bad_file_is_an_engine_error(work, session, tmp_path):
    (tmp_path / "bad.png").write_text("no")
    with pytest.raises(InvalidImageError):
        work.open(session, tmp_path / "bad.png")


def test_previews_show_transparency_as_squares_and_other_files_as_they_are(tmp_path, scene, photo):
    alpha = tmp_path / "a.png"
    Image.fromarray(np.dstack([scene, np.zeros((90, 120), np.uint8)])).save(alpha)
    shown = image_io.load(previews.shown(alpha, tmp_path))
    assert shown.alpha is None and len(np.unique(shown.pixels)) == 2
    assert previews.shown(photo, tmp_path) == str(photo)
    tiff = tmp_path / "a.tif"
    Image.fromarray(scene).save(tiff)
    assert (image_io.load(previews.shown(tiff, tmp_path)).pixels == scene).all()


def test_a_pair_of_previews_has_one_size(tmp_path, photo, scene):
    Image.fromarray(scene).resize((480, 360)).save(tmp_path / "b.png")
    pair = previews.before_and_after(photo, tmp_path / "b.png", tmp_path)
    assert [Image.open(one).size for one in pair] == [(480, 360)] * 2


@pytest.mark.parametrize(
    ("settings", "before"),
    [
        ({"width": 100, "height": 100, "fit": "fill"}, (90, 90)),
        ({"width": 240, "height": 240, "fit": "pad"}, (120, 120)),
    ],
)
def test_before_lies_under_after_where_the_shape_was_changed(work, session, photo, settings, before):
    run = work.enhance(session, photo, SETTINGS.but(scale=None, **settings), JobControl())
    view = work.view(session, run)
    info = image_io.probe(Path(view.before))
    assert (info.width, info.height) == before


def test_names_from_outside_are_escaped(work, session, tmp_path, scene):
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    Image.fromarray(scene).save(path)
    run = work.enhance(session, path, SETTINGS, JobControl())
    small = {run.id: previews.thumbnail(Path(run.output_path), session.folder)}
    assert "<img src=x" not in image_html.history_html([run], run, small, ENGLISH)


def test_samples_are_drawn_the_same_every_time(tmp_path):
    for name in SAMPLES:
        first, second = sample_file(name, tmp_path / "1"), sample_file(name, tmp_path / "2")
        assert first.read_bytes() == second.read_bytes()
        assert max(Image.open(first).size) <= 480


class TwoFaces:
    """A detector that sees the same two faces in every picture."""

    def detect(self, rgb):
        marks = np.array([[30, 30], [50, 30], [40, 40], [32, 50], [48, 50]], np.float32)
        return (Face(20, 15, 40, 48, marks, 0.99), Face(80, 20, 30, 36, marks + (55, 0), 0.9))


def test_faces_are_numbered_and_a_click_keeps_or_skips_one(work, session, photo, manager):
    work._restorer = FaceRestorer(manager, TwoFaces())
    work.open(session, photo)
    settings = SETTINGS.but(face_enhance=True)
    assert [(box.number, box.on) for box in work.find_faces(session, photo, settings)] == [(1, True), (2, True)]
    assert work.with_faces(session, photo, settings) == settings, "nothing was chosen: the settings alone decide"
    assert [box.on for box in work.turn_face(session, photo, 2, settings)] == [True, False]
    assert [box.on for box in work.find_faces(session, photo, settings)] == [True, False]
    assert work.with_faces(session, photo, settings).face_keep == (1,)
    assert [box.on for box in work.turn_face(session, photo, 1, settings)] == [False, False]
    assert work.with_faces(session, photo, settings).face_skip == (1, 2), "all were turned off"
    assert work.with_faces(session, photo, SETTINGS) == SETTINGS
    page = sample_file("page", session.folder)
    work.open(session, page)
    assert work.with_faces(session, page, settings) == settings, "choices belong to their picture"
