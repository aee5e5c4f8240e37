"""Folders of pictures, and a batch over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.batch import process_batch
from engine.types import EnhanceSettings


@pytest.fixture
def pictures(tmp_path):
    """Writes pictures below ``in``, each with other pixels, and returns the folder."""

    def make(*names: str, size: tuple[int, int] = (24, 16)) -> Path:
        for index, name in enumerate(names):
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng(index)
            Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)
        return tmp_path / "in"

    return make


@pytest.fixture
def run(manager, config, tmp_path):
    """Runs a batch into ``out``; by default everything twice as large by interpolation."""

    def start(*inputs, settings=None, output=tmp_path / "out", **how):
        settings = settings or EnhanceSettings.create(model="lanczos", scale=2)
        return process_batch(inputs, output, settings, manager=manager, config=config, **how)

    return start
