"""What network a state dict of numpy arrays is of, for the architectures that run without torch.

RRDBNet, SRVGGNetCompact and SPAN, told by all of their keys and shapes. Whatever has one key more or less, or one shape
that does not fit, is left to spandrel (``architectures.load_network``), which says the same of those that are known
here.
"""

from __future__ import annotations

import math
import re

from engine.models.info import CheckpointInfo
from engine.models.state_dicts import Arrays, official_names

Shapes = dict[str, tuple[int, ...]]
_SPAN_BLOCKS = 6


def info_of(arrays: Arrays) -> CheckpointInfo | None:
    """The facts of a network whose state dict these are; None where the architecture is none of the three."""
    return _compact(arrays) or _span(arrays) or _rrdbnet(arrays)


def _convolution(name: str, outputs: int, inputs: int, side: int = 3) -> Shapes:
    return {f"{name}.weight": (outputs, inputs, side, side), f"{name}.bias": (outputs,)}


def _fits(arrays: Arrays, shapes: Shapes) -> bool:
    return arrays.keys() == shapes.keys() and all(arrays[key].shape == shape for key, shape in shapes.items())


def _size(arrays: Arrays) -> int:
    return sum(int(values.size) for values in arrays.values())


def _kernel(arrays: Arrays, key: str) -> tuple[int, int] | None:
    """Channels out and in of a convolution's weights, where there are any."""
    values = arrays.get(key)
    return (values.shape[0], values.shape[1]) if values is not None and values.ndim == 4 and values.size else None


def _compact(arrays: Arrays) -> CheckpointInfo | None:
    numbers = [int(found[1]) for key in arrays if (found := re.fullmatch(r"body\.(\d{1,5})\.weight", key))]
    last = max(numbers, default=0)
    ends = _kernel(arrays, "body.0.weight"), _kernel(arrays, f"body.{last}.weight")
    if ends[0] is None or ends[1] is None or last < 2 or last % 2:
        return None
    (features, inputs), outputs = ends[0], ends[1][0]
    unshuffle = 2 if inputs == 12 and outputs in (12, 48, 192) else 1
    colours = inputs // unshuffle**2
    factor = math.isqrt(outputs // colours)
    if colours not in (1, 3) or factor**2 * colours != outputs or factor % unshuffle:
        return None
    shapes = _convolution("body.0", features, inputs) | _convolution(f"body.{last}", outputs, features)
    for number in range(1, last):
        name = f"body.{number}"
        shapes |= {f"{name}.weight": (features,)} if number % 2 else _convolution(name, features, features)
    if not _fits(arrays, shapes):
        return None
    return CheckpointInfo(
        architecture="RealESRGAN Compact",
        kind="upscale",
        scale=factor // unshuffle,
        in_channels=colours,
        out_channels=colours,
        parameters=_size(arrays),
        multiple_of=unshuffle,
        receptive_radius=(last // 2 + 1) * unshuffle + unshuffle - 1,
    )


def _span(arrays: Arrays) -> CheckpointInfo | None:
    first, last = _kernel(arrays, "conv_1.sk.weight"), _kernel(arrays, "upsampler.0.weight")
    if first is None or last is None or first[1] != 3:
        return None
    features, outputs = first[0], last[0]
    scale = math.isqrt(outputs // 3)
    if scale < 1 or 3 * scale**2 != outputs:
        return None
    shapes = _convolution("conv_cat", features, 4 * features, 1) | _convolution("upsampler.0", outputs, features)
    blocks = [f"block_{block}.c{part}_r" for block in range(1, _SPAN_BLOCKS + 1) for part in (1, 2, 3)]
    for name in ("conv_1", "conv_2", *blocks):
        inputs = 3 if name == "conv_1" else features
        shapes |= _convolution(f"{name}.sk", features, inputs, 1) | _convolution(f"{name}.eval_conv", features, inputs)
        shapes |= _convolution(f"{name}.conv.0", 2 * inputs, inputs, 1)
        shapes |= _convolution(f"{name}.conv.1", 2 * features, 2 * inputs)
        shapes |= _convolution(f"{name}.conv.2", features, 2 * features, 1)
    if not _fits(arrays, shapes):
        return None
    return CheckpointInfo(
        architecture="SPAN",
        kind="upscale",
        scale=scale,
        in_channels=3,
        out_channels=3,
        parameters=_size(arrays),
    )


def _rrdbnet(arrays: Arrays) -> CheckpointInfo | None:
    try:
        named = official_names(arrays)
    except ValueError:  # numbered otherwise than any that is known
        return None
    ends = _kernel(named, "conv_first.weight"), _kernel(named, "conv_last.weight")
    dense = _kernel(named, "body.0.rdb1.conv1.weight")
    if ends[0] is None or ends[1] is None or dense is None:
        return None
    (features, inputs), outputs, growth = ends[0], ends[1][0], dense[0]
    blocks = len({key.split(".")[1] for key in named if key.startswith("body.")})
    doublings = sum(key.startswith("conv_up") and key.endswith(".weight") for key in named)
    unshuffle = {4 * outputs: 2, 16 * outputs: 4}.get(inputs, 1)
    colours = inputs // unshuffle**2
    if colours not in (1, 3) or outputs != colours or 2**doublings % unshuffle:
        return None
    shapes = _convolution("conv_first", features, inputs) | _convolution("conv_last", outputs, features)
    for name in ("conv_body", "conv_hr", *(f"conv_up{number + 1}" for number in range(doublings))):
        shapes |= _convolution(name, features, features)
    for name in (f"body.{block}.rdb{part}" for block in range(blocks) for part in (1, 2, 3)):
        for number in range(1, 6):
            made = growth if number < 5 else features
            shapes |= _convolution(f"{name}.conv{number}", made, features + (number - 1) * growth)
    if not _fits(named, shapes) or len(named) != len(arrays):
        return None
    return CheckpointInfo(
        architecture="ESRGAN",
        kind="upscale",
        scale=2**doublings // unshuffle,
        in_channels=colours,
        out_channels=outputs,
        parameters=_size(arrays),
        multiple_of=unshuffle,
        minimum_size=4 if unshuffle > 1 else 2,
    )


__all__ = ["info_of"]
