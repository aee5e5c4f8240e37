"""What a megapixel costs in pictures of 1 to 100 megapixels. Run: ``python -m benchmarks.sizes``.

The seconds are those of a whole run, from file to file. Pictures are measured in turn, smallest to largest,
``--rounds`` times, and the median counts: a busy moment of the machine then does not fall on one size alone.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.networks import photograph
from config import Config
from engine.model_manager import ModelManager
from engine.processor import enhance_file
from engine.types import EnhanceSettings
from utils import image_io
from utils.gpu import peak_memory_mb
from utils.picture import Picture
from utils.writers import SaveOptions

MEGAPIXELS = (1.0, 4.0, 16.0, 36.0, 100.0)
ASPECT = 1.5


def write_picture(folder: Path, megapixels: float) -> Path:
    """A JPEG of 3 to 2 whose texture repeats every 500 pixels: making a large one must not take minutes."""
    height = round((megapixels * 1e6 / ASPECT) ** 0.5)
    width = round(height * ASPECT)
    piece = photograph(500, 500)
    pixels = np.tile(piece, (height // 500 + 1, width // 500 + 1, 1))[:height, :width]
    path = folder / f"{megapixels:g}.jpg"
    image_io.save(Picture(np.ascontiguousarray(pixels)), path, SaveOptions("jpeg"))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="embedded-compact-x4", help="name or file")
    parser.add_argument("--scale", type=float, default=2.0, help="of the result; the network's cost is that of its own")
    parser.add_argument("--megapixels", type=float, nargs="+", default=MEGAPIXELS, help="of the inputs")
    parser.add_argument("--rounds", type=int, default=3, help="inputs of over 20 megapixels run once")
    options = parser.parse_args()
    config = Config(max_image_megapixels=1000, max_output_megapixels=10_000, max_image_mb=2000)
    settings = EnhanceSettings(model=options.model, scale=options.scale)
    seconds: dict[float, list[float]] = {size: [] for size in options.megapixels}
    network: dict[float, list[float]] = {size: [] for size in options.megapixels}
    manager = ModelManager.from_config(config)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = {size: write_picture(folder, size) for size in options.megapixels}
        for turn in range(-1, options.rounds):  # the first turn brings the network and is not counted
            for size, source in sources.items():
                if size > 20 and turn != 0:
                    continue
                result = enhance_file(
                    source, folder / "out.png", settings, manager=manager, config=config, overwrite=True
                )
                if turn >= 0:
                    seconds[size].append(result.timings.total)
                    network[size].append(result.timings.network)
    _print(seconds, network)


def _print(seconds: dict[float, list[float]], network: dict[float, list[float]]) -> None:
    first = min(seconds)
    unit = statistics.median(seconds[first]) / first
    print("| input | seconds | seconds a megapixel | against the smallest | in the network |")
    print("|---|---|---|---|---|")
    for size in sorted(seconds):
        total, inside = statistics.median(seconds[size]), statistics.median(network[size])
        each = total / size
        print(f"| {size:g} MP | {total:.2f} | {each:.3f} | {each / unit:.2f} | {inside / total * 100:.0f} % |")
    print(f"\nPeak memory {peak_memory_mb():.0f} MB.")


if __name__ == "__main__":
    main()
