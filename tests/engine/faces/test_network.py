"""Face networks with the true architecture, fixed-seed random weights and few channels."""

from __future__ import annotations

import numpy as np
import pytest

from engine.model_manager import ModelManager
from tests import checkpoints
from utils.errors import UnsupportedModelError

CROPS = np.random.default_rng(3).random((3, 512, 512, 3), dtype=np.float32)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A manager over a narrow GFPGANv1Clean and an upscaler."""
    folder = tmp_path_factory.mktemp("face-weights")
    checkpoints.save_pth(checkpoints.face_state(), folder / "narrow-face.pth", "params_ema")
    checkpoints.save_pth(checkpoints.compact_state(), folder / "tiny-x4.pth")
    made = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None, optimize=False, device="cpu")
    yield made
    made.close()


def run(manager, crops, **how):
    with manager.borrow("narrow-face", kind="face", **how) as loaded:
        return loaded.session.infer(crops)


def test_a_checkpoint_of_any_width_is_recognised(faces):
    info = faces.info("narrow-face")
    assert (info.kind, info.architecture, info.scale) == ("face", "GFPGAN", 1)
    assert faces.default_face_model() == "narrow-face"
    assert [status.name for status in faces.usable_upscalers()] == ["tiny-x4"]


def test_the_network_gives_what_its_definition_gives_in_minus_one_to_one(faces):
    import torch
    from spandrel.architectures.GFPGAN import GFPGAN

    network = GFPGAN(narrow=1 / 32, num_style_feat=32).eval()
    network.load_state_dict(checkpoints.face_state())
    with torch.inference_mode():
        crops = torch.from_numpy(CROPS[:1]).permute(0, 3, 1, 2).contiguous()
        expected = network((crops - 0.5) / 0.5, return_rgb=False, randomize_noise=False)[0]
    expected = (expected.clamp(-1, 1) + 1) / 2
    got = run(faces, CROPS[:1], backend="torch", precision="fp32")
    assert np.abs(got - expected.permute(0, 2, 3, 1).numpy()).max() < 1e-5


def test_the_same_face_twice_is_the_same_face(faces):
    first, again = (run(faces, CROPS[:1], backend="torch", precision="fp32") for _ in range(2))
    assert np.array_equal(first, again)


def test_a_batch_is_what_its_faces_are_alone(faces):
    together = run(faces, CROPS, backend="torch", precision="fp32")
    alone = [run(faces, CROPS[index : index + 1], backend="torch", precision="fp32")[0] for index in range(3)]
    assert np.abs(together - np.stack(alone)).max() < 1e-4


def test_openvino_agrees_with_torch_to_a_level(faces):
    expected = run(faces, CROPS[:2], backend="torch", precision="fp32")
    got = run(faces, CROPS[:2], backend="openvino", precision="fp32")
    assert np.abs(got - expected).max() <= 1 / 255


def test_a_face_model_does_not_upscale_nor_an_upscaler_restore_faces(faces):
    with pytest.raises(UnsupportedModelError, match="not an upscaling model"):
        faces.load_model("narrow-face")
    with pytest.raises(UnsupportedModelError, match="not a face model"):
        faces.load_model("tiny-x4", kind="face")
