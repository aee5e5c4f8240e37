"""Faces in the main job: found, restored, guarded, pasted, reported; and the picture is finished whatever happens."""

from __future__ import annotations

import numpy as np
import pytest

from engine.face_restorer import FaceRestorer
from engine.faces.adjust import adjust_faces, adjustable, adjusted_picture
from engine.faces.detector import FaceDetector
from engine.faces.missing_models import NOT_RESTORED
from engine.pixels.tiling import TileOutOfMemory
from engine.processor import enhance_file
from engine.types import EnhanceSettings, JobControl
from tests.conftest import shared
from tests.engine.faces.conftest import FunctionSession, KnownFaces, face_at
from tests.pictures import portrait
from utils import image_io
from utils.errors import InvalidSettingsError, JobCancelled, ModelNotFoundError, UnsupportedModelError
from utils.writers import SaveOptions

pytest_plugins = ["tests.engine.faces.conftest"]
SPOT = (150, 130, 40)


def brighter(batch):
    """Keeps the features, so that the guard has nothing against it, and sharpens them so that it can be seen."""
    import cv2

    return np.stack([np.clip(one + 1.5 * (one - cv2.GaussianBlur(one, (0, 0), 6)), 0, 1) for one in batch])


def upside_down(batch):
    return batch[:, ::-1]


@pytest.fixture
def job(config, tmp_path):
    """Enhance a picture with a manager; returns (result, output picture)."""

    def run(pixels, manager, target="out.png", control=None, cache=None, **settings):
        source = tmp_path / "in.png"
        image_io.save(image_io.from_array(pixels), source, SaveOptions("png"))
        settings = {"model": "lanczos", "scale": 2, "face_enhance": True, "face_strength": 1.0} | settings
        if cache is not None:
            object.__setattr__(config, "cache_dir", cache)
        result = enhance_file(
            source,
            tmp_path / target,
            EnhanceSettings.create(**settings),
            manager=manager,
            config=config,
            control=control,
            overwrite=True,
        )
        return result, image_io.load(tmp_path / target)

    return run


def test_a_network_that_changes_nothing_changes_nothing(job, stand_in, known):
    known(face_at(*SPOT))
    picture = portrait(300, 300, [SPOT])
    result, same = job(picture, stand_in(), scale=1)
    assert result.metrics["faces_enhanced"] == 1
    assert np.abs(same.pixels.astype(int) - picture).max() <= 1


def test_a_restored_face_is_seen_and_the_rest_is_untouched(job, stand_in, known):
    known(face_at(*SPOT))
    picture = portrait(300, 300, [SPOT])
    plain = job(picture, stand_in(), face_enhance=False)[1].pixels.astype(int)
    restored = job(picture, stand_in(brighter))[1].pixels.astype(int)
    assert np.abs(restored - plain)[230:330, 260:340].mean() > 1
    assert np.array_equal(restored[:, :60], plain[:, :60]) and np.array_equal(restored[500:], plain[500:])


@pytest.mark.parametrize("kind", ["gray", "alpha", "16 bit", "gray with alpha"])
def test_every_kind_of_picture(job, stand_in, known, kind):
    known(face_at(*SPOT))
    picture = portrait(300, 300, [SPOT], np.uint16 if kind == "16 bit" else np.uint8)
    if "gray" in kind:
        picture = picture[..., :1]
    if "alpha" in kind:
        picture = np.dstack([picture, np.tile(np.arange(300) % 256, (300, 1)).astype(np.uint8)[..., None]])
    plain = job(picture, stand_in(), face_enhance=False)[1]
    result, restored = job(picture, stand_in(brighter))
    assert result.metrics["faces_enhanced"] == 1
    assert restored.pixels.shape == plain.pixels.shape and restored.bit_depth == plain.bit_depth
    assert not np.array_equal(restored.pixels, plain.pixels)
    if plain.alpha is not None:
        assert np.array_equal(restored.alpha, plain.alpha)


