"""ncnn's binary weights (``.bin``): which layers have some, in which order and number type, as float32 arrays.

A layer's main weights begin with a 4-byte tag (ncnn, ``ModelBin``): 0x01306B47 half precision, padded to 4 bytes;
0x000D4B38 signed 8-bit, padded, with the layer's scales after its bias; 0 or 0x0002C056 single precision; anything
else a table of 256 single-precision values and an 8-bit index a weight, padded. All the others have no tag and are in
single precision. Little-endian throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from engine.models.ncnn.param import Graph, Layer
from utils.errors import UnsupportedModelError

LayerWeights = Mapping[str, np.ndarray]
"""Name within the layer ("weight", "bias", "slope", "data" ...) to float32 values."""

_HALF, _INT8, _SINGLE, _SINGLE_TAGGED = 0x01306B47, 0x000D4B38, 0, 0x0002C056
_LARGEST_FILE = 2**30
_MOST_WEIGHTS = 2**28
_LARGEST_KERNEL = 255
_MOST_CHANNELS = 2**16


def read_weights(graph: Graph, bin_path: Path) -> dict[str, LayerWeights]:
    """The weights of every layer that has some, by layer name.

    Convolutions: "weight" ``(out, in / groups, kernel height, kernel width)`` and "bias"; transposed ones the same,
    their "weight" as ``(in, out / groups, kernel height, kernel width)``, as PyTorch has it; InnerProduct: "weight"
    ``(out, in)``.

    Raises:
        UnsupportedModelError: a size does not fit the file, a value is not finite, or a layer is of a kind whose
            weights cannot be read. Nothing is allocated that the file does not fill.
    """
    bin_path = Path(bin_path)
    try:
        size = bin_path.stat().st_size
        if size > _LARGEST_FILE:
            raise ValueError(f"it has {size / 2**20:,.0f} MB, and 1 GB is the most that is read")
        source = _Source(np.fromfile(bin_path, np.uint8))
        found: dict[str, LayerWeights] = {}
        for layer in graph.layers:
            reader = _READERS.get(layer.type)
            if reader is None:
                continue
            weights = _read_layer(reader, layer, source)
            if weights:
                found[layer.name] = weights
        if source.left:
            raise ValueError(f"{source.left:,} bytes are left over, so it does not belong to this .param")
        return found
    except OSError as error:
        raise UnsupportedModelError(f"'{bin_path}' cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise UnsupportedModelError(f"'{bin_path}' does not hold usable weights: {error}.") from error


def _read_layer(reader: _Reader, layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    try:
        weights = reader(layer, source)
        for name, values in weights.items():
            if not np.isfinite(values).all():
                raise ValueError(f"its {name} holds NaN or infinite values")
    except ValueError as error:
        raise ValueError(f"{layer}: {error}") from error
    return weights


class _Source:
    """The file's bytes, taken from front to back; every size is checked before anything is made of it."""

    def __init__(self, content: np.ndarray) -> None:
        self._content, self._at, self._weights = content, 0, 0

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def _take(self, size: int) -> np.ndarray:
        if size > self.left:
            raise ValueError(f"it needs {size:,} bytes and the file has {self.left:,} left")
        taken = self._content[self._at : self._at + size]
        self._at += size
        return taken

    def _count(self, count: int) -> None:
        self._weights += count
        if count < 1 or self._weights > _MOST_WEIGHTS:
            raise ValueError(f"{count:,} weights cannot be")

    def single(self, count: int) -> np.ndarray:
        """``count`` untagged float32 values."""
        self._count(count)
        return self._take(4 * count).view("<f4").astype(np.float32)

    def tagged(self, count: int) -> tuple[np.ndarray, bool]:
        """``count`` values behind a tag, as float32, and whether they are 8-bit ones that need their scales."""
        self._count(count)
        tag = int(self._take(4).view("<u4")[0])
        padded = -(-count // 4) * 4
        if tag == _HALF:
            size = -(-2 * count // 4) * 4
            return self._take(size)[: 2 * count].view("<f2").astype(np.float32), False
        if tag == _INT8:
            return self._take(padded)[:count].view(np.int8).astype(np.float32), True
        if tag in (_SINGLE, _SINGLE_TAGGED):
            return self._take(4 * count).view("<f4").astype(np.float32), False
        table = self._take(1024).view("<f4")
        if not np.isfinite(table).all():
            raise ValueError(f"its weights are in a form that is not known (tag 0x{tag:08X})")
        return table[self._take(padded)[:count]].astype(np.float32), False


_Reader = Callable[[Layer, _Source], dict[str, np.ndarray]]


def _within(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise ValueError(f"{what} {value:,} is not between {low:,} and {high:,}")
    return value


def _convolution(layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    depthwise, transposed = layer.type.endswith("DepthWise"), layer.type.startswith("Deconvolution")
    if layer.integer(28 if transposed else 19, 0):
        raise ValueError("its weights are computed by other layers, which cannot be run here")
    outputs = _within(layer.integer(0, 0), 1, _MOST_CHANNELS, "number of outputs")
    width = _within(layer.integer(1, 0), 1, _LARGEST_KERNEL, "kernel width")
    height = _within(layer.integer(11, width), 1, _LARGEST_KERNEL, "kernel height")
    groups = _within(layer.integer(7, 1), 1, outputs, "number of groups") if depthwise else 1
    size = layer.integer(6, 0)
    inputs = size // (outputs * width * height)
    if inputs < 1 or size != inputs * outputs * width * height or outputs % groups:
        raise ValueError(f"{size:,} weights do not make {outputs} outputs of {width}x{height} kernels")
    values, quantised = source.tagged(size)
    bias = source.single(outputs) if layer.integer(5, 0) else None
    scale = _int8_scales(layer, source, outputs, groups if depthwise else 0) if layer.integer(8, 0) else None
    if quantised:
        values = _dequantised(values, scale)
    if transposed:
        values = values.reshape(groups, outputs // groups, inputs, height, width).transpose(0, 2, 1, 3, 4)
        weight = values.reshape(groups * inputs, outputs // groups, height, width)
    else:
        weight = values.reshape(outputs, inputs, height, width)
    return {"weight": np.ascontiguousarray(weight)} | ({} if bias is None else {"bias": bias})


def _int8_scales(layer: Layer, source: _Source, outputs: int, groups: int) -> np.ndarray:
    """Scales of the weights, one an output; those of the activations are skipped (they stay in float32 here)."""
    term = layer.integer(8, 0)
    shared = groups > 0 and term % 100 == 2
    scales = source.single(1 if shared else groups or outputs)
    source.single(1)
    if term > 100:
        source.single(1)
    return np.repeat(scales, outputs // len(scales))


def _dequantised(values: np.ndarray, scales: np.ndarray | None) -> np.ndarray:
    if scales is None or not (scales > 0).all():
        raise ValueError("its weights are 8-bit, and the scales to read them by are missing")
    return np.asarray((values.reshape(len(scales), -1) / scales[:, None]).reshape(-1), np.float32)


def _inner_product(layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    outputs = _within(layer.integer(0, 0), 1, _MOST_CHANNELS, "number of outputs")
    size = layer.integer(2, 0)
    if size < outputs or size % outputs:
        raise ValueError(f"{size:,} weights do not make {outputs} outputs")
    values, quantised = source.tagged(size)
    bias = source.single(outputs) if layer.integer(1, 0) else None
    scales = None
    if layer.integer(8, 0):
        scales = source.single(outputs)
        source.single(1)
    if quantised:
        values = _dequantised(values, scales)
    return {"weight": values.reshape(outputs, -1)} | ({} if bias is None else {"bias": bias})


def _prelu(layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    return {"slope": source.single(_within(layer.integer(0, 0), 1, _MOST_CHANNELS, "number of slopes"))}


def _scale(layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    if layer.integer(0, 0) == -233:
        return {}
    size = _within(layer.integer(0, 0), 1, _MOST_CHANNELS, "number of factors")
    scale = source.single(size)
    return {"scale": scale} | ({"bias": source.single(size)} if layer.integer(1, 0) else {})


def _bias(layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    return {"bias": source.single(_within(layer.integer(0, 0), 1, _MOST_CHANNELS, "number of values"))}


def _batch_norm(layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    channels = _within(layer.integer(0, 0), 1, _MOST_CHANNELS, "number of channels")
    return {name: source.single(channels) for name in ("slope", "mean", "variance", "bias")}


def _memory_data(layer: Layer, source: _Source) -> dict[str, np.ndarray]:
    """Shape as ncnn has it, outermost first: ``(C, H, W)``, ``(H, W)`` or ``(W,)``."""
    if layer.integer(11, 0):
        raise ValueError("it has four dimensions, which cannot be run here")
    sizes = [layer.integer(key, 0) for key in (2, 1, 0)]
    shape = [size for size in sizes if size != 0]
    if not shape or sizes[3 - len(shape) :] != shape:
        raise ValueError("its sizes are missing")
    for size in shape:
        _within(size, 1, _MOST_CHANNELS, "size")
    count = math.prod(shape)
    values = source.single(count) if layer.integer(21, 1) == 1 else source.tagged(count)[0]
    return {"data": values.reshape(shape)}


_READERS: Mapping[str, _Reader] = {
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution,
    "Deconvolution": _convolution,
    "DeconvolutionDepthWise": _convolution,
    "InnerProduct": _inner_product,
    "PReLU": _prelu,
    "Scale": _scale,
    "Bias": _bias,
    "BatchNorm": _batch_norm,
    "MemoryData": _memory_data,
}
