"""Every layer that can be run gives what ncnn's own runtime gives."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models.ncnn.param import read_param
from engine.models.ncnn.weights import read_weights
from tests.ncnn_pairs import HALF, TABLE, by_ncnn, convolution, plain, tagged, write_pair

RNG = np.random.default_rng(3)
PICTURE = RNG.normal(0, 1, (4, 12, 15)).astype(np.float32)


def by_torch(path, picture):
    import torch

    from engine.models.ncnn.graph_module import GraphModule

    graph = read_param(path)
    module = GraphModule(graph, read_weights(graph, path.with_suffix(".bin")))
    return module(torch.from_numpy(picture)[None])[0].numpy()


def same(path, picture=PICTURE, tolerance=2e-5):
    expected = by_ncnn(path, picture)
    found = by_torch(path, picture)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


WITHOUT_WEIGHTS = {
    "relu": "ReLU a 1 1 in out",
    "leaky relu": "ReLU a 1 1 in out 0=0.2",
    "clip": "Clip a 1 1 in out 0=-0.4 1=0.7",
    "sigmoid": "Sigmoid a 1 1 in out",
    "tanh": "TanH a 1 1 in out",
    "swish": "Swish a 1 1 in out",
    "mish": "Mish a 1 1 in out",
    "gelu": "GELU a 1 1 in out",
    "fast gelu": "GELU a 1 1 in out 0=1",
    "hard sigmoid": "HardSigmoid a 1 1 in out 0=0.2 1=0.5",
    "hard swish": "HardSwish a 1 1 in out 0=0.16666667 1=0.5",
    "elu": "ELU a 1 1 in out 0=0.7",
    "absolute": "AbsVal a 1 1 in out",
    "dropout": "Dropout a 1 1 in out 0=0.5",
    "no operation": "Noop a 1 1 in out",
    "unary abs": "UnaryOp a 1 1 in out 0=0",
    "unary neg": "UnaryOp a 1 1 in out 0=1",
    "unary floor": "UnaryOp a 1 1 in out 0=2",
    "unary square": "UnaryOp a 1 1 in out 0=4",
    "unary exp": "UnaryOp a 1 1 in out 0=7",
    "unary sin": "UnaryOp a 1 1 in out 0=9",
    "unary tanh": "UnaryOp a 1 1 in out 0=16",
    "plus": "BinaryOp a 1 1 in out 0=0 1=1 2=0.3",
    "minus": "BinaryOp a 1 1 in out 0=1 1=1 2=0.3",
    "times": "BinaryOp a 1 1 in out 0=2 1=1 2=255.0",
    "divided": "BinaryOp a 1 1 in out 0=3 1=1 2=0.7",
    "max with number": "BinaryOp a 1 1 in out 0=4 1=1 2=0.1",
    "min with number": "BinaryOp a 1 1 in out 0=5 1=1 2=0.1",
    "number minus": "BinaryOp a 1 1 in out 0=7 1=1 2=0.3",
    "number divided": "BinaryOp a 1 1 in out 0=8 1=1 2=0.3",
    "crop by array": "Crop a 1 1 in out -23309=2,2,3 -23310=2,-2,-1 -23311=2,-2,-1",
    "crop channels by array": "Crop a 1 1 in out -23309=1,1 -23310=1,3 -23311=1,0",
    "crop by array to the end": "Crop a 1 1 in out -23309=2,2,3 -23310=2,-233,-233 -23311=2,1,2",
    "crop by sizes": "Crop a 1 1 in out 0=2 1=3 2=1 3=6 4=5 5=2",
    "crop by offsets": "Crop a 1 1 in out 0=2 1=3 3=-233 4=-233 5=-233 6=1 7=2",
    "nearest": "Interp a 1 1 in out 0=1 1=2.0 2=2.0",
    "bilinear": "Interp a 1 1 in out 0=2 1=2.0 2=2.0",
    "bilinear, corners aligned": "Interp a 1 1 in out 0=2 1=2.0 2=2.0 6=1",
    "bilinear to a size": "Interp a 1 1 in out 0=2 3=20 4=9",
    "bicubic": "Interp a 1 1 in out 0=3 1=3.0 2=2.0",
    "bicubic, reducing": "Interp a 1 1 in out 0=3 1=0.5 2=0.333333333",
    "nearest to a size": "Interp a 1 1 in out 0=1 3=24 4=30",
    "pixel shuffle": "PixelShuffle a 1 1 in out 0=2",
    "pixel shuffle, other order": "PixelShuffle a 1 1 in out 0=2 1=1",
    "max pooling": "Pooling a 1 1 in out 0=0 1=2 2=2 5=1",
    "average pooling": "Pooling a 1 1 in out 0=1 1=3 2=3 5=1",
    "average pooling to the end": "Pooling a 1 1 in out 0=1 1=2 2=2",
    "padded average pooling": "Pooling a 1 1 in out 0=1 1=3 2=1 3=1 5=1",
    "padded average pooling, padding counted": "Pooling a 1 1 in out 0=1 1=3 2=1 3=1 5=1 6=1",
    "zero padding": "Padding a 1 1 in out 0=1 1=2 2=3 3=4 4=0 5=0.5",
    "repeating padding": "Padding a 1 1 in out 0=1 1=2 2=3 3=4 4=1",
    "mirroring padding": "Padding a 1 1 in out 0=1 1=2 2=3 3=4 4=2",
    "squeeze": "Pooling a 1 1 in out 0=1 4=1",
    "squeeze and excite": """
        Split s 1 2 in x y
        Pooling p 1 1 y p 0=1 4=1
        Sigmoid g 1 1 p g
        BinaryOp a 2 1 x g out 0=2""",
    "excite by scale": """
        Split s 1 2 in x y
        Pooling p 1 1 y p 0=1 4=1
        Scale a 2 1 x p out 0=-233""",
    "vector first": """
        Split s 1 2 in x y
        Pooling p 1 1 y p 0=1 4=1
        BinaryOp a 2 1 p x out 0=1""",
    "sum of two": """
        Split s 1 2 in x y
        ReLU r 1 1 y r
        BinaryOp a 2 1 x r out 0=0""",
    "max of two": """
        Split s 1 2 in x y
        ReLU r 1 1 y r
        BinaryOp a 2 1 x r out 0=4""",
    "weighted sum": """
        Split s 1 3 in x y z
        ReLU r 1 1 y r
        Sigmoid t 1 1 z t
        Eltwise a 3 1 x r t out 0=1 -23301=3,0.2,1.0,-0.5""",
    "product of three": """
        Split s 1 3 in x y z
        ReLU r 1 1 y r
        Sigmoid t 1 1 z t
        Eltwise a 3 1 x r t out 0=0""",
    "max of three": """
        Split s 1 3 in x y z
        ReLU r 1 1 y r
        Sigmoid t 1 1 z t
        Eltwise a 3 1 x r t out 0=2""",
    "joined channels": """
        Split s 1 2 in x y
        Concat a 2 1 x y out 0=0""",
    "joined rows": """
        Split s 1 2 in x y
        Concat a 2 1 x y out 0=1""",
    "joined columns": """
        Split s 1 2 in x y
        Concat a 2 1 x y out 0=-1""",
    "crop like another": """
        Split s 1 2 in x y
        Crop c 1 1 y c -23309=2,2,1 -23310=2,-3,-4 -23311=2,1,2
        Crop a 2 1 x c out 0=2 1=3""",
    "to the size of another": """
        Split s 1 2 in x y
        Interp c 1 1 y c 0=1 1=3.0 2=2.0
        Interp a 2 1 x c out 0=2 5=1""",
}


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_layers_without_weights(tmp_path, name):
    same(write_pair(tmp_path, WITHOUT_WEIGHTS[name]))


def test_pixels_to_channels_and_back(tmp_path):
    picture = np.ascontiguousarray(PICTURE[:, :, :14])
    for order in (0, 1):
        same(write_pair(tmp_path, f"Reorg a 1 1 in out 0=2 1={order}"), picture)


def test_channelwise_constants(tmp_path):
    three = PICTURE[:3]
    same(
        write_pair(tmp_path, "MemoryData m 0 1 m 0=1 1=1 2=3\nBinaryOp a 2 1 in m out 0=1", plain([0.1, 0.2, 0.3])),
        three,
    )
    same(write_pair(tmp_path, "MemoryData m 0 1 m 0=3\nBinaryOp a 2 1 in m out 0=2", plain([0.1, 0.2, 0.3])), three)


CONVOLUTIONS = {
    "plain": "1=3 5=1",
    "padded": "1=3 4=1 5=1",
    "wide and flat": "1=3 11=1 4=1 14=0 5=1",
    "strided": "1=3 3=2 4=1 5=1",
    "dilated": "1=3 2=2 4=2 5=1",
    "uneven padding": "1=3 4=1 15=2 14=0 16=3 5=1",
    "padding of a value": "1=3 4=1 5=1 18=0.5",
    "sides kept": "1=3 4=-233 5=1",
    "sides kept, even kernel": "1=2 4=-233 5=1",
    "sides kept, even kernel, lower": "1=2 4=-234 5=1",
    "relu": "1=3 4=1 5=1 9=1",
    "leaky relu": "1=3 4=1 5=1 9=2 -23310=1,0.2",
    "clip": "1=3 4=1 5=1 9=3 -23310=2,-0.2,0.5",
    "sigmoid": "1=3 4=1 5=1 9=4",
    "mish": "1=3 4=1 5=1 9=5",
    "hard swish": "1=3 4=1 5=1 9=6 -23310=2,0.16666667,0.5",
}


@pytest.mark.parametrize("kind", [0, HALF], ids=["single", "half"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(tmp_path, name, kind):
    rng = np.random.default_rng(5)
    across = int(CONVOLUTIONS[name].split()[0].split("=")[1])
    down = 1 if "11=1" in CONVOLUTIONS[name] else across
    weight = rng.normal(0, 0.3, (5, 4, down, across)).astype(np.float32)
    weights = tagged(weight, kind) + plain(rng.normal(0, 0.1, 5))
    same(write_pair(tmp_path, f"Convolution a 1 1 in out 0=5 6={weight.size} {CONVOLUTIONS[name]}", weights))


def test_a_convolution_without_bias(tmp_path):
    weight = RNG.normal(0, 0.3, (5, 4, 3, 3)).astype(np.float32)
    same(write_pair(tmp_path, "Convolution a 1 1 in out 0=5 1=3 6=180", tagged(weight)))


def test_convolutions_in_groups(tmp_path):
    depthwise = RNG.normal(0, 0.3, (4, 1, 3, 3)).astype(np.float32)
    layer = "ConvolutionDepthWise a 1 1 in out 0=4 1=3 4=1 5=1 6=36 7=4"
    same(write_pair(tmp_path, layer, tagged(depthwise) + plain([1, 2, 3, 4])))
    grouped = RNG.normal(0, 0.3, (6, 2, 3, 3)).astype(np.float32)
    layer = "ConvolutionDepthWise a 1 1 in out 0=6 1=3 4=1 5=0 6=108 7=2"
    same(write_pair(tmp_path, layer, tagged(grouped)))


DECONVOLUTIONS = {
    "doubling": "1=2 3=2",
    "waifu2x's": "1=4 3=2 4=3",
    "tripling": "1=5 3=3 4=2",
    "uneven padding": "1=4 3=2 4=1 15=2 14=0 16=1",
    "with more at the end": "1=3 3=2 4=1 18=1",
    "with activation": "1=4 3=2 4=1 9=2 -23310=1,0.1",
}


@pytest.mark.parametrize("name", DECONVOLUTIONS)
def test_transposed_convolutions(tmp_path, name):
    kernel = int(DECONVOLUTIONS[name][2])
    weight = RNG.normal(0, 0.3, (5, 4, kernel, kernel)).astype(np.float32)
    layer = f"Deconvolution a 1 1 in out 0=5 5=1 6={weight.size} {DECONVOLUTIONS[name]}"
    same(write_pair(tmp_path, layer, tagged(weight) + plain(RNG.normal(0, 0.1, 5))))


def test_transposed_convolutions_in_groups(tmp_path):
    weight = RNG.normal(0, 0.3, (6, 2, 4, 4)).astype(np.float32)  # two groups, two inputs and three outputs each
    layer = "DeconvolutionDepthWise a 1 1 in out 0=6 1=4 3=2 4=1 6=192 7=2"
    same(write_pair(tmp_path, layer, tagged(weight)))


def test_dense_layers_on_means(tmp_path):
    layers = """
        Split s 1 2 in x y
        Pooling p 1 1 y p 0=1 4=1
        InnerProduct d 1 1 p d 0=3 1=1 2=12 9=1
        Convolution e 1 1 d e 0=4 1=1 5=1 6=12 9=4
        BinaryOp a 2 1 x e out 0=2"""
    first, second = RNG.normal(0, 1, (3, 4)), RNG.normal(0, 1, (4, 3, 1, 1))
    weights = tagged(first) + plain([0.1, 0.2, 0.3]) + tagged(second, TABLE) + plain([0.1, 0.2, 0.3, 0.4])
    same(write_pair(tmp_path, layers, weights))


def test_slopes_factors_and_norms(tmp_path):
    same(write_pair(tmp_path, "PReLU a 1 1 in out 0=4", plain([0.1, 0.2, 0.3, 0.4])))
    same(write_pair(tmp_path, "PReLU a 1 1 in out 0=1", plain([0.25])))
    same(write_pair(tmp_path, "Scale a 1 1 in out 0=4 1=1", plain([1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4])))
    same(write_pair(tmp_path, "Bias a 1 1 in out 0=4", plain([1, 2, 3, 4])))
    norm = plain([1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4], [1, 0.5, 2, 3], [0, 1, 0, 1])
    same(write_pair(tmp_path, "BatchNorm a 1 1 in out 0=4 1=0.001", norm))


def test_blobs_are_freed_after_their_last_use(tmp_path):
    """Of a long chain only the blobs that are still needed exist at a time."""
    import torch

    from engine.models.ncnn.graph_module import GraphModule

    layers = ["Split s 1 2 in b0 kept"]
    layers += [f"ReLU l{i} 1 1 b{i} b{i + 1}" for i in range(50)]
    layers += ["BinaryOp a 2 1 b50 kept out 0=0"]
    graph = read_param(write_pair(tmp_path, "\n".join(layers)))
    most = []

    class Watched(GraphModule):
        def _outputs(self, layer, values, fixed):
            most.append(len(values))
            return super()._outputs(layer, values, fixed)

    Watched(graph, {})(torch.zeros(1, 3, 8, 8))
    assert max(most) <= 3


def test_a_layer_can_be_used_for_more_than_one_picture_at_a_time(tmp_path):
    import torch

    from engine.models.ncnn.graph_module import GraphModule

    layers = """
        Convolution c 1 1 in c 0=4 1=3 4=1 5=1 6=144
        Split s 1 2 c x y
        Pooling p 1 1 y p 0=1 4=1
        BinaryOp a 2 1 x p out 0=2"""
    path = write_pair(tmp_path, layers, convolution(RNG, 4, 4))
    graph = read_param(path)
    module = GraphModule(graph, read_weights(graph, path.with_suffix(".bin")))
    two = torch.from_numpy(np.stack([PICTURE, -PICTURE]))
    torch.testing.assert_close(module(two)[1:], module(two[1:]))
