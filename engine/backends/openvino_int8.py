"""SRVGGNetCompact as an OpenVINO graph in eight bits: FakeQuantize operations that its CPU plugin turns into them.

Weights have a step for each output channel, activations one for each convolution. PReLU lets positive factors through,
so that channels are scaled towards one range first, and their readers back (Nagel et al., "Data-Free Quantization
Through Weight Equalization and Bias Correction", 2019; here part of the way, as in Xiao et al., "SmoothQuant", 2023).
Weights are rounded in turn, each making up for those before it (``int8_rounding``). What that moves on average is taken
out of the bias (Nagel et al.), and what is left at the output out of the last one. The first convolution, which sees
the picture itself, and the last one, which draws it, stay as they are, and the sum with the enlarged picture is in
fp32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.backends.array_networks import Convolution, compact_layers
from engine.backends.calibration import Calibration
from engine.backends.exact_input import BACK
from engine.backends.int8_rounding import MOST_STEPS, round_to_steps
from engine.backends.openvino_graphs import compact_output
from engine.backends.openvino_operations import GraphBuilder
from engine.models.state_dicts import Arrays

if TYPE_CHECKING:
    from engine.models.info import CheckpointInfo
    from utils.openvino import openvino

_LEVELS = 256
_EQUALIZED = 0.6
"""Exponent of a channel's range in its factor; 0.5 to 0.7 are within 0.5 dB."""
_LARGEST_FACTOR = 100.0


def is_quantizable(info: CheckpointInfo) -> bool:
    """Whether ``build_int8_graph`` knows the architecture."""
    return info.kind == "upscale" and info.architecture == "RealESRGAN Compact"


def build_int8_graph(info: CheckpointInfo, arrays: Arrays, calibration: Calibration) -> openvino.Model | None:
    """The network for windows of any size as ``build_graph`` makes it; None where the names are not known.

    Raises:
        ValueError: the calibration is another network's.
    """
    layers = compact_layers(arrays)
    if layers is None:
        return None
    convolutions, _ = layers
    if calibration.low.shape != (len(convolutions) - 1, convolutions[-1].weight.shape[1]):
        raise ValueError("The calibration does not fit the network's layers.")
    convolutions[0].weight *= BACK
    seen = _equalized(convolutions, calibration)
    convolutions[-1].bias -= calibration.offset
    graph = _EightBitGraph(info.in_channels)
    output, _ = compact_output(
        graph, info, layers, lambda maps, layer, number: graph.in_eight_bits(maps, layer, seen[number])
    )
    return graph.model(output)


@dataclass(frozen=True, eq=False)
class _Input:
    """What a convolution sees: bounds and means of each channel, and how they change together."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray


def _equalized(convolutions: list[Convolution], calibration: Calibration) -> list[_Input]:
    """Scale channels part of the way to one range, in place; what each convolution from the second on sees then."""
    found = []
    for number, (before, reader) in enumerate(zip(convolutions[:-1], convolutions[1:], strict=True)):
        low, high, mean = calibration.low[number], calibration.high[number], calibration.mean[number]
        factor = (np.maximum(high, -low) + 1e-6) ** _EQUALIZED
        factor /= np.exp(np.log(factor).mean())
        factor = np.clip(factor, 1 / _LARGEST_FACTOR, _LARGEST_FACTOR).astype(np.float32)
        before.weight /= factor[:, None, None, None]
        before.bias /= factor
        reader.weight *= factor[None, :, None, None]
        covariance = calibration.covariance(number) / np.outer(factor, factor)
        found.append(_Input(low / factor, high / factor, mean / factor, covariance))
    return found


class _EightBitGraph(GraphBuilder):
    """With convolutions whose inputs and weights are eight bits."""

    def in_eight_bits(self, maps: openvino.Node, layer: Convolution, seen: _Input) -> openvino.Node:
        """A convolution with its bias, which takes in what the rounded weights make of the mean."""
        weight = layer.weight
        step = np.maximum(np.abs(weight).max((1, 2, 3)), 1e-12).astype(np.float32) / np.float32(MOST_STEPS)
        held = round_to_steps(weight, step, seen.covariance)
        steps = step[:, None, None, None]
        bias = layer.bias - (held * steps - weight).sum((2, 3)) @ seen.mean
        kernels = self.named(self._ops.convert(self.named(self._ops.constant(held)), self._float))
        kernels = self.product(kernels, self.constant(steps))
        quantized = self._quantized(maps, float(seen.low.min()), float(seen.high.max()))
        return self.add(self.products(quantized, kernels, layer), self.channels(bias))

    def _quantized(self, maps: openvino.Node, low: float, high: float) -> openvino.Node:
        """In 256 steps, one of which is zero, as that is what lies beyond the edges."""
        low, high = min(low, 0.0), max(high, 1e-6)
        step = (high - low) / (_LEVELS - 1)
        below = round(-low / step)
        ends = [self.constant(np.full((1, 1, 1, 1), end)) for end in (-below * step, (_LEVELS - 1 - below) * step)]
        return self.named(self._ops.fake_quantize(maps, *ends, *ends, _LEVELS))


__all__ = ["build_int8_graph", "is_quantizable"]
