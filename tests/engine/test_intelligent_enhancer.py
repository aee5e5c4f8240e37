"""The recommendation: what is found, what is chosen, and that it can be passed on."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from engine import IntelligentEnhancer, ModelManager, enhance_image_direct
from engine.choice import UNKNOWN, Needs, choose_model
from engine.registry import REGISTRY
from engine.task import decide
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
    monkeypatch.setattr("engine.model_store.download", lambda urls, *_, **__: asked.append(urls))
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
        chosen = choose_model(manager, Needs("anime", "painting", 4.0, worn=False, certain=certain))
        assert chosen.model == model
        assert any("not certain" in reason for reason in chosen.reasons) is not certain


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
        ("photo", True, "quick", False, 4, "embedded-compact-x4"),
        ("photo", True, "faithful", True, 4, "spanx4_ch48"),
        ("photo", True, "faithful", True, 2, "spanx2_ch48"),
        ("photo", True, "faithful", False, 2, "embedded-compact-x4"),
    ],
)
def test_what_is_chosen_for_a_picture_and_a_quality(complete, content, certain, mode, pristine, scale, model):
    needs = Needs(content, "picture", scale, worn=False, certain=certain, pristine=pristine, mode=mode)
    assert choose_model(complete, needs).model == model


def test_a_quick_network_for_a_worn_photograph_is_one_that_cleans(complete):
    worn = Needs("photo", "photograph", 4, worn=True, mode="quick")
    assert choose_model(complete, worn).model == "realesr-animevideov3"


def test_balanced_is_the_best_while_that_takes_less_than_a_minute(complete):
    small, large = (replace(UNKNOWN, mode="balanced", size=size) for size in ((64, 64), (8000, 6000)))
    assert choose_model(complete, small).model == "RealESRGAN_x4plus"
    assert choose_model(complete, large).model == "embedded-compact-x4"
    assert choose_model(complete, replace(large, mode="best")).model == "RealESRGAN_x4plus"


def test_what_is_recommended_is_what_runs(complete, scene, tmp_path, config):
    path = tmp_path / "in.png"
    Image.fromarray(scene).save(path)
    for mode in ("auto", "quick", "faithful"):
        found = IntelligentEnhancer(complete).recommend(path, mode)
        task = decide(path, tmp_path / "out.png", EnhanceSettings(scale=4, mode=mode), complete, config, False)
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
