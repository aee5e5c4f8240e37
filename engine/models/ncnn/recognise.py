"""Architectures whose ncnn graphs become the very state dict of their official checkpoints.

A graph is recognised by what it computes, not by names (see ``terms``): the architecture is written down once more in
the same terms, and the two outputs must be the same number. Then every backend, halo and cache treats the pair like the
``.pth``. RRDBNet: Wang et al., ESRGAN, 2018; compact: Wang et al., Real-ESRGAN, 2021; SPAN: Wan et al., CVPRW 2024.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.models.info import CheckpointInfo
from engine.models.ncnn.param import Graph
from engine.models.ncnn.terms import OtherGraphError, Terms, translate
from engine.models.ncnn.weights import LayerWeights

State = dict[str, np.ndarray]
Shape = tuple[int, ...]
SPAN_MEAN = (0.4488, 0.4371, 0.4040)
SPAN_RANGE = 255.0
"""What SPAN takes off its input and multiplies it by; no checkpoint says so, and every reader of them assumes this."""
_SPAN_BLOCKS = 6


def recognise(graph: Graph, weights: Mapping[str, LayerWeights]) -> tuple[CheckpointInfo, State] | None:
    """The facts and official state dict of a pair, or None when it is no known architecture.

    The state holds float32 arrays under the official names, as ``checkpoints.load_state_dict`` would return them
    of the ``.pth``.
    """
    try:
        terms, output = translate(graph)
    except OtherGraphError:
        return None
    pair = _Pair(terms, output, weights)
    return _rrdbnet(pair) or _compact(pair) or _span(pair)


class _Pair:
    """A translated graph with its weights in the graph's order."""

    def __init__(self, terms: Terms, output: int, weights: Mapping[str, LayerWeights]) -> None:
        self.terms, self.output = terms, output
        self.kernels = [weights[name]["weight"] for name in terms.convolutions]
        self.biases = [weights[name]["bias"] for name in terms.convolutions]
        self.slopes = [weights[name]["slope"] for name in terms.slopes]
        self.constants = [weights[name]["data"] for name in terms.constants]

    @property
    def shapes(self) -> list[Shape]:
        return [kernel.shape for kernel in self.kernels]

    def named(self, names: list[str]) -> State:
        """The convolutions under those names."""
        state: State = {}
        for name, kernel, bias in zip(names, self.kernels, self.biases, strict=True):
            state[f"{name}.weight"], state[f"{name}.bias"] = kernel, bias
        return state


def _size(state: State) -> int:
    return sum(values.size for values in state.values())


def _rrdbnet(pair: _Pair) -> tuple[CheckpointInfo, State] | None:
    """Any number of blocks and doublings, with or without pixel-unshuffled input."""
    count = len(pair.kernels)
    for doublings, unshuffle in ((2, 1), (2, 2), (2, 4), (1, 1), (3, 1), (0, 1)):
        blocks, rest = divmod(count - 4 - doublings, 15)
        if rest == 0 and blocks >= 1 and _rrdbnet_output(pair.terms, blocks, doublings, unshuffle) == pair.output:
            break
    else:
        return None
    features, inputs = pair.shapes[0][:2]
    growth, outputs = pair.shapes[1][0], pair.shapes[-1][0]
    dense = [(growth, features + i * growth, 3, 3) for i in range(4)] + [(features, features + 4 * growth, 3, 3)]
    plain = [(features, features, 3, 3)] * (2 + doublings)
    if pair.shapes != [(features, inputs, 3, 3), *dense * (3 * blocks), *plain, (outputs, features, 3, 3)]:
        return None
    if inputs % unshuffle**2:
        return None
    body = [
        f"body.{block}.rdb{part}.conv{number}"
        for block in range(blocks)
        for part in (1, 2, 3)
        for number in range(1, 6)
    ]
    ups = [f"conv_up{number + 1}" for number in range(doublings)]
    state = pair.named(["conv_first", *body, "conv_body", *ups, "conv_hr", "conv_last"])
    info = CheckpointInfo(
        architecture="ESRGAN",
        kind="upscale",
        scale=2**doublings // unshuffle,
        in_channels=inputs // unshuffle**2,
        out_channels=outputs,
        parameters=_size(state),
        multiple_of=unshuffle,
        minimum_size=2,
    )
    return info, state


def _rrdbnet_output(terms: Terms, blocks: int, doublings: int, unshuffle: int) -> int:
    position = iter(range(10**9))

    def convolution(x: int, active: bool = True) -> int:
        x = terms.convolution(x, next(position))
        return terms.leaky(x, 0.2) if active else x

    x = first = convolution(terms.shuffle(terms.picture(), -unshuffle), active=False)
    for _ in range(blocks):
        block = x
        for _ in range(3):
            dense = [x]
            for _ in range(4):
                dense.append(convolution(terms.join(*dense) if len(dense) > 1 else x))
            x = terms.weighted_sum([(convolution(terms.join(*dense), active=False), 0.2), (x, 1.0)])
        x = terms.weighted_sum([(x, 0.2), (block, 1.0)])
    x = terms.weighted_sum([(convolution(x, active=False), 1.0), (first, 1.0)])
    for _ in range(doublings):
        x = convolution(terms.nearest(x, 2))
    return convolution(convolution(x), active=False)


def _compact(pair: _Pair) -> tuple[CheckpointInfo, State] | None:
    """With or without a pixel-unshuffled input."""
    return _compact_behind(pair, 1) or _compact_behind(pair, 2)


