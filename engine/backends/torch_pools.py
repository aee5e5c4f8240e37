"""A network's means over the whole picture, found with PyTorch; see ``engine.pixels.pooling``."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.pixels.pooling import Means, PooledStages

if TYPE_CHECKING:
    from torch import Tensor

    from engine.backends.base import Session
    from engine.backends.torch_backend import TorchSession
    from engine.models.info import CheckpointInfo
    from engine.models.ncnn.graph_module import NcnnNetwork


class TorchStages(PooledStages):
    """Of a network that has ``features`` (``engine.models.ncnn.graph_module``)."""

    def __init__(self, session: TorchSession, info: CheckpointInfo) -> None:
        self._session, self._info = session, info

    @property
    def count(self) -> int:
        return self._info.global_pools

    @cached_property
    def _shapes(self) -> NcnnNetwork:
        """The network without values: it tells sizes and computes nothing."""
        return copy.deepcopy(self._session.network).to("meta").float()

    def sides(self, side: int) -> list[int]:
        import torch

        known: list[Tensor] = []
        found = []
        for _ in range(self.count):
            maps = self._shapes.features(torch.empty(1, self._info.in_channels, side, side, device="meta"), *known)
            found.append(int(maps.shape[2]))
            known.append(maps.mean((2, 3)))
        return found

    def sums(self, batch: np.ndarray, known: Means, rows: slice, columns: slice) -> np.ndarray:
        fixed = self._session.on_device(known)

        def own(pixels: Tensor) -> Tensor:
            maps: Tensor = self._session.network.features(pixels, *fixed)
            return maps[:, :, rows, columns].float().sum((2, 3))

        return self._session.run(batch, own).astype(np.float64)

    def fixed(self, known: Means) -> Session:
        return self._session.with_fixed(known)
