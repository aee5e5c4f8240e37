"""ncnn's two files: what stands in them is what is read."""

from __future__ import annotations

import struct
import subprocess
import sys

import numpy as np
import pytest

from engine.models.ncnn import read_pair
from engine.models.ncnn.param import read_param
from engine.models.ncnn.weights import read_weights
from tests.conftest import REPOSITORY
from tests.ncnn_pairs import HALF, INT8, TABLE, by_ncnn, plain, published, tagged, write_pair
from utils.errors import UnsupportedModelError

WEIGHT = np.random.default_rng(0).normal(0, 0.3, (3, 3, 3, 3)).astype(np.float32)
LAYER = "Convolution a 1 1 in out 0=3 1=3 4=1 5=1 6=81"
BIAS = np.float32([0.1, 0.2, 0.3])


def weights_of(folder, layer: str, content: bytes):
    path = write_pair(folder, layer, content)
    return read_weights(read_param(path), path.with_suffix(".bin"))


def test_a_graph_is_read_as_it_is_written(tmp_path):
    path = tmp_path / "net.param"
    path.write_bytes(
        b"7767517\r\n4 5\r\n"
        b"Input            data             0 1 data 0=0 1=0 2=3\r\n"
        b"Split            s                1 2 data x y\r\n\r\n"
        b"Convolution      \xc3\xa4/conv_1   1 1 x c 0=8 1=3 9=2 -23310=1,1.0e-01\r\n"
        b"Eltwise          sum              2 1 c y out -23301=2,2.5e-01,1\r\n"
    )
    graph = read_param(path)
    assert (graph.input, graph.output) == ("data", "out")
    assert [layer.type for layer in graph.layers] == ["Input", "Split", "Convolution", "Eltwise"]
    convolution, total = graph.layers[2:]
    assert (convolution.name, convolution.inputs, convolution.outputs) == ("ä/conv_1", ("x",), ("c",))
    assert convolution.params == {0: 8, 1: 3, 9: 2, 10: (0.1,)}
    assert total.params == {1: (0.25, 1)}


def test_layers_of_one_name_keep_their_own_weights(tmp_path):
    layers = "Bias a 1 1 in x 0=3\nBias a 1 1 x out 0=3"
    found = weights_of(tmp_path, layers, plain([1, 2, 3], [4, 5, 6]))
    assert [list(layer["bias"]) for layer in found.values()] == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(("kind", "tolerance"), [(0, 0), (0x0002C056, 0), (HALF, 5e-4), (TABLE, 0)])
