"""The recommendation: what is found, what is chosen, and that it can be passed on."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.content import over_white, worn
from engine import IntelligentEnhancer, ModelManager, enhance_image_direct
from engine.analysis.choice import UNKNOWN, Requirements, choose_model
from engine.analysis.look import PictureLooker
from engine.imaging.context import JobContext
from engine.imaging.task import decide
from engine.models.registry import REGISTRY
from engine.types import EnhanceSettings
from tests import checkpoints
from tests.conftest import shared
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_io import ImageLimits

SETTINGS = {"model", "mode", "scale", "fp32", "face_enhance", "tile", "auto_tile", "denoise_strength"}
FINDINGS = {
    "content_type",
    "faces",
    "noise_level",
    "noise_sigma",
    "resolution",
    "optimal_tile",
    "blur",
    "gray",
    "alpha",
}


@pytest.fixture
def enhancer(manager):
    return IntelligentEnhancer(manager)


@pytest.fixture
def drawing() -> np.ndarray:
    """400 x 500: flat shapes with dark outlines."""
    canvas = np.full((400, 500, 3), (250, 235, 210), np.uint8)
    random = np.random.default_rng(2)
    for _ in range(12):
        center = tuple(int(value) for value in random.integers(40, 400, 2))
        color = tuple(int(value) for value in random.integers(60, 255, 3))
        axes = tuple(int(value) for value in random.integers(20, 90, 2))
        cv2.ellipse(canvas, center, axes, float(random.integers(0, 180)), 0, 360, color, -1, cv2.LINE_AA)
        cv2.ellipse(canvas, center, axes, float(random.integers(0, 180)), 0, 360, (20, 20, 30), 3, cv2.LINE_AA)
    return canvas


@pytest.fixture
def doubtful() -> np.ndarray:
    """220 x 147: a photograph of a cup smoothed like a painting, about which nobody can be sure."""
    from skimage import data

    small = cv2.resize(data.coffee(), (220, 147), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.pyrMeanShiftFiltering(small, 8, 20))


def test_the_answer_has_settings_reasons_and_findings(enhancer, scene):
    found = enhancer.get_intelligent_settings(scene)
    assert set(found["settings"]) == SETTINGS
    assert set(found["analysis"]) >= FINDINGS
    assert found["analysis"]["resolution"] == [120, 90]
    assert all(sentence.endswith(".") for sentence in found["reasoning"])
    assert all(0 <= value <= 1 for value in found["analysis"]["confidence"].values())
    json.dumps(found)


def test_the_settings_can_be_passed_on(enhancer, manager, config, scene):
    found = enhancer.get_intelligent_settings(scene)
    path, _, status, metrics = enhance_image_direct(scene, **found["settings"], model_manager=manager, config=config)
    assert metrics["model"] == found["settings"]["model"]
    assert cv2.imread(path).shape[:2] == (90 * 4, 120 * 4)


def test_a_drawing_is_drawn(enhancer, drawing):
    assert enhancer.detect_content_type(drawing) == "anime"
    assert enhancer.detect_faces(drawing) == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_every_pil_mode_is_understood(enhancer, scene, mode):
    picture = Image.fromarray(scene)
    if mode in ("I;16", "F"):
        wide = np.asarray(picture.convert("L"), np.float32) / 255
        picture = Image.fromarray((wide * 65535).astype(np.uint16) if mode == "I;16" else wide)
    else:
        picture = picture.convert(mode)
    assert enhancer.analyze(picture).resolution == (120, 90)


@pytest.mark.parametrize("kind", ["gray", "rgba", "uint16", "float"])
def test_arrays_of_every_kind_are_understood(enhancer, scene, kind):
    array = {
        "gray": scene[..., 0],
        "rgba": np.dstack([scene, np.full(scene.shape[:2], 128, np.uint8)]),
        "uint16": scene.astype(np.uint16) * 257,
        "float": scene / 255.0,
    }[kind]
    analysis = enhancer.analyze(array)
    assert analysis.gray is (kind == "gray")
    assert analysis.alpha is (kind == "rgba")


def test_what_is_no_picture_is_refused(enhancer, tmp_path):
    with pytest.raises(InvalidImageError):
        enhancer.analyze(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidImageError):
        enhancer.analyze(np.zeros((0, 4, 3), np.uint8))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(InvalidImageError):
        enhancer.analyze(broken)


def test_noise_raises_the_level(enhancer, scene):
    smooth = cv2.resize(scene, (480, 360))
    noisy = np.clip(smooth + np.random.default_rng(0).normal(0, 25, smooth.shape), 0, 255).astype(np.uint8)
    assert enhancer.analyze_noise_level(smooth) < 0.1
    assert enhancer.analyze_noise_level(noisy) == pytest.approx(0.5, abs=0.1)


def test_nothing_is_downloaded_to_judge_a_picture(tmp_path, scene, monkeypatch):
    asked = []
    monkeypatch.setattr("engine.models.store.download", lambda urls, *_, **__: asked.append(urls))
    enhancer = IntelligentEnhancer(ModelManager(dict(REGISTRY), tmp_path, bundled_dir=None, device="cpu"))
    enhancer.recommend(scene)
    assert enhancer._detector().name == "haar" and asked == []


@pytest.mark.parametrize(
    ("heights", "reasons"),
    [
        ((22,), ["1 face, less than 24 pixels high: too small."]),
        ((600,), ["1 face, larger than 512 pixels: sharp enough to be left alone."]),
        (
            (600, 23, 20),
            [
                "1 face, larger than 512 pixels: sharp enough to be left alone.",
                "2 faces, less than 24 pixels high: too small.",
            ],
        ),
    ],
)
def test_faces_that_are_left_alone_are_called_what_they_are(enhancer, scene, heights, reasons):
    analysis = replace(enhancer.analyze(scene), content_type="photo", faces=len(heights), face_heights=heights)
    assert enhancer._restore_faces(analysis) == (False, reasons)


def test_faces_are_not_promised_without_the_detector_that_locates_their_eyes(manager, enhancer, scene, monkeypatch):
    monkeypatch.setattr(ModelManager, "installed_face_models", lambda self: ["a face model"])
    analysis = replace(enhancer.analyze(scene), content_type="photo", faces=1, face_heights=(100,))
    wanted, (reason,) = enhancer._restore_faces(analysis)
    assert not wanted and "models download face_detection_yunet_2023mar" in reason
    monkeypatch.setattr(ModelManager, "present", lambda self: ["face_detection_yunet_2026may"])
    assert enhancer._restore_faces(analysis)[0]


def test_pixel_art_is_enlarged_pixel_by_pixel(enhancer):
    sprite = np.random.default_rng(0).integers(0, 5, (48, 64, 3), dtype=np.uint8) * 60
    found = enhancer.recommend(np.kron(sprite, np.ones((6, 6, 1), np.uint8)))
    assert found.analysis.subject == "pixel art"
    assert found.settings["model"] == "nearest"


def test_only_installed_models_are_recommended_and_better_ones_are_named(tmp_path, scene):
    checkpoints.save_pth(checkpoints.compact_state(), tmp_path / "mine.pth")
    nothing = {"bundled_dir": None, "optimize": False, "device": "cpu", "from_setup": lambda pair: None}
    found = IntelligentEnhancer(ModelManager(dict(REGISTRY), tmp_path, **nothing)).recommend(scene)
    assert found.settings["model"] == "mine"
    assert any("models download" in reason for reason in found.reasoning)


def test_a_drawing_gets_the_model_for_drawings(tmp_path, drawing):
    checkpoints.save_pth(checkpoints.compact_state(), tmp_path / "mine-anime.pth")
    checkpoints.save_pth(checkpoints.compact_state(seed=3), tmp_path / "mine-photo.pth")
    manager = ModelManager({}, tmp_path, bundled_dir=None, optimize=False, device="cpu")
    assert IntelligentEnhancer(manager).recommend(drawing).settings["model"] == "mine-anime"


def test_a_doubtful_drawing_gets_no_model_that_would_spoil_a_photograph(tmp_path):
    checkpoints.save_pth(checkpoints.compact_state(), tmp_path / "mine-anime.pth")
    checkpoints.save_pth(checkpoints.compact_state(seed=3), tmp_path / "mine-photo.pth")
    manager = ModelManager({}, tmp_path, bundled_dir=None, optimize=False, device="cpu")
    for certain, model in ((True, "mine-anime"), (False, "mine-photo")):
        chosen = choose_model(manager, Requirements("anime", "painting", 4.0, worn=False, certain=certain))
        assert chosen.model == model
        assert bool(chosen.doubt) is not certain and (chosen.doubt in chosen.reasons) is not certain


def test_doubt_is_said_with_what_it_leads_to(complete):
    """Never as a verdict: no subject is named, and the model serves both."""
    doubtful = Requirements("photo", "picture", 4.0, worn=False, certain=False)
    chosen = choose_model(complete, doubtful)
    assert chosen.doubt == (
        "Photograph or drawing: not sure. RealESRGAN_x4plus is chosen, since it serves both; "
        "RealESRGAN_x4plus_anime_6B would suit a drawing better and could spoil a photograph."
    )
    assert chosen.reasons[0].startswith("RealESRGAN_x4plus is the best installed model for this picture at x4.")
    faithful = choose_model(complete, replace(doubtful, mode="faithful"))
    assert faithful.doubt == f"Photograph or drawing: not sure. {faithful.model} is chosen, since it serves both."
    assert choose_model(complete, UNKNOWN).doubt == ""


def test_where_only_a_model_for_drawings_is_there_doubt_says_so(tmp_path):
    checkpoints.save_pth(checkpoints.compact_state(), tmp_path / "mine-anime.pth")
    manager = ModelManager({}, tmp_path, bundled_dir=None, optimize=False, device="cpu")
    chosen = choose_model(manager, Requirements("photo", "picture", 4.0, worn=False, certain=False))
    assert "mine-anime is chosen, since no model that serves both is installed." in chosen.doubt


def test_a_picture_in_doubt_gets_no_verdict(complete, doubtful):
    """Every field and sentence of the recommendation, and the result's warnings, say that it is not sure."""
    found = IntelligentEnhancer(complete).get_intelligent_settings(doubtful)
    assert found["analysis"]["certain"] is False and found["analysis"]["subject"] == "photograph or drawing"
    assert found["reasoning"][0].startswith("The picture: 220x147 pixels")
    assert sum("photograph or drawing" in reason.lower() for reason in found["reasoning"]) == 1, "said once"
    assert found["doubt"] in found["reasoning"] and "not sure" in found["doubt"]
    assert found["settings"]["model"] in found["doubt"]
    assert not any("photograph at" in reason or "drawing at" in reason for reason in found["reasoning"])


