"""The numbers shown after a run: right where the truth is known, and honest about invention."""

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from tests.conftest import shared
from utils.errors import ImageTooLargeError, InvalidImageError, InvalidSettingsError
from utils.image_io import ImageLimits
from utils.metrics import calculate_image_metrics, compare_with_reference, get_image_info, luma, sharpness


@pytest.fixture
def pair(scene):
    """A picture of 240 x 180 and its plain reduction to a half."""
    large = cv2.resize(scene, (240, 180), interpolation=cv2.INTER_CUBIC)
    return cv2.resize(large, (120, 90), interpolation=cv2.INTER_AREA), large


def test_sizes_are_told_for_people_and_files_are_weighed(tmp_path, pair):
    small, large = pair
    Image.fromarray(small).save(tmp_path / "a.png")
    Image.fromarray(large).save(tmp_path / "b.png")
    told = calculate_image_metrics(tmp_path / "a.png", tmp_path / "b.png")
    assert told["original_size"] == "120x90 (0.0 MP)" and told["enhanced_size"] == "240x180 (0.0 MP)"
    assert told["scale_factor"] == "2.00x" and told["original_filesize"].endswith("kB")
    sizes = [(tmp_path / name).stat().st_size for name in ("a.png", "b.png")]
    assert told["size_change"] == f"{sizes[1] / sizes[0] - 1:+.0%}"
    assert calculate_image_metrics(small, large)["original_filesize"] == "not a file"
    assert len(list(tmp_path.iterdir())) == 2  # nothing temporary is left


def test_what_reduces_to_the_original_is_faithful(pair):
    told = calculate_image_metrics(*pair)
    assert told["faithfulness_psnr_db"] > 45 and told["verdict"].startswith("Faithful")


def test_invention_is_named(pair):
    small, large = pair
    verdicts = []
    for strength in (0, 12, 40, 200):
        blobs = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 1, large.shape[:2]), (0, 0), 6)
        changed = np.clip(large + (blobs / blobs.std() * strength)[..., None], 0, 255).astype(np.uint8)
        verdicts.append(calculate_image_metrics(small, changed))
    measured = [told["faithfulness_psnr_db"] for told in verdicts]
    assert measured == sorted(measured, reverse=True)
    assert verdicts[1]["verdict"] != verdicts[0]["verdict"]
    assert "invented" in verdicts[3]["verdict"]


def test_other_shapes_are_not_compared(scene):
    told = calculate_image_metrics(scene, scene[:50])
    assert told["faithfulness_psnr_db"] is None and "different shapes" in told["verdict"]


def test_sharpness_and_noise_before_and_after(scene):
    blurred = cv2.GaussianBlur(scene, (0, 0), 2)
    told = calculate_image_metrics(blurred, cv2.resize(scene, (240, 180), interpolation=cv2.INTER_CUBIC))
    assert told["sharpness_after"] > 1.5 * told["sharpness_before"]
    flat = np.full((300, 300, 3), 128, np.uint8)
    noisy = np.clip(flat + np.random.default_rng(0).normal(0, 10, flat.shape), 0, 255).astype(np.uint8)
    told = calculate_image_metrics(noisy, flat)
    assert told["noise_before"] == pytest.approx(10, rel=0.1) and told["noise_after"] == 0
    assert sharpness(flat) == 0


def test_the_reference_protocol_is_the_literatures(scene):
    noisy = np.clip(scene + np.random.default_rng(0).normal(0, 8, scene.shape), 0, 255).astype(np.uint8)
    scores = compare_with_reference(noisy, scene)
    inner = (slice(4, -4), slice(4, -4))
    assert scores.psnr == pytest.approx(
        peak_signal_noise_ratio(luma(scene)[inner], luma(noisy)[inner], data_range=255), abs=1e-6
    )
    assert 0 < scores.ssim < 1 and 0 < scores.haarpsi < 1
    same = compare_with_reference(scene, scene)
    assert (same.psnr, round(same.ssim, 6), round(same.haarpsi, 4)) == (100, 1, 1)
    assert luma(np.full((1, 1, 3), 255, np.uint8))[0, 0] == pytest.approx(235, abs=0.01)


def test_published_figures_come_out():
    """Bicubic x4 on Set5 has 28.42 dB and an SSIM of 0.810 in the literature."""
    found = []
    for small in sorted(shared("benchmark", "Set5").glob("*_LR.png")):
        truth = Image.open(small.with_name(small.name.replace("_LR", "_HR"))).convert("RGB")
        low = Image.open(small).convert("RGB")
        size = (low.width * 4, low.height * 4)
        scores = compare_with_reference(low.resize(size, Image.Resampling.BICUBIC), truth.crop((0, 0, *size)))
        found.append((scores.psnr, scores.ssim))
    psnr, ssim = np.mean(found, axis=0)
    assert psnr == pytest.approx(28.42, abs=0.1) and ssim == pytest.approx(0.8104, abs=0.01)


def test_a_reference_of_another_size_is_refused(scene):
    with pytest.raises(InvalidSettingsError, match="same size"):
        calculate_image_metrics(scene, scene, scene[:-1])
    with pytest.raises(InvalidImageError, match="too small"):
        compare_with_reference(scene[:20, :20], scene[:20, :20])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_is_measured(scene, mode):
    picture = Image.fromarray(scene)
    picture = picture.convert("L").convert(mode) if mode in ("I;16", "F") else picture.convert(mode)
    told = calculate_image_metrics(picture, picture.resize((240, 180), Image.Resampling.NEAREST))
    assert told["scale_factor"] == "2.00x" and told["faithfulness_psnr_db"] > 30


def test_large_pictures_are_judged_by_windows(scene):
    large = np.tile(scene, (30, 30, 1))
    told = calculate_image_metrics(large, large)
    assert told["faithfulness_psnr_db"] == 100 and told["sharpness_before"] == told["sharpness_after"]


def test_facts_about_a_picture(tmp_path, scene):
    Image.fromarray(scene).convert("LA").save(tmp_path / "a.png")
    told = get_image_info(tmp_path / "a.png")
    assert (told["width"], told["height"], told["format"], told["alpha"], told["frames"]) == (120, 90, "png", True, 1)
    assert get_image_info(scene)["gray"] is False
    with pytest.raises(InvalidImageError):
        get_image_info(42)


def test_files_are_held_to_the_limits_that_are_given(tmp_path, pair):
    """A result may be larger than any input: the program's limits for inputs are not those of a comparison."""
    for name, pixels in zip(("a.png", "b.png"), pair, strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    paths = tmp_path / "a.png", tmp_path / "b.png"
    assert calculate_image_metrics(*paths, limits=ImageLimits(max_pixels=240 * 180))["scale_factor"] == "2.00x"
    with pytest.raises(ImageTooLargeError, match=r"b\.png"):
        calculate_image_metrics(*paths, limits=ImageLimits(max_pixels=120 * 90))
    with pytest.raises(ImageTooLargeError):
        compare_with_reference(paths[1], paths[1], limits=ImageLimits(max_pixels=120 * 90))