def test_twenty_faces_go_through_the_network_in_batches(job, stand_in, known):
    spots = [(70 + 120 * (index % 5), 60 + 130 * (index // 5), 22, 10 * index) for index in range(20)]
    known(*(face_at(*spot) for spot in spots))
    gpu = FunctionSession(lambda batch: batch, "gpu:0")
    manager = stand_in(**{"gpu:0": gpu})
    manager.device = "gpu:0"
    result, _ = job(portrait(560, 640, spots), manager)
    assert result.metrics["faces_enhanced"] == 20 and gpu.batches == [8, 8, 4]
    assert [row["number"] for row in result.metrics["faces"]] == list(range(1, 21))
    assert gpu.trimmed == 1, "the memory kept for further faces was not given back"


@pytest.mark.parametrize("spot", [(8, 150, 50), (292, 150, 50, 20), (150, 4, 60), (150, 296, 60, -10)])
def test_faces_cut_by_the_border(job, stand_in, known, spot):
    known(face_at(*spot))
    picture = portrait(300, 300, [spot])
    result, same = job(picture, stand_in(), scale=1)
    assert result.metrics["faces_enhanced"] == 1
    assert np.abs(same.pixels.astype(int) - picture).max() <= 1


def test_every_goal_puts_the_face_where_it_belongs(job, stand_in, known):
    """Filling cuts, padding shifts, stretching distorts. In a soft picture the input's face is the enlarged one's."""
    import cv2

    spot = (200, 130, 40)
    known(face_at(*spot))
    picture = cv2.GaussianBlur(portrait(300, 420, [spot]), (0, 0), 3)
    for fit in ("fit", "fill", "pad", "stretch"):
        goal = {"scale": None, "width": 500, "height": 500, "fit": fit}
        plain = job(picture, stand_in(), face_enhance=False, **goal)[1].pixels.astype(int)
        result, same = job(picture, stand_in(), **goal)
        assert result.metrics["faces_enhanced"] == 1
        assert np.abs(same.pixels - plain).max() <= 2, fit
        seen = np.abs(job(picture, stand_in(brighter), **goal)[1].pixels - plain).mean(2)
        y, x = np.argwhere(seen > 4).mean(0)
        left, top = {"fill": (60, 0), "pad": (0, -60)}.get(fit, (0, 0))
        across, down = {"fill": (5 / 3, 5 / 3), "stretch": (500 / 420, 500 / 300)}.get(fit, (500 / 420, 500 / 420))
        expected = ((spot[0] - left) * across, (spot[1] - top) * down + 0.5 * spot[2] * down)
        assert np.hypot(x - expected[0], y - expected[1]) < 0.5 * spot[2] * across, fit


def test_a_face_that_became_another_is_put_back_and_reported(job, stand_in, known):
    known(face_at(*SPOT))
    picture = portrait(300, 300, [SPOT])
    plain = job(picture, stand_in(), face_enhance=False)[1]
    result, same = job(picture, stand_in(upside_down))
    (row,) = result.metrics["faces"]
    assert row["decision"] == "put back" and row["strength"] == 0 and row["likeness"] < 0.86
    assert any("too far" in warning for warning in result.warnings)
    assert np.array_equal(same.pixels, plain.pixels)
    shown = job(picture, stand_in(upside_down), face_guard=False)
    assert not np.array_equal(shown[1].pixels, plain.pixels)
    assert any("too far" in warning for warning in shown[0].warnings)


def test_the_report_says_what_was_found_decided_and_measured(job, stand_in, known):
    known(face_at(*SPOT), face_at(60, 60, 6))
    result, _ = job(portrait(300, 300, [SPOT]), stand_in(brighter), face_strength=0.6)
    first, second = result.metrics["faces"]
    assert first["decision"] == "restored" and first["strength"] == 0.6 and first["likeness"] > 0.92
    assert second["decision"] == "left alone" and "Too small" in second["reason"]
    assert result.metrics["face_model"] == "stand-in"
    assert set(result.metrics["face_seconds"]) == {"find", "load", "restore", "guard"}


def test_short_memory_makes_smaller_batches_and_repeats_no_face(job, stand_in, known):
    seen = []

    def tight(batch):
        if seen and len(batch) > 2:  # another program takes the memory after the first batch
            raise TileOutOfMemory("too many")
        seen.extend([None] * len(batch))
        return batch

    spots = [(70 + 120 * (index % 5), 60 + 130 * (index // 5), 22) for index in range(11)]
    known(*(face_at(*spot) for spot in spots))
    gpu = FunctionSession(tight, "gpu:0")
    manager = stand_in(**{"gpu:0": gpu})
    manager.device = "gpu:0"
    result, _ = job(portrait(440, 640, spots), manager)
    assert gpu.batches == [8, 3, 1, 1, 1]
    assert result.metrics["faces_enhanced"] == 11 and len(seen) == 11


def test_memory_too_short_for_one_face_moves_the_network_to_the_cpu(job, stand_in, known):
    def never(batch):
        raise TileOutOfMemory("full")

    known(face_at(*SPOT))
    manager = stand_in(**{"gpu:0": FunctionSession(never, "gpu:0")})
    manager.device = "gpu:0"
    result, _ = job(portrait(300, 300, [SPOT]), manager)
    assert result.metrics["faces_enhanced"] == 1
    assert [how["device"] for how in manager.asked] == ["gpu:0", "cpu"]
    assert manager.unloaded == ["stand-in"], "the GPU's memory was not given back"
    assert any("on the CPU" in warning for warning in result.warnings)


def test_without_memory_anywhere_the_picture_is_finished_without_faces(job, stand_in, known):
    def never(batch):
        raise MemoryError

    known(face_at(*SPOT))
    result, picture = job(portrait(300, 300, [SPOT]), stand_in(never))
    assert picture.size == (600, 600) and result.metrics["faces_enhanced"] == 0
    assert any(warning.startswith(NOT_RESTORED) for warning in result.warnings)


def test_nan_pixels_are_run_again_in_fp32_and_then_given_up(job, stand_in, known):
    known(face_at(*SPOT))
    manager = stand_in(lambda batch: np.full_like(batch, np.nan))
    result, _ = job(portrait(300, 300, [SPOT]), manager, precision="bf16")
    assert [how["precision"] for how in manager.asked] == ["bf16", "fp32"]
    assert any("damaged" in warning for warning in result.warnings)


def test_without_a_model_everything_else_works_and_the_option_explains_itself(job, bare, known):
    known(face_at(*SPOT))
    result, picture = job(portrait(300, 300, [SPOT]), bare)
    assert picture.size == (600, 600)
    (text,) = [warning for warning in result.warnings if warning.startswith(NOT_RESTORED)]
    assert "GFPGANv1.4 (348.6 MB)" in text and "models download GFPGANv1.4" in text
    assert result.metrics["faces_need"]["missing"][0] == {"name": "GFPGANv1.4", "bytes": 348632874}
    assert result.metrics["faces_detected"] == 1


def test_auto_says_nothing_where_there_is_no_face(job, bare, known):
    known()
    picture = portrait(300, 300, [])
    assert not job(picture, bare, face_enhance="auto")[0].warnings
    assert any(NOT_RESTORED in warning for warning in job(picture, bare, face_enhance=True)[0].warnings)


@pytest.mark.parametrize(
    ("name", "error"), [("GFPGANv9", ModelNotFoundError), ("RealESRGAN_x4plus", UnsupportedModelError)]
)
def test_what_is_no_face_model_is_refused_before_anything_is_done(job, bare, known, name, error):
    known(face_at(*SPOT))
    with pytest.raises(error, match=name):
        job(portrait(300, 300, [SPOT]), bare, face_model=name)


def test_faces_can_come_from_the_original_of_an_enlarged_input(config, stand_in, known, tmp_path):
    """Two networks in a row: the second one's input is four times as large as the picture the faces were found in."""
    import cv2

    known(face_at(*SPOT))
    small = cv2.GaussianBlur(portrait(300, 300, [SPOT]), (0, 0), 3)
    large = cv2.resize(small, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    for name, pixels in (("small.png", small), ("large.png", large)):
        image_io.save(image_io.from_array(pixels), tmp_path / name, SaveOptions("png"))
    settings = EnhanceSettings.create(model="lanczos", scale=1, face_enhance=True, face_strength=1.0)
    result = enhance_file(
        tmp_path / "large.png",
        tmp_path / "out.png",
        settings,
        manager=stand_in(),
        config=config,
        faces_from=tmp_path / "small.png",
    )
    (row,) = result.metrics["faces"]
    assert row["decision"] == "restored" and row["box"][0] == round(face_at(*SPOT).x)
    out = image_io.load(tmp_path / "out.png").pixels.astype(int)
    assert np.abs(out - large).max() <= 2


def test_an_animation_keeps_its_faces(job, stand_in, known, tmp_path, config):
    from PIL import Image

    known(face_at(*SPOT))
    frames = [Image.fromarray(np.roll(portrait(300, 300, [SPOT]), 20 * index, 1)) for index in range(2)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:], duration=100)
    settings = EnhanceSettings.create(model="lanczos", scale=2, face_enhance=True)
    result = enhance_file(tmp_path / "in.gif", tmp_path / "out.gif", settings, manager=stand_in(), config=config)
    assert any("animations" in warning for warning in result.warnings)


def test_progress_goes_on_from_the_faces_to_the_picture(job, stand_in, known):
    known(face_at(*SPOT), face_at(60, 60, 20))
    steps = []
    job(portrait(300, 300, [SPOT]), stand_in(), model="tiny-x4", control=JobControl(on_progress=steps.append))
    fractions = [step.fraction for step in steps]
    assert [step.stage for step in steps][:4] == ["Loading face model", *["Restoring faces"] * 2, "Enhancing"]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_cancelling_between_faces_leaves_nothing(job, stand_in, known, tmp_path):
    known(face_at(*SPOT), face_at(60, 60, 20))
    control = JobControl()
    control.on_progress = lambda step: control.cancel()
    with pytest.raises(JobCancelled):
        job(portrait(300, 300, [SPOT]), stand_in(), control=control)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


class TestAdjusting:
    """The strength is changed in the finished file, without a network."""

    @pytest.fixture
    def finished(self, job, stand_in, known, tmp_path):
        """(result, its picture, the plain picture, the manager, the cache)."""
        spots = [SPOT, (60, 220, 25)]
        known(*(face_at(*spot) for spot in spots))
        picture, manager = portrait(300, 300, spots), stand_in(brighter)
        plain = job(picture, manager, "plain.png", face_enhance=False)[1]
        result, restored = job(picture, manager, cache=tmp_path / "cache")
        return result, restored, plain, tmp_path / "cache"

    def test_to_nothing_and_back(self, finished, tmp_path):
        result, restored, plain, cache = finished
        adjust_faces(result.output_path, tmp_path / "none.png", cache_dir=cache, strength=0)
        none = image_io.load(tmp_path / "none.png")
        assert np.array_equal(none.pixels, plain.pixels)
        adjust_faces(tmp_path / "none.png", tmp_path / "again.png", cache_dir=cache, strength=1)
        assert np.abs(image_io.load(tmp_path / "again.png").pixels.astype(int) - restored.pixels).max() <= 1

    def test_between_it_is_what_a_run_with_that_strength_gives(self, finished, job, stand_in, tmp_path):
        result, _, _, cache = finished
        done = adjust_faces(result.output_path, tmp_path / "half.png", cache_dir=cache, strength=0.5)
        assert [row["strength"] for row in done.faces] == [0.5, 0.5]
        half = image_io.load(tmp_path / "half.png").pixels.astype(int)
        anew = job(portrait(300, 300, [SPOT, (60, 220, 25)]), stand_in(brighter), face_strength=0.5)[1].pixels
        assert np.abs(half - anew).max() <= 1

    def test_one_face_alone(self, finished, tmp_path):
        result, restored, plain, cache = finished
        adjust_faces(result.output_path, tmp_path / "one.png", cache_dir=cache, strengths={1: 0.0})
        one = image_io.load(tmp_path / "one.png").pixels
        assert np.array_equal(one[:400, 200:], plain.pixels[:400, 200:])
        assert np.abs(one[440:, :180].astype(int) - restored.pixels[440:, :180]).max() <= 1

    def test_a_renamed_file_is_recognised_and_a_changed_one_is_not(self, finished, tmp_path):
        result, restored, _, cache = finished
        moved = tmp_path / "moved.png"
        result.output_path.rename(moved)
        layer = adjustable(moved, cache)
        assert [face.number for face in layer.faces] == [1, 2]
        assert np.abs(adjusted_picture(restored, layer, {1: 1.0}).pixels.astype(int) - restored.pixels).max() <= 1
        moved.write_bytes(moved.read_bytes() + b" ")
        assert adjustable(moved, cache) is None
        with pytest.raises(InvalidSettingsError, match="remembered"):
            adjust_faces(moved, tmp_path / "x.png", cache_dir=cache, strength=0.5)

    @pytest.mark.parametrize("wrong", [{"strength": 2}, {"strengths": {7: 0.5}}, {}])
    def test_wrong_wishes_are_refused(self, finished, tmp_path, wrong):
        result, _, _, cache = finished
        with pytest.raises(InvalidSettingsError):
            adjust_faces(result.output_path, tmp_path / "x.png", cache_dir=cache, **wrong)
        assert not (tmp_path / "x.png").exists()

    def test_a_name_of_another_format_is_refused(self, finished, tmp_path):
        result, _, _, cache = finished
        with pytest.raises(InvalidSettingsError, match="cannot be written"):
            adjust_faces(result.output_path, tmp_path / "x.bmp", cache_dir=cache, strength=0.5)
        assert not (tmp_path / "x.bmp").exists()

    def test_what_the_guard_held_back_can_be_shown_on_demand(self, job, stand_in, known, tmp_path):
        known(face_at(*SPOT))
        picture, cache = portrait(300, 300, [SPOT]), tmp_path / "cache"
        result, held = job(picture, stand_in(upside_down), cache=cache)
        adjust_faces(result.output_path, tmp_path / "a.png", cache_dir=cache, strength=1)
        assert np.array_equal(image_io.load(tmp_path / "a.png").pixels, held.pixels)
        shown = adjust_faces(result.output_path, tmp_path / "b.png", cache_dir=cache, strength=1, guard=False)
        assert shown.faces[0]["decision"] == "restored" and shown.faces[0]["strength"] == 1
        assert not np.array_equal(image_io.load(tmp_path / "b.png").pixels, held.pixels)

    def test_old_layers_make_room(self, finished, tmp_path, monkeypatch):
        result, _, _, cache = finished
        monkeypatch.setattr("engine.faces.layer.KEPT_LAYER_BYTES", 1)
        adjust_faces(result.output_path, tmp_path / "new.png", cache_dir=cache, strength=0.2)
        assert adjustable(tmp_path / "new.png", cache) and adjustable(result.output_path, cache) is None


class TestFinding:
    def test_haar_cascades_count_but_do_not_restore(self, manager):
        class Counted(FaceDetector):
            def detect(self, rgb):
                from dataclasses import replace

                return (replace(face_at(*SPOT), landmarks=None),)

        picture = image_io.from_array(portrait(300, 300, [SPOT]))
        (one,) = FaceRestorer(manager, Counted()).find(picture)
        assert not one.restore and "YuNet" in one.reason

    def test_a_drawn_picture_keeps_its_faces(self, manager):
        """Flat areas between hard lines: the classifier sees a drawing."""
        picture = image_io.load(sorted(shared("labelled", "content", "anime").iterdir())[0])
        (one,) = FaceRestorer(manager, KnownFaces((face_at(150, 150, 40),))).find(picture)
        assert not one.restore and "drawn" in one.reason

    def test_real_faces_are_found_numbered_and_chosen(self, manager):
        detector = FaceDetector(shared("weights", "face_detection_yunet_2026may.onnx"))
        picture = image_io.load(shared("samples", "Blake_Lively.jpg"))
        found = FaceRestorer(manager, detector).find(picture)
        assert [one.number for one in found] == [1, 2] and all(one.restore for one in found)
        assert found[0].face.height > found[1].face.height
