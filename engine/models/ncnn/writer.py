"""Known networks as ncnn pairs: a ``.param`` text with the graph and a ``.bin`` with the weights.

The graphs are those of the published ncnn releases, input ``data`` and output ``output``, so the pairs serve other
programs as well. ncnn's own converter traces the network and asks for 21 GB for an RRDBNet of 23 blocks; these
architectures are known, so their graphs are written down from the weights alone, with numpy.

Layer types and parameter numbers: https://github.com/Tencent/ncnn/wiki/operators and the file formats at
https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.models.state_dicts import Arrays, merged_convolution, official_names
from utils.errors import UnsupportedModelError

if TYPE_CHECKING:
    from engine.models.info import CheckpointInfo


INPUT, OUTPUT = "data", "output"
"""Names of the two ends of every graph written here."""
_MAGIC = "7767517"
_FP16_FLAG, _FP32_FLAG = (0x01306B47).to_bytes(4, "little"), bytes(4)
_LEAKY = "9=2 -23310=1,{:e}"
"""A convolution's fused activation: leaky ReLU with its slope."""
_MULTIPLY, _SUBTRACT = 2, 1
_SPAN_MEAN, _SPAN_RANGE = (0.4488, 0.4371, 0.4040), 255.0
"""What SPAN takes from its input before it multiplies; in no checkpoint (Wan et al., CVPRW 2024, and their code)."""


@dataclass(frozen=True)
class NcnnFiles:
    """A written network: the text of its ``.param`` and the bytes of its ``.bin``."""

    param: str
    weights: bytes


@dataclass
class _Layer:
    kind: str
    name: str
    inputs: list[str]
    output: str
    settings: str


@dataclass
class _Writer:
    """Collects layers and weights. A layer's output carries the layer's name.

    Attributes:
        arrays: the network's weights; which of them were written is kept in ``used``.
        half: whether kernels are stored in half precision. Biases and slopes are single precision always.
    """

    arrays: Arrays
    half: bool
    layers: list[_Layer] = field(default_factory=list)
    blob: list[bytes] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def take(self, key: str) -> np.ndarray:
        """The array of that key, contiguous float32. Raises ``KeyError``."""
        self.used.add(key)
        return np.ascontiguousarray(self.arrays[key], np.float32)

    def add(self, kind: str, name: str, inputs: Sequence[str], settings: str = "") -> str:
        """A layer without weights; returns its output's name."""
        self.layers.append(_Layer(kind, name, list(inputs), name, settings))
        return name

    def conv(self, source: str, key: str, activation: str = "") -> str:
        """The convolution of ``key``.weight and ``key``.bias, as large at its output as at its input."""
        return self.conv_of(source, key, self.take(f"{key}.weight"), self.take(f"{key}.bias"), activation)

    def conv_of(self, source: str, name: str, weight: np.ndarray, bias: np.ndarray, activation: str = "") -> str:
        """A convolution of ``(out, in, k, k)`` weights and ``(out,)`` biases."""
        out, _, side, width = weight.shape
        if side != width or side % 2 == 0 or bias.shape != (out,):
            raise ValueError(f"'{name}' is no square convolution")
        stored = weight.astype("<f2" if self.half else "<f4")
        if not np.isfinite(stored).all():
            raise ValueError(f"'{name}' exceeds half precision")
        raw = stored.tobytes()
        self.blob += [_FP16_FLAG if self.half else _FP32_FLAG, raw, bytes(-len(raw) % 4), bias.astype("<f4").tobytes()]
        return self.add(
            "Convolution", name, [source], f"0={out} 1={side} 4={side // 2} 5=1 6={weight.size} {activation}"
        )

    def values(self, kind: str, name: str, inputs: Sequence[str], settings: str, numbers: np.ndarray) -> str:
        """A layer whose numbers are stored in single precision, without a flag before them."""
        self.blob.append(numbers.astype("<f4").tobytes())
        return self.add(kind, name, inputs, settings)

    def number(self, source: str, name: str, operation: int, value: float) -> str:
        """``source`` and one number joined by an operation of ncnn's BinaryOp."""
        return self.add("BinaryOp", name, [source], f"0={operation} 1=1 2={value:e}")

    def nearest(self, source: str, name: str, factor: int) -> str:
        """Every pixel ``factor`` times in both directions; the source itself for 1."""
        return source if factor == 1 else self.add("Interp", name, [source], f"0=1 1={factor:e} 2={factor:e}")

    def shuffled(self, source: str, name: str, factor: int) -> str:
        """Channels to pixels, in torch's order; the source itself for 1."""
        return source if factor == 1 else self.add("PixelShuffle", name, [source], f"0={factor}")

    def unshuffled(self, source: str, name: str, factor: int) -> str:
        """Pixels to channels, in torch's order (mode 0); the source itself for 1."""
        return source if factor == 1 else self.add("Reorg", name, [source], f"0={factor} 1=0")

    def files(self) -> NcnnFiles:
        """Everything as text and bytes. The last layer's output becomes the network's."""
        if left := set(self.arrays) - self.used:
            raise ValueError(f"'{min(left)}' has no place in the graph")
        self.layers[-1].output = OUTPUT
        lines = _with_splits(self.layers)
        blobs = sum(len(line.output.split()) for line in lines)
        text = [_MAGIC, f"{len(lines)} {blobs}"]
        for one in lines:
            ends = f"{len(one.inputs)} {len(one.output.split())} {' '.join([*one.inputs, one.output])}"
            text.append(f"{one.kind:<16} {one.name:<24} {ends} {one.settings}".rstrip())
        return NcnnFiles("\n".join(text) + "\n", b"".join(self.blob))


