"""Time and memory before a job starts: from what this machine measured, else a marked guess."""

from __future__ import annotations

import pytest

from engine.machine.estimates import estimate
from engine.model_manager import ModelManager


@pytest.fixture
def measured(weights, tmp_path):
    """A manager whose self-test of the 4-byte file of 'tiny-x4' is known: 8 seconds a megapixel."""
    made = ModelManager({}, weights, cache_dir=tmp_path, bundled_dir=None, optimize=False, device="cpu")
    yield made
    made.close()


def remember(manager, parameters: int) -> None:
    trial = {"backend": "torch", "precision": "fp32", "problem": None, "psnr": 99.0, "seconds_per_megapixel": 8.0}
    key = f"RealESRGAN Compact | {parameters} | x4 | cpu | torch | openvino | x86_64"
    manager.self_tests.put(key, {"device": "cpu", "trials": [trial]})


def test_what_was_measured_counts(measured):
    status = next(status for status in measured.list() if status.name == "tiny-x4")
    assert not estimate(measured, "tiny-x4", 1000, 1000, 4).measured
    remember(measured, status.parameters)
    expected = estimate(measured, "tiny-x4", 1000, 1000, 4)
    assert expected.measured and 8 < expected.seconds < 8 + 3


def test_a_shipped_model_of_half_precision_is_recognised_by_its_file(tmp_path):
    from config import ROOT
    from engine.models.registry import REGISTRY

    manager = ModelManager(REGISTRY, tmp_path / "w", cache_dir=tmp_path, bundled_dir=ROOT / "weights", device="cpu")
    try:
        name = next(spec.name for spec in REGISTRY.values() if spec.embedded)
        remember(manager, manager.info(name).parameters)
        assert estimate(manager, name, 100, 100, 4).measured
    finally:
        manager.close()


@pytest.mark.parametrize(("pixels", "known"), [(20_000, 1.9), (10**6, 1.5), (99 * 10**6, 1.01)])
def test_the_more_pixels_ran_the_more_their_speed_counts(measured, pixels, known):
    """A small picture beside other work says little, a film nearly all."""
    info = measured.info("tiny-x4")
    measured.speeds.note(info, "cpu", 10**6, 2.0)
    measured.speeds.note(info, "cpu", pixels, pixels / 1e6)  # a second a megapixel
    assert measured.speeds.get(info.architecture, info.parameters, 4, "cpu") == pytest.approx(known, abs=1e-3)


def test_a_second_pass_and_a_whole_output_in_memory_cost_more(manager):
    once, twice = (estimate(manager, "tiny-x4", 500, 500, scale) for scale in (4, 8))
    assert twice.seconds > 3 * once.seconds and twice.memory_mb > once.memory_mb
    whole = estimate(manager, "tiny-x4", 500, 500, 4, output_format="jpeg")
    assert whole.memory_mb > once.memory_mb


def test_a_picture_that_ran_says_how_fast_the_next_will_be(measured, config, scene, tmp_path):
    from PIL import Image

    from engine.processor import enhance_file
    from engine.types import EnhanceSettings

    Image.fromarray(scene).save(tmp_path / "in.png")
    assert not estimate(measured, "tiny-x4", 1000, 1000, 4).measured
    settings = EnhanceSettings(model="tiny-x4", scale=4)
    result = enhance_file(tmp_path / "in.png", tmp_path / "out.png", settings, manager=measured, config=config)
    per_megapixel = result.timings.network / (scene.shape[0] * scene.shape[1]) * 1e6
    expected = estimate(measured, "tiny-x4", 1000, 1000, 4)
    assert expected.measured and expected.seconds >= per_megapixel
    info = measured.info("tiny-x4")
    measured.speeds.note(info, "cpu", 10**6, 3 * per_megapixel)
    assert measured.speeds.get(info.architecture, info.parameters, 4, "cpu") == pytest.approx(
        2 * per_megapixel, rel=0.01
    )