def test_number_types_of_weights(tmp_path, kind, tolerance):
    """Nine weights and no multiple of four: what fills up the last four bytes is skipped."""
    for size in (81, 9):
        values = WEIGHT.reshape(-1)[:size]
        outputs = size // 27 or 1
        layer = f"Convolution a 1 1 in out 0={outputs} 1=3 4=1 5=1 6={size}"
        content = tagged(values, kind) + plain(BIAS[:outputs])
        found = weights_of(tmp_path, layer, content)["a"]
        assert found["weight"].shape == (outputs, size // outputs // 9, 3, 3)
        assert found["weight"].dtype == np.float32 and found["weight"].flags.c_contiguous
        np.testing.assert_allclose(found["weight"].reshape(-1), values, atol=tolerance)
        np.testing.assert_array_equal(found["bias"], BIAS[:outputs])


def test_ncnn_reads_the_same_number_types(tmp_path):
    """That the files of this test are what ncnn takes for such."""
    picture = np.random.default_rng(1).random((3, 8, 8), dtype=np.float32)
    outputs = [
        by_ncnn(write_pair(tmp_path, LAYER, tagged(WEIGHT, kind) + plain(BIAS)), picture)
        for kind in (0, 0x0002C056, HALF, TABLE)
    ]
    for output in outputs[1:]:
        np.testing.assert_allclose(output, outputs[0], atol=2e-3)


def test_eight_bit_weights_are_read_by_their_scales(tmp_path):
    scales = np.float32([100, 50, 25])
    stored = np.rint(WEIGHT * scales[:, None, None, None])
    content = tagged(stored, INT8) + plain(BIAS, scales, [127.0])
    found = weights_of(tmp_path, LAYER + " 8=2", content)["a"]
    np.testing.assert_allclose(found["weight"], stored / scales[:, None, None, None], rtol=1e-6)
    with pytest.raises(UnsupportedModelError, match=r"net\.bin.*'a' \(Convolution\).*8-bit"):
        weights_of(tmp_path, LAYER, tagged(stored, INT8) + plain(BIAS))


def test_eight_bit_weights_of_groups_and_of_dense_layers(tmp_path):
    layer = "ConvolutionDepthWise a 1 1 in out 0=3 1=3 4=1 6=27 7=3 8="
    stored = np.rint(WEIGHT[0] * 100)
    own = weights_of(tmp_path, layer + "1", tagged(stored, INT8) + plain([100, 50, 25], [127.0]))["a"]["weight"]
    np.testing.assert_allclose(own[:, 0], stored / np.float32([100, 50, 25])[:, None, None], rtol=1e-6)
    shared = weights_of(tmp_path, layer + "102", tagged(stored, INT8) + plain([50], [127.0], [3.0]))["a"]["weight"]
    np.testing.assert_allclose(shared[:, 0], stored / 50, rtol=1e-6)
    dense = "Pooling p 1 1 in p 0=1 4=1\nInnerProduct a 1 1 p out 0=3 1=0 2=9 8=2"
    stored = stored.reshape(3, 9)[:, :3]
    found = weights_of(tmp_path, dense, tagged(stored, INT8) + plain([100, 50, 25], [1.0]))["a"]["weight"]
    np.testing.assert_allclose(found, stored / np.float32([100, 50, 25])[:, None], rtol=1e-6)


def test_constants_have_their_shape(tmp_path):
    layers = "MemoryData m 0 1 m 0=1 1=1 2=3\nBinaryOp a 2 1 in m out 0=0"
    assert weights_of(tmp_path, layers, plain([1, 2, 3]))["m"]["data"].shape == (3, 1, 1)


def test_a_binary_graph_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "net.param"
    path.write_bytes(struct.pack("<3i", 7767517, 1, 1))
    (tmp_path / "net.bin").write_bytes(b"")
    with pytest.raises(UnsupportedModelError, match=r"net\.param.*binary.*text \.param"):
        read_pair(path)
    with pytest.raises(UnsupportedModelError, match=r"binary graph; use the text"):
        read_pair(tmp_path / "net.param.bin")


def test_missing_weights_are_named(tmp_path):
    path = write_pair(tmp_path, LAYER)
    path.with_suffix(".bin").unlink()
    with pytest.raises(UnsupportedModelError, match=r"'net\.bin' belongs beside it"):
        read_pair(path)


def test_unknown_layers_are_refused_by_name_when_read(tmp_path):
    path = write_pair(tmp_path, "DeformableConv2D /deep/conv 1 1 in out 0=3")
    with pytest.raises(UnsupportedModelError, match=r"net\.param.*'/deep/conv' \(DeformableConv2D\)"):
        read_pair(path)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ("Convolution a 1 1 in out 0=3 1=3 5=1 6=81 9=7", "activation 7"),
        ("Convolution a 1 1 in out 0=3 1=3 3=2 4=-233 5=1 6=81", "depends on the picture's size"),
        ("Convolution a 1 1 in out 0=3 1=3 5=1 6=81 19=1", "computed by other layers"),
        ("Deconvolution a 1 1 in out 0=3 1=3 5=1 6=81 20=64 21=64", "fixed size"),
        ("Pooling a 1 1 in out 0=0 4=1", "maximum over the whole picture"),
        ("BinaryOp a 1 1 in out 0=10 1=1 2=1.0", "parameter 0=10"),
        ("BinaryOp a 1 1 in out 0=0", "1 inputs"),
        ("Interp a 1 1 in out 0=4", "parameter 0=4"),
        ("PixelShuffle a 1 1 in out 0=0", "parameter 0=0"),
    ],
)
def test_what_a_layer_asks_for_and_cannot_have_is_said(tmp_path, layer, reason):
    path = write_pair(tmp_path, layer, tagged(WEIGHT) + plain(BIAS))
    with pytest.raises(UnsupportedModelError, match=rf"'a' \(\w+\).*{reason}"):
        read_pair(path)


@pytest.mark.parametrize("path", published())
def test_every_published_pair_is_read_to_its_last_byte(path):
    pair = read_pair(path)
    assert sum(values.size for layer in pair.weights.values() for values in layer.values()) > 100_000


@pytest.mark.parametrize("path", published("REALESRGAN_X4PLUS_UP4X"))
def test_reading_imports_no_torch(path):
    code = f"import sys; from pathlib import Path; from engine.models.ncnn import read_pair; read_pair(Path({str(path)!r})).state; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "False", done.stderr
