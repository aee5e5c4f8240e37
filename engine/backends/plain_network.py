"""The known architectures computed plainly in numpy, in fp32: what a runtime's output is compared with.

It shares nothing with the runtimes but the weights. RRDBNet-23 takes 0.1 s for 8x8 pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.backends.array_networks import Convolution, compact_layers, is_known, rrdbnet_layers, span_layers
from engine.models.state_dicts import Arrays

if TYPE_CHECKING:
    from engine.models.info import CheckpointInfo


def infer_plainly(info: CheckpointInfo, arrays: Arrays, window: np.ndarray) -> np.ndarray | None:
    """``(1, H, W, C) float32`` in 0..1 to ``(1, sH, sW, C_out) float32``; None where the architecture is not known."""
    from threadpoolctl import threadpool_limits

    if not is_known(info):
        return None
    network = {"ESRGAN": _rrdbnet, "RealESRGAN Compact": _compact, "SPAN": _span}[info.architecture]
    # On matrices this small BLAS threads wait for each other; on a busy machine thirty times as long as they compute.
    with threadpool_limits(1, "blas"):
        maps = network(info, arrays, np.ascontiguousarray(window[0].transpose(2, 0, 1), np.float32))
    return None if maps is None else np.ascontiguousarray(maps.transpose(1, 2, 0)[None], np.float32)


def _convolve(maps: np.ndarray, layer: Convolution) -> np.ndarray:
    out, channels, side, _ = layer.weight.shape
    pad = side // 2
    padded = np.pad(maps, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    columns = windows.transpose(0, 3, 4, 1, 2).reshape(channels * side * side, -1)
    product = layer.weight.reshape(out, -1) @ columns
    result: np.ndarray = product.reshape(out, *maps.shape[1:]) + layer.bias[:, None, None]
    return result


def _leaky(maps: np.ndarray, slope: np.ndarray | float = 0.2) -> np.ndarray:
    return np.where(maps >= 0, maps, maps * (slope if np.ndim(slope) == 0 else np.asarray(slope)[:, None, None]))


def _enlarge(maps: np.ndarray, factor: int) -> np.ndarray:
    return maps.repeat(factor, 1).repeat(factor, 2)


def _shuffle(maps: np.ndarray, factor: int) -> np.ndarray:
    channels, height, width = maps.shape
    parts = maps.reshape(channels // factor**2, factor, factor, height, width)
    return parts.transpose(0, 3, 1, 4, 2).reshape(-1, height * factor, width * factor)


def _unshuffle(maps: np.ndarray, factor: int) -> np.ndarray:
    channels, height, width = maps.shape
    parts = maps.reshape(channels, height // factor, factor, width // factor, factor)
    return parts.transpose(0, 2, 4, 1, 3).reshape(-1, height // factor, width // factor)


def _compact(info: CheckpointInfo, arrays: Arrays, pixels: np.ndarray) -> np.ndarray | None:
    layers = compact_layers(arrays)
    if layers is None:
        return None
    maps = _unshuffle(pixels, info.multiple_of)
    for convolution, slope in zip(layers[0][:-1], layers[1], strict=True):
        maps = _leaky(_convolve(maps, convolution), slope)
    residual = _shuffle(_convolve(maps, layers[0][-1]), info.scale * info.multiple_of)
    return residual + _enlarge(pixels, info.scale)


def _rrdbnet(info: CheckpointInfo, arrays: Arrays, pixels: np.ndarray) -> np.ndarray | None:
    network = rrdbnet_layers(arrays)
    if network is None:
        return None
    first = _convolve(_unshuffle(pixels, info.multiple_of), network.first)
    total = first
    for number in range(0, len(network.blocks), 3):
        residual = total
        for block in network.blocks[number : number + 3]:
            seen = residual
            for convolution in block[:4]:
                seen = np.concatenate([seen, _leaky(_convolve(seen, convolution))])
            residual = _convolve(seen, block[4]) * np.float32(0.2) + residual
        total = residual * np.float32(0.2) + total
    maps = first + _convolve(total, network.trunk)
    for convolution in network.enlarging:
        maps = _leaky(_convolve(_enlarge(maps, 2), convolution))
    return _convolve(_leaky(_convolve(maps, network.fine)), network.last)


def _span(info: CheckpointInfo, arrays: Arrays, pixels: np.ndarray) -> np.ndarray | None:
    network = span_layers(arrays, info)
    if network is None:
        return None
    first = _convolve((pixels - network.mean[:, None, None]) * 255, network.first)
    maps, after, early = first, first, first
    for number, block in enumerate(network.blocks):
        early = _swish(_convolve(maps, block[0]))
        deep = _convolve(_swish(_convolve(early, block[1])), block[2])
        maps = (deep + maps) * (_sigmoid(deep) - np.float32(0.5))
        after = maps if number == 0 else after
    joined = np.concatenate([first, _convolve(maps, network.second), after, early])
    return _shuffle(_convolve(_convolve(joined, network.joining), network.upsampling), info.scale)


def _sigmoid(maps: np.ndarray) -> np.ndarray:
    return (0.5 * (1 + np.tanh(0.5 * maps))).astype(np.float32)


def _swish(maps: np.ndarray) -> np.ndarray:
    return maps * _sigmoid(maps)
