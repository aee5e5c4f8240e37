"""Whether unloading gives memory back: resident memory at each step. Run: ``python -m benchmarks.unload``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.networks import write_rrdbnet
from engine.model_manager import ModelManager
from utils.gpu import current_rss_mb


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rrdbnet(folder / "network.pth")
        window = np.random.default_rng(0).random((1, 256, 256, 3), dtype=np.float32)
        manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None, optimize=False, device="cpu")
        manager.load_model("network").session.infer(window)  # converts, and brings the runtimes themselves
        manager.unload_all()
        print("| step | resident (MB) |\n|---|---|")
        print(f"| runtimes loaded, no model | {current_rss_mb():.0f} |")
        for round_ in (1, 2, 3):
            session = manager.load_model("network").session
            session.infer(window)
            print(f"| RRDBNet-23 loaded and run, round {round_} | {current_rss_mb():.0f} |")
            del session
            manager.unload_all()
            print(f"| unloaded | {current_rss_mb():.0f} |")
        manager.close()


if __name__ == "__main__":
    main()
