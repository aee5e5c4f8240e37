"""How near to the truth: PSNR, SSIM and HaarPSI of models on pictures with a reference, beside bicubic and Lanczos.

Standard protocol: Y of BT.601 YCbCr (16..235), a border of 4 pixels cropped. Rows: the clean low-resolution input, the
same saved as JPEG 75, and with Gaussian noise of sigma 8 (fixed seed). Run:

    python -m benchmarks.quality FOLDER --models NAME [NAME ...] [--scale 2]

The last rows are drawings of one brightness, compared by their two colour-difference planes instead of Y: edges that a
network finds by brightness alone stay in steps there.

``FOLDER`` holds folders (Set5, Set14) of ``*_LR.png`` (four times smaller) and ``*_HR.png``. Without it only the
drawings are measured, which are synthesised here with a seed that training never uses. For other scales than 4 the
inputs are made from the references by antialiased bicubic reduction.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from config import Config
from engine.imaging.upscaler import Upscaler
from engine.model_manager import ModelManager
from engine.pixels.resample import from_full_scale, plain_bands
from engine.processor import enhance_image_direct
from engine.types import RESAMPLERS
from utils import image_io
from utils.metrics import compare_with_reference

HELD_OUT_SEED = 20_000_000
ONE_BRIGHTNESS = "drawings of one brightness"


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


def pairs(folder: Path, scale: int = 4) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(low resolution, truth) of every ``*_LR.png``, RGB uint8."""
    for low in sorted(folder.glob("*_LR.png")):
        images = [cv2.imread(str(path)) for path in (low, low.with_name(low.name.replace("_LR", "_HR")))]
        assert images[0] is not None and images[1] is not None
        small, truth = (np.ascontiguousarray(image[..., ::-1]) for image in images if image is not None)
        yield (small, truth[: small.shape[0] * 4, : small.shape[1] * 4]) if scale == 4 else reduced(truth, scale)


def drawings(count: int = 12, side: int = 256, scale: int = 4) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Held-out drawings with their antialiased bicubic reductions."""
    from training.data import drawing

    for index in range(count):
        yield reduced(drawing(np.random.default_rng((HELD_OUT_SEED, index)), side), scale)


def in_one_brightness(drawn: np.ndarray) -> np.ndarray:
    """The drawing with Cb and Cr kept and Y brought near to middle gray, uint8 RGB."""
    planes = cv2.cvtColor(drawn, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    planes[..., 0] = 128 + (planes[..., 0] - 128) * 0.08
    return cv2.cvtColor(np.rint(planes).astype(np.uint8), cv2.COLOR_YCrCb2RGB)


def color_planes(pixels: np.ndarray) -> np.ndarray:
    """Cr and Cb of ``(H, W, 3) uint8`` RGB beside each other, as one gray picture."""
    planes = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2YCrCb)
    return np.repeat(np.concatenate([planes[..., 1], planes[..., 2]], axis=1)[..., None], 3, axis=2)


def reduced(truth: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """(a picture ``scale`` times smaller, the truth cropped to a multiple of it)."""
    from PIL import Image

    height, width = (side // scale for side in truth.shape[:2])
    truth = np.ascontiguousarray(truth[: height * scale, : width * scale])
    return np.asarray(Image.fromarray(truth).resize((width, height), Image.Resampling.BICUBIC)), truth


def one_pass(manager: ModelManager, name: str, pixels: np.ndarray, precision: str = "fp32") -> np.ndarray:
    """What a network makes of ``(H, W, 3) uint8`` by its own scale, untiled, without colour match, uint8."""
    model = manager.load_model(name, precision=precision)
    upscaler = Upscaler(model.session, model.info, tile=0)
    bands = upscaler.bands(pixels, upscaler.plan(pixels.shape[1], pixels.shape[0]))
    return from_full_scale(np.concatenate(list(bands)), 8)


def enlarge(manager: ModelManager, name: str, pixels: np.ndarray, scale: int = 4) -> np.ndarray:
    """By a model (fp32, without colour match) or a resampler, uint8."""
    if name in RESAMPLERS:
        bands = plain_bands(pixels, (pixels.shape[1] * scale, pixels.shape[0] * scale), name)
        return from_full_scale(np.concatenate(list(bands)), 8)
    if scale == 4:
        return one_pass(manager, name, pixels)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.png"
        enhance_image_direct(
            pixels,
            name,
            scale,
            fp32=True,
            model_manager=manager,
            config=Config(output_dir=folder),
            output_path=target,
            color_match=False,
        )
        return np.asarray(image_io.load(target).pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--scale", type=int, default=4, choices=(2, 3, 4))
    options = parser.parse_args()
    manager = ModelManager.from_config(Config())
    print("| set | input | model | PSNR (dB) | over bicubic | SSIM | HaarPSI |\n|---|---|---|---|---|---|---|")
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir()) if options.folder else []
    sets = {folder.name: list(pairs(folder, options.scale)) for folder in folders}
    sets["drawings"] = list(drawings(scale=options.scale))
    sets[ONE_BRIGHTNESS] = [reduced(in_one_brightness(truth), options.scale) for _, truth in sets["drawings"]]
    for name, pictures in sets.items():
        for wear, apply in WEAR.items():
            if name in ("drawings", ONE_BRIGHTNESS) and wear != "clean":
                continue
            base = 0.0
            for model in ("bicubic", "lanczos", *options.models):
                results = [(enlarge(manager, model, apply(small), options.scale), truth) for small, truth in pictures]
                if name == ONE_BRIGHTNESS:
                    results = [(color_planes(result), color_planes(truth)) for result, truth in results]
                scores = [compare_with_reference(result, truth) for result, truth in results]
                psnr, ssim, haar = np.mean([(score.psnr, score.ssim, score.haarpsi) for score in scores], axis=0)
                base = psnr if model == "bicubic" else base
                print(
                    f"| {name} | {wear} | {model} | {psnr:.2f} | {psnr - base:+.2f} | {ssim:.4f} | {haar:.4f} |",
                    flush=True,
                )
    manager.close()


if __name__ == "__main__":
    main()
