"""How near quick networks come to their teacher on worn pictures that none of them was taught with.

    python -m training.teacher_set HELD --held-out --patches 864 --images ... (see weights/README.md)
    python -m benchmarks.distilled HELD [--goal 2] [--weights FOLDER] [--models NAME ...] [--film FILE] [--page FILE]

``HELD`` holds worn windows and what the teachers made of them. Every model enlarges the worn ones, in the number type
that the engine uses here, without colour matching; models of x2 are compared with the teacher's output reduced to x2.
``--goal 2`` reduces every output to x2, as the engine does for such a goal.

Columns: PSNR, SSIM and HaarPSI (on luma) to the teacher's output; NIQE of the output (Mittal et al., 2013; computed by
basicsr, lower is better); how much of the input's blockiness is left, and how much noise (in levels of 255), both
measured on the output reduced to the input's size; with ``--film`` the flicker, the mean difference of consecutive
frames where the input does not move; seconds per megapixel of input; and how many times as fast as the teacher.
``--weights`` is a folder with further checkpoints (compact-general-x4.pth of realesr-general-x4v3).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.networks import photograph
from benchmarks.quality import enlarge, one_pass
from benchmarks.side_by_side import page
from config import Config
from engine.analysis.damage import blockiness
from engine.model_manager import ModelManager
from engine.types import RESAMPLERS
from training.teacher_set import SCALE, read_shard
from utils.metrics import compare_with_reference
from utils.noise import estimate_sigma
from utils.pixels import most_detailed

TEACHER = "RealESRGAN_x4plus"
MODELS = (
    "bicubic",
    "embedded-compact-x4",
    "realesr-animevideov3",
    "compact-general-x4",
    "quick-x4",
    TEACHER,
    "bicubic x2",
    "quick-x2",
    "quick-anime-x2",
)
BLOCKY = 0.15
"""From this blockiness on an input counts as one with blocks."""
STILL = 1
"""Levels of 255 up to which a pixel of a film has not moved."""

Enlarger = Callable[[np.ndarray], np.ndarray]
"""``(H, W, 3) uint8`` to ``(s * H, s * W, 3) uint8``."""


@dataclass(frozen=True)
class Row:
    """What one model reaches; the columns of the table."""

    model: str
    psnr: float
    ssim: float
    haarpsi: float
    niqe: float
    blocks: float
    noise: float
    flicker: float
    seconds: float

    def cells(self, teacher_seconds: float) -> str:
        """As a row of the table. ``teacher_seconds``: of the teacher, per megapixel of input."""
        near = ["-"] * 3 if np.isnan(self.psnr) else [f"{self.psnr:.2f}", f"{self.ssim:.4f}", f"{self.haarpsi:.4f}"]
        blocks = f"{100 * self.blocks:.0f} %"
        flicker = "-" if np.isnan(self.flicker) else f"{self.flicker:.2f}"
        speed = [f"{self.seconds:.2f}", f"{teacher_seconds / self.seconds:.0f}x"]
        return " | ".join([self.model, *near, f"{self.niqe:.2f}", blocks, f"{self.noise:.2f}", flicker, *speed])


HEAD = "model | PSNR (dB) | SSIM | HaarPSI | NIQE | blocks left | noise left | flicker | s/MP | speed"


def held_out(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The (worn, enlarged) windows of a set. Raises ``SystemExit`` where there are none."""
    found = [pair for path in sorted(folder.glob("*.zip")) for pair in read_shard(path)]
    if not found:
        raise SystemExit(f"'{folder}' holds no shards: make them with python -m training.teacher_set --held-out.")
    return found


def scale_of(manager: ModelManager, name: str) -> int:
    """Of a model, or of a resampler (4, or what stands behind its name)."""
    if name.split()[0] in RESAMPLERS:
        return int(name.partition(" x")[2] or SCALE)
    return int(manager.load_model(name).info.scale)


def enlarger(manager: ModelManager, name: str) -> Enlarger:
    """The model in the number type of this machine, or the resampler."""
    plain = name.split()[0]
    if plain in RESAMPLERS:
        return lambda rgb: enlarge(manager, plain, rgb, scale_of(manager, name))
    return lambda rgb: one_pass(manager, name, rgb, "auto")


