"""The network that ships with the program: there, whole, loaded on a fresh machine, and better than interpolation."""

import numpy as np
import pytest
from safetensors import safe_open

from benchmarks.quality import color_planes, drawings, enlarge, in_one_brightness, pairs, reduced
from engine.model_manager import BUNDLED_WEIGHTS, ModelManager
from engine.models.registry import REGISTRY
from engine.processor import enhance_file
from engine.types import EnhanceSettings
from tests.conftest import shared
from utils import image_io
from utils.errors import ModelNotFoundError
from utils.files import sha256_of
from utils.metrics import compare_with_reference
from utils.writers import SaveOptions

NAME = "embedded-compact-x4"


@pytest.fixture(scope="module")
def fresh_machine(tmp_path_factory):
    """A manager without any weights but what ships, not even those of the set-up, and with an empty cache."""
    folder = tmp_path_factory.mktemp("fresh")
    bundled = folder / "bundled"
    bundled.mkdir()
    (bundled / f"{NAME}.safetensors").symlink_to(BUNDLED_WEIGHTS / f"{NAME}.safetensors")
    manager = ModelManager(
        weights_dir=folder / "weights", bundled_dir=bundled, optimize=False, device="cpu", from_setup=lambda pair: None
    )
    yield manager
    manager.close()


def test_the_file_is_the_registered_one_small_and_says_where_it_comes_from():
    spec = REGISTRY[NAME]
    path = BUNDLED_WEIGHTS / spec.filename
    assert path.stat().st_size == spec.size < 3_000_000
    assert sha256_of(path) == spec.sha256
    with safe_open(path, "pt") as file:
        facts = file.metadata()
    assert {"architecture", "scale", "training_data", "date", "licence"} <= set(facts)
    assert (facts["scale"], facts["licence"]) == ("4", spec.licence)


def test_it_is_the_default_where_nothing_else_is_installed_and_says_what_would_add_to_it(fresh_machine):
    name, reason = fresh_machine.default_model(4)
    assert name == NAME
    assert "ships with the program" in reason and "RealESRGAN_x4plus is missing" in reason
    assert fresh_machine.default_model(2)[0] == NAME


def test_a_picture_is_enhanced_with_it_at_once(fresh_machine, config, scene, tmp_path):
    picture = tmp_path / "in.png"
    image_io.save(image_io.from_array(scene), picture, SaveOptions("png"))
    settings = EnhanceSettings.create(scale=4)
    result = enhance_file(picture, tmp_path / "out.png", settings, manager=fresh_machine, config=config)
    assert result.model == NAME and result.output_size == (scene.shape[1] * 4, scene.shape[0] * 4)


@pytest.mark.parametrize("own", [False, True], ids=["weights folder elsewhere", "weights folder is the program's"])
def test_it_is_never_deleted(tmp_path, own):
    path = tmp_path / f"{NAME}.safetensors"
    path.write_bytes((BUNDLED_WEIGHTS / path.name).read_bytes())
    manager = ModelManager(weights_dir=tmp_path if own else tmp_path / "weights", bundled_dir=tmp_path)
    with pytest.raises(ModelNotFoundError, match="ships with the program"):
        manager.delete(NAME)
    assert path.exists()


def test_drawings_it_never_saw_come_out_far_nearer_to_the_truth_than_bicubic(fresh_machine):
    gains = []
    for small, truth in drawings(count=4):
        psnr = {
            model: compare_with_reference(enlarge(fresh_machine, model, small), truth).psnr
            for model in (NAME, "bicubic")
        }
        gains.append(psnr[NAME] - psnr["bicubic"])
    assert np.mean(gains) > 3.0


def test_edges_between_colours_of_like_brightness_are_no_steps(fresh_machine):
    """Nothing in brightness says where they are; left alone they would be the input's pixels, far under bicubic."""
    gains = []
    for _, drawn in drawings(count=4):
        small, truth = reduced(in_one_brightness(drawn), 4)
        scores = {
            model: compare_with_reference(color_planes(enlarge(fresh_machine, model, small)), color_planes(truth))
            for model in (NAME, "bicubic")
        }
        gains.append(scores[NAME].psnr - scores["bicubic"].psnr)
        assert scores[NAME].haarpsi > scores["bicubic"].haarpsi - 0.02
    assert np.mean(gains) > 0.3


@pytest.mark.parametrize(("suite", "gain"), [("Set5", 1.8), ("Set14", 1.3)])
def test_photographs_come_out_nearer_to_the_truth_than_bicubic(fresh_machine, suite, gain):
    gains = []
    for small, truth in pairs(shared("benchmark", suite)):
        psnr = {
            model: compare_with_reference(enlarge(fresh_machine, model, small), truth).psnr
            for model in (NAME, "bicubic")
        }
        gains.append(psnr[NAME] - psnr["bicubic"])
    assert np.mean(gains) > gain
