"""Memory that runs out at any tile of any backend costs time, not pixels."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.backends import KNOWN, get_backend
from engine.imaging.upscaler import Upscaler
from engine.models.info import CheckpointInfo
from engine.pixels.tiling import TileOutOfMemory

TILE = 96
SIZE = (140, 200)


class Failing:
    """A real session that has no memory for whole tiles from one call on."""

    def __init__(self, session, fail_at: int | None):
        self._session, self._fail_at = session, fail_at
        self._lock = threading.Lock()
        self.calls = self.failed = 0

    def __getattr__(self, name):
        return getattr(self._session, name)

    def infer(self, batch):
        with self._lock:
            index, self.calls = self.calls, self.calls + 1
            fails = self._fail_at is not None and index >= self._fail_at and batch.shape[1] * batch.shape[2] > 56 * 56
            self.failed += fails
        if fails:
            raise TileOutOfMemory(f"call {index}")
        return self._session.infer(batch)


@pytest.mark.parametrize("backend", KNOWN)
@pytest.mark.parametrize("network", ["tiny-x4", "tiny-x2"])
def test_out_of_memory_at_every_tile_index(manager, backend, network):
    runtime = get_backend(backend)
    if (missing := runtime.missing()) is not None:
        pytest.skip(missing)
    device = "cpu" if runtime.serves("cpu") else runtime.devices()[0]
    model = manager.load_model(network, backend=backend, precision="fp32", device=device)
    info: CheckpointInfo = model.info
    pixels = np.random.default_rng(3).integers(0, 256, (*SIZE, 3), dtype=np.uint8)

    def run(fail_at: int | None) -> tuple[np.ndarray, Failing]:
        session = Failing(model.session, fail_at)
        upscaler = Upscaler(session, info, tile=TILE, smallest_tile=16)
        tiles = upscaler.plan(SIZE[1], SIZE[0])
        assert tiles.count >= 6
        return np.concatenate(list(upscaler.bands(pixels, tiles))), session

    expected, whole = run(None)
    for index in range(whole.calls):
        result, session = run(index)
        assert session.failed > 0
        # The same sums in another order: the last bit of 16 may differ.
        assert np.abs(result.astype(int) - expected.astype(int)).max() <= 1, f"failure at tile {index}"
