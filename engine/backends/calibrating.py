"""Measures on pictures what eight bits are fitted to, and how near they come: ``Calibration`` of a network.

A part of each picture is seen as it is and worn by JPEG. Every fourth picture is kept to judge by.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.backends.array_networks import compact_layers
from engine.backends.base import NetworkSource
from engine.backends.calibration import Calibration, Seen
from engine.backends.exact_input import BACK, input_scale
from engine.backends.openvino_graphs import compact_output
from engine.backends.openvino_int8 import build_int8_graph, is_quantizable
from engine.backends.openvino_operations import GraphBuilder
from engine.backends.self_test import psnr
from utils.errors import BackendError, InvalidSettingsError
from utils.pixels import most_detailed

if TYPE_CHECKING:
    from engine.models.state_dicts import Arrays
    from utils.openvino import openvino

CALIBRATED_SIDE = 192
LEAST_PICTURES = 4
_LEAST_SIDE = 16
_JUDGED = 4
_JPEG_QUALITY = 40

RunGraph = Callable[[np.ndarray], list[np.ndarray]]
"""A window ``(1, C, H, W) float32`` to a graph's outputs."""


def calibrate(
    source: NetworkSource, pictures: Sequence[np.ndarray], progress: Callable[[float], None] | None = None
) -> Calibration:
    """The calibration of a network on pictures.

    Args:
        pictures: ``(H, W, 3) uint8``, four or more with sides from 16 pixels, as different as those that are to be
            enlarged.
        progress: gets the share that is done, 0..1.

    Raises:
        BackendError: eight bits do not serve the architecture.
        InvalidSettingsError: too few pictures.
    """
    arrays = source.arrays() if is_quantizable(source.info) and source.info.in_channels == 3 else None
    if arrays is None or compact_layers(arrays) is None:
        raise BackendError(f"int8 serves compact networks; '{source.name}' ({source.info.architecture}) is none.")
    pictures = [one for one in pictures if min(one.shape[:2]) >= _LEAST_SIDE]
    if len(pictures) < LEAST_PICTURES:
        raise InvalidSettingsError(f"A calibration needs {LEAST_PICTURES} pictures or more; there are {len(pictures)}.")
    scale = np.float32(input_scale(source.info))
    parts = [
        [_window(part) * scale for part in (one, worn(one))]
        for one in (most_detailed(one, CALIBRATED_SIDE) for one in pictures)
    ]
    taught = [window for number, pair in enumerate(parts) if number % _JUDGED for window in pair]
    judged = [window for number, pair in enumerate(parts) if number % _JUDGED == 0 for window in pair]
    some = taught[:: _JUDGED - 1]  # of plain and worn windows in turn some of both
    total, done = len(taught) + len(some) + len(judged), 0

    def tell(windows: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
        nonlocal done
        for window in windows:
            yield window
            done += 1
            if progress is not None:
                progress(done / total)

    watched = compiled(_watched_graph(source, arrays))
    found = _measured(watched, tell(taught))
    place = source.info.scale * source.info.multiple_of
    made = replace(found, offset=_offset(watched, _eight_bits(source, arrays, found), tell(some), place))
    run = _eight_bits(source, arrays, made)
    found_psnr = [psnr(run(window)[0], watched(window)[-1]) for window in tell(judged)]
    return replace(made, worst=min(found_psnr), average=float(np.mean(found_psnr)), pictures=len(judged) // 2)


def worn(rgb: np.ndarray) -> np.ndarray:
    """A picture as a JPEG file of middling quality has it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=_JPEG_QUALITY)
    with Image.open(file) as read:
        return np.asarray(read.convert("RGB"))


def _window(rgb: np.ndarray) -> np.ndarray:
    """As a network takes it whose sides must be even."""
    even = rgb[: len(rgb) // 2 * 2, : rgb.shape[1] // 2 * 2]
    return np.ascontiguousarray(even.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def compiled(model: openvino.Model) -> RunGraph:
    """A graph on the processor, whatever the number types of its operations, in fp32."""
    from utils.openvino import openvino

    ready = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = ready.create_infer_request()

    def run(window: np.ndarray) -> list[np.ndarray]:
        request.infer([window])
        return [request.get_output_tensor(number).data.copy() for number in range(len(ready.outputs))]

    return run


def _watched_graph(source: NetworkSource, arrays: Arrays) -> openvino.Model:
    """The network in fp32 whose outputs are the inputs of each convolution but the first, and then its own."""
    layers = compact_layers(arrays)
    assert layers is not None
    layers[0][0].weight *= BACK
    graph = GraphBuilder(source.info.in_channels)
    output, seen = compact_output(graph, source.info, layers)
    return graph.model(*seen, output)


def _measured(run: RunGraph, windows: Iterable[np.ndarray]) -> Calibration:
    layers: list[Seen] = []
    for window in windows:
        *maps, _ = run(window)
        layers = layers or [Seen(one.shape[1]) for one in maps]
        for layer, one in zip(layers, maps, strict=True):
            layer.see(one[0])
    told = [layer.told() for layer in layers]
    low, high, mean, spread, alike = (np.stack([one[name] for one in told]) for name in told[0])
    return Calibration(low, high, mean, spread, alike, offset=np.zeros(1, np.float32))


def _eight_bits(source: NetworkSource, arrays: Arrays, calibration: Calibration) -> RunGraph:
    graph = build_int8_graph(source.info, arrays, calibration)
    assert graph is not None
    return compiled(graph)


def _offset(exact: RunGraph, narrow: RunGraph, windows: Iterable[np.ndarray], side: int) -> np.ndarray:
    """What the last convolution's channels are too high by, on average: each is a place in squares of that side."""
    sums, count = np.zeros(0), 0
    for window in windows:
        wrong = (narrow(window)[0] - exact(window)[-1])[0].astype(np.float64)
        colors, height, width = wrong.shape
        places = wrong.reshape(colors, height // side, side, width // side, side).mean((1, 3)).ravel()
        sums = sums + places if len(sums) else places
        count += 1
    return (sums / max(1, count)).astype(np.float32)


__all__ = ["LEAST_PICTURES", "CALIBRATED_SIDE", "calibrate", "compiled", "worn"]
