"""Finding out how an ncnn graph is to be used, which its files do not say.

Sizes come from running it without values (PyTorch's meta device), so a hostile graph costs nothing; ranges and reach
from one or two runs on pictures of a few thousand pixels.

What cannot be seen in a graph: Real-CUGAN's PRO networks were trained on values in 0.15..0.85 (``x * 0.7 + 0.15``). On
flat and on structured pictures they answer in 0..1 as well as the SE ones do, so the name has to say it: of a network
that pools over the picture and does not pad, "pro" as a word in the file's name or "models-pro" as its folder's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from engine.models.ncnn.facts import Facts
from engine.models.ncnn.graph_module import GraphModule, NcnnNetwork
from engine.models.ncnn.param import Graph, Layer
from engine.models.ncnn.weights import LayerWeights

_SCALES = range(1, 9)
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
_SIDE = 64
_LARGEST_BLOB = 2**26
"""Values of one blob, of a picture of 64x64 pixels and its margin: 256 MB."""
_MOST_WORK = 10**12
"""Multiplications for such a picture. RealESRGAN_x4plus takes 0.15 of it."""
_MOST_WORK_FOR_REACH = 4 * 10**10
_LARGEST_MARGIN = 128
_RADII = (24, 40)
"""How far is looked. Beyond it a halo costs more than the seams it avoids (``imaging.upscaler`` blends instead)."""
_GREYS = (0.25, 0.5, 0.75)
_RANGES = ((1.0, 0.0), (255.0, 0.0), (2.0, -1.0))
"""(factor, offset) of 0..1, 0..255 and -1..1."""
_CLEAR = 0.12
"""Largest distance from grey, of 1, at which an answer counts as that grey."""


class _Sizes(GraphModule):
    """A graph run without values."""

    def __init__(self, graph: Graph, weights: Mapping[str, LayerWeights]) -> None:
        super().__init__(graph, weights)
        self.to("meta")
        self.work = self.largest = 0

    def _outputs(self, layer: Layer, values: dict[str, Tensor], fixed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        made = super()._outputs(layer, values, fixed)
        module = getattr(self, self._modules_by_name.get(layer.name, ""), None)
        weight = getattr(module, "weight", None)
        # A multiplication for every weight of an output channel; moving values about costs as much as a few of them.
        each = 16 if weight is None else max(16, weight[0].numel())
        for value in made.values():
            self.largest = max(self.largest, value.numel())
            self.work += value.numel() * (each if layer.type != "Split" else 0)
        if self.largest > 4 * _LARGEST_BLOB or self.work > 100 * _MOST_WORK:
            raise ValueError("it needs more memory or time than any network for pictures")
        return made

    def of(self, height: int, width: int, channels: int) -> tuple[int, ...] | None:
        """The output's shape, or None where sizes do not fit one another."""
        self.work = self.largest = 0
        try:
            return tuple(self(torch.empty(1, channels, height, width, device="meta")).shape)
        except (RuntimeError, IndexError, TypeError):
            return None


def probe(graph: Graph, weights: Mapping[str, LayerWeights], path: Path) -> Facts:
    """How the graph is to be used.

    Raises:
        ValueError: it does not map a picture to one of a whole-number scale of 1 to 8; the message says why not.
    """
    with torch.inference_mode(False), torch.no_grad():  # tensors of the inference mode cannot have gradients later
        facts = _sizes(_Sizes(graph, weights))
        module = GraphModule(graph, weights)
        facts = _values(module, facts)
        if module.pools and facts.margin and is_pro(path):
            facts = replace(facts, input_factor=0.7, input_offset=0.15, output_factor=0.7, output_offset=0.15)
        light = _work(graph, weights, facts, 2 * _RADII[-1]) <= _MOST_WORK_FOR_REACH
        return replace(facts, receptive_radius=_reach(NcnnNetwork(module, facts))) if light else facts


def is_pro(path: Path) -> bool:
    """Whether the name says that it is a PRO network of Real-CUGAN."""
    return "pro" in re.split(r"[^a-z]+", path.stem.lower()) or path.parent.name.lower() == "models-pro"


