"""ncnn's layers that hold weights: convolutions, dense layers, slopes, factors, norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.models.ncnn.operators import Builder, Operator, bounded, fused, need
from engine.models.ncnn.param import Layer
from engine.models.ncnn.weights import LayerWeights

if TYPE_CHECKING:
    from torch import Tensor, nn

_SAME_UPPER, _SAME_LOWER = -233, -234
_LARGEST_PAD = 1024


def _pair(layer: Layer, key: int, default: int, high: int) -> tuple[int, int]:
    """(vertical, horizontal) of a parameter whose vertical part has a number ten higher."""
    horizontal = bounded(layer, key, default, 1, high)
    return bounded(layer, key + 10, horizontal, 1, high), horizontal


def _pads(layer: Layer, extents: tuple[int, int], stride: tuple[int, int]) -> tuple[int, int, int, int]:
    """(left, right, top, bottom), resolved where they are to keep the sides ("same")."""
    left = layer.integer(4, 0)
    right, top = layer.integer(15, left), layer.integer(14, left)
    pads = (left, right, top, layer.integer(16, top))
    if set(pads) <= {_SAME_UPPER, _SAME_LOWER}:
        need(stride == (1, 1), "padding that depends on the picture's size")
        first = [((extent - 1) // 2, extent // 2) for extent in extents]
        first = first if pads[0] == _SAME_UPPER else [(after, before) for before, after in first]
        return (*first[1], *first[0])
    need(all(0 <= pad <= _LARGEST_PAD for pad in pads), f"padding {pads}")
    return pads


def _module(module: nn.Module, weights: LayerWeights) -> nn.Module:
    """The module with those weights (numpy arrays, shared, not copied), frozen."""
    import torch

    state = {name: torch.from_numpy(values) for name, values in weights.items()}
    module.load_state_dict(state, assign=True)
    return module.requires_grad_(False)


def _convolution(layer: Layer) -> Operator:
    kernel, dilation, stride = _pair(layer, 1, 0, 255), _pair(layer, 2, 1, 64), _pair(layer, 3, 1, 64)
    extents = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    left, right, top, bottom = _pads(layer, extents, stride)
    value = layer.number(18, 0.0)
    groups = layer.integer(7, 1) if layer.type == "ConvolutionDepthWise" else 1
    need(groups >= 1, f"{groups} groups")
    inner = (top, left) if value == 0 and left == right and top == bottom else None
    after = fused(layer.integer(9, 0), layer.array(10))

    def make(weights: LayerWeights) -> nn.Module:
        from torch import nn

        outputs, inputs = weights["weight"].shape[:2]
        biased, channels = "bias" in weights, inputs * groups
        return _module(
            nn.Conv2d(channels, outputs, kernel, stride, inner or 0, dilation, groups, biased, device="meta"), weights
        )

    def run(module: nn.Module, inputs: list[Tensor]) -> Tensor:
        from torch.nn.functional import pad

        (x,) = inputs
        if x.dim() == 2:  # ncnn takes a vector for a picture of one pixel
            return after(module(x[:, :, None, None])).flatten(1)
        return after(module(x if inner is not None else pad(x, (left, right, top, bottom), value=value)))

    return Operator(run, make)


def _deconvolution(layer: Layer) -> Operator:
    kernel, dilation, stride = _pair(layer, 1, 0, 255), _pair(layer, 2, 1, 64), _pair(layer, 3, 1, 64)
    need(not layer.integer(20, 0) and not layer.integer(21, 0), "an output of fixed size")
    pads = _pads(layer, (1, 1), stride)
    need(layer.integer(4, 0) >= 0, "padding that depends on the picture's size")
    left, right, top, bottom = pads
    extra_right = bounded(layer, 18, 0, 0, 64)
    extra = (bounded(layer, 19, extra_right, 0, 64), extra_right)
    need(all(e == 0 or e < max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)), "output padding")
    groups = layer.integer(7, 1) if layer.type == "DeconvolutionDepthWise" else 1
    need(groups >= 1, f"{groups} groups")
    after = fused(layer.integer(9, 0), layer.array(10))

    def make(weights: LayerWeights) -> nn.Module:
        from torch import nn

        inputs, outputs = weights["weight"].shape[:2]
        biased, channels = "bias" in weights, outputs * groups
        return _module(
            nn.ConvTranspose2d(inputs, channels, kernel, stride, 0, extra, groups, biased, dilation, device="meta"),
            weights,
        )

    def run(module: nn.Module, inputs: list[Tensor]) -> Tensor:
        x = after(module(inputs[0]))
        return x[:, :, top : -bottom or None, left : -right or None]

    return Operator(run, make)


def _inner_product(layer: Layer) -> Operator:
    after = fused(layer.integer(9, 0), layer.array(10))

    def make(weights: LayerWeights) -> nn.Module:
        from torch import nn

        outputs, inputs = weights["weight"].shape
        return _module(nn.Linear(inputs, outputs, bias="bias" in weights, device="meta"), weights)

    return Operator(lambda module, inputs: after(module(inputs[0].flatten(1))), make)


def _prelu(layer: Layer) -> Operator:
    def make(weights: LayerWeights) -> nn.Module:
        from torch import nn

        return _module(nn.PReLU(len(weights["slope"]), device="meta"), {"weight": weights["slope"]})

    return Operator(lambda module, inputs: module(inputs[0]), make)


def _vectors(weights: LayerWeights) -> nn.Module:
    """Vectors as buffers under their names."""
    import torch
    from torch import nn

    module = nn.Module()
    for name, values in weights.items():
        module.register_buffer(name, torch.from_numpy(values))
    return module


def along_channels(vector: Tensor, x: Tensor) -> Tensor:
    """A vector or ``(N, C)`` values shaped so that they meet the channels of ``x``."""
    return vector.reshape(-1 if vector.dim() == 2 else 1, vector.shape[-1], *[1] * (x.dim() - 2))


def _scale(layer: Layer) -> Operator:
    if layer.integer(0, 0) == -233:
        need(len(layer.inputs) == 2, "factors that are not there")
        return Operator(lambda module, inputs: inputs[0] * along_channels(inputs[1], inputs[0]), inputs=(2, 2))
    biased = bool(layer.integer(1, 0))

    def run(module: nn.Module, inputs: list[Tensor]) -> Tensor:
        (x,) = inputs
        scaled = x * along_channels(module.get_buffer("scale"), x)
        return scaled + along_channels(module.get_buffer("bias"), x) if biased else scaled

    return Operator(run, _vectors)


def _bias(layer: Layer) -> Operator:
    return Operator(lambda module, inputs: inputs[0] + along_channels(module.get_buffer("bias"), inputs[0]), _vectors)


def _batch_norm(layer: Layer) -> Operator:
    import numpy as np

    epsilon = layer.number(1, 0.0)

    def make(weights: LayerWeights) -> nn.Module:
        factor = weights["slope"] / np.sqrt(np.maximum(weights["variance"], 0) + max(epsilon, 1e-12))
        return _vectors({"scale": factor, "bias": weights["bias"] - factor * weights["mean"]})

    def run(module: nn.Module, inputs: list[Tensor]) -> Tensor:
        (x,) = inputs
        return x * along_channels(module.get_buffer("scale"), x) + along_channels(module.get_buffer("bias"), x)

    return Operator(run, make)


WEIGHTED: Mapping[str, Builder] = {
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution,
    "Deconvolution": _deconvolution,
    "DeconvolutionDepthWise": _deconvolution,
    "InnerProduct": _inner_product,
    "PReLU": _prelu,
    "Scale": _scale,
    "Bias": _bias,
    "BatchNorm": _batch_norm,
}
