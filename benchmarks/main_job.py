"""The main job against the plain way of running it: one picture, decode to encode, RRDBNet-23.

The plain way is what the original scripts do without tiles: torch, fp32, NCHW, the whole picture at once.
Run: ``python main.py bench``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import photograph, write_published
from config import Config
from engine.imaging.upscaler import Upscaler
from engine.model_manager import ModelManager
from engine.models import architectures, checkpoints
from engine.processor import enhance_file
from engine.types import EnhanceSettings
from utils import image_io
from utils.gpu import cpu_features, cpu_name, peak_memory_mb
from utils.picture import Picture
from utils.writers import SaveOptions

NAME = "rrdbnet-23"


def _median(action: Callable[[], Any], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _plain(network: Any, source: Path, target: Path, device: str) -> None:
    """Decode, run the whole picture in fp32, encode; no tiles, no channels_last."""
    import cv2
    import torch

    decoded = cv2.imread(str(source))
    assert decoded is not None
    pixels = decoded.astype(np.float32) / 255
    tensor = torch.from_numpy(np.ascontiguousarray(pixels[..., ::-1].transpose(2, 0, 1)))[None].to(device)
    with torch.no_grad():
        output = network(tensor)[0].clamp_(0, 1).float().cpu().numpy()
    cv2.imwrite(str(target), (output.transpose(1, 2, 0)[..., ::-1] * 255).round().astype(np.uint8))


def _raw_backend(upscaler: Upscaler, pixels: np.ndarray) -> Callable[[], None]:
    """The session alone on the plan's windows: no cutting, blending, colour or files."""
    tiles = upscaler.plan(pixels.shape[1], pixels.shape[0])
    window = np.random.default_rng(0).random((1, *tiles.window, 3), dtype=np.float32)

    def action() -> None:
        for _ in range(tiles.count):
            upscaler.session.infer(window)

    return action


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    mean = float(np.square(a.astype(np.float64) - b.astype(np.float64)).mean())
    return 99.0 if mean == 0 else 10 * float(np.log10(255**2 / mean))


def run(side: int = 256, runs: int = 3, device: str = "auto") -> None:
    """Print the table. ``side`` is the picture's side in pixels."""
    with tempfile.TemporaryDirectory() as name:
        _run(Path(name), side, runs, device)


def _run(folder: Path, side: int, runs: int, device: str) -> None:
    checkpoint = write_published(folder / f"{NAME}.pth", "RealESRGAN_x4plus")
    source, plain_out, engine_out = folder / "in.png", folder / "plain.png", folder / "engine.png"
    image_io.save(Picture(photograph(side, side)), source, SaveOptions("png"))
    manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None)
    target = manager.resolve_device(device)
    config = Config()

    network = architectures.load_network(checkpoints.load_state_dict(checkpoint))[0].to(target)
    plain = _median(partial(_plain, network, source, plain_out, target), runs)
    memory_plain = peak_memory_mb()

    start = time.perf_counter()
    model = manager.load_model(NAME, device=device)
    first_load = time.perf_counter() - start

    def engine(**settings: Any) -> None:
        chosen = EnhanceSettings(model=NAME, device=device, **settings)
        enhance_file(source, engine_out, chosen, manager=manager, config=config, overwrite=True)

    engine()
    whole = _median(engine, runs)
    raw = _median(_raw_backend(Upscaler(model.session, model.info), image_io.load(source).pixels), runs)
    engine(color_match=False)
    # The plain way pads with zeros, which spoils its outer pixels: they are left out of the comparison.
    inner = slice(side, -side)
    fidelity = _psnr(image_io.load(plain_out).pixels[inner, inner], image_io.load(engine_out).pixels[inner, inner])
    session = model.session
    print(f"{cpu_name()} ({', '.join(sorted(cpu_features()))}); device {target}; {side}x{side} in, x4, RRDBNet-23")
    print("| way | seconds | ratio | note |")
    print("|---|---|---|---|")
    print(f"| torch fp32, NCHW, whole picture | {plain:.2f} | 1.0 | peak {memory_plain:.0f} MB |")
    print(
        f"| this engine, decode to encode | {whole:.2f} | {plain / whole:.1f} times faster | {session.backend} "
        f"{session.precision}, {fidelity:.1f} dB against fp32, peak {peak_memory_mb():.0f} MB in all |"
    )
    print(f"| its backend alone | {raw:.2f} | | engine overhead {100 * (whole / raw - 1):.1f}% |")
    print(f"First load with self-test and conversion: {first_load:.1f} s.")
    manager.close()


if __name__ == "__main__":
    run()