def _sizes(sizes: _Sizes) -> Facts:
    """Scale, margin and multiple, from output sizes alone."""
    large, larger = 2 * _SIDE, 3 * _SIDE
    channels = next((count for count in (3, 1) if sizes.of(large, larger, count)), 0)
    if not channels:
        raise ValueError("it takes no pictures of one or three channels")
    first, second = sizes.of(large, larger, channels), sizes.of(larger, large, channels)
    if first is None or second is None or len(first) != 4 or first[1] not in (1, 3):
        raise ValueError("what it gives is no picture of one or three channels")
    scale, rest = divmod(second[2] - first[2], _SIDE)
    if rest or scale not in _SCALES or first[2:] != second[:1:-1]:
        raise ValueError(
            f"its output is no picture at a scale of 1 to 8: {large}x{larger} becomes {first[2]}x{first[3]}"
        )
    missing = scale * large - first[2]
    margin = max(0, -(-missing // (2 * scale)))
    if margin > _LARGEST_MARGIN:
        raise ValueError(f"its convolutions take {margin} pixels off every edge")
    facts = Facts(scale, channels, first[1], margin, (2 * margin * scale - missing) // 2)
    fits = _fitting(sizes, facts, missing)
    if not fits:
        raise ValueError("it takes pictures of certain sizes only")
    facts = replace(facts, multiple_of=fits)
    side = _SIDE + 2 * margin
    sizes.of(side, side, channels)
    if sizes.largest > _LARGEST_BLOB or sizes.work > _MOST_WORK:
        raise ValueError("it needs more memory or time than any network for pictures")
    return facts


def _fitting(sizes: _Sizes, facts: Facts, missing: int) -> int:
    """The least number whose multiples, with the margin, all give the output that the scale promises; 0: none."""

    def right(side: int) -> bool:
        padded = side + 2 * facts.margin
        wanted = facts.scale * padded - missing
        return sizes.of(padded, padded, facts.in_channels) == (1, facts.out_channels, wanted, wanted)

    found = (step for step in _MULTIPLES if all(right(_SIDE + step * k) for k in (1, 2, 3)) and right(step))
    return next(found, 0)


def _values(module: GraphModule, facts: Facts) -> Facts:
    """The range of the values, from what becomes of flat greys."""
    side = max(16, facts.multiple_of) + 2 * facts.margin
    greys = torch.tensor(_GREYS).reshape(-1, 1, 1, 1)

    def output_for(factor: float, offset: float) -> Tensor:
        y = module((greys * factor + offset).expand(-1, facts.in_channels, side, side).contiguous())
        middle = y[:, :, y.shape[2] // 4 : -(y.shape[2] // 4) or None, y.shape[3] // 4 : -(y.shape[3] // 4) or None]
        return middle.mean((1, 2, 3))

    wanted = greys.flatten()
    found: dict[tuple[float, float], Tensor] = {}
    for residual in (False, True):  # what takes 0..255 answers nothing to 0..1 as well, so this is asked last
        for given in _RANGES:
            if given not in found:
                found[given] = output_for(*given)
                if given == _RANGES[0] and not bool(torch.isfinite(found[given]).all()):
                    raise ValueError("it gives NaN or infinite values for a grey picture")
            taken, distance = _closest(found[given], torch.zeros(3) if residual else wanted, given, residual)
            if distance < _CLEAR:
                return replace(
                    facts,
                    input_factor=given[0],
                    input_offset=given[1],
                    output_factor=taken[0],
                    output_offset=taken[1],
                    residual=residual,
                )
    return facts


def _closest(
    answer: Tensor, wanted: Tensor, given: tuple[float, float], residual: bool
) -> tuple[tuple[float, float], float]:
    """The range in which an answer is nearest to what is wanted, and how near. A residual's is that of the input."""
    ranges = [(given[0], 0.0)] if residual else list(dict.fromkeys((given, *_RANGES)))
    distances = [float(((answer - offset) / factor - wanted).abs().max()) for factor, offset in ranges]
    distances = [distance if math.isfinite(distance) else math.inf for distance in distances]
    best = distances.index(min(distances))
    return ranges[best], distances[best]


def _work(graph: Graph, weights: Mapping[str, LayerWeights], facts: Facts, side: int) -> int:
    sizes = _Sizes(graph, weights)
    padded = side + 2 * facts.margin
    sizes.of(padded, padded, facts.in_channels)
    return sizes.work


def _reach(network: NcnnNetwork) -> int | None:
    """Input pixels on each side that an output pixel depends on, pools aside: how far a NaN spreads."""
    facts = network.facts
    grid = facts.multiple_of
    known = pooled(network, torch.full((1, facts.in_channels, grid, grid), 0.5))  # any values of the right shape
    found = (_reach_within(network, known, most) for most in _RADII)
    return next((radius for radius in found if radius is not None), None)


def _reach_within(network: NcnnNetwork, known: list[Tensor], most: int) -> int | None:
    facts, unit, scale = network.facts, network.facts.multiple_of, network.facts.scale
    middle = -(-(most + 1) // unit) * unit
    side = 2 * middle + unit
    x = torch.full((1, facts.in_channels, side, side), 0.5)
    # All pixels of a cell of the grid on which the network works, since they differ in how far they reach.
    x[:, :, middle : middle + unit, middle : middle + unit] = torch.nan
    reached = network(x, *known).isnan().any(1)[0]
    rows, columns = reached.any(1).nonzero().flatten() // scale, reached.any(0).nonzero().flatten() // scale
    if not len(rows):
        return None
    low, high = int(min(rows[0], columns[0])), int(max(rows[-1], columns[-1]))
    radius = max(middle + unit - 1 - low, high - middle, 0)
    return radius if low > 0 and high < side - 1 and radius <= most else None


def pooled(network: NcnnNetwork | GraphModule, x: Tensor) -> list[Tensor]:
    """What every pool of a network gives for ``x``: ``(N, C)`` each."""
    known: list[Tensor] = []
    for _ in network.pools:
        known.append(network.features(x, *known).mean((2, 3)))
    return known
