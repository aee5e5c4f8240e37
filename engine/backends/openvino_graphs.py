"""OpenVINO graphs of the known architectures, built from their weights alone: neither torch nor a tracer is needed.

RRDBNet (Wang et al., ESRGAN, 2018), SRVGGNetCompact (Wang et al., Real-ESRGAN, 2021) and SPAN (Wan et al., CVPRW 2024).
The graphs have the treatment for narrow number types of ``exact_input`` and ``rounding``: exact eight-bit input, blocks
that add in fp32, the last bias in fp32, weights rounded so that sums stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.backends.array_networks import (
    KEEP_FP32,
    compact_layers,
    is_known,
    rrdbnet_layers,
    span_layers,
)
from engine.backends.exact_input import BACK
from engine.backends.openvino_operations import GraphBuilder
from engine.backends.rounding import fit_arrays, round_in_turn
from engine.models.state_dicts import Arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.backends.array_networks import CompactLayers, Convolution
    from engine.models.info import CheckpointInfo
    from utils.openvino import openvino

    Convolve = Callable[[openvino.Node, Convolution, int], openvino.Node]
    """(maps, layer, its number from 0) to the convolution with its bias."""


def build_graph(info: CheckpointInfo, arrays: Arrays, precision: str) -> openvino.Model | None:
    """The network as an ``openvino.Model`` for windows of any size, or None where the architecture is not known.

    Args:
        arrays: float32 weights under the names of the official checkpoint.
        precision: "fp32", "bf16" or "fp16": what the weights are made to fit.

    Pixels are multiplied by ``exact_input.input_scale`` before they enter. Operations whose names begin with
    ``KEEP_FP32`` have to run in fp32.
    """
    builders = {"ESRGAN": _rrdbnet, "RealESRGAN Compact": _compact, "SPAN": _span}
    return builders[info.architecture](info, arrays, precision) if is_known(info) else None


def _unshuffled(graph: GraphBuilder, info: CheckpointInfo) -> openvino.Node:
    return graph.unshuffle(graph.input, info.multiple_of) if info.multiple_of > 1 else graph.input


def _compact(info: CheckpointInfo, arrays: Arrays, precision: str) -> openvino.Model | None:
    layers = compact_layers(arrays)
    if layers is None:
        return None
    convolutions, _ = layers
    convolutions[0].weight *= BACK
    pairs = [(one, [(two, 0)]) for one, two in zip(convolutions, convolutions[1:], strict=False)]
    fit_arrays(convolutions, pairs, precision)
    graph = GraphBuilder(info.in_channels)
    output, _ = compact_output(graph, info, layers)
    return graph.model(output)


def compact_output(
    graph: GraphBuilder, info: CheckpointInfo, layers: CompactLayers, convolve: Convolve | None = None
) -> tuple[openvino.Node, list[openvino.Node]]:
    """SRVGGNetCompact's output, and what each convolution but the first sees.

    Args:
        layers: as ``compact_layers`` has them; the first convolution takes the input as the graph does.
        convolve: computes those between the first and the last, instead of the graph.
    """
    (first, *inner, last), slopes = layers
    seen = [graph.rectify(graph.convolve(_unshuffled(graph, info), first), slopes[0])]
    for number, (convolution, slope) in enumerate(zip(inner, slopes[1:], strict=True)):
        product = convolve(seen[-1], convolution, number) if convolve else graph.convolve(seen[-1], convolution)
        seen.append(graph.rectify(product, slope))
    residual = graph.exactly(seen[-1], last)
    factor = info.scale * info.multiple_of
    residual = graph.shuffle(residual, factor) if factor > 1 else residual
    base = graph.multiply(graph.enlarge(graph.input, info.scale), BACK)
    return graph.add(residual, base), seen


def _rrdbnet(info: CheckpointInfo, arrays: Arrays, precision: str) -> openvino.Model | None:
    network = rrdbnet_layers(arrays)
    if network is None:
        return None
    network.first.weight *= BACK
    for block in network.blocks:
        # A factor that the runtime multiplies into rounded weights would round them anew.
        block[4].weight *= np.float32(0.2)
        block[4].bias *= np.float32(0.2)
    fit_arrays(network.all()[1:], network.pairs(), precision)  # the first one is so small that it runs in fp32
    round_in_turn([block[4] for block in network.blocks], precision)
    graph = GraphBuilder(info.in_channels)
    slope = np.array([0.2], np.float32)
    first = graph.convolve(_unshuffled(graph, info), network.first, KEEP_FP32)
    total = first
    for number in range(0, len(network.blocks), 3):
        residual = total
        for block in network.blocks[number : number + 3]:
            seen = [residual]
            for convolution in block[:4]:
                joined = graph.join(seen) if len(seen) > 1 else seen[0]
                seen.append(graph.rectify(graph.convolve(joined, convolution), slope))
            residual = graph.add(graph.convolve(graph.join(seen), block[4]), residual, KEEP_FP32)
        total = graph.add(total, graph.multiply(residual, 0.2, KEEP_FP32), KEEP_FP32)
    maps = graph.add(first, graph.exactly(total, network.trunk), KEEP_FP32)
    for convolution in network.enlarging:
        maps = graph.rectify(graph.convolve(graph.enlarge(maps, 2), convolution), slope)
    maps = graph.rectify(graph.convolve(maps, network.fine), slope)
    return graph.model(graph.exactly(maps, network.last))


def _span(info: CheckpointInfo, arrays: Arrays, precision: str) -> openvino.Model | None:
    network = span_layers(arrays, info)
    if network is None:
        return None
    # The two smallest convolutions run in fp32: one meets the mean, which no narrow type holds, the other has kernels
    # of a single weight, whose sums cannot be kept. So do the attention's products, which carry the picture.
    fit_arrays([*(one for block in network.blocks for one in block), network.second, network.upsampling], [], precision)
    graph = GraphBuilder(info.in_channels)
    centred = graph.add(graph.input, graph.channels(-255 * network.mean), KEEP_FP32)
    first = graph.convolve(centred, network.first, KEEP_FP32)
    maps, after, early = first, first, first
    for number, block in enumerate(network.blocks):
        early = graph.swish(graph.convolve(maps, block[0]))
        deep = graph.exactly(graph.swish(graph.convolve(early, block[1])), block[2])
        attention = graph.add(graph.sigmoid(deep, KEEP_FP32), graph.constant(-0.5), KEEP_FP32)
        maps = graph.product(graph.add(deep, maps, KEEP_FP32), attention, KEEP_FP32)
        after = maps if number == 0 else after
    joined = graph.join([first, graph.convolve(maps, network.second), after, early], KEEP_FP32)
    upsampled = graph.exactly(graph.convolve(joined, network.joining, KEEP_FP32), network.upsampling)
    return graph.model(graph.shuffle(upsampled, info.scale))
