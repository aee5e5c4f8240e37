"""How much of a batch's time is the network's. Run: ``python -m benchmarks.batch``.

Decoding and encoding are to happen beside the network, never instead of it: in this process, where the pictures of a
batch take turns, and in a worker process.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from benchmarks.networks import photograph
from config import Config
from engine.batch import BatchOptions, BatchResult, Enhance, process_batch, through
from engine.executors import create_executor
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings

WAYS = ("in this process", "through a worker")


def write_pictures(folder: Path, count: int, megapixels: float) -> Path:
    """JPEGs of 3 to 2, as cameras make them."""
    folder.mkdir()
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    for number in range(count):
        pixels = photograph(height, height * 3 // 2, seed=number)
        Image.fromarray(pixels).save(folder / f"{number:03d}.jpg", quality=92)
    return folder


@contextmanager
def way_of(kind: str, config: Config) -> Iterator[Enhance | None]:
    if kind == WAYS[0]:
        yield None
        return
    with create_executor(config.model_copy(update={"executor": "worker"})) as executor:
        yield through(executor)


def run(inputs: list[Path], folder: Path, kind: str, form: str, config: Config, model: str) -> BatchResult:
    """Once over all pictures, after the first has loaded the network."""
    settings = EnhanceSettings.create(model=model, format=form)
    manager = ModelManager.from_config(config)
    try:
        with way_of(kind, config) as enhance:
            shared = {"manager": manager, "config": config, "enhance": enhance, "options": BatchOptions(resume=False)}
            process_batch(inputs[:1], folder / "first", settings, **shared)
            return process_batch(inputs, folder / "all", settings, **shared)
    finally:
        manager.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--megapixels", type=float, default=1.0)
    parser.add_argument("--model", default="embedded-compact-x4", help="%(default)s by default.")
    parser.add_argument("--formats", nargs="+", default=["jpeg", "png"])
    parser.add_argument("--ways", nargs="+", default=WAYS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = Config(output_dir=folder / "outputs", cache_dir=folder / "cache", log_level="ERROR")
        inputs = sorted(write_pictures(folder / "in", options.pictures, options.megapixels).iterdir())
        print("| where | written as | seconds | network at work | share |\n|---|---|---|---|---|")
        for number, (kind, form) in enumerate((kind, form) for kind in options.ways for form in options.formats):
            result = run(inputs, folder / f"out-{number}", kind, form, config, options.model)
            assert not result.failures, result.failures
            seconds, busy = result.seconds, result.network_seconds
            print(f"| {kind} | {form} | {seconds:.1f} | {busy:.1f} | {busy / seconds:.1%} |", flush=True)


if __name__ == "__main__":
    main()
