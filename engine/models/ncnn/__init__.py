"""ncnn networks: ``.param`` + ``.bin`` pairs, read into numpy and, where a network has to run, a torch module.

RRDBNet, SRVGGNetCompact and SPAN become their official state dicts; every other graph runs as it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from engine.models.architectures import load_network
from engine.models.ncnn.facts import Facts
from engine.models.ncnn.layers import operators
from engine.models.ncnn.param import Graph, read_param
from engine.models.ncnn.recognise import recognise
from engine.models.ncnn.weights import LayerWeights, read_weights
from utils import pytorch
from utils.errors import UnsupportedModelError

if TYPE_CHECKING:
    from torch import nn

    from engine.models.info import CheckpointInfo

__all__ = ["ARCHITECTURE", "NcnnPair", "read_pair"]

_Result = TypeVar("_Result")


ARCHITECTURE = "ncnn graph"
"""``CheckpointInfo.architecture`` of a pair that is none of the known ones."""


@dataclass(frozen=True)
class NcnnPair:
    """A network as two files hold it.

    Attributes:
        path: the ``.param`` file.
        graph, weights: its contents.
        state: float32 arrays under the names of the official checkpoint, for RRDBNet, SRVGGNetCompact and SPAN; None
            for every other network.
        known: the facts of such a network.
    """

    path: Path
    graph: Graph
    weights: Mapping[str, LayerWeights]
    state: dict[str, np.ndarray] | None
    known: CheckpointInfo | None

    @cached_property
    def info(self) -> CheckpointInfo:
        """The network's facts. Where ``state`` is None they are found by running it on small pictures (torch).

        Raises:
            UnsupportedModelError: it does not map pictures to pictures of a whole-number scale.
            MissingPackageError: torch is not installed.
        """
        if self.known is not None:
            return self.known
        from engine.models.info import CheckpointInfo

        facts = self.facts
        pools = sum(1 for operator in operators(self.graph).values() if operator.pools)
        return CheckpointInfo(
            architecture=ARCHITECTURE,
            kind="upscale",
            scale=facts.scale,
            in_channels=facts.in_channels,
            out_channels=facts.out_channels,
            parameters=sum(values.size for layer in self.weights.values() for values in layer.values()),
            multiple_of=facts.multiple_of,
            minimum_size=facts.multiple_of,
            receptive_radius=facts.receptive_radius,
            global_pools=pools,
        )

    @cached_property
    def facts(self) -> Facts:
        """How pictures go into the graph and come out of it. Raises as ``info`` does."""
        pytorch.require(f"'{self.path}'")
        from engine.models.ncnn.probe import probe

        return self._guarded(lambda: probe(self.graph, self.weights, self.path))

    def module(self) -> nn.Module:
        """The network in PyTorch: ``(N, C, H, W)`` in 0..1 to ``(N, C, sH, sW)``; fp32, ``eval``, no gradients."""
        pytorch.require(f"'{self.path}'")
        if self.state is not None:
            import torch

            return load_network({key: torch.from_numpy(values) for key, values in self.state.items()})[0]
        from engine.models.ncnn.graph_module import GraphModule, NcnnNetwork

        facts = self.facts
        return self._guarded(lambda: NcnnNetwork(GraphModule(self.graph, self.weights), facts))

    def _guarded(self, action: Callable[[], _Result]) -> _Result:
        from utils.gpu import is_out_of_memory

        try:
            return action()
        except (ValueError, RuntimeError, TypeError, IndexError, KeyError, OverflowError) as error:
            if is_out_of_memory(error):
                raise MemoryError(str(error)) from error
            raise UnsupportedModelError(f"'{self.path}' cannot be used: {error}.") from error


def read_pair(param_path: Path) -> NcnnPair:
    """Read a ``.param`` file and the ``.bin`` beside it. Imports no torch; RRDBNet-23 takes 0.15 s.

    Raises:
        UnsupportedModelError: a file is missing, damaged or hostile, or has a layer that cannot be run; the message
            names the file and the layer.
    """
    param_path = Path(param_path)
    bin_path = param_path.with_suffix(".bin")
    if param_path.name.lower().endswith(".param.bin"):
        raise UnsupportedModelError(f"'{param_path}' is a binary graph; use the text .param that it was made from.")
    if not bin_path.is_file():
        raise UnsupportedModelError(f"'{param_path}' has no weights: '{bin_path.name}' belongs beside it.")
    graph = read_param(param_path)
    try:
        operators(graph)
    except ValueError as error:
        raise UnsupportedModelError(f"'{param_path}' cannot be used: {error}.") from error
    weights = read_weights(graph, bin_path)
    known, state = recognise(graph, weights) or (None, None)
    return NcnnPair(param_path, graph, weights, state, known)
