"""How much context do tiles of an RRDBNet need? Error of tiled against untiled output, and at the cuts, for halos.

Run: ``python -m benchmarks.seams``; ``--network`` takes any network of the set-up.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.networks import photograph, write_published
from engine.model_manager import ModelManager
from engine.pixels.tiling import FULL_SCALE, TiledInference, plan


def ridge(difference: np.ndarray, cuts: list[int]) -> float:
    """Mean step of the error across the cuts (columns) over the mean step elsewhere; 1.0 = no ridge."""
    steps = np.abs(np.diff(difference, axis=1)).mean((0, 2))
    at_cuts = np.zeros(steps.shape, bool)
    for position in cuts:
        at_cuts[position - 2 : position + 1] = True
    return float(steps[at_cuts].mean() / max(steps[~at_cuts].mean(), 1e-12))


def run(side: int, tile: int, network: str) -> None:
    """Print a table for one network."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_published(folder / "network.pth", network)
        manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None, optimize=False)
        session = manager.load_model("network", fp32=True, device="cpu").session
        pixels = photograph(side, side)

        def infer(window: np.ndarray) -> np.ndarray:
            output = session.infer((window / np.float32(255))[None])[0]
            return np.rint(np.clip(output, 0, 1) * FULL_SCALE).astype(np.uint16)

        runner = TiledInference(infer, 4)
        whole = np.concatenate(list(runner.bands(pixels, plan(side, side, tile=0, halo=16))))
        print(f"{network}, {side}x{side}, windows of {tile}")
        print("| halo | blend | PSNR to untiled (dB) | largest error (of 255) | ridge | work |")
        print("|---|---|---|---|---|---|")
        for halo, blend in ((10, 0), (16, 0), (16, 8), (24, 0), (24, 8), (32, 8), (40, 8)):
            tiles = plan(side, side, tile=tile, halo=halo, blend=blend)
            result = np.concatenate(list(runner.bands(pixels, tiles)))
            difference = result.astype(np.float64) - whole
            error = 10 * np.log10(FULL_SCALE**2 / max(np.square(difference).mean(), 1e-9))
            cuts = [column.hi * 4 for column in tiles.columns[:-1]]
            work = tiles.count * tiles.window[0] * tiles.window[1] / side**2
            largest = np.abs(difference).max() / 257
            print(f"| {halo} | {blend} | {error:.1f} | {largest:.2f} | {ridge(difference, cuts):.2f} | {work:.2f} |")
        manager.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=288)
    parser.add_argument("--tile", type=int, default=160)
    parser.add_argument("--network", default="RealESRGAN_x4plus")
    options = parser.parse_args()
    run(options.side, options.tile, options.network)
