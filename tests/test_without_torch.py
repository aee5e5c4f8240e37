"""Where PyTorch is not installed (requirements-cpu.txt) all that comes along works; the rest says what is missing."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image

from tests import checkpoints
from tests.clips import make_clip
from tests.command_line import CommandLine, environment_for
from tests.conftest import REPOSITORY
from tests.ui.running import running_app
from tests.waiting import LONG

COMES_ALONG = (
    "RealESRGAN_x4plus",
    "RealESRGAN_x4plus_anime_6B",
    "realesr-animevideov3",
    "spanx4_ch48",
    "spanx2_ch48",
    "quick-x4",
    "quick-x2",
    "quick-anime-x2",
    "embedded-compact-x4",
)
NO_TORCH = {"PYTHONPATH": str(REPOSITORY / "tests" / "without_torch"), "REALESRGAN_ENABLE_DOWNLOADS": "false"}


@pytest.fixture
def picture(scene, tmp_path):
    Image.fromarray(scene[10:42, 20:60]).save(tmp_path / "in.png")
    return tmp_path / "in.png"


def is_enlarged(result, picture, scale: int) -> bool:
    """Whether a result has the size it should, and reduced to the input's is the input again."""
    small = Image.open(picture)
    large = result if isinstance(result, Image.Image) else Image.open(result)
    if large.size != (small.width * scale, small.height * scale):
        return False
    reduced = np.asarray(large.convert("RGB").resize(small.size, Image.Resampling.BOX), float)
    return float(np.abs(reduced - np.asarray(small.convert("RGB"), float)).mean()) < 12


@pytest.fixture
def main(tmp_path, tmp_path_factory):
    """``main.py`` in an environment without torch, with an own weights folder and the real self-test."""
    (tmp_path / "weights").mkdir()
    base = tmp_path_factory.getbasetemp() / "without-torch"
    environment = environment_for(tmp_path / "weights", base, tmp_path / "data") | NO_TORCH
    environment["REALESRGAN_OPTIMIZE"] = "true"
    with CommandLine(environment, tmp_path) as command:
        yield command


def test_torch_is_out_of_reach():
    """Otherwise nothing here would prove anything."""
    code = "import importlib.util, utils.pytorch\nprint(utils.pytorch.is_installed())\nimport torch"
    environment = {**NO_TORCH, "PYTHONPATH": f"{NO_TORCH['PYTHONPATH']}:{REPOSITORY}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "False\n" and "No module named 'torch'" in done.stderr


@pytest.mark.parametrize("name", COMES_ALONG)
def test_every_network_that_comes_along_enhances(main, picture, tmp_path, name):
    code, output, errors = main("enhance", picture, "-o", tmp_path / "out.png", "--model", name, "--json")
    assert code == 0, errors
    assert is_enlarged(tmp_path / "out.png", picture, 2 if "x2" in name else 4)
    assert json.loads(output)["backend"] == "openvino"


def test_a_checkpoint_of_a_known_kind_runs_whatever_its_file(main, picture, tmp_path):
    checkpoints.save_pth(checkpoints.compact_state(), tmp_path / "weights" / "own.pth")
    checkpoints.save_pth(checkpoints.rrdb_state(scale=2), tmp_path / "weights" / "unshuffled.pth", "params_ema")
    checkpoints.save_safetensors(checkpoints.span_state(), tmp_path / "weights" / "span.safetensors")
    for name in ("own", "unshuffled", "span"):
        code, output, errors = main("enhance", picture, "-o", tmp_path / f"{name}.png", "--model", name, "--json")
        assert code == 0 and json.loads(output)["backend"] == "openvino", errors


def test_what_needs_torch_says_so_and_names_the_line(main, picture, tmp_path):
    checkpoints.save_pth(checkpoints.face_state(), tmp_path / "weights" / "face.pth")
    wanted = "PyTorch, which is not installed; `pip install -r requirements-torch.txt` brings it."
    code, _, errors = main("enhance", picture, "-o", tmp_path / "a.png", "--model", "face")
    assert code == 5 and "face.pth" in errors and wanted in errors
    for option in (("--backend", "torch"), ("--device", "cuda:0")):
        code, _, errors = main("enhance", picture, "-o", tmp_path / "a.png", "--model", "quick-x4", *option)
        assert code == 6 and wanted in errors
    assert not (tmp_path / "a.png").exists()
    code, output, _ = main("models", "list")
    assert code == 0 and wanted in output


def test_pictures_are_judged_and_compared(main, picture, tmp_path):
    code, output, errors = main("analyze", picture, "--json")
    assert code == 0, errors
    code, output, errors = main("enhance", picture, "-o", tmp_path / "b.png", "--mode", "quick", "--faces", "auto")
    assert code == 0, errors
    code, output, errors = main("compare", picture, tmp_path / "b.png", "--reference", tmp_path / "b.png")
    assert code == 0 and "reference haarpsi" in output, errors
    code, output, errors = main("info")
    assert code == 0 and "RealESRGAN_x4plus: RRDBNet" in output, errors


@pytest.mark.parametrize("executor", ["in-process", "worker"])
def test_a_batch_runs_here_and_in_a_worker_process(main, picture, tmp_path, executor):
    code, output, errors = main(
        "batch", picture, "-o", tmp_path / "done", "--model", "quick-x4", "--executor", executor
    )
    assert code == 0 and "1 successful, 0 failed" in output + errors
    (result,) = (tmp_path / "done").glob("*.png")
    assert is_enlarged(result, picture, 4)


def test_a_film_is_enlarged(main, tmp_path):
    make_clip(tmp_path / "in.mp4", frames=3)
    code, output, errors = main("video", tmp_path / "in.mp4", "-o", tmp_path / "out.mp4", "--model", "quick-x4")
    assert code == 0, errors
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_interface_and_api_answer(picture, tmp_path):
    with running_app(tmp_path, more=NO_TORCH) as app:
        assert b"gradio" in urllib.request.urlopen(app.address, timeout=LONG).read().lower()
        body = json.dumps(
            {"image_b64": base64.b64encode(picture.read_bytes()).decode(), "scale": 4, "model": "quick-x4"}
        ).encode()
        headers = {"Content-Type": "application/json", "Accept": "image/png"}
        asked = urllib.request.Request(f"{app.address}/upscale", body, headers)
        with urllib.request.urlopen(asked, timeout=LONG) as answer:
            assert is_enlarged(Image.open(io.BytesIO(answer.read())), picture, 4)