def towards(run: Enlarger, scale: int, goal: int) -> Enlarger:
    """A model of ``scale`` for a goal: what it gives is reduced where that is more."""
    if scale <= goal:
        return run
    return lambda rgb: reduced(run(rgb), (goal * rgb.shape[0], goal * rgb.shape[1]))


def reduced(rgb: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """``rgb`` as small as ``shape`` (height, width), by means over areas."""
    return np.asarray(cv2.resize(rgb, (shape[1], shape[0]), interpolation=cv2.INTER_AREA))


def niqe(rgb: np.ndarray) -> float:
    """By the original package; NaN where it is not installed."""
    from engine.backends.original import import_originals
    from utils.errors import BackendError

    try:
        import_originals()
    except (BackendError, ImportError):
        return float("nan")
    from basicsr.metrics.niqe import calculate_niqe

    return float(np.squeeze(calculate_niqe(np.ascontiguousarray(rgb[..., ::-1]), crop_border=0)))


def blocks_left(worn: np.ndarray, output: np.ndarray) -> float | None:
    """Blockiness of the output reduced to the input's size over the input's; None where that one has no blocks."""
    before = _blockiness(worn)
    return _blockiness(reduced(output, worn.shape)) / before if before > BLOCKY else None


def _blockiness(rgb: np.ndarray) -> float:
    return blockiness(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)))