def test_where_doubt_leads_to_nothing_it_is_still_said(tmp_path, doubtful):
    """Without any network there is no choice that could be explained by it."""
    nothing = {"bundled_dir": None, "optimize": False, "device": "cpu", "from_setup": lambda pair: None}
    found = IntelligentEnhancer(ModelManager({}, tmp_path, **nothing)).recommend(doubtful)
    assert found.settings["model"] == "lanczos" and not found.doubt
    assert found.reasoning[0].startswith("It may be a photograph or a drawing: ")


def test_enhancing_a_picture_in_doubt_says_so(complete, doubtful, tmp_path, config):
    path = tmp_path / "in.png"
    Image.fromarray(doubtful).save(path)
    task = decide(path, tmp_path / "out.png", EnhanceSettings(scale=4), JobContext(complete, config))
    assert task.model == "RealESRGAN_x4plus"
    assert any(warning.startswith("Photograph or drawing: not sure.") for warning in task.warnings)
    assert "not sure" in task.model_reason
    named = decide(path, tmp_path / "out.png", EnhanceSettings(model="quick-x4"), JobContext(complete, config))
    assert not named.warnings


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A manager with everything that the set-up brings."""
    return ModelManager(weights_dir=tmp_path_factory.mktemp("complete"), cache_dir=None, optimize=False, device="cpu")


@pytest.mark.parametrize(
    ("content", "certain", "mode", "pristine", "scale", "model"),
    [
        ("photo", True, "auto", False, 4, "RealESRGAN_x4plus"),
        ("photo", True, "best", True, 2, "RealESRGAN_x4plus"),
        ("anime", False, "auto", False, 4, "RealESRGAN_x4plus"),
        ("anime", True, "auto", False, 4, "RealESRGAN_x4plus_anime_6B"),
        ("anime", True, "quick", False, 4, "realesr-animevideov3"),
        ("anime", True, "faithful", False, 4, "embedded-compact-x4"),
        ("photo", True, "quick", False, 3, "quick-x4"),
        ("photo", False, "quick", False, 2, "quick-x2"),
        ("anime", True, "quick", False, 2, "quick-anime-x2"),
        ("photo", True, "faithful", True, 4, "spanx4_ch48"),
        ("photo", True, "faithful", True, 2, "spanx2_ch48"),
        ("photo", True, "faithful", False, 2, "embedded-compact-x4"),
    ],
)
def test_what_is_chosen_for_a_picture_and_a_quality(complete, content, certain, mode, pristine, scale, model):
    requirements = Requirements(content, "picture", scale, worn=False, certain=certain, pristine=pristine, mode=mode)
    assert choose_model(complete, requirements).model == model


def test_where_the_quick_networks_are_gone_another_small_one_takes_over(complete, tmp_path, monkeypatch):
    """For worn pictures one that cleans, for others one that is true to them."""
    without = [status for status in complete.usable_upscalers() if not status.name.startswith("quick-")]
    monkeypatch.setattr(complete, "usable_upscalers", lambda: without)
    worn = Requirements("photo", "photograph", 4, worn=True, mode="quick")
    assert choose_model(complete, worn).model == "realesr-animevideov3"
    assert choose_model(complete, replace(worn, worn=False)).model == "embedded-compact-x4"
    assert choose_model(complete, Requirements("anime", "drawing", 2, worn=False, mode="quick")).model == (
        "realesr-animevideov3"
    )


def test_balanced_is_the_best_while_that_takes_less_than_a_minute(complete):
    small, large = (replace(UNKNOWN, mode="balanced", size=size) for size in ((64, 64), (8000, 6000)))
    assert choose_model(complete, small).model == "RealESRGAN_x4plus"
    assert choose_model(complete, large).model == "quick-x4"
    assert choose_model(complete, replace(large, mode="best")).model == "RealESRGAN_x4plus"


def test_what_is_recommended_is_what_runs(complete, scene, tmp_path, config):
    path = tmp_path / "in.png"
    Image.fromarray(scene).save(path)
    for mode in ("auto", "quick", "faithful"):
        found = IntelligentEnhancer(complete).recommend(path, mode)
        task = decide(path, tmp_path / "out.png", EnhanceSettings(scale=4, mode=mode), JobContext(complete, config))
        assert task.model == found.settings["model"]


def test_the_tile_follows_the_picture(enhancer, scene):
    assert enhancer.calculate_optimal_tile(scene) == 0
    assert enhancer.calculate_optimal_tile(np.zeros((2000, 3000, 3), np.uint8)) >= 32


def test_files_are_held_to_the_limits_that_are_given(manager, scene, tmp_path):
    path = tmp_path / "in.png"
    Image.fromarray(scene).save(path)
    assert IntelligentEnhancer(manager, limits=ImageLimits(max_pixels=120 * 90)).detect_faces(path) == 0
    with pytest.raises(ImageTooLargeError):
        IntelligentEnhancer(manager, limits=ImageLimits(max_pixels=100 * 90)).recommend(path)


@pytest.mark.parametrize("side", (128, 180))
def test_small_worn_labelled_pictures_are_judged_no_surer_than_right(side):
    looker, right, stated = PictureLooker(), [], []
    for label in ("anime", "photo"):
        for path in sorted(shared("labelled", "content", label).iterdir()):
            for quality in (75, 30):
                look = looker.look(worn(over_white(path), side, quality))
                right.append(look.content == label)
                stated.append(look.confidence)
    told, sure = np.array(right), np.array(stated) >= 0.8
    print(f"{side} pixels: right {told.mean():.1%}; sure {sure.mean():.1%}, of these right {told[sure].mean():.1%}")
    assert told.mean() >= 0.77
    assert told[sure].mean() >= np.array(stated)[sure].mean() and sure.mean() >= 0.2


def test_labelled_pictures(manager):
    enhancer = IntelligentEnhancer(manager)
    right, sure, sure_right, spoilt, photographs = [], 0, 0, 0, 0
    for label in ("anime", "photo"):
        for path in sorted(shared("labelled", "content", label).iterdir()):
            analysis = enhancer.analyze(path)
            right.append(analysis.content_type == label)
            photographs += label == "photo"
            spoilt += label == "photo" and not right[-1] and analysis.look.certain
            if analysis.confidence["content_type"] >= 0.9:
                sure += 1
                sure_right += right[-1]
    print(f"content type right: {np.mean(right):.1%} of {len(right)}; where sure: {sure_right}/{sure}")
    print(f"photographs that would get a model for drawings: {spoilt} of {photographs}")
    assert np.mean(right) >= 0.85
    assert sure_right == sure
    assert spoilt <= 0.05 * photographs
