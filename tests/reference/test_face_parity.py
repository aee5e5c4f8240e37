"""Face restoration against the original gfpgan package: the same aligned crop and weights give the same face."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from engine.backends.original import import_originals, missing_packages
from engine.faces.align import align, crop_face
from engine.faces.run_network import FaceRun
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings
from tests import checkpoints
from tests.pictures import face_landmarks, portrait

pytestmark = pytest.mark.skipif(bool(missing_packages()), reason=f"not installed: {', '.join(missing_packages())}")

SPOT = (260, 240, 126)


@pytest.fixture(scope="module")
def crop() -> np.ndarray:
    """An aligned face of 8 bits, ``(512, 512, 3)`` RGB."""
    aligned = crop_face(portrait(520, 520, [SPOT]), align(face_landmarks(*SPOT)))
    return np.rint(aligned * 255).astype(np.uint8)


def original_result(network, crop: np.ndarray) -> np.ndarray:
    """What ``GFPGANer.enhance`` makes of an aligned crop; only its detector, which it does not need here, is absent."""
    import torch
    from gfpgan import GFPGANer

    helper = SimpleNamespace(cropped_faces=[], restored_faces=[], clean_all=lambda: None)
    helper.add_restored_face = helper.restored_faces.append
    restorer = object.__new__(GFPGANer)
    restorer.device, restorer.face_helper, restorer.gfpgan = torch.device("cpu"), helper, network
    _, (restored,), _ = restorer.enhance(np.ascontiguousarray(crop[..., ::-1]), has_aligned=True)
    return restored[..., ::-1]


def our_result(state, crop: np.ndarray, folder, backend: str) -> np.ndarray:
    checkpoints.save_pth(state, folder / "face.pth", "params_ema")
    manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None, optimize=False, device="cpu")
    settings = EnhanceSettings.create(face_enhance=True, backend=backend, precision="fp32")
    (restored,) = FaceRun(manager, "face", settings).restore([crop.astype(np.float32) / 255])
    manager.close()
    return np.rint(restored / 257).astype(np.uint8)


def report(name: str, backend: str, ours: np.ndarray, theirs: np.ndarray) -> int:
    difference = np.abs(ours.astype(int) - theirs)
    shown = f"largest difference {difference.max()}/255, {(difference > 0).mean():.4%} of values differ"
    print(f"{name}, {backend} fp32: {shown}; output spans {theirs.min()}..{theirs.max()}, sd {theirs.std():.0f}")
    return int(difference.max())


@pytest.mark.parametrize(("shape", "backend"), [("narrow", "torch"), ("narrow", "openvino"), ("published", "torch")])
def test_gfpgan(crop, tmp_path, shape, backend):
    """The stored noise is what makes a run repeatable; the original draws anew unless told to use it as well."""
    import torch

    import_originals()
    from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean

    narrow, features = (1 / 32, 32) if shape == "narrow" else (1, 512)
    torch.manual_seed(5)
    network = GFPGANv1Clean(
        out_size=512,
        num_style_feat=features,
        channel_multiplier=2,
        fix_decoder=False,
        num_mlp=8,
        input_is_latent=True,
        different_w=True,
        narrow=narrow,
        sft_half=True,
    ).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("conv1.weight") or parameter.ndim != 1 or parameter.numel() != 1:
                continue
            parameter.fill_(0.1)  # the noise's strength, which training starts at nothing
    network.forward = partial(network.forward, randomize_noise=False)
    theirs = original_result(network, crop)
    assert theirs.std() > 20, "a blank picture would agree with anything"
    ours = our_result(network.state_dict(), crop, tmp_path, backend)
    assert report(f"GFPGANv1Clean, {shape}", backend, ours, theirs) <= 1


def test_restoreformer(crop, tmp_path):
    import torch

    import_originals()
    from gfpgan.archs.restoreformer_arch import RestoreFormer

    torch.manual_seed(5)
    network = RestoreFormer().eval()
    theirs = original_result(network, crop)
    ours = our_result(network.state_dict(), crop, tmp_path, "torch")
    assert report("RestoreFormer", "torch", ours, theirs) <= 1