def still_frames(film: Path, count: int, side: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Pairs of consecutive frames cut to ``side``, and where neither they nor their surroundings differ (bool)."""
    import av

    with av.open(str(film)) as container:
        frames = []
        for number, frame in enumerate(container.decode(video=0)):
            if number // 2 % 12 == 0:
                frames.append(frame.to_ndarray(format="rgb24"))
            if len(frames) == 2 * count:
                break
    for first, second in zip(frames[::2], frames[1::2], strict=False):
        top, left = ((length - side) // 2 if length > side else 0 for length in first.shape[:2])
        pair = [np.ascontiguousarray(frame[top : top + side, left : left + side]) for frame in (first, second)]
        moved = np.abs(pair[0].astype(np.int16) - pair[1]).max(axis=2) > STILL
        # A network sees its surroundings; what moves near by may change a pixel that does not.
        still = cv2.dilate(moved.astype(np.uint8), np.ones((37, 37), np.uint8)) == 0
        if still.mean() > 0.05 and moved.any():
            yield pair[0], pair[1], still


def flicker(run: Enlarger, film: Path | None, scale: int, count: int = 6, side: int = 256) -> float:
    """Mean absolute difference (levels of 255) of consecutive enlarged frames where the input stays as it is."""
    found = []
    for first, second, still in still_frames(film, count, side) if film is not None else ():
        difference = np.abs(run(first).astype(np.int16) - run(second)).mean(axis=2)
        found.append(float(difference[still.repeat(scale, 0).repeat(scale, 1)].mean()))
    return float(np.mean(found)) if found else float("nan")


def seconds_per_megapixel(run: Enlarger, side: int = 384) -> float:
    """The fastest of three runs over a ``side`` x ``side`` picture; enlarging alone, from array to array."""
    rgb = photograph(side, side)
    run(rgb)
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        run(rgb)
        times.append(time.perf_counter() - begun)
    return min(times) / side**2 * 1e6


def measure(name: str, run: Enlarger, scale: int, windows: list[Any], judged: int, film: Path | None) -> Row:
    """One model over the windows; NIQE over the first ``judged`` of them."""
    outputs = [run(worn) for worn, _ in windows]
    truths = [wanted if scale == SCALE else reduced(wanted, outputs[0].shape) for _, wanted in windows]
    scores = [compare_with_reference(output, wanted) for output, wanted in zip(outputs, truths, strict=True)]
    blocks = [blocks_left(worn, output) for (worn, _), output in zip(windows, outputs, strict=True)]
    noise = [estimate_sigma(reduced(output, worn.shape)) for (worn, _), output in zip(windows, outputs, strict=True)]
    judgements = [niqe(output) for output in outputs[:judged]]
    return Row(
        name,
        *np.mean([(score.psnr, score.ssim, score.haarpsi) for score in scores], axis=0),
        niqe=float(np.nanmean(judgements)),
        blocks=float(np.mean([left for left in blocks if left is not None])),
        noise=float(np.mean(noise)),
        flicker=flicker(run, film, scale),
        seconds=seconds_per_megapixel(run),
    )


def film_frames(film: Path, count: int = 2) -> list[np.ndarray]:
    """Frames at even distances, ``(H, W, 3) uint8``; fewer where the film has fewer."""
    import av

    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        every = max(1, (stream.frames or 48) // (count + 1))
        chosen = (frame for number, frame in enumerate(container.decode(video=0), 1) if number % every == 0)
        return [frame.to_ndarray(format="rgb24") for _, frame in zip(range(count), chosen, strict=False)]


def side_by_side(
    manager: ModelManager, models: Sequence[str], pictures: list[np.ndarray], out: Path, crop: int = 80
) -> None:
    """Detailed parts of worn pictures at 1:1, a column a model of x4; the input's pixels are repeated."""
    chosen = [name for name in models if scale_of(manager, name) == SCALE]
    rows = []
    for worn in pictures:
        part = most_detailed(worn, 2 * crop)  # a network sees more than what is shown
        at, size = (len(part) - crop) // 2 * SCALE, crop * SCALE
        shown = [("input", part.repeat(SCALE, 0).repeat(SCALE, 1))]
        shown += [(name, enlarger(manager, name)(part)) for name in chosen]
        rows.append([(name, picture[at : at + size, at : at + size]) for name, picture in shown])
    page(rows).save(out, quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="folder with further checkpoints")
    parser.add_argument("--teacher", default=TEACHER, metavar="NAME", help="what speeds are compared with")
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--goal", type=int, choices=(2, 4), default=4, help="scale that is asked for")
    parser.add_argument("--film", type=Path)
    parser.add_argument("--windows", type=int, default=96)
    parser.add_argument("--judged", type=int, default=32, help="windows whose NIQE is computed")
    parser.add_argument("--page", type=Path, help="write the models side by side, with two frames of the film")
    parser.add_argument("--rows", type=int, nargs="*", default=list(range(8)), help="numbers of the page's windows")
    options = parser.parse_args()
    manager = ModelManager.from_config(Config(weights_dir=options.weights) if options.weights else Config())
    windows = held_out(options.folder)[: options.windows]
    models = [name for name in options.models if name.split()[0] in RESAMPLERS or name in manager.present()]
    teacher = seconds_per_megapixel(enlarger(manager, options.teacher))
    inputs = [(_blockiness(worn), estimate_sigma(worn)) for worn, _ in windows]
    print(f"{len(windows)} windows, {sum(blocky > BLOCKY for blocky, _ in inputs)} with blocks; ", end="")
    print(f"noise of the inputs {np.mean([noise for _, noise in inputs]):.2f}\n\n| {HEAD} |\n|{'---|' * 10}")
    for name in models:
        scale = scale_of(manager, name)
        run = towards(enlarger(manager, name), scale, options.goal)
        row = measure(name, run, min(scale, options.goal), windows, options.judged, options.film)
        print(f"| {row.cells(teacher)} |", flush=True)
    outputs = [reduced(wanted, [options.goal * side for side in worn.shape[:2]]) for worn, wanted in windows]
    lefts = (blocks_left(worn, made) for (worn, _), made in zip(windows, outputs, strict=True))
    blocks = [left for left in lefts if left is not None]
    judged = float(np.nanmean([niqe(made) for made in outputs[: options.judged]]))
    print(f"\nThe teachers themselves: NIQE {judged:.2f}, ", end="")
    print(f"blocks left {100 * float(np.mean(blocks)):.0f} %")
    if options.page:
        frames = film_frames(options.film) if options.film else []
        side_by_side(manager, models, [windows[number][0] for number in options.rows] + frames, options.page)
    manager.close()


if __name__ == "__main__":
    main()