def _compact_behind(pair: _Pair, unshuffle: int) -> tuple[CheckpointInfo, State] | None:
    count = len(pair.kernels)
    if count < 2 or len(pair.slopes) != count - 1:
        return None
    features, inputs = pair.shapes[0][:2]
    last = pair.shapes[-1][0]
    factor = next((factor for factor in range(1, 17) if factor**2 * inputs == last * unshuffle**2), 0)
    scale, colours = factor // unshuffle, inputs // unshuffle**2
    body = [(features, features, 3, 3)] * (count - 2)
    fits = scale > 0 and factor % unshuffle == 0 and inputs % unshuffle**2 == 0
    if not fits or pair.shapes != [(features, inputs, 3, 3), *body, (last, features, 3, 3)]:
        return None
    if any(slope.shape != (features,) for slope in pair.slopes):
        return None
    terms = pair.terms
    x = terms.shuffle(terms.picture(), -unshuffle)
    for position in range(count - 1):
        x = terms.prelu(terms.convolution(x, position), position)
    x = terms.shuffle(terms.convolution(x, count - 1), factor)
    if terms.weighted_sum([(x, 1.0), (terms.nearest(terms.picture(), scale), 1.0)]) != pair.output:
        return None
    state = pair.named([f"body.{2 * position}" for position in range(count)])
    state |= {f"body.{2 * position + 1}.weight": slope for position, slope in enumerate(pair.slopes)}
    info = CheckpointInfo(
        architecture="RealESRGAN Compact",
        kind="upscale",
        scale=scale,
        in_channels=colours,
        out_channels=colours,
        parameters=_size(state),
        multiple_of=unshuffle,
        receptive_radius=count * unshuffle + unshuffle - 1,
    )
    return info, state


def _span(pair: _Pair) -> tuple[CheckpointInfo, State] | None:
    if len(pair.kernels) != 3 * _SPAN_BLOCKS + 4 or len(pair.constants) != 1:
        return None
    mean = pair.constants[0]
    if mean.size != 3 or not np.allclose(mean.reshape(-1), SPAN_MEAN, atol=1e-5):
        return None
    width, inputs = pair.shapes[0][:2]
    last = pair.shapes[-1][0]
    scale = next((scale for scale in range(1, 9) if 3 * scale**2 == last), 0)
    plain = [(width, width, 3, 3)] * (3 * _SPAN_BLOCKS + 1)
    shapes = [(width, 3, 3, 3), *plain, (width, 4 * width, 1, 1), (last, width, 3, 3)]
    if not scale or pair.shapes != shapes or _span_output(pair.terms, scale) != pair.output:
        return None
    blocks = [f"block_{block}.c{part}_r" for block in range(1, _SPAN_BLOCKS + 1) for part in (1, 2, 3)]
    names = ["conv_1", *blocks, "conv_2"]
    state: State = {}
    for name, kernel, bias in zip(names, pair.kernels, pair.biases, strict=False):
        state |= _embedded(name, kernel, bias)
    for name, kernel, bias in zip(("conv_cat", "upsampler.0"), pair.kernels[-2:], pair.biases[-2:], strict=True):
        state[f"{name}.weight"], state[f"{name}.bias"] = kernel, bias
    info = CheckpointInfo(
        architecture="SPAN",
        kind="upscale",
        scale=scale,
        in_channels=inputs,
        out_channels=3,
        parameters=_size(state),
        receptive_radius=3 * _SPAN_BLOCKS + 3,
    )
    return info, state


def _span_output(terms: Terms, scale: int) -> int:
    position = iter(range(100))

    def convolution(x: int) -> int:
        return terms.convolution(x, next(position))

    x = terms.weighted_sum([(terms.minus_constant(terms.picture(), 0), SPAN_RANGE)])
    first = x = convolution(x)
    after_first_block = inner = x
    for block in range(_SPAN_BLOCKS):
        inner = terms.term("swish", convolution(x))
        last = convolution(terms.term("swish", convolution(inner)))
        attention = terms.shift(terms.term("sigmoid", last), -0.5)
        x = terms.product(terms.weighted_sum([(last, 1.0), (x, 1.0)]), attention)
        after_first_block = x if block == 0 else after_first_block
    # The official code keeps the sixth block's first convolution after an in-place activation: it is the active one.
    x = convolution(terms.join(first, convolution(x), after_first_block, inner))
    return terms.shuffle(convolution(x), scale)


def _embedded(name: str, kernel: np.ndarray, bias: np.ndarray) -> State:
    """A merged 3x3 convolution as SPAN's trained form: 1x1, 3x3, 1x1 and a 1x1 beside them.

    The outer 1x1s pass the first channels on and the one beside is zero, so merging them gives back exactly ``kernel``.
    """
    outputs, inputs = kernel.shape[:2]
    middle = np.zeros((2 * outputs, 2 * inputs, 3, 3), np.float32)
    middle[:outputs, :inputs] = kernel
    parts = {
        "sk": (np.zeros((outputs, inputs, 1, 1), np.float32), np.zeros(outputs, np.float32)),
        "conv.0": (np.eye(2 * inputs, inputs, dtype=np.float32)[..., None, None], np.zeros(2 * inputs, np.float32)),
        "conv.1": (middle, np.concatenate([bias, np.zeros_like(bias)])),
        "conv.2": (np.eye(outputs, 2 * outputs, dtype=np.float32)[..., None, None], np.zeros(outputs, np.float32)),
        "eval_conv": (kernel, bias),
    }
    state: State = {}
    for part, (weight, offset) in parts.items():
        state[f"{name}.{part}.weight"], state[f"{name}.{part}.bias"] = weight, offset
    return state
