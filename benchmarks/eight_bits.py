"""Eight bits beside bf16: how much faster, and how near to fp32, on held-out worn pictures.

    python -m training.teacher_set HELD --held-out --patches 864 --images ... (see weights/README.md)
    python -m benchmarks.eight_bits HELD [--models NAME ...] [--windows 20]

Columns: dB to fp32, the worst and the mean of all pictures; how far a colour's mean is off (levels of 255; mean of the
pictures); seconds a megapixel of input in bf16 (fp32 where the processor has none) and in int8, run in turn.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.distilled import held_out
from benchmarks.networks import photograph
from engine.backends import get_backend
from engine.backends.base import NetworkSource, Session
from engine.backends.int8_guard import in_turn
from engine.backends.self_test import psnr
from engine.model_manager import ModelManager
from utils.gpu import cpu_features, cpu_name

MODELS = ("quick-x4", "quick-x2", "quick-anime-x2", "realesr-animevideov3")
SPEED_SIDE = 512


def nearness(session: Session, exact: Session, windows: list[np.ndarray]) -> tuple[float, float, float]:
    """(worst dB, mean dB, mean distance of colours' means in levels of 255) to the exact session."""
    found, colors = [], []
    for window in windows:
        output, wanted = session.infer(window), exact.infer(window)
        found.append(psnr(output, wanted))
        colors.append(255 * float(np.abs(output.mean((0, 1, 2)) - wanted.mean((0, 1, 2))).max()))
    return min(found), float(np.mean(found)), float(np.mean(colors))


def row(source: NetworkSource, windows: list[np.ndarray]) -> str:
    """A line of the table for a calibrated network."""
    runtime = get_backend("openvino")
    plain = runtime.precisions("cpu")[0]
    with (
        closing(runtime.open(source, "cpu", "fp32", None)) as exact,
        closing(runtime.open(source, "cpu", plain, None)) as wide,
        closing(runtime.open(source, "cpu", "int8", None)) as narrow,
    ):
        worst, mean, color = nearness(narrow, exact, windows)
        picture = photograph(SPEED_SIDE, SPEED_SIDE)[None].astype(np.float32) / 255
        seconds, plain_seconds = in_turn((narrow, wide), picture)
    speed = f"{plain_seconds:.2f} | {seconds:.2f} | {plain_seconds / seconds:.2f}"
    return f"| {source.name} | {worst:.1f} | {mean:.1f} | {color:.2f} | {speed} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--windows", type=int, default=20)
    options = parser.parse_args()
    windows = [worn[None].astype(np.float32) / 255 for worn, _ in held_out(options.folder)[: options.windows]]
    manager = ModelManager()
    print(f"{cpu_name()} ({', '.join(sorted(cpu_features()))}), {len(windows)} pictures\n")
    print("| network | worst dB | mean dB | colour | s/MP | int8 s/MP | times as fast |")
    print(f"|{'---|' * 7}")
    for name in options.models:
        print(row(manager.source(name), windows), flush=True)
    manager.close()


if __name__ == "__main__":
    main()
