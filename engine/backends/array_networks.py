"""The known architectures as lists of convolutions, from weights under the names of the official checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.models.state_dicts import merged_convolution, official_names

if TYPE_CHECKING:
    from engine.models.info import CheckpointInfo

KEEP_FP32 = "fp32/"
"""Begins the names of operations that run in fp32 whatever the rest runs in."""


def is_known(info: CheckpointInfo) -> bool:
    """Whether the architecture is one of those here, if not each of its variants."""
    return info.kind == "upscale" and info.architecture in ("ESRGAN", "RealESRGAN Compact", "SPAN")


@dataclass
class Convolution:
    """``weight`` (out, in, height, width) and ``bias`` (out) in float32; copies, changed in place."""

    weight: np.ndarray
    bias: np.ndarray


Readers = list[tuple[Convolution, int]]
"""Who reads a convolution's channels, and at which of its own input channels they begin."""
Pairs = list[tuple[Convolution, Readers]]


@dataclass
class RRDBNet:
    """``blocks``: residual dense blocks of five convolutions each, three to a residual-in-residual block."""

    first: Convolution
    blocks: list[list[Convolution]]
    trunk: Convolution
    enlarging: list[Convolution]
    fine: Convolution
    last: Convolution

    def all(self) -> list[Convolution]:
        """Every convolution, in the order of the network."""
        dense = [one for block in self.blocks for one in block]
        return [self.first, *dense, self.trunk, *self.enlarging, self.fine, self.last]

    def pairs(self) -> Pairs:
        """Convolutions whose channels may be scaled if their readers are scaled back."""
        chain = [*self.enlarging, self.fine, self.last]
        found: Pairs = [(one, [(two, 0)]) for one, two in zip(chain, chain[1:], strict=False)]
        for block in self.blocks:
            at = block[0].weight.shape[1]
            for index, one in enumerate(block[:4]):
                found.append((one, [(reader, at) for reader in block[index + 1 :]]))
                at += len(one.bias)
        return found


@dataclass
class Span:
    """``mean``: RGB in 0..1, subtracted first; ``blocks``: three convolutions each."""

    mean: np.ndarray
    first: Convolution
    blocks: list[list[Convolution]]
    second: Convolution
    joining: Convolution
    upsampling: Convolution


CompactLayers = tuple[list[Convolution], list[np.ndarray]]
"""Convolutions, and the PReLU slopes between them."""


def compact_layers(arrays: Mapping[str, np.ndarray]) -> CompactLayers | None:
    """SRVGGNetCompact's convolutions, and the PReLU slopes between them; None where the names are others."""
    numbers = sorted({int(found.group(1)) for key in arrays if (found := re.match(r"body\.(\d+)\.", key))})
    if not numbers or any(not key.startswith("body.") for key in arrays):
        return None
    convolutions = [_convolution(arrays, f"body.{number}") for number in numbers[::2]]
    slopes = [arrays[f"body.{number}.weight"] for number in numbers[1::2] if f"body.{number}.weight" in arrays]
    fits = len(slopes) == len(convolutions) - 1 and all(slope.ndim == 1 for slope in slopes)
    whole = [one for one in convolutions if one is not None]
    return (whole, slopes) if fits and len(whole) == len(convolutions) else None


def rrdbnet_layers(arrays: Mapping[str, np.ndarray]) -> RRDBNet | None:
    """RRDBNet's convolutions, under any of the names that ``official_names`` knows."""
    try:
        named = official_names(arrays)
    except ValueError:  # numbered otherwise than any that is known
        return None
    used = {key.rpartition(".")[0] for key in named}
    count = len({key.split(".")[1] for key in used if key.startswith("body.")})
    blocks = []
    for number in range(count):
        for dense in (1, 2, 3):
            found = [_convolution(named, f"body.{number}.rdb{dense}.conv{one}") for one in range(1, 6)]
            blocks.append([one for one in found if one is not None])
    ends = [_convolution(named, name) for name in ("conv_first", "conv_body", "conv_hr", "conv_last")]
    enlarging = [one for name in ("conv_up1", "conv_up2", "conv_up3") if (one := _convolution(named, name)) is not None]
    first, trunk, fine, last = ends
    if first is None or trunk is None or fine is None or last is None or not count:
        return None
    network = RRDBNet(first, blocks, trunk, enlarging, fine, last)
    # ESRGAN+ has more paths within its blocks, and their names are left over.
    return network if all(len(block) == 5 for block in blocks) and len(network.all()) == len(used) else None


def span_layers(arrays: Mapping[str, np.ndarray], info: CheckpointInfo) -> Span | None:
    """SPAN's convolutions, each one merged of its branches as it is when it runs; None for other variants."""
    if "no_norm" in arrays or "conv_cat.weight" not in arrays:
        return None
    blocks = []
    for number in range(1, 7):
        found = [_merged(arrays, f"block_{number}.c{one}_r") for one in (1, 2, 3)]
        blocks.append([one for one in found if one is not None])
    first, second = _merged(arrays, "conv_1"), _merged(arrays, "conv_2")
    joining, upsampling = _convolution(arrays, "conv_cat"), _convolution(arrays, "upsampler.0")
    if first is None or second is None or joining is None or upsampling is None or info.in_channels != 3:
        return None
    mean = np.array([0.4488, 0.4371, 0.4040], np.float32)  # of DIV2K; the same in every published SPAN
    if any(len(block) != 3 for block in blocks):
        return None
    return Span(mean, first, blocks, second, joining, upsampling)


def _merged(arrays: Mapping[str, np.ndarray], name: str) -> Convolution | None:
    """One of SPAN's branched convolutions as the 3x3 that it amounts to; None where its parts are not there."""
    try:
        return Convolution(*merged_convolution(arrays, name))
    except KeyError:
        return None


def _convolution(arrays: Mapping[str, np.ndarray], name: str) -> Convolution | None:
    weight, bias = arrays.get(f"{name}.weight"), arrays.get(f"{name}.bias")
    if weight is None or bias is None or weight.ndim != 4:
        return None
    return Convolution(np.array(weight, np.float32), np.array(bias, np.float32))
