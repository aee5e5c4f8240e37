"""How long a face takes, and how steady its landmarks are.

    python -m benchmarks.faces [--model NAME]
    python -m benchmarks.faces --landmarks FOLDER

Without an installed face model the published architecture runs with random weights: that costs the same time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from engine.faces.align import CROP_SIDE
from engine.model_manager import ModelManager
from utils.errors import EngineError

WAYS = (("torch", "fp32"), ("torch", "bf16"), ("openvino", "fp32"), ("openvino", "bf16"))


def write_gfpgan(path: Path, seed: int = 0) -> Path:
    """A GFPGANv1Clean of the published shape with random weights; it draws no faces."""
    import torch
    from safetensors.torch import save_file
    from spandrel.architectures.GFPGAN import GFPGAN

    torch.manual_seed(seed)
    save_file({key: value.contiguous() for key, value in GFPGAN().state_dict().items()}, path)
    return path


def run(model: str | None, runs: int, device: str) -> None:
    """Print seconds a face for every runtime, and the difference from torch in fp32."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if model is None:
            write_gfpgan(folder / "random-weights.safetensors")
            manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None, optimize=False)
            model = "random-weights"
        else:
            from config import Config

            manager = ModelManager.from_config(Config())
        crop = np.random.default_rng(0).random((1, CROP_SIDE, CROP_SIDE, 3), dtype=np.float32)
        reference: np.ndarray | None = None
        print(f"{model}, one face of {CROP_SIDE} pixels\n")
        print("| way | seconds | load (s) | largest difference (of 255) | mean |\n|---|---|---|---|---|")
        for backend, precision in WAYS:
            try:
                how = {"device": device, "backend": backend, "precision": precision}
                begun = time.perf_counter()
                with manager.borrow(model, kind="face", **how) as loaded:
                    loaded.session.prepare(CROP_SIDE, CROP_SIDE)
                    output = loaded.session.infer(crop)
                    loading = time.perf_counter() - begun
                    seconds = statistics.median(_timed(loaded.session, crop) for _ in range(runs))
                manager.unload_model(model)
            except EngineError as error:
                print(f"| {backend} {precision} | {error} | | | |")
                continue
            reference = output if reference is None else reference
            apart = np.abs(output - reference) * 255
            row = f"{seconds:.2f} | {loading:.1f} | {apart.max():.2f} | {apart.mean():.3f}"
            print(f"| {backend} {precision} | {row} |", flush=True)
        manager.close()


def _timed(session: object, crop: np.ndarray) -> float:
    begun = time.perf_counter()
    session.infer(crop)  # type: ignore[attr-defined]
    return time.perf_counter() - begun


def landmarks(folder: Path) -> None:
    """Print how far landmarks move when a picture is halved: as the detector gives them, and refined."""
    import cv2

    from benchmarks.face_material import detector, true_faces
    from engine.faces.landmarks import refine

    find = detector()
    moves: dict[str, list[float]] = {"detector": [], "refined": []}
    for one in true_faces(folder, find):
        half = cv2.resize(one.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        raw = [
            min(find.detect(picture), key=lambda face, at=at: np.hypot(*np.subtract(face.center, at)), default=None)  # type: ignore[misc]
            for picture, at in ((one.pixels, one.face.center), (half, one.face.scaled(0.5).center))
        ]
        if None in raw:
            continue
        fine = [refine(picture, face, find.look) for picture, face in zip((one.pixels, half), raw, strict=True)]
        for name, (whole, small) in (("detector", raw), ("refined", fine)):
            eyes = np.linalg.norm(fine[0].landmarks[1] - fine[0].landmarks[0])
            moves[name].append(float(np.linalg.norm(whole.landmarks - 2 * small.landmarks, axis=1).mean() / eyes))
    print("| landmarks | mean move, of the distance between the eyes | 90th percentile | faces |\n|---|---|---|---|")
    for name, found in moves.items():
        print(f"| {name} | {np.mean(found):.3f} | {np.percentile(found, 90):.3f} | {len(found)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="an installed face model; random weights by default")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--landmarks", type=Path, metavar="FOLDER", help="measure landmarks instead")
    options = parser.parse_args()
    if options.landmarks is not None:
        landmarks(options.landmarks)
    else:
        run(options.model, options.runs, options.device)


if __name__ == "__main__":
    main()
