"""The known architectures as lists of convolutions, from weights under the names of the official checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.checkpoints import CheckpointInfo

KEEP_FP32 = "fp32/"
"""Begins the names of operations that run in fp32 whatever the rest runs in."""


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

    def all(self) -> list[Convolution]:
        """Every convolution, in the order of the network."""
        deep = [one for block in self.blocks for one in block]
        return [self.first, *deep, self.second, self.joining, self.upsampling]


def compact_layers(arrays: Mapping[str, np.ndarray]) -> tuple[list[Convolution], list[np.ndarray]] | None:
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
    """RRDBNet's convolutions, under new names (``body.0.rdb1.conv1``) or old (``model.1.sub.0.RDB1.conv1.0``)."""
    named = _new_names(arrays)
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


def _new_names(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    if "model.0.weight" not in arrays:
        return dict(arrays)
    blocks = {int(found.group(1)) for key in arrays if (found := re.match(r"model\.1\.sub\.(\d+)\.", key))}
    ends = sorted({int(found.group(1)) for key in arrays if (found := re.match(r"model\.(\d+)\.", key))} - {0, 1})
    names = {"model.0": "conv_first", f"model.1.sub.{max(blocks, default=0)}": "conv_body"}
    *ups, fine, last = [f"model.{number}" for number in ends] if len(ends) >= 2 else ("", "")
    names |= {fine: "conv_hr", last: "conv_last", **{one: f"conv_up{index}" for index, one in enumerate(ups, 1)}}
    renamed = {}
    for key, values in arrays.items():
        stem, _, kind = key.rpartition(".")
        dense = re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0", stem)
        new = f"body.{dense[1]}.rdb{dense[2]}.conv{dense[3]}" if dense else names.get(stem, stem)
        renamed[f"{new}.{kind}"] = values
    return renamed


def span_layers(arrays: Mapping[str, np.ndarray], info: CheckpointInfo) -> Span | None:
    """SPAN's convolutions, each one merged of its branches as it is when it runs; None for other variants."""
    if "no_norm" in arrays or "conv_cat.weight" not in arrays:
        return None
    blocks = []
    for number in range(1, 7):
        found = [merged(arrays, f"block_{number}.c{one}_r") for one in (1, 2, 3)]
        blocks.append([one for one in found if one is not None])
    first, second = merged(arrays, "conv_1"), merged(arrays, "conv_2")
    joining, upsampling = _convolution(arrays, "conv_cat"), _convolution(arrays, "upsampler.0")
    if first is None or second is None or joining is None or upsampling is None or info.in_channels != 3:
        return None
    mean = np.array([0.4488, 0.4371, 0.4040], np.float32)  # of DIV2K; the same in every published SPAN
    if any(len(block) != 3 for block in blocks):
        return None
    return Span(mean, first, blocks, second, joining, upsampling)


def merged(arrays: Mapping[str, np.ndarray], name: str) -> Convolution | None:
    """SPAN's 1x1, 3x3 and 1x1 convolutions in a row, beside a 1x1 one, as one 3x3; None where they are not there."""
    steps = [_convolution(arrays, f"{name}.conv.{index}") for index in range(3)]
    beside = _convolution(arrays, f"{name}.sk")
    if beside is None or any(step is None for step in steps):
        return None
    narrow, wide, out = (step for step in steps if step is not None)
    weight = np.einsum("oikl,ij->ojkl", wide.weight, narrow.weight[..., 0, 0], optimize=True)
    weight = np.einsum("po,ojkl->pjkl", out.weight[..., 0, 0], weight, optimize=True)
    bias = np.einsum("oikl,i->o", wide.weight, narrow.bias, optimize=True) + wide.bias
    bias = out.weight[..., 0, 0] @ bias + out.bias + beside.bias
    weight[:, :, 1, 1] += beside.weight[..., 0, 0]
    return Convolution(np.ascontiguousarray(weight, np.float32), bias.astype(np.float32))


def _convolution(arrays: Mapping[str, np.ndarray], name: str) -> Convolution | None:
    weight, bias = arrays.get(f"{name}.weight"), arrays.get(f"{name}.bias")
    if weight is None or bias is None or weight.ndim != 4:
        return None
    return Convolution(np.array(weight, np.float32), np.array(bias, np.float32))
