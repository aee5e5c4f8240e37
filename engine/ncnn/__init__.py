"""ncnn networks: ``.param`` + ``.bin`` pairs, read into numpy and, where a network has to run, a torch module.

RRDBNet, SRVGGNetCompact and SPAN become their official state dicts; every other graph runs as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.ncnn.param import Graph, read_param
from engine.ncnn.recognise import recognise
from engine.ncnn.weights import LayerWeights, read_weights
from utils.errors import UnsupportedModelError

if TYPE_CHECKING:
    from torch import nn

    from engine.checkpoints import CheckpointInfo

__all__ = ["NcnnPair", "read_pair"]


@dataclass(frozen=True)
class NcnnPair:
    """A network as two files hold it.

    Attributes:
        path: the ``.param`` file.
        graph, weights: its contents.
        state: float32 arrays under the names of the official checkpoint, for RRDBNet, SRVGGNetCompact and SPAN; None
            for every other network.
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
            UnsupportedModelError: its output is not its input at a whole-number scale.
        """
        if self.known is not None:
            return self.known
        raise UnsupportedModelError(f"'{self.path}' is no known architecture.")

    def module(self) -> nn.Module:
        """The network in PyTorch: ``(N, C, H, W)`` in 0..1 to ``(N, C, sH, sW)``; fp32, ``eval``, no gradients."""
        import torch

        from engine.checkpoints import load_network

        if self.state is not None:
            return load_network({key: torch.from_numpy(values) for key, values in self.state.items()})[0]
        raise UnsupportedModelError(f"'{self.path}' is no known architecture.")


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
    weights = read_weights(graph, bin_path)
    known, state = recognise(graph, weights) or (None, None)
    return NcnnPair(param_path, graph, weights, state, known)
