"""This engine against the original ``RealESRGANer`` in figures: pixels, number types, seams (see tests/reference).

``python -m benchmarks.parity``: the published networks of the set-up; with ``--weights FOLDER`` also the compact ones
found there (compact-general-x4.pth).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import photograph, write_published, write_rrdbnet
from engine.backends.original import build_network, import_originals
from engine.imaging.upscaler import Upscaler
from engine.model_manager import ModelManager
from engine.models import checkpoints
from engine.pixels.resample import from_full_scale


def original(checkpoint: Path, pixels: np.ndarray, **options: Any) -> np.ndarray:
    """``(H, W, 3) uint8`` through ``RealESRGANer``; ``options`` are its own (``tile``, ``tile_pad``)."""
    import torch

    state = checkpoints.load_state_dict(checkpoint)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "plain.pth"
        torch.save({"params": state}, path)
        upsampler = import_originals().RealESRGANer(
            4, str(path), model=build_network(state, 4), pre_pad=0, device=torch.device("cpu"), **options
        )
        return upsampler.enhance(np.ascontiguousarray(pixels[..., ::-1]))[0][..., ::-1]


def ours(manager: ModelManager, name: str, pixels: np.ndarray, tile: int = 0, **how: Any) -> np.ndarray:
    """The same through this engine, without colour matching."""
    model = manager.load_model(name, **how)
    upscaler = Upscaler(model.session, model.info, tile=tile)
    bands = upscaler.bands(pixels, upscaler.plan(pixels.shape[1], pixels.shape[0]))
    return np.concatenate([from_full_scale(band, 8) for band in bands])


def figures(result: np.ndarray, expected: np.ndarray) -> tuple[float, int, float]:
    """dB, largest difference, largest shift of a channel's mean, the last two of 255."""
    error = result.astype(np.float64) - expected
    mean = float(np.square(error).mean())
    quality = 99.0 if mean == 0 else 10 * float(np.log10(255**2 / mean))
    return quality, int(np.abs(error).max()), float(np.abs(error.mean((0, 1))).max())


def compare(manager: ModelManager, checkpoint: Path, pixels: np.ndarray) -> None:
    """One row of the table."""
    whole = original(checkpoint, pixels)
    cells = [checkpoint.stem]
    for how in ({"backend": "torch", "fp32": True}, {"backend": "openvino", "fp32": True}):
        quality, largest, _ = figures(ours(manager, checkpoint.stem, pixels, **how), whole)
        cells.append(f"{quality:.1f} dB, max {largest}")
    quality, _, shift = figures(ours(manager, checkpoint.stem, pixels), whole)
    cells.append(f"{quality:.1f} dB, shift {shift:.2f}")
    quality, largest, _ = figures(original(checkpoint, pixels, tile=128, tile_pad=10), whole)
    cells.append(f"{quality:.1f} dB, max {largest}")
    quality, largest, _ = figures(ours(manager, checkpoint.stem, pixels, tile=148, backend="torch", fp32=True), whole)
    cells.append(f"{quality:.1f} dB, max {largest}")
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weights", type=Path, help="folder with real compact checkpoints")
    parser.add_argument("--picture", type=Path, help="a photograph; by default a synthetic one")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument(
        "--blocks", type=int, nargs="*", default=[], help="fixed-seed RRDBNets of so many blocks as well"
    )
    options = parser.parse_args()
    pixels = photograph(options.side, options.side)
    if options.picture:
        from utils import image_io

        pixels = np.ascontiguousarray(image_io.load(options.picture).pixels[: options.side, : options.side])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = sorted(options.weights.glob("compact-*.pth")) if options.weights else []
        for path in found:
            (folder / path.name).write_bytes(path.read_bytes())
        for blocks in options.blocks:
            write_rrdbnet(folder / f"rrdbnet-{blocks}-fixed-seed.pth", blocks)
        for published in ("RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B", "realesr-animevideov3"):
            write_published(folder / f"{published}.pth", published)
        manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None)
        print("| network | fp32, torch | fp32, openvino | as chosen here | original's tiles | these tiles |")
        print("|---|---|---|---|---|---|")
        for checkpoint in sorted(folder.glob("*.pth")):
            compare(manager, checkpoint, pixels)
        manager.close()


if __name__ == "__main__":
    main()