def _with_splits(layers: Sequence[_Layer]) -> list[_Layer]:
    """The layers with a ``Split`` after every output that several read: in ncnn a blob has one reader."""
    readers = Counter(name for layer in layers for name in layer.inputs)
    given: Counter[str] = Counter()
    result = []
    for layer in layers:
        inputs = []
        for name in layer.inputs:
            inputs.append(f"{name}_{given[name]}" if readers[name] > 1 else name)
            given[name] += 1
        result.append(_Layer(layer.kind, layer.name, inputs, layer.output, layer.settings))
        if (count := readers[layer.output]) > 1:
            copies = " ".join(f"{layer.output}_{index}" for index in range(count))
            result.append(_Layer("Split", f"split_{layer.output}", [layer.output], copies, ""))
    return result


def _start(arrays: Arrays, half: bool) -> _Writer:
    writer = _Writer(arrays, half)
    writer.add("Input", INPUT, [])
    return writer


# -- RRDBNet ---------------------------------------------------------------------------------------------------------


def _rrdbnet(info: CheckpointInfo, arrays: Arrays, half: bool) -> NcnnFiles:
    """RRDBNet: residual-in-residual dense blocks (Wang et al., ESRGAN, ECCVW 2018), as in Real-ESRGAN."""
    arrays = official_names(arrays)
    net = _start(arrays, half)
    leaky = _LEAKY.format(0.2)
    unshuffle = math.isqrt(arrays["conv_first.weight"].shape[1] // info.in_channels)
    source = net.unshuffled(INPUT, "unshuffle", unshuffle)
    features = first = net.conv(source, "conv_first")
    blocks = 1 + max(int(key.split(".")[1]) for key in arrays if key.startswith("body."))
    for block in range(blocks):
        outer = features
        for dense in (1, 2, 3):
            features = _dense_block(net, features, f"body.{block}.rdb{dense}", leaky)
        features = _scaled_sum(net, f"body.{block}", features, outer)
    features = net.add("BinaryOp", "trunk", [first, net.conv(features, "conv_body")], "0=0")
    ups = sum(key.startswith("conv_up") and key.endswith(".weight") for key in arrays)
    if 2**ups != info.scale * unshuffle:
        raise ValueError(f"{ups} doublings do not make x{info.scale}")
    for number in range(1, ups + 1):
        features = net.conv(net.nearest(features, f"up{number}", 2), f"conv_up{number}", leaky)
    net.conv(net.conv(features, "conv_hr", leaky), "conv_last")
    return net.files()


def _dense_block(net: _Writer, features: str, name: str, leaky: str) -> str:
    """Five convolutions, each over the block's input and all outputs before it."""
    maps = [features]
    for number in range(1, 5):
        joined = features if number == 1 else net.add("Concat", f"{name}.cat{number}", maps)
        maps.append(net.conv(joined, f"{name}.conv{number}", leaky))
    return _scaled_sum(net, name, net.conv(net.add("Concat", f"{name}.cat5", maps), f"{name}.conv5"), features)


def _scaled_sum(net: _Writer, name: str, change: str, base: str) -> str:
    return net.add("Eltwise", name, [change, base], f"0=1 -23301=2,{0.2:e},{1.0:e}")


# -- SRVGGNetCompact -------------------------------------------------------------------------------------------------


def _compact(info: CheckpointInfo, arrays: Arrays, half: bool) -> NcnnFiles:
    """SRVGGNetCompact of Real-ESRGAN: a chain of convolutions and PReLUs, added to the enlarged input."""
    net = _start(arrays, half)
    last = max(int(key.split(".")[1]) for key in arrays)
    unshuffle = math.isqrt(arrays["body.0.weight"].shape[1] // info.in_channels)
    factor = info.scale * unshuffle
    features = net.unshuffled(INPUT, "unshuffle", unshuffle)
    for index in range(0, last, 2):
        slopes = net.take(f"body.{index + 1}.weight")
        features = net.conv(features, f"body.{index}")
        features = net.values("PReLU", f"body.{index + 1}", [features], f"0={slopes.size}", slopes)
    pixels = net.shuffled(net.conv(features, f"body.{last}"), "shuffle", factor)
    if arrays[f"body.{last}.bias"].size != info.out_channels * factor**2:
        raise ValueError(f"the last convolution does not make x{info.scale}")
    net.add("BinaryOp", "sum", [pixels, net.nearest(INPUT, "enlarged", info.scale)], "0=0")
    return net.files()


# -- SPAN ------------------------------------------------------------------------------------------------------------


def _span(info: CheckpointInfo, arrays: Arrays, half: bool) -> NcnnFiles:
    """SPAN, the Swift Parameter-free Attention Network (Wan et al., CVPRW 2024), its branches merged."""
    net = _start(arrays, half)
    # "eval_conv" is what was merged last in training, and "no_norm" a mark.
    net.used |= {key for key in arrays if ".eval_conv." in key or key == "no_norm"}

    def merged(source: str, name: str) -> str:
        net.used |= {key for key in arrays if key.startswith((f"{name}.conv.", f"{name}.sk."))}
        return net.conv_of(source, name, *merged_convolution(arrays, name))

    source = INPUT
    if "no_norm" not in arrays:
        if info.in_channels != len(_SPAN_MEAN):
            raise ValueError("the mean of its input is known for colour only")
        mean = net.values("MemoryData", "mean", [], f"0=1 1=1 2={len(_SPAN_MEAN)}", np.array(_SPAN_MEAN))
        source = net.add("BinaryOp", "centred", [source, mean], f"0={_SUBTRACT}")
        source = net.number(source, "ranged", _MULTIPLY, _SPAN_RANGE)
    features = first = merged(source, "conv_1")
    kept = []
    for number in range(1, 7):
        name, block_input = f"block_{number}", features
        active = net.add("Swish", f"{name}.act1", [merged(block_input, f"{name}.c1_r")])
        features = net.add("Swish", f"{name}.act2", [merged(active, f"{name}.c2_r")])
        features = merged(features, f"{name}.c3_r")
        attention = net.add("Sigmoid", f"{name}.sigmoid", [features])
        attention = net.number(attention, f"{name}.attention", _SUBTRACT, 0.5)
        features = net.add("BinaryOp", f"{name}.sum", [features, block_input], "0=0")
        features = net.add("BinaryOp", name, [features, attention], f"0={_MULTIPLY}")
        kept.append((features, active))
    # The published code reads the sixth block's first map after the activation has changed it in place.
    maps = [first, merged(features, "conv_2"), kept[0][0], kept[5][1]]
    features = net.conv(net.add("Concat", "cat", maps), "conv_cat")
    if arrays["upsampler.0.bias"].size != info.out_channels * info.scale**2:
        raise ValueError(f"the last convolution does not make x{info.scale}")
    net.shuffled(net.conv(features, "upsampler.0"), "shuffle", info.scale)
    return net.files()


_ARCHITECTURES: dict[str, Callable[[CheckpointInfo, Arrays, bool], NcnnFiles]] = {
    "ESRGAN": _rrdbnet,
    "RealESRGAN Compact": _compact,
    "SPAN": _span,
}


def write_network(info: CheckpointInfo, arrays: Arrays, precision: str) -> NcnnFiles:
    """A network as an ncnn pair.

    Args:
        info: its facts; architectures "ESRGAN" (RRDBNet), "RealESRGAN Compact" and "SPAN" are known.
        arrays: its weights, under the names of its checkpoint.
        precision: how kernels are stored: "fp32" or "fp16".

    Raises:
        UnsupportedModelError: another architecture, or a variant of one of these that has no graph here.
    """
    build = _ARCHITECTURES.get(info.architecture)
    if build is None:
        known = ", ".join(_ARCHITECTURES)
        raise UnsupportedModelError(
            f"A network of the kind {info.architecture} cannot be written for ncnn ({known} can)."
        )
    try:
        return build(info, arrays, precision == "fp16")
    except (KeyError, IndexError, ValueError) as error:
        raise UnsupportedModelError(
            f"This variant of {info.architecture} cannot be written for ncnn: {error}."
        ) from error


__all__ = ["INPUT", "OUTPUT", "NcnnFiles", "write_network"]
