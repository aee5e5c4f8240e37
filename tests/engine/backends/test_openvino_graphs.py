"""Graphs built from weights alone are the networks that torch runs, in fp32 and rounded to bf16; so is plain numpy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from engine.backends import get_backend, plain_network
from engine.backends.array_networks import is_known
from engine.backends.base import NetworkSource
from engine.backends.openvino_graphs import build_graph
from engine.backends.rounding import rounded
from engine.models import package_index
from engine.models.architectures import load_network
from engine.models.checkpoints import load_arrays, load_state_dict
from engine.models.wheel_pairs import PAIRS
from tests import checkpoints
from tests.conftest import REPOSITORY, shared

REAL = ("RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B", "realesr-animevideov3", "spanx4_ch48", "spanx2_ch52")
MADE = {
    "compact x4": lambda: checkpoints.compact_state(),
    "compact x2": lambda: checkpoints.compact_state(scale=2, convs=4, features=24),
    "compact x1": lambda: checkpoints.compact_state(scale=1),
    "compact x2, unshuffled": lambda: checkpoints.quick_state(),
    "rrdb x4": lambda: checkpoints.rrdb_state(),
    "rrdb x2, unshuffled": lambda: checkpoints.rrdb_state(scale=2),
    "rrdb x8": lambda: checkpoints.rrdb_state(scale=8),
    "span x4": lambda: checkpoints.span_state(),
    "span x2": lambda: checkpoints.span_state(scale=2, features=20),
}


def state_of(name: str):
    if name in MADE:
        return MADE[name]()
    path = package_index.installed(PAIRS[name])
    assert path is not None, "the requirements were not installed"
    return load_state_dict(path)


def picture() -> np.ndarray:
    """40 x 56, smooth and sharp parts. Free of noise, in which SPAN's outputs grow beyond all bounds."""
    y, x = np.mgrid[0:40, 0:56].astype(np.float32)
    base = np.stack([0.2 + x / 80, 0.7 - y / 90, 0.5 + 0.3 * np.sin(x / 7) * np.cos(y / 5)], axis=-1)
    base[8:20, 12:30] = (0.9, 0.3, 0.15)
    base[26:30] *= 0.4
    return (np.clip(base, 0, 1) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def opened():
    """(source, 40 x 56 picture, what torch makes of it in fp32) of a network; each once."""
    known = {}

    def make(name: str):
        if name not in known:
            state = state_of(name)
            network, info = load_network(state)
            arrays = {key: value.float().numpy() for key, value in state.items()}
            source = NetworkSource(
                name, f"test {name}", info, lambda: load_network(state)[0], lambda: state, lambda: arrays
            )
            pixels = picture()[None].astype(np.float32) / 255
            import torch

            with torch.inference_mode():
                expected = network(torch.from_numpy(pixels).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
            known[name] = source, pixels, expected
        return known[name]

    return make


def decibels(result: np.ndarray, expected: np.ndarray) -> float:
    error = np.clip(result, 0, 1) - np.clip(expected, 0, 1)
    return float(-10 * np.log10(np.square(error).mean() + 1e-12))


@pytest.mark.parametrize("name", [*MADE, *REAL])
def test_fp32_is_what_torch_gives(opened, name):
    source, pixels, expected = opened(name)
    assert is_known(source.info)
    result = get_backend("openvino").open(source, "cpu", "fp32", None).infer(pixels)
    assert np.abs(np.clip(result, 0, 1) - np.clip(expected, 0, 1)).max() < 1 / 255


@pytest.mark.parametrize("name", [*MADE, *REAL])
def test_plain_numpy_is_what_torch_gives(opened, name):
    source, pixels, expected = opened(name)
    small = np.ascontiguousarray(pixels[:, :16, :16])
    result = plain_network.infer_plainly(source.info, source.arrays(), small)
    assert result.shape == (1, 16 * source.info.scale, 16 * source.info.scale, 3)
    import torch

    with torch.inference_mode():
        wanted = source.load()(torch.from_numpy(small).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    assert np.abs(result - wanted).max() < 1e-3 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("name", REAL)
def test_bf16_stays_near_with_published_weights(opened, name):
    if "bf16" not in get_backend("openvino").precisions("cpu"):
        pytest.skip("this CPU has no bf16 units")
    source, pixels, expected = opened(name)
    result = get_backend("openvino").open(source, "cpu", "bf16", None).infer(pixels)
    shift = np.abs((np.clip(result, 0, 1) - np.clip(expected, 0, 1)).mean((0, 1, 2))).max() * 255
    print(f"{name}: {decibels(result, expected):.1f} dB, mean shift {shift:.3f} of 255")
    assert decibels(result, expected) > 48
    assert shift < 0.1


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_are_rounded_as_torch_rounds_them(precision):
    import torch

    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    weight = (np.random.default_rng(0).normal(size=(32, 16, 3, 3)) / 12).astype(np.float32)
    assert np.array_equal(rounded(weight, precision), torch.from_numpy(weight).to(dtype).float().numpy())


@pytest.mark.parametrize("name", REAL)
def test_bf16_stays_near_on_every_kind_of_picture(opened, name):
    """Parts of photographs, drawings, faces, gray and 16-bit pictures; dense texture is the hardest."""
    if "bf16" not in get_backend("openvino").precisions("cpu"):
        pytest.skip("this CPU has no bf16 units")
    source = opened(name)[0]
    exact, narrow = (get_backend("openvino").open(source, "cpu", kind, None) for kind in ("fp32", "bf16"))
    files = [path for path in sorted(shared("samples").iterdir()) if path.suffix in (".jpg", ".png")]
    assert len(files) > 8
    for path in files:
        with Image.open(path) as picture:
            left, top = (picture.width - 64) // 2, (picture.height - 64) // 2
            part = picture.convert("RGB").crop((left, top, left + 64, top + 64))
        pixels = np.asarray(part, np.float32)[None] / 255
        expected, result = (np.clip(session.infer(pixels), 0, 1) for session in (exact, narrow))
        shift = np.abs((result - expected).mean((0, 1, 2))).max() * 255
        print(f"{name}, {path.name}: {decibels(result, expected):.1f} dB, mean shift {shift:.3f} of 255")
        assert decibels(result, expected) > 48 and shift < 0.1, path.name


def test_variants_that_are_not_known_are_left_to_the_tracer(opened):
    source, _, _ = opened("RealESRGAN_x4plus_anime_6B")
    arrays = dict(source.arrays())
    arrays["body.0.rdb1.conv1x1.weight"] = arrays["body.0.rdb1.conv1.weight"]
    arrays["body.0.rdb1.conv1x1.bias"] = arrays["body.0.rdb1.conv1.bias"]
    assert build_graph(source.info, arrays, "fp32") is None
    assert plain_network.infer_plainly(source.info, arrays, np.zeros((1, 8, 8, 3), np.float32)) is None


def test_a_span_without_a_mean_is_traced_and_gives_what_torch_gives():
    import torch

    state = checkpoints.span_state(norm=False)
    network, info = load_network(state)
    arrays = {key: value.float().numpy() for key, value in state.items()}
    assert build_graph(info, arrays, "fp32") is None
    source = NetworkSource("plain", "plain", info, lambda: load_network(state)[0], lambda: state, lambda: arrays)
    pixels = picture()[None].astype(np.float32) / 255
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    result = get_backend("openvino").open(source, "cpu", "fp32", None).infer(pixels)
    np.testing.assert_allclose(result, expected, atol=1e-3)


def test_a_first_load_imports_neither_torch_nor_spandrel(tmp_path):
    code = (
        "import sys, numpy as np; from engine.model_manager import ModelManager;"
        f"manager = ModelManager(weights_dir={str(tmp_path)!r}, cache_dir={str(tmp_path / 'c')!r}, device='cpu');"
        "model = manager.load_model('realesr-animevideov3');"
        "model.session.infer(np.zeros((1, 32, 32, 3), np.float32));"
        "print(model.session.backend, sorted({'torch', 'spandrel'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino []"


def test_arrays_are_the_state_dict_whatever_the_file(weights, tmp_path):
    for name in ("tiny-x4.pth", "tiny-x2.safetensors"):
        state, arrays = load_state_dict(weights / name), load_arrays(weights / name)
        assert arrays.keys() == state.keys()
        assert all(np.array_equal(arrays[key], state[key].float().numpy()) for key in state)
