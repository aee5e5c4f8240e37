"""One page with what every network of the set-up makes of the same crops: ``python -m docs.networks``.

Six pictures of different kinds (free ones that scikit-image brings, and one that the program draws), reduced to a
quarter and stored as a camera, a chat or a scanner stores them. A result pixel is a pixel of the page.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.quality import enlarge
from benchmarks.side_by_side import page
from config import ROOT, Config
from docs.samples.cat import drawing
from engine.model_manager import ModelManager

NETWORKS = (
    "bicubic",
    "embedded-compact-x4",
    "spanx4_ch48",
    "realesr-animevideov3",
    "quick-x4",
    "RealESRGAN_x4plus_anime_6B",
    "RealESRGAN_x4plus",
)
_SIDE = 64
_PICTURES = (
    # name, file of scikit-image, middle of the crop (x, y) in the reduced picture, JPEG quality or None, noise
    ("face, JPEG 70", "astronaut.png", (57, 30), 70, 0.0),
    ("cat, clean", "chelsea.png", (44, 30), None, 0.0),
    ("cup, noise 8", "coffee.png", (66, 46), 95, 8.0),
    ("rocket, JPEG 50", "rocket.jpg", (80, 60), 50, 0.0),
    ("stones, JPEG 85", "gravel.png", (64, 64), 85, 0.0),
)
_DRAWING = ("drawing, JPEG 60", (95, 50), 60)


def worn(pixels: np.ndarray, quality: int | None, noise: float) -> np.ndarray:
    """A picture as it would be found: with noise of that sigma (of 255), stored as JPEG of that quality."""
    values = pixels.astype(np.float32)
    if noise:
        values += np.random.default_rng(0).normal(0, noise, values.shape)
    image = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    if quality is None:
        return np.asarray(image)
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored).convert("RGB"))


def crops() -> Iterator[tuple[str, np.ndarray]]:
    """(label, crop of at most 64 x 64 RGB pixels) of every picture."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    for label, name, middle, quality, noise in _PICTURES:
        image = Image.open(folder / name).convert("RGB")
        small = image.resize((image.width // 4, image.height // 4), Image.Resampling.BOX)
        yield label, _around(worn(np.asarray(small), quality, noise), middle)
    label, middle, quality = _DRAWING
    small = drawing().resize((180, 135), Image.Resampling.BOX)
    yield label, _around(worn(np.asarray(small), quality, 0.0), middle)


def _around(pixels: np.ndarray, middle: tuple[int, int]) -> np.ndarray:
    height, width = pixels.shape[:2]
    left = int(np.clip(middle[0] - _SIDE // 2, 0, max(0, width - _SIDE)))
    top = int(np.clip(middle[1] - _SIDE // 2, 0, max(0, height - _SIDE)))
    return np.ascontiguousarray(pixels[top : top + _SIDE, left : left + _SIDE])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "networks.webp")
    options = parser.parse_args()
    manager = ModelManager.from_config(Config())
    rows = []
    for label, crop in crops():
        shown = np.asarray(
            Image.fromarray(crop).resize((crop.shape[1] * 4, crop.shape[0] * 4), Image.Resampling.NEAREST)
        )
        rows.append([(label, shown), *((name, enlarge(manager, name, crop)) for name in NETWORKS)])
    manager.close()
    page(rows).save(options.out, quality=88)
    print(f"{options.out}: {len(rows)} rows of {len(rows[0])}")


if __name__ == "__main__":
    main()
