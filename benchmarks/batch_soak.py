"""A long batch: memory, threads and open files must stay where they are. Run: ``python -m benchmarks.batch_soak``."""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image

from benchmarks.networks import photograph, write_compact
from config import Config
from engine.batch import BatchOptions, BatchProgress, ItemStatus, process_batch
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings
from utils.gpu import current_rss_mb


@dataclass(frozen=True)
class Sample:
    """The process after so many pictures."""

    done: int
    seconds: float
    memory_mb: float
    threads: int
    files: int


def write_pictures(folder: Path, count: int, side: int) -> Path:
    """Different small pictures: sizes vary, so that more than one window is compiled; every 50th is broken."""
    folder.mkdir()
    scene = photograph(side * 2, side * 2)
    for number in range(count):
        path = folder / f"{number:05d}.png"
        if number % 50 == 49:
            path.write_bytes(b"no picture")
            continue
        left, wide = number * 7 % side, side - number % 3 * 8
        Image.fromarray(scene[left : left + side, left : left + wide]).save(path)
    return folder


def run(count: int, side: int, every: int) -> list[Sample]:
    """Enhance the pictures, print a line every so often, and return the samples."""
    samples: list[Sample] = []
    process, started = psutil.Process(), time.monotonic()

    def look(progress: BatchProgress) -> None:
        ended = progress.done + progress.failed
        if ended and ended % every == 0 and (not samples or samples[-1].done != ended):
            handles = process.num_handles() if hasattr(process, "num_handles") else process.num_fds()
            sample = Sample(ended, time.monotonic() - started, current_rss_mb(), process.num_threads(), handles)
            samples.append(sample)
            memory = f"{sample.memory_mb:.0f}"
            print(f"| {ended} | {sample.seconds:.0f} | {memory} | {sample.threads} | {sample.files} |", flush=True)

    failed: list[ItemStatus] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_compact(folder / "network.pth", convs=4)
        manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None, optimize=False)
        print("| pictures | seconds | memory (MB) | threads | open files |")
        print("|---|---|---|---|---|", flush=True)
        result = process_batch(
            [write_pictures(folder / "in", count, side)],
            folder / "out",
            EnhanceSettings.create(model="network", scale=4),
            manager=manager,
            config=Config(),
            options=BatchOptions(),
            on_item=lambda status: failed.append(status) if status.error else None,
            on_progress=look,
        )
        manager.close()
    print(f"{result.summary} in {result.seconds:.0f} s; the broken ones were {len(failed)}.")
    return samples


def verdict(samples: list[Sample]) -> str:
    """What changed between the first fifth and the end."""
    first = next(sample for sample in samples if sample.done * 5 >= samples[-1].done)
    last = samples[-1]
    return (
        f"From picture {first.done} to {last.done}: memory {first.memory_mb:.0f} -> {last.memory_mb:.0f} MB, threads "
        f"{first.threads} -> {last.threads}, open files {first.files} -> {last.files}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--every", type=int, default=100)
    options = parser.parse_args()
    print(verdict(run(options.pictures, options.side, options.every)))


if __name__ == "__main__":
    main()
