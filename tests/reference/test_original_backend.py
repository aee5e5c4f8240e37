"""The original packages as a backend: asked for by name, never chosen, and clear about what is missing."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.backends import AUTOMATIC, get_backend, original
from engine.backends.self_test import candidates
from engine.model_manager import ModelManager
from tests import checkpoints
from utils.errors import BackendError


def test_it_is_never_chosen_by_itself():
    assert "original" not in AUTOMATIC
    assert all(name != "original" for name, _ in candidates("cpu", "auto", "auto", get_backend))
    assert candidates("cpu", "original", "auto", get_backend) == [("original", "fp32")]


def test_asked_for_by_name_it_runs_the_originals_code(manager, scene):
    session = manager.load_model("tiny-x4", backend="original").session
    plain = manager.load_model("tiny-x4", backend="torch", precision="fp32").session
    assert type(session._upsampler).__module__ == "realesrgan.utils"
    window = scene[None].astype(np.float32) / 255
    np.testing.assert_allclose(session.infer(window), plain.infer(window), atol=1e-5)
    assert session.backend == "original" and session.precision == "fp32"


def test_importing_it_leaves_no_shim_behind():
    original.import_originals()
    assert "torchvision.transforms.functional_tensor" not in sys.modules


def test_a_network_that_the_originals_do_not_know_is_refused_by_name():
    with pytest.raises(BackendError, match="RRDBNet, SRVGGNetCompact and GFPGAN only"):
        original.build_network({"layers.0.weight": None}, 4)


def test_without_the_packages_it_says_what_to_install(manager, monkeypatch):
    monkeypatch.setattr(original, "find_spec", lambda name: None)
    assert get_backend("original").devices() == []
    with pytest.raises(BackendError, match="missing: basicsr, realesrgan, gfpgan.*requirements-reference.txt"):
        manager.load_model("neutral-x4", backend="original")


def test_the_command_line_takes_it(tmp_path, weights, scene):
    from PIL import Image
    from typer.testing import CliRunner

    from cli.app import app

    Image.fromarray(scene[:40, :50]).save(tmp_path / "in.png")
    environment = {
        "REALESRGAN_WEIGHTS_DIR": str(weights),
        "REALESRGAN_CACHE_DIR": str(tmp_path / "cache"),
        "REALESRGAN_DATA_DIR": str(tmp_path / "data"),
    }
    command = ["enhance", str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png"), "--model", "tiny-x4", "--json"]
    result = CliRunner().invoke(app, [*command, "--backend", "original"], env=environment)
    assert result.exit_code == 0, result.output
    assert '"backend": "original"' in result.output
    assert Image.open(tmp_path / "out.png").size == (200, 160)


def test_a_gfpgan_runs_in_the_originals_class(tmp_path):
    """The published architecture, narrow, with seeded weights: the original's session against the engine's own."""
    checkpoints.save_pth(checkpoints.face_state(), tmp_path / "narrow-face.pth", "params_ema")
    manager = ModelManager({}, tmp_path, bundled_dir=None, optimize=False, device="cpu")
    theirs = manager.load_model("narrow-face", backend="original", kind="face").session
    plain = manager.load_model("narrow-face", backend="torch", precision="fp32", kind="face").session
    assert type(theirs._network).__module__.startswith("gfpgan.")
    crop = np.random.default_rng(0).random((1, 512, 512, 3), dtype=np.float32)
    np.testing.assert_allclose(theirs.infer(crop), plain.infer(crop), atol=1e-3)
    manager.close()
