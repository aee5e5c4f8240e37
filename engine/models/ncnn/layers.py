"""ncnn's layers without weights, and the table of all that can be run.

Parameter numbers are those of ncnn's "operation param weight table"; where it is silent, of what ncnn's runtime does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from engine.models.ncnn import operators as act
from engine.models.ncnn.operators import Builder, Elementwise, Operator, bounded, elementwise, need
from engine.models.ncnn.param import Graph, Layer
from engine.models.ncnn.weighted import WEIGHTED

if TYPE_CHECKING:
    from torch import Tensor

STRUCTURAL = ("Input", "MemoryData", "Split")
"""Layers that only hand on what is there; the graph module runs them itself."""
_REST = -233
"""Stands for "up to the end" in ncnn's offsets and sizes."""
_MOST_INPUTS = 256


def operators(graph: Graph) -> dict[str, Operator]:
    """The operator of every layer that is not structural, by name.

    Raises:
        ValueError: a layer is of an unknown type, or has parameters that cannot be run; the message names it.
    """
    found = {}
    for layer in graph.layers:
        if layer.type in STRUCTURAL:
            continue
        builder = _BUILDERS.get(layer.type)
        if builder is None:
            raise ValueError(f"{layer} is of a kind that cannot be run here")
        try:
            operator = builder(layer)
            least, most = operator.inputs
            need(least <= len(layer.inputs) <= most, f"{len(layer.inputs)} inputs")
            need(len(layer.outputs) == 1, f"{len(layer.outputs)} outputs")
        except (ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
            raise ValueError(f"{layer}: {error}") from error
        found[layer.name] = operator
    return found


def _met(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two blobs made to broadcast as ncnn does: a vector meets the channels, else the columns, of a picture."""
    if a.dim() == b.dim():
        return a, b
    if a.dim() < b.dim():
        second, first = _met(b, a)
        return first, second
    if b.dim() == 3:  # (1, H, W) constants
        return a, b[..., None]
    channels = a.dim() == 4 and b.shape[1] != a.shape[1] and b.shape[1] == a.shape[3]
    return a, b[:, None, None, :] if channels else b.reshape(*b.shape, *[1] * (a.dim() - 2))


def _binary_functions() -> Mapping[int, Callable[..., Tensor]]:
    import torch

    return {
        0: lambda a, b: a + b,
        1: lambda a, b: a - b,
        2: lambda a, b: a * b,
        3: lambda a, b: a / b,
        4: torch.maximum,
        5: torch.minimum,
        6: lambda a, b: a**b,
        7: lambda a, b: b - a,
        8: lambda a, b: b / a,
        9: lambda a, b: b**a,
    }


def _binary(layer: Layer) -> Operator:
    kind, with_scalar, number = bounded(layer, 0, 0, 0, 9), layer.integer(1, 0), layer.number(2, 0.0)

    def with_number(x: Tensor) -> Tensor:
        if kind in (4, 5):
            return x.clamp(min=number) if kind == 4 else x.clamp(max=number)
        return _binary_functions()[kind](x, number)

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        return _binary_functions()[kind](*_met(inputs[0], inputs[1]))

    return elementwise(with_number) if with_scalar else Operator(run, inputs=(2, 2))


def _eltwise(layer: Layer) -> Operator:
    kind, factors = bounded(layer, 0, 0, 0, 2), layer.array(1)
    need(not factors or (kind == 1 and len(factors) == len(layer.inputs)), f"{len(factors)} factors")

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        function = _binary_functions()[(2, 0, 4)[kind]]
        parts = [x * f for x, f in zip(inputs, factors, strict=True)] if factors else inputs
        result = parts[0]
        for part in parts[1:]:
            result = function(result, part)
        return result

    return Operator(run, inputs=(1, _MOST_INPUTS))


def _unary(layer: Layer) -> Operator:
    names = (
        *("abs", "neg", "floor", "ceil", "square", "sqrt", "rsqrt", "exp", "log", "sin", "cos", "tan"),
        *("asin", "acos", "atan", "reciprocal", "tanh", "log10", "round", "trunc"),
    )
    name = names[bounded(layer, 0, 0, 0, len(names) - 1)]
    return elementwise(lambda x: getattr(x, name)())


def _axis(axis: int, x: Tensor) -> int:
    """ncnn's axis, counted without the batch, as PyTorch's."""
    return axis if axis < 0 else axis + 1


def _concat(layer: Layer) -> Operator:
    axis = bounded(layer, 0, 0, -3, 2)

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        import torch

        return torch.cat(inputs, _axis(axis, inputs[0]))

    return Operator(run, inputs=(1, _MOST_INPUTS))


def _crop(layer: Layer) -> Operator:
    starts, ends = layer.array(9), layer.array(10)
    if starts and ends:
        return _slice_crop(layer, [int(v) for v in starts], [int(v) for v in ends])
    left, top, channel = (bounded(layer, key, 0, 0, 2**16) for key in (0, 1, 2))
    if len(layer.inputs) == 2:

        def run(module: object, inputs: list[Tensor]) -> Tensor:
            x, like = inputs
            height, width = like.shape[2], like.shape[3]
            return x[:, channel : channel + like.shape[1], top : top + height, left : left + width]

        return Operator(run, inputs=(2, 2))
    sizes = [bounded(layer, key, 0, _REST, 2**16) for key in (5, 4, 3)]
    after = [bounded(layer, key, 0, 0, 2**16) for key in (8, 7, 6)]
    need(all(size == _REST or size > 0 for size in sizes), f"sizes {sizes}")
    cuts = tuple(
        slice(start, -end or None) if size == _REST else slice(start, start + size)
        for start, size, end in zip((channel, top, left), sizes, after, strict=True)
    )
    return Operator(lambda module, inputs: inputs[0][(slice(None), *cuts)])


def _slice_crop(layer: Layer, starts: list[int], ends: list[int]) -> Operator:
    axes = [int(axis) for axis in layer.array(11)] or list(range(len(starts)))
    need(len(starts) == len(ends) == len(axes) <= 3 and all(-3 <= axis <= 2 for axis in axes), f"axes {axes}")

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        (x,) = inputs
        cuts = [slice(None)] * x.dim()
        for axis, start, end in zip(axes, starts, ends, strict=True):
            cuts[_axis(axis, x)] = slice(0 if start == _REST else start, None if end in (_REST, 0) else end)
        return x[tuple(cuts)]

    return Operator(run)


def _interp(layer: Layer) -> Operator:
    kind = bounded(layer, 0, 0, 1, 3)
    mode = ("nearest", "bilinear", "bicubic")[kind - 1]
    # As ncnn holds them: a third of 15 pixels is 5 in single precision, and less in double.
    factors = (float(np.float32(layer.number(1, 1.0))), float(np.float32(layer.number(2, 1.0))))
    size = (bounded(layer, 3, 0, 0, 2**14), bounded(layer, 4, 0, 0, 2**14))
    fixed = all(size)
    need(fixed or all(0 < factor <= 64 for factor in factors), f"scale {factors}")
    need(not layer.params.get(9), "a size computed while it runs")
    corners = None if kind == 1 else bool(layer.integer(6, 0))

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        from torch.nn.functional import interpolate

        x = inputs[0]
        x = x[:, :, None, None] if x.dim() == 2 else x
        wanted = size if fixed else None
        if len(inputs) == 2:
            wanted = (inputs[1].shape[2], inputs[1].shape[3])
        if wanted is not None:
            return interpolate(x, size=wanted, mode=mode, align_corners=corners)
        return x if factors == (1, 1) else interpolate(x, scale_factor=factors, mode=mode, align_corners=corners)

    return Operator(run, inputs=(2, 2) if layer.integer(5, 0) else (1, 1))


def _pixel_shuffle(layer: Layer) -> Operator:
    factor, mode = bounded(layer, 0, 1, 1, 64), bounded(layer, 1, 0, 0, 1)

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        from torch.nn.functional import pixel_shuffle

        (x,) = inputs
        if mode == 1:  # the pixels' order outermost
            x = x.unflatten(1, (factor**2, -1)).transpose(1, 2).flatten(1, 2)
        return pixel_shuffle(x, factor)

    return Operator(run)


def _reorg(layer: Layer) -> Operator:
    factor, mode = bounded(layer, 0, 1, 1, 64), bounded(layer, 1, 0, 0, 1)

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        from torch.nn.functional import pixel_unshuffle

        x = pixel_unshuffle(inputs[0], factor)
        return x if mode == 0 else x.unflatten(1, (-1, factor**2)).transpose(1, 2).flatten(1, 2)

    return Operator(run)


def _pooling(layer: Layer) -> Operator:
    kind = bounded(layer, 0, 0, 0, 1)
    if layer.integer(4, 0):
        need(kind == 1, "the maximum over the whole picture")
        return Operator(lambda module, inputs: inputs[0].mean((2, 3)), pools=True)
    need(not layer.integer(7, 0) and layer.integer(5, 0) in (0, 1), "pooling that depends on the picture's size")
    width, across = bounded(layer, 1, 0, 1, 255), bounded(layer, 2, 1, 1, 255)
    kernel, stride = (bounded(layer, 11, width, 1, 255), width), (bounded(layer, 12, across, 1, 255), across)
    left = bounded(layer, 3, 0, 0, 255)
    top = bounded(layer, 13, left, 0, 255)
    need(layer.integer(14, left) == left and layer.integer(15, top) == top, "uneven padding")
    need(2 * left <= width and 2 * top <= kernel[0], "padding wider than half the window")
    padding, rounded_up = (top, left), layer.integer(5, 0) == 0
    counted = bool(layer.integer(6, 0))

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        from torch.nn.functional import avg_pool2d, max_pool2d

        if kind == 0:
            return max_pool2d(inputs[0], kernel, stride, padding, ceil_mode=rounded_up)
        return avg_pool2d(inputs[0], kernel, stride, padding, rounded_up, counted)

    return Operator(run)


def _padding(layer: Layer) -> Operator:
    top, bottom, left, right = (bounded(layer, key, 0, 0, 1024) for key in range(4))
    mode = ("constant", "replicate", "reflect")[bounded(layer, 4, 0, 0, 2)]
    value = layer.number(5, 0.0)
    need(not any(layer.params.get(key) for key in (6, 7, 8)), "padding of channels")

    def run(module: object, inputs: list[Tensor]) -> Tensor:
        from torch.nn.functional import pad

        sides = (left, right, top, bottom)
        return pad(inputs[0], sides, mode, value) if mode == "constant" else pad(inputs[0], sides, mode)

    return Operator(run)


def _dropout(layer: Layer) -> Operator:
    factor = layer.number(0, 1.0)
    return elementwise(lambda x: x if factor == 1 else x * factor)


def _plain(function: Elementwise) -> Builder:
    return lambda layer: elementwise(function)


_BUILDERS: Mapping[str, Builder] = {
    **WEIGHTED,
    "BinaryOp": _binary,
    "Eltwise": _eltwise,
    "UnaryOp": _unary,
    "Concat": _concat,
    "Crop": _crop,
    "Interp": _interp,
    "PixelShuffle": _pixel_shuffle,
    "Reorg": _reorg,
    "Pooling": _pooling,
    "Padding": _padding,
    "Dropout": _dropout,
    "Noop": _plain(act.identity),
    "Flatten": _plain(lambda x: x.flatten(1)),
    "AbsVal": _plain(lambda x: x.abs()),
    "ReLU": lambda layer: elementwise(act.leaky(layer.number(0, 0.0))),
    "Clip": lambda layer: elementwise(act.clip(layer.number(0, -3.4e38), layer.number(1, 3.4e38))),
    "Sigmoid": _plain(act.sigmoid),
    "TanH": _plain(lambda x: x.tanh()),
    "Swish": _plain(act.swish),
    "Mish": _plain(act.mish),
    "GELU": lambda layer: elementwise(act.gelu(bool(layer.integer(0, 0)))),
    "HardSigmoid": lambda layer: elementwise(act.hard_sigmoid(layer.number(0, 0.2), layer.number(1, 0.5))),
    "HardSwish": lambda layer: elementwise(act.hard_swish(layer.number(0, 0.2), layer.number(1, 0.5))),
    "ELU": lambda layer: elementwise(act.elu(layer.number(0, 0.1))),
}
