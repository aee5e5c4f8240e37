"""This engine against its peers: speed, fidelity, memory and start, on this machine, in one run.

``pip install -r requirements-races.txt``, then ``python -m benchmarks.races`` (about eight minutes on two cores).
``--quick`` is a smoke run, ``--full`` adds large pictures, ``--chart FILE.png`` draws the result, ``--json FILE``
keeps it. Networks are the published ones of the set-up; compact-32 has fixed-seed weights unless ``--weights FOLDER``
holds ``compact-general-x4.pth``. ``--size 1920x1080`` races pictures of that size alone, without what is beside them.

Each contender runs in a process of its own. "start" is imports and loading with converted models cached, "first" the
first picture after it (compiling included), "seconds" the best of the later runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import race_jobs, starts
from benchmarks.contenders import CONTENDERS, KEEPING, REFERENCE, network_of
from benchmarks.networks import photograph, write_compact, write_published
from utils.gpu import cpu_count, cpu_features, cpu_name

REPOSITORY = Path(__file__).resolve().parent.parent
NETWORKS = ("RRDBNet-23", "RRDBNet-6", "compact-32", "compact-16")
DEFAULT = (("RRDBNet-23", 128, 128), ("RRDBNet-6", 256, 256), ("compact-32", 512, 512), ("compact-16", 512, 512))
QUICK = (("RRDBNet-6", 64, 64), ("compact-16", 96, 96))
FULL = (*DEFAULT, ("RRDBNet-23", 512, 512), ("compact-16", 1920, 1080), ("compact-16", 4000, 3000))
PATIENCE = 900
LARGE = 10**6
"""Input pixels above which only contenders with tiles run, once: the others would need tens of gigabytes."""
WITH_TILES = ("this engine", "this engine, fp32", "spandrel + tile loop", "original, tiles")


@dataclass
class Row:
    """One contender on one picture; ``problem`` says why there are no figures."""

    network: str
    size: tuple[int, int]
    contender: str
    seconds: float = 0.0
    first: float = 0.0
    start: float = 0.0
    peak_mb: float = 0.0
    fidelity_db: float | None = None
    gflops: float = 0.0
    megapixels: float = 0.0
    problem: str = ""


@dataclass
class Report:
    """Everything of one run."""

    machine: str
    ceiling: dict[str, float]
    rows: list[Row] = field(default_factory=list)
    starts: dict[str, float] = field(default_factory=dict)
    batch: dict[str, float] = field(default_factory=dict)
    face: dict[str, float] = field(default_factory=dict)
    film: dict[str, float] = field(default_factory=dict)


def write_networks(folder: Path, weights: Path | None) -> dict[str, Path]:
    """Checkpoints by name of network."""
    paths = {name: folder / f"{name}.pth" for name in NETWORKS}
    write_published(paths["RRDBNet-23"], "RealESRGAN_x4plus")
    write_published(paths["RRDBNet-6"], "RealESRGAN_x4plus_anime_6B")
    real = {"compact-16": "compact-anime-x4.pth", "compact-32": "compact-general-x4.pth"}
    for name, file in real.items():
        if weights is not None and (weights / file).exists():
            paths[name].write_bytes((weights / file).read_bytes())
        elif name == "compact-16":
            write_published(paths[name], "realesr-animevideov3")
        else:
            write_compact(paths[name], int(name.split("-")[1]))
    return paths


def matmul_ceiling(side: int = 2048) -> dict[str, float]:
    """GFLOP/s of one large matrix multiply by number type: what this machine could do at best."""
    import torch

    found = {}
    types = {"fp32": torch.float32} | ({"bf16": torch.bfloat16} if {"amx_bf16", "avx512_bf16"} & cpu_features() else {})
    for name, kind in types.items():
        a, b = torch.rand(side, side).to(kind), torch.rand(side, side).to(kind)
        best = 1e9
        for _ in range(5):
            begun = time.perf_counter()
            torch.mm(a, b)
            best = min(best, time.perf_counter() - begun)
        found[name] = 2 * side**3 / best / 1e9
    return found


def flops_per_pixel(checkpoint: Path) -> float:
    """Floating-point operations of all convolutions for one input pixel (a multiply and an add are two)."""
    import torch

    network, _ = network_of(checkpoint)
    total = 0

    def count(module: Any, _: Any, output: Any) -> None:
        nonlocal total
        weight = module.weight
        total += 2 * weight.shape[1] * weight.shape[2] * weight.shape[3] * output.numel()

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.rand(1, 3, 16, 16))
    return total / 256


def run_one(row: Row, checkpoint: Path, picture: Path, result: Path, runs: int) -> Row:
    """Let one contender run in its own process and fill in its figures."""
    command = [sys.executable, "-m", "benchmarks.contenders", row.contender]
    command += [str(checkpoint), str(picture), str(result), str(runs)]
    try:
        if row.contender in KEEPING and not (picture.parent / "cache" / f"{row.network} {row.contender}").exists():
            # What happens once in a network's life, conversion and the choice of a backend, is left out of "start".
            subprocess.run([*command[:-1], "-1"], capture_output=True, cwd=REPOSITORY, timeout=PATIENCE)
            (picture.parent / "cache" / f"{row.network} {row.contender}").touch()
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        row.problem = f"over {PATIENCE} s"
        return row
    if done.returncode != 0:
        row.problem = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:120]
        return row
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    row.seconds = min([*figures["seconds"], figures["first"]])
    row.first, row.start, row.peak_mb = figures["first"], figures["start"], figures["peak_mb"]
    return row


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """dB of two 8-bit pictures; 99 when equal."""
    mean = float(np.square(a.astype(np.float32) - b).mean())
    return 99.0 if mean == 0 else 10 * float(np.log10(255**2 / mean))


def race(report: Report, jobs: tuple[tuple[str, int, int], ...], folder: Path, runs: int, names: list[str]) -> None:
    """All contenders on all pictures; prints as it goes."""
    (folder / "cache").mkdir(exist_ok=True)
    for network, width, height in jobs:
        checkpoint = folder / f"{network}.pth"
        picture, reference = folder / "picture.npy", folder / "reference.npy"
        np.save(picture, photograph(height, width))
        reference.unlink(missing_ok=True)
        work = flops_per_pixel(checkpoint) * width * height / 1e9
        pixels = width * height
        running = [name for name in names if pixels <= LARGE or name in WITH_TILES]
        print(f"\n{network}, {width}x{height}, {work:.0f} GFLOP")
        for name in sorted(running, key=lambda name: name != REFERENCE):
            result = reference if name == REFERENCE else folder / "result.npy"
            row = Row(network, (width, height), name)
            row = run_one(row, checkpoint, picture, result, runs if pixels <= LARGE else 0)
            if row.problem:
                print(f"  {name}: {row.problem}", flush=True)
            else:
                row.gflops, row.megapixels = work / row.seconds, pixels / 1e6 / row.seconds
                if reference.exists() and name != REFERENCE:
                    row.fidelity_db = psnr(np.load(reference), np.load(result))
                print(f"  {name}: {row.seconds:.2f} s", flush=True)
            report.rows.append(row)


def batch(report: Report, checkpoint: Path, folder: Path, count: int, side: int = 256) -> None:
    """A batch through files against the same pictures through the network alone."""
    from config import Config
    from engine.batch import process_batch
    from engine.imaging.upscaler import Upscaler
    from engine.model_manager import ModelManager
    from engine.types import EnhanceSettings
    from utils import image_io
    from utils.picture import Picture
    from utils.writers import SaveOptions

    manager = ModelManager({}, checkpoint.parent, cache_dir=folder / "cache" / "engine", bundled_dir=None)
    model = manager.load_model(checkpoint.stem)
    upscaler = Upscaler(model.session, model.info)
    (folder / "batch").mkdir(exist_ok=True)
    pictures = [photograph(side, side, seed) for seed in range(count)]
    for index, pixels in enumerate(pictures):
        image_io.save(Picture(pixels), folder / "batch" / f"{index:03}.png", SaveOptions("png"))
    tiles = upscaler.plan(side, side)
    for _ in upscaler.bands(pictures[0], tiles):
        pass
    begun = time.perf_counter()
    for pixels in pictures:
        for _ in upscaler.bands(pixels, tiles):
            pass
    alone = time.perf_counter() - begun
    begun = time.perf_counter()
    settings = EnhanceSettings.create(model=checkpoint.stem)
    result = process_batch([folder / "batch"], folder / "batch-out", settings, manager=manager, config=Config())
    whole = time.perf_counter() - begun
    assert result.exit_code == 0, result.summary
    manager.close()
    report.batch = {"pictures": count, "inference_seconds": alone, "batch_seconds": whole, "ratio": alone / whole}


def beside(report: Report, compact: Path, folder: Path, pictures: int, side: int) -> None:
    """What is raced beside single pictures: starts, a batch, faces, a film."""
    report.starts = starts.measure(compact, folder)
    batch(report, compact, folder, pictures, side)
    try:
        report.face, report.film = race_jobs.faces(folder), race_jobs.film(compact, folder)
    except ImportError as error:
        print(f"faces and film are left out: {error}")


def table(report: Report) -> str:
    """The report in Markdown."""
    ceiling = ", ".join(f"{name} {value:.0f}" for name, value in report.ceiling.items())
    lines = [f"{report.machine}. Matrix-multiply ceiling (GFLOP/s): {ceiling}.", ""]
    lines += ["| network | input | contender | seconds | against the original | Mpx/s in | GFLOP/s | dB to fp32 | "]
    lines[-1] += "peak MB | start s | first s |"
    lines.append("|" + "---|" * 11)
    for row in report.rows:
        head = f"| {row.network} | {row.size[0]}x{row.size[1]} | {row.contender} "
        if row.problem:
            lines.append(f"{head}| {row.problem} |||||||| ")
            continue
        seconds = {one.contender: one.seconds for one in report.rows if same(one, row)}
        base = seconds.get(REFERENCE) or seconds.get("original, tiles", 0.0)
        ratio = f"{base / row.seconds:.1f}x" if base else ""
        fidelity = "reference" if row.contender == REFERENCE else f"{row.fidelity_db:.1f}" if row.fidelity_db else ""
        lines.append(
            f"{head}| {row.seconds:.2f} | {ratio} | {row.megapixels:.3f} | {row.gflops:.0f} | {fidelity} "
            f"| {row.peak_mb:.0f} | {row.start:.1f} | {row.first:.1f} |"
        )
    lines += race_jobs.lines(report.face, report.film)
    lines += ["", *starts.lines(report.starts), ""] if report.starts else []
    if report.batch:
        lines.append(
            f"- batch of {report.batch['pictures']:.0f} pictures through files: {report.batch['batch_seconds']:.1f} s; "
            f"the network alone on the same pixels: {report.batch['inference_seconds']:.1f} s "
            f"({100 * report.batch['ratio']:.0f} % of its throughput)"
        )
    return "\n".join(lines)


def same(a: Row, b: Row) -> bool:
    """Whether two rows ran the same network on the same picture."""
    return (a.network, a.size) == (b.network, b.size)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a smoke run on tiny pictures")
    parser.add_argument("--full", action="store_true", help="adds 512x512 RRDBNet-23, full HD and 12 megapixels")
    parser.add_argument("--size", action="append", metavar="WxH", help="pictures of this size alone; may be repeated")
    parser.add_argument("--runs", type=int, default=1, help="timed runs after the first")
    parser.add_argument("--pictures", type=int, default=0, help="pictures of the batch (default 12, quick 3, full 50)")
    parser.add_argument("--weights", type=Path, help="folder with real compact checkpoints")
    parser.add_argument("--only", action="append", choices=list(CONTENDERS), help="a contender; may be repeated")
    parser.add_argument("--chart", type=Path, help="draw the result into this PNG")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    options = parser.parse_args()
    jobs = QUICK if options.quick else FULL if options.full or options.size else DEFAULT
    jobs = tuple(job for job in jobs if not options.size or f"{job[1]}x{job[2]}" in options.size)
    if not jobs:
        parser.error(f"--size: pictures have {', '.join(sorted({f'{w}x{h}' for _, w, h in FULL}))}")
    features = ", ".join(sorted(cpu_features()))
    report = Report(f"{cpu_name()}, {cpu_count()} cores ({features})", matmul_ceiling(512 if options.quick else 2048))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoints = write_networks(folder, options.weights)
        race(report, jobs, folder, options.runs, options.only or list(CONTENDERS))
        if not options.size:
            pictures = options.pictures or (3 if options.quick else 50 if options.full else 12)
            beside(report, checkpoints["compact-16"], folder, pictures, side=64 if options.quick else 256)
    print("\n" + table(report))
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=1), "utf-8")
    if options.chart:
        from benchmarks.chart import draw

        draw(report.rows, report.machine, options.chart)


if __name__ == "__main__":
    main()
