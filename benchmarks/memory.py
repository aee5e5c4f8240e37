"""Peak memory of large outputs, above the loaded runtime. Run: ``python -m benchmarks.memory MODEL``.

Each size runs in a process of its own. "Loaded" is the resident memory after a small picture went through the same
model; what a large picture adds to it is what counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = ((2500, 2500, "png"), (2500, 2500, "jpg"), (5000, 5000, "png"), (5000, 5000, "tif"))


def child(model: str, width: int, height: int, suffix: str) -> None:
    """Enhance one generated picture and print a row."""
    from benchmarks.networks import photograph
    from config import Config
    from engine.model_manager import ModelManager
    from engine.processor import enhance_file
    from engine.types import EnhanceSettings
    from utils import image_io
    from utils.gpu import current_rss_mb, peak_memory_mb
    from utils.picture import Picture
    from utils.writers import SaveOptions

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tile = photograph(500, 500)
        import numpy as np

        for target, size in (("small.jpg", (600, 600)), ("large.jpg", (height, width))):
            repeated = np.tile(tile, (size[0] // 500 + 1, size[1] // 500 + 1, 1))[: size[0], : size[1]]
            image_io.save(Picture(np.ascontiguousarray(repeated)), folder / target, SaveOptions("jpeg"))
        del repeated
        config = Config()
        manager = ModelManager.from_config(config)
        settings = EnhanceSettings(model=model)
        enhance_file(folder / "small.jpg", folder / "small.png", settings, manager=manager, config=config)
        loaded = current_rss_mb()
        start = time.perf_counter()
        output = folder / f"result.{suffix}"
        result = enhance_file(folder / "large.jpg", output, settings, manager=manager, config=config)
        seconds = time.perf_counter() - start
        megapixels = result.output_size[0] * result.output_size[1] / 1e6
        # Generating the input needed memory too; the peak may be its. So it is an upper bound.
        print(
            f"| {megapixels:.0f} MP {suffix} | {loaded:.0f} | {peak_memory_mb():.0f} | "
            f"{peak_memory_mb() - loaded:.0f} | {seconds:.1f} | {output.stat().st_size / 1e6:.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--child", nargs=3)
    options = parser.parse_args()
    if options.child:
        width, height, suffix = options.child
        child(options.model, int(width), int(height), suffix)
        return
    print("| output | loaded (MB) | peak (MB) | above loaded (MB) | seconds | file (MB) |")
    print("|---|---|---|---|---|---|", flush=True)
    for width, height, suffix in SIZES:
        command = [sys.executable, "-m", "benchmarks.memory", options.model, "--child", str(width), str(height), suffix]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
