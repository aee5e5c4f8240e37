"""RRDBNet, compact and SPAN graphs become the state dicts of their official checkpoints; what only looks alike does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.models.architectures import load_network
from engine.models.checkpoints import inspect_checkpoint
from engine.models.ncnn import read_pair
from engine.models.ncnn.writer import write_network
from tests import checkpoints
from tests.ncnn_pairs import published

RECOGNISED = {
    "REALESRGAN_X4PLUS_UP4X": ("ESRGAN", 4, 16_697_987, None),
    "REALESRGAN_X4PLUSANIME_UP4X": ("ESRGAN", 4, 4_467_779, None),
    "REALESRGAN_ANIMAVIDEOV3_UP4X": ("RealESRGAN Compact", 4, 621_424, 18),
    "spanx4_ch48": ("SPAN", 4, None, 21),
    "spanx2_ch48": ("SPAN", 2, None, 21),
    "spanx4_ch52": ("SPAN", 4, None, 21),
    "spanx2_ch52": ("SPAN", 2, None, 21),
}


def tensors(pair):
    import torch

    return {key: torch.from_numpy(values) for key, values in pair.state.items()}


@pytest.mark.parametrize("path", published(*RECOGNISED))
def test_published_networks_are_recognised(path):
    pair = read_pair(path)
    architecture, scale, parameters, radius = RECOGNISED[path.stem]
    info = pair.known
    assert (info.architecture, info.scale, info.receptive_radius) == (architecture, scale, radius)
    assert parameters is None or info.parameters == parameters
    assert all(values.dtype == np.float32 and values.flags.c_contiguous for values in pair.state.values())


@pytest.mark.parametrize("path", published(*RECOGNISED))
def test_the_state_is_that_of_the_official_checkpoint(path, tmp_path):
    """Saved as a ``.pth`` it is the same network with the same facts, and no key is missing or spare."""
    pair = read_pair(path)
    saved = checkpoints.save_pth(tensors(pair), tmp_path / "same.pth")
    found = inspect_checkpoint(saved)
    assert replace(pair.known, receptive_radius=None) == replace(found, receptive_radius=None)
    assert found.receptive_radius in (None, pair.known.receptive_radius)
    if pair.known.architecture == "SPAN":
        network, _ = load_network(tensors(pair))
        assert set(network.state_dict()) == set(pair.state)


def test_a_compact_network_behind_a_pixel_unshuffle_comes_back_from_a_pair(tmp_path):
    """Written for ncnn and read again it is the same network with the same facts."""
    state = checkpoints.quick_state()
    info = load_network(state)[1]
    arrays = {key: value.float().numpy() for key, value in state.items()}
    files = write_network(info, arrays, "fp32")
    (tmp_path / "quick.param").write_text(files.param)
    (tmp_path / "quick.bin").write_bytes(files.weights)
    pair = read_pair(tmp_path / "quick.param")
    assert pair.known == info
    assert set(pair.state) == set(arrays)
    assert all(np.array_equal(pair.state[key], values) for key, values in arrays.items())


@pytest.mark.parametrize("path", published("spanx4_ch48"))
def test_merging_span_gives_back_its_kernels_exactly(path):
    pair = read_pair(path)
    network, _ = load_network(tensors(pair))
    network.block_3.c2_r.update_params()
    kernels = [name for name, layer in pair.weights.items() if layer.get("weight", np.zeros(1)).shape[2:] == (3, 3)]
    merged = network.block_3.c2_r.eval_conv
    expected = pair.weights[kernels[1 + 2 * 3 + 1]]  # after conv_1 and two blocks of three, the second one
    np.testing.assert_array_equal(merged.weight.numpy(), expected["weight"])
    np.testing.assert_array_equal(merged.bias.numpy(), expected["bias"])


def changed(path, folder, old: str, new: str, count: int = 1):
    """A copy of a pair with something else in its graph."""
    text = path.read_text("utf-8")
    assert old in text
    copy = folder / path.name
    copy.write_text(text.replace(old, new, count), "utf-8")
    copy.with_suffix(".bin").write_bytes(path.with_suffix(".bin").read_bytes())
    return copy


@pytest.mark.parametrize("path", published("REALESRGAN_X4PLUSANIME_UP4X"))
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-23310=1,2.000000e-01", "-23310=1,1.000000e-01"),  # another slope
        ("-23301=2,2.000000e-01,1.000000e+00", "-23301=2,3.000000e-01,1.000000e+00"),  # another share of the residual
        ("0=1 1=2.000000e+00 2=2.000000e+00", "0=2 1=2.000000e+00 2=2.000000e+00"),  # enlarged otherwise
        ("5=1 6=1728", "5=1 6=1728 9=1"),  # an activation where there is none
    ],
)
def test_another_network_is_not_taken_for_rrdbnet(path, tmp_path, old, new):
    pair = read_pair(changed(path, tmp_path, old, new))
    assert pair.state is None and pair.known is None


@pytest.mark.parametrize("path", published("spanx4_ch48"))
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2=2.550000e+02", "2=1.000000e+00"),
        ("2=5.000000e-01", "2=2.500000e-01"),
        ("/Sub_output_0 0=1", "/Sub_output_0 0=0"),
    ],
)
def test_another_network_is_not_taken_for_span(path, tmp_path, old, new):
    assert read_pair(changed(path, tmp_path, old, new)).state is None


@pytest.mark.parametrize("path", published("spanx4_ch48"))
def test_another_mean_is_not_taken_for_spans(path, tmp_path):
    copy = changed(path, tmp_path, "7767517", "7767517")
    content = bytearray(copy.with_suffix(".bin").read_bytes())
    content[:4] = np.float32(0.5).tobytes()
    copy.with_suffix(".bin").write_bytes(bytes(content))
    assert read_pair(copy).state is None


@pytest.mark.parametrize(
    "path", published("4xSPANkendata", "REALESRGAN_ANIMAVIDEOV3_UP2X", "REALESRGAN_ANIMAVIDEOV3_UP3X")
)
def test_variants_run_as_graphs(path):
    """A SPAN without its factor of 255, and animevideov3 reduced within its graph: neither is the official network."""
    assert read_pair(path).state is None


@pytest.mark.parametrize("path", published("REALESRGAN_X4PLUSANIME_UP4X"))
def test_names_and_ways_of_writing_do_not_matter(path, tmp_path):
    """Sums as BinaryOps, activations as layers of their own, other names: the same network."""
    lines = []
    for extra, line in enumerate(path.read_text("utf-8").splitlines()[2:]):
        words = line.split()
        ins, outs = int(words[2]), int(words[3])
        blobs, params = words[4 : 4 + ins + outs], words[4 + ins + outs :]
        blobs = [f"b_{blob}" for blob in blobs]
        words[1] = f"layer/{len(lines)}"
        if "9=2" in params:
            params = [one for one in params if one != "9=2" and not one.startswith("-23310")]
            lines.append(" ".join([*words[:4], *blobs[:-1], f"raw{extra}", *params]))
            lines.append(f"ReLU act{extra} 1 1 raw{extra} {blobs[-1]} 0=0.2")
        elif words[0] == "Eltwise":
            lines.append(f"BinaryOp fifth{extra} 1 1 {blobs[0]} small{extra} 0=2 1=1 2=0.2")
            lines.append(f"BinaryOp sum{extra} 2 1 {blobs[1]} small{extra} {blobs[2]} 0=0")
        else:
            lines.append(" ".join([*words[:4], *blobs, *params]))
    copy = tmp_path / "other.param"
    blobs = sum(int(line.split()[3]) for line in lines)
    copy.write_text("\n".join(["7767517", f"{len(lines)} {blobs}", *lines]), "utf-8")
    copy.with_suffix(".bin").write_bytes(path.with_suffix(".bin").read_bytes())
    original, rewritten = read_pair(path), read_pair(copy)
    assert rewritten.known == original.known
    assert all(np.array_equal(rewritten.state[key], values) for key, values in original.state.items())
