"""An ncnn graph as a PyTorch module that runs its layers, and as a network from picture to picture.

Layers that take the mean over the whole picture ("pools": squeeze-excite) can be given fixed values, so that tiles of
a picture can share them; ``sync`` finds these. Imports torch: import this module only where one runs.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from engine.models.ncnn.facts import Facts
from engine.models.ncnn.layers import operators
from engine.models.ncnn.param import Graph, Layer
from engine.models.ncnn.weights import LayerWeights


class GraphModule(nn.Module):
    """Every layer of a graph, run in order. Blobs are freed after their last use.

    Attributes:
        pools: names of the layers that pool over the whole picture, in the order in which they run.
    """

    def __init__(self, graph: Graph, weights: Mapping[str, LayerWeights]) -> None:
        super().__init__()
        self._graph, self._operators = graph, operators(graph)
        pooling = {name for name, operator in self._operators.items() if operator.pools}
        self.pools = tuple(layer.name for layer in graph.layers if layer.name in pooling)
        self._modules_by_name: dict[str, str] = {}
        self.empty = nn.Module()
        for index, layer in enumerate(graph.layers):
            operator = self._operators.get(layer.name)
            if operator is not None and operator.make is not None and layer.name in weights:
                self._modules_by_name[layer.name] = f"layer{index}"
                self.add_module(f"layer{index}", operator.make(weights[layer.name]))
            elif layer.type == "MemoryData":
                data = torch.from_numpy(weights[layer.name]["data"])[None]
                self.register_buffer(f"constant{index}", data)
                self._modules_by_name[layer.name] = f"constant{index}"
        self._plans: dict[tuple[int, int | None], list[tuple[Layer, tuple[str, ...]]]] = {}
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor, *known: Tensor) -> Tensor:
        """The graph's output. ``known``: values ``(N, C)`` of the first pools, instead of what ``x`` itself gives."""
        return self._run(x, known, None)

    def features(self, x: Tensor, *known: Tensor) -> Tensor:
        """The maps ``(N, C, H, W)`` that the first pool without a known value takes the mean of."""
        return self._run(x, known, len(known))

    def _run(self, x: Tensor, known: tuple[Tensor, ...], stop: int | None) -> Tensor:
        values = {self._graph.input: x}
        fixed = dict(zip(self.pools, known, strict=False))
        result = self._graph.output
        for layer, done in self._plan(len(known), stop):
            if stop is not None and layer.name == self.pools[stop]:
                result = layer.inputs[0]
                break
            values.update(self._outputs(layer, values, fixed))
            for blob in done:
                del values[blob]
        return values[result]

    def _outputs(self, layer: Layer, values: dict[str, Tensor], fixed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if layer.type == "Input":
            return {}
        if layer.type == "Split":
            return dict.fromkeys(layer.outputs, values[layer.inputs[0]])
        if layer.type == "MemoryData":
            return {layer.outputs[0]: self.get_buffer(self._modules_by_name[layer.name])}
        if layer.name in fixed:
            return {layer.outputs[0]: fixed[layer.name]}
        inputs = [values[blob] for blob in layer.inputs]
        module = self.get_submodule(self._modules_by_name.get(layer.name, "empty"))
        return {layer.outputs[0]: self._operators[layer.name].run(module, inputs)}

    def _plan(self, known: int, stop: int | None) -> list[tuple[Layer, tuple[str, ...]]]:
        """The layers that are needed, each with the blobs that nothing needs after it."""
        if (known, stop) in self._plans:
            return self._plans[known, stop]
        fixed = set(self.pools[:known])
        wanted = {self._graph.output} if stop is None else set()
        needed: list[tuple[Layer, tuple[str, ...]]] = []
        for layer in reversed(self._graph.layers):
            is_stop = stop is not None and layer.name == self.pools[stop]
            if not is_stop and not wanted & set(layer.outputs):
                continue
            fresh = set() if layer.name in fixed else set(layer.inputs) - wanted
            done = set() if is_stop else fresh | (set(layer.outputs) - wanted)
            needed.append((layer, tuple(sorted(done))))
            wanted |= fresh
        needed.reverse()
        self._plans[known, stop] = needed
        return needed


class NcnnNetwork(nn.Module):
    """A graph from picture to picture: ``(N, C, H, W)`` in 0..1 to ``(N, C, sH, sW)``.

    Pictures get the margin that the graph's unpadded convolutions eat, by repeating their edges, as waifu2x and
    Real-CUGAN do it; values go in and come out in the graph's own range. Sides need not be multiples of anything.
    """

    def __init__(self, inner: GraphModule, facts: Facts) -> None:
        super().__init__()
        self.inner, self.facts = inner, facts
        self.eval().requires_grad_(False)

    @property
    def pools(self) -> tuple[str, ...]:
        """See ``GraphModule``."""
        return self.inner.pools

    def forward(self, x: Tensor, *known: Tensor) -> Tensor:
        """The enlarged picture. ``known``: see ``GraphModule.forward``."""
        facts = self.facts
        y = self.inner(self.enter(x), *known)
        y = (y - facts.output_offset) * (1 / facts.output_factor)
        top = left = facts.cut
        y = y[:, :, top : top + x.shape[2] * facts.scale, left : left + x.shape[3] * facts.scale]
        return y + interpolate(x, scale_factor=facts.scale, mode="nearest") if facts.residual else y

    def features(self, x: Tensor, *known: Tensor) -> Tensor:
        """See ``GraphModule.features``."""
        return self.inner.features(self.enter(x), *known)

    def enter(self, x: Tensor) -> Tensor:
        """The picture as the graph takes it."""
        facts = self.facts
        below, right = (-x.shape[2] % facts.multiple_of, -x.shape[3] % facts.multiple_of)
        margin = facts.margin
        if margin or below or right:
            x = pad(x, (margin, margin + int(right), margin, margin + int(below)), "replicate")
        if facts.input_factor != 1:
            x = x * facts.input_factor
        return x + facts.input_offset if facts.input_offset else x
