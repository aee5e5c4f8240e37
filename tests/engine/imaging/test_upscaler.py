"""Tiles of a picture: as large and with as much context as the network deserves."""

from __future__ import annotations

import numpy as np

from benchmarks.networks import photograph
from engine.imaging.upscaler import Upscaler
from engine.model_manager import ModelManager

LEAST_DB, MOST_LEVELS = 62.0, 7.0
"""A halo of 32 pixels gives 63.8 dB and 5 levels here, one of 24 59.6 dB and 9 levels (``benchmarks.seams``)."""


def test_tiles_of_real_esrgan_have_context_enough(tmp_path):
    """It reaches over more than 340 pixels, too many for a halo; what is left out may not be seen."""
    manager = ModelManager(weights_dir=tmp_path, optimize=False, device="cpu")
    model = manager.load_model("RealESRGAN_x4plus", precision="fp32")
    picture = photograph(96, 192)
    results = []
    for tile in (0, 128):
        upscaler = Upscaler(model.session, model.info, tile=tile)
        tiles = upscaler.plan(picture.shape[1], picture.shape[0])
        results.append(np.concatenate(list(upscaler.bands(picture, tiles))) / 257)
    manager.close()
    difference = results[1] - results[0]
    error = 10 * np.log10(255**2 / np.square(difference).mean())
    assert tiles.count > 1
    assert error > LEAST_DB and np.abs(difference).max() < MOST_LEVELS, f"{error:.1f} dB"
