"""The Image tab's service without a browser: runs, results, parts, comparisons, previews."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.face_restorer import FaceRestorer
from engine.faces.face import Face
from engine.processor import enhance_file
from engine.types import EnhanceSettings, JobControl
from tests.conftest import Limits
from ui import previews
from ui.handlers import image_html
from ui.handlers.image import ImageService
from ui.samples import SAMPLES, sample_clip, sample_file
from ui.strings import words_in
from ui.visitors import Visitor
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
def service(config, manager):
    return ImageService(config, manager, partial(enhance_file, manager=manager, config=config))


@pytest.fixture
def visitor(config):
    return Visitor("key", config.output_dir / "session-key")


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_a_run_is_the_engines_picture_judged_and_kept(service, visitor, photo, manager, config, tmp_path):
    service.open(visitor, photo)
    run = service.enhance(visitor, photo, SETTINGS, JobControl())
    enhance_file(photo, tmp_path / "direct.png", SETTINGS, manager=manager, config=config)
    assert (pixels(run.output_path) == pixels(tmp_path / "direct.png")).all()
    assert run.output_size == (240, 180) and "verdict" in run.metrics
    assert service.workspace(visitor).current == run and [one.id for one in service.workspace(visitor).runs] == [run.id]
    again = service.enhance(visitor, photo, SETTINGS, JobControl())
    assert again.output_path != run.output_path, "a second run must not replace the first result"


def test_results_are_there_after_the_program_was_started_again_and_only_for_their_browser(
    service, visitor, photo, config, manager
):
    run = service.enhance(visitor, photo, SETTINGS, JobControl())
    later = ImageService(config, manager, partial(enhance_file, manager=manager, config=config))
    same, other = Visitor("key", visitor.folder), Visitor("other", config.output_dir / "session-other")
    assert [Path(one.output_path) for one in later.workspace(same).runs] == [Path(run.output_path)]
    assert later.workspace(other).runs == []


def test_the_same_picture_again_keeps_its_result_and_another_begins_anew(service, visitor, photo, tmp_path):
    service.open(visitor, photo)
    service.enhance(visitor, photo, SETTINGS, JobControl())
    (tmp_path / "up").mkdir()
    copy = tmp_path / "up" / photo.name
    copy.write_bytes(photo.read_bytes())
    assert service.open(visitor, copy) is None, "the page was refreshed: the same file comes under another path"
    assert service.workspace(visitor).current is not None
    sample = sample_file("drawing", tmp_path)
    view = service.open(visitor, sample)
    assert view.after is None and (view.width, view.height) == (360, 270)


@pytest.mark.parametrize("first", [0.0, 0.4])
def test_fidelity_moves_after_the_run_as_if_it_had_been_set_before(service, visitor, photo, first):
    run = service.enhance(visitor, photo, SETTINGS.but(fidelity=first), JobControl())
    moved = service.readjust(visitor, run, fidelity=0.25)
    direct = service.enhance(visitor, photo, SETTINGS.but(fidelity=0.25), JobControl())
    assert np.abs(pixels(moved.output_path) - pixels(direct.output_path)).max() <= 1
    assert moved.settings["fidelity"] == 0.25


def test_moving_fidelity_back_gives_the_first_file_again(service, visitor, photo):
    run = service.enhance(visitor, photo, SETTINGS, JobControl())
    moved = service.readjust(visitor, run, fidelity=0.5)
    assert moved.output_path != run.output_path
    back = service.readjust(visitor, moved, fidelity=0.0)
    assert back.output_path == run.output_path and len(service.workspace(visitor).runs) == 1


def test_fidelity_of_a_plain_enlargement_or_without_the_input_cannot_be_moved(service, visitor, photo):
    plain = service.enhance(visitor, photo, SETTINGS.but(model="lanczos"), JobControl())
    assert service.readjust(visitor, plain, fidelity=0.5) is None
    run = service.enhance(visitor, photo, SETTINGS, JobControl())
    photo.unlink()
    assert not service.can_readjust(run)


def test_fidelity_is_offered_only_while_restored_faces_are_remembered(service, visitor, photo, config):
    run = service.enhance(visitor, photo, SETTINGS.but(face_enhance=True), JobControl())
    assert service.can_readjust(run), "that there is no face is remembered too"
    for layer in (config.cache_dir / "faces").iterdir():
        layer.unlink()
    assert not service.can_readjust(run) and service.readjust(visitor, run, fidelity=0.5) is None


def test_a_part_is_what_the_whole_would_show_there(service, visitor, tmp_path):
    source = sample_file("page", tmp_path)
    part, view = service.region(visitor, source, (200, 140), SETTINGS, JobControl())
    assert part.box == (72, 12, 256, 256) and part.after.size == (512, 512) == (view.width, view.height)
    run = service.enhance(visitor, source, SETTINGS.but(color_match=False), JobControl())
    plain, _ = service.region(visitor, source, (200, 140), SETTINGS.but(color_match=False), JobControl())
    left, top, width, height = (2 * side for side in plain.box)
    inside = pixels(run.output_path)[top : top + height, left : left + width]
    assert np.abs(inside - plain.after.pixels.astype(int)).mean() < 0.5


def test_models_are_compared_on_the_same_part_and_a_failure_stays_its_own(service, visitor, photo):
    made = service.compare(visitor, photo, ["tiny-x4", "no-such-model", "lanczos"], SETTINGS, JobControl())
    assert [one.model for one in made] == ["", "tiny-x4", "no-such-model", "lanczos"]
    assert made[2].problem and Path(made[1].file).exists() and Path(made[3].file).exists()
    shown = image_html.compare_html(made, ENGLISH)
    assert shown.count("<figure>") == 4 and 'data-model="lanczos"' in shown


def test_a_cancelled_comparison_is_cancelled(service, visitor, photo):
    control = JobControl()
    control.cancel()
    with pytest.raises(JobCancelled):
        service.compare(visitor, photo, ["tiny-x4"], SETTINGS, control)


def test_the_estimate_names_the_outputs_size_and_refuses_what_is_too_large(service, photo):
    size, expected = service.estimate(photo, SETTINGS)
    assert size == (240, 180) and expected.seconds > 0
    assert "240 × 180 pixels" in image_html.estimate_html(size, expected, 10**12, ENGLISH)
    assert "free" in image_html.estimate_html(size, expected, 1, ENGLISH)


def test_what_was_seen_is_said_with_its_certainty(service, tmp_path):
    source = sample_file("photograph", tmp_path)
    said = image_html.advice_html(service.probe(source), service.recommend(source), ENGLISH)
    assert "480 × 320" in said and "JPEG quality 70" in said and "% sure" in said


def test_doubt_is_no_verdict(service, photo):
    advice = service.recommend(photo)
    analysis = replace(advice.analysis, certain=False, subject="photograph or drawing")
    said = image_html.advice_html(service.probe(photo), replace(advice, analysis=analysis), ENGLISH)
    assert "<strong>Photograph or drawing</strong>, not sure" in said and "% sure" not in said


def test_a_bad_file_is_an_engine_error(service, visitor, tmp_path):
    (tmp_path / "bad.png").write_text("no")
    with pytest.raises(InvalidImageError):
        service.open(visitor, tmp_path / "bad.png")


def test_previews_show_transparency_as_squares_and_other_files_as_they_are(tmp_path, scene, photo):
    alpha = tmp_path / "a.png"
    Image.fromarray(np.dstack([scene, np.zeros((90, 120), np.uint8)])).save(alpha)
    shown = image_io.load(previews.shown(alpha, tmp_path))
    assert shown.alpha is None and len(np.unique(shown.pixels)) == 2
    assert previews.shown(photo, tmp_path) == str(photo)
    tiff = tmp_path / "a.tif"
    Image.fromarray(scene).save(tiff)
    assert (image_io.load(previews.shown(tiff, tmp_path)).pixels == scene).all()


@pytest.mark.parametrize(
    ("settings", "before"),
    [
        ({"width": 100, "height": 100, "fit": "fill"}, (90, 90)),
        ({"width": 240, "height": 240, "fit": "pad"}, (120, 120)),
    ],
)
def test_before_lies_under_after_where_the_shape_was_changed(service, visitor, photo, settings, before):
    run = service.enhance(visitor, photo, SETTINGS.but(scale=None, **settings), JobControl())
    view = service.view(visitor, run)
    info = image_io.probe(Path(view.before))
    assert (info.width, info.height) == before


def test_names_from_outside_are_escaped(service, visitor, tmp_path, scene):
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    Image.fromarray(scene).save(path)
    run = service.enhance(visitor, path, SETTINGS, JobControl())
    small = {run.id: previews.thumbnail(Path(run.output_path), visitor.folder)}
    assert "<img src=x" not in image_html.history_html([run], run, small, ENGLISH)


def test_samples_are_small_and_handed_out_as_copies(tmp_path):
    files = [sample_file(name, tmp_path) for name in SAMPLES]
    assert [Image.open(file).size for file in files] == [(480, 320), (360, 270), (400, 280)]
    assert sum(file.stat().st_size for file in [*files, sample_clip(tmp_path)]) < 250_000
    files[0].write_bytes(b"cropped by its user")
    assert sample_file("photograph", tmp_path) == files[0] and files[0].read_bytes() == b"cropped by its user"
    assert Image.open(sample_file("photograph", tmp_path / "another")).size == (480, 320)


@pytest.mark.parametrize(("name", "subject"), [("photograph", "photograph"), ("drawing", "drawing")])
def test_the_analysis_is_certain_of_the_samples(service, tmp_path, name, subject):
    analysis = service.recommend(sample_file(name, tmp_path)).analysis
    assert analysis.certain and analysis.subject == subject


class TwoFaces:
    """A detector that sees the same two faces in every picture."""

    def detect(self, rgb):
        marks = np.array([[30, 30], [50, 30], [40, 40], [32, 50], [48, 50]], np.float32)
        return (Face(20, 15, 40, 48, marks, 0.99), Face(80, 20, 30, 36, marks + (55, 0), 0.9))


def test_faces_are_numbered_and_a_click_keeps_or_skips_one(service, visitor, photo, manager):
    service._restorer = FaceRestorer(manager, TwoFaces())
    service.open(visitor, photo)
    settings = SETTINGS.but(face_enhance=True)
    assert [(box.number, box.on) for box in service.find_faces(visitor, photo, settings)] == [(1, True), (2, True)]
    assert service.with_faces(visitor, photo, settings) == settings, "nothing was chosen: the settings alone decide"
    assert [box.on for box in service.turn_face(visitor, photo, 2, settings)] == [True, False]
    assert [box.on for box in service.find_faces(visitor, photo, settings)] == [True, False]
    assert service.with_faces(visitor, photo, settings).face_keep == (1,)
    assert [box.on for box in service.turn_face(visitor, photo, 1, settings)] == [False, False]
    assert service.with_faces(visitor, photo, settings).face_skip == (1, 2), "all were turned off"
    assert service.with_faces(visitor, photo, SETTINGS) == SETTINGS
    page = sample_file("page", visitor.folder)
    service.open(visitor, page)
    assert service.with_faces(visitor, page, settings) == settings, "choices belong to their picture"
