"""How near to the truth: PSNR, SSIM and HaarPSI of models on pictures with a reference, beside bicubic and Lanczos.

Standard protocol: Y of BT.601 YCbCr (16..235), a border of 4 pixels cropped. Rows: the clean low-resolution input, the
same saved as JPEG 75, and with Gaussian noise of sigma 8 (fixed seed). Run:

    python -m benchmarks.quality FOLDER --models NAME [NAME ...]

``FOLDER`` holds folders (Set5, Set14) of ``*_LR.png`` and ``*_HR.png``. Without it only the drawings are measured,
which are synthesised here with a seed that training never uses.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from config import Config
from engine.model_manager import ModelManager
from engine.resample import from_full_scale, plain_bands
from engine.types import RESAMPLERS
from engine.upscaler import Upscaler

BORDER = 4
HELD_OUT_SEED = 20_000_000


def luma(pixels: np.ndarray) -> np.ndarray:
    """Y of BT.601 in 16..235, as float64, of ``(H, W, 3) uint8`` RGB."""
    rgb = pixels.astype(np.float64)
    return 16 + (65.481 * rgb[..., 0] + 128.553 * rgb[..., 1] + 24.966 * rgb[..., 2]) / 255


def scores(result: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """(PSNR in dB, SSIM, HaarPSI) on Y without the border."""
    import piq
    import torch

    inner = slice(BORDER, -BORDER)
    a, b = luma(result)[inner, inner], luma(truth)[inner, inner]
    psnr = 10 * np.log10(255**2 / max(np.square(a - b).mean(), 1e-12))
    x, y = (torch.from_numpy(np.clip(plane / 255, 0, 1))[None, None].float() for plane in (a, b))
    ssim = piq.ssim(x, y, data_range=1.0, downsample=False)
    assert isinstance(ssim, torch.Tensor)
    return float(psnr), float(ssim), float(piq.haarpsi(x, y, data_range=1.0))


def jpeg75(pixels: np.ndarray) -> np.ndarray:
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])


def noise8(pixels: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(8).normal(0, 8, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


WEAR: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "clean": lambda pixels: pixels,
    "JPEG 75": jpeg75,
    "noise 8": noise8,
}


def pairs(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(low resolution, truth) of every ``*_LR.png``, RGB uint8."""
    for low in sorted(folder.glob("*_LR.png")):
        images = [cv2.imread(str(path)) for path in (low, low.with_name(low.name.replace("_LR", "_HR")))]
        assert images[0] is not None and images[1] is not None
        small, truth = (np.ascontiguousarray(image[..., ::-1]) for image in images if image is not None)
        yield small, truth[: small.shape[0] * 4, : small.shape[1] * 4]


def drawings(count: int = 12, side: int = 256) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Held-out drawings with their antialiased bicubic reductions."""
    from PIL import Image

    from training.data import drawing

    for index in range(count):
        truth = drawing(np.random.default_rng((HELD_OUT_SEED, index)), side)
        small = Image.fromarray(truth).resize((side // 4, side // 4), Image.Resampling.BICUBIC)
        yield np.asarray(small), truth


def enlarge(manager: ModelManager, name: str, pixels: np.ndarray) -> np.ndarray:
    """x4 by a model (fp32, without colour match) or a resampler, uint8."""
    if name in RESAMPLERS:
        bands = plain_bands(pixels, (pixels.shape[1] * 4, pixels.shape[0] * 4), name)
    else:
        model = manager.load_model(name, precision="fp32")
        upscaler = Upscaler(model.session, model.info, tile=0)
        bands = upscaler.bands(pixels, upscaler.plan(pixels.shape[1], pixels.shape[0]))
    return from_full_scale(np.concatenate(list(bands)), 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--models", nargs="*", default=[])
    options = parser.parse_args()
    manager = ModelManager.from_config(Config())
    print("| set | input | model | PSNR (dB) | over bicubic | SSIM | HaarPSI |\n|---|---|---|---|---|---|---|")
    sets = (
        {folder.name: list(pairs(folder)) for folder in sorted(options.folder.iterdir()) if folder.is_dir()}
        if options.folder
        else {}
    )
    sets["drawings"] = list(drawings())
    for name, pictures in sets.items():
        for wear, apply in WEAR.items():
            if name == "drawings" and wear != "clean":
                continue
            base = 0.0
            for model in ("bicubic", "lanczos", *options.models):
                rows = [scores(enlarge(manager, model, apply(small)), truth) for small, truth in pictures]
                psnr, ssim, haar = np.mean(rows, axis=0)
                base = psnr if model == "bicubic" else base
                print(
                    f"| {name} | {wear} | {model} | {psnr:.2f} | {psnr - base:+.2f} | {ssim:.4f} | {haar:.4f} |",
                    flush=True,
                )
    manager.close()


if __name__ == "__main__":
    main()
