"""A film by several networks, in turn: frames a second, and how busy the network was.

    python -m benchmarks.films FILM [--scale 2] [--models realesr-animevideov3@bf16 quick-anime-x2] [--rounds 2]

``MODEL@PRECISION`` asks for that number type, else for what films get. Other settings are those that
people get, but that repeated frames are enhanced like all others. Each network begins with a short film of the same
size, so that nothing is compiled while the clock runs; the fastest round counts.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.video import Measured, engine, write_clip
from config import Config
from engine.model_manager import ModelManager
from utils.gpu import cpu_features, cpu_name

MODELS = ("realesr-animevideov3@bf16", "realesr-animevideov3", "quick-anime-x2", "quick-x4", "quick-x2")


def size_of(film: Path) -> tuple[int, int]:
    """(width, height) of its first picture stream."""
    import av

    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def measure(film: Path, scale: float, models: list[str], rounds: int, folder: Path) -> dict[str, Measured]:
    """The fastest of ``rounds`` for each model; ``folder`` holds the results meanwhile."""
    manager = ModelManager.from_config(Config())

    def run(model: str, source: Path) -> Measured:
        name, _, precision = model.partition("@")
        chosen = {"scale": scale, "precision": precision or "auto"}
        return engine(name, manager, source, folder / "out.mp4", "h264", "auto", **chosen)

    warm = write_clip(folder / "warm.mp4", 2, *size_of(film))
    for model in models:
        run(model, warm)
    found: dict[str, Measured] = {}
    for _ in range(rounds):
        for model in models:
            now = run(model, film)
            found[model] = max(found.get(model, now), now, key=lambda one: one.fps)
    manager.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("--scale", type=float, default=2)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = measure(options.film, options.scale, options.models, options.rounds, Path(temporary))
    width, height = size_of(options.film)
    print(
        f"{cpu_name()} ({', '.join(sorted(cpu_features()))}); {options.film.name}, {width}x{height}, x{options.scale:g}"
    )
    print("\n| network | ran in | frames a second | ratio | network busy |\n|---|---|---|---|---|")
    first = found[options.models[0]].fps
    for name, one in found.items():
        speed = f"{one.fps:.2f} | {one.fps / first:.1f}x | {100 * one.share:.0f}%"
        print(f"| {name.partition('@')[0]} | {one.precision} | {speed} |")


if __name__ == "__main__":
    main()
