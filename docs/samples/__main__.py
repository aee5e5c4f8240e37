"""Makes the sample files of ``ui/samples``: ``python -m docs.samples RENDERED``.

RENDERED is a folder that ``docs.samples.still_life`` filled (once for the photograph, once with ``--film``); the
drawing and the page are drawn here. Then all is worn as pictures from a telephone, the web and a scanner are.
Nothing is from elsewhere: scene, drawing and page are this project's own, and their licence is the program's.
"""

from __future__ import annotations

import argparse
import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from config import ROOT
from docs.samples import almanac, cat
from ui.samples import CLIP_RATE, SAMPLES

GRAIN, COLOUR_GRAIN = 2.2, 1.6
"""Sigma of a sensor's noise, of 255: in brightness, and in blotches of colour."""


def noisy(picture: Image.Image, seed: int, part: float = 1.0) -> Image.Image:
    """With the noise of a small sensor: stronger in the shadows, its colour blotchy."""
    random = np.random.default_rng(seed)
    pixels = np.asarray(picture, np.float32)
    height, width = pixels.shape[:2]
    blotches = random.normal(0, 1, (height // 2 + 1, width // 2 + 1, 3)).repeat(2, 0).repeat(2, 1)[:height, :width]
    grain = GRAIN * random.normal(0, 1, (height, width, 1)) + COLOUR_GRAIN * blotches
    dark = 1.25 - 0.6 * pixels.mean(axis=2, keepdims=True) / 255
    return Image.fromarray((pixels + part * grain * dark).clip(0, 255).astype(np.uint8))


def stored(picture: Image.Image, quality: int) -> Image.Image:
    """Once through a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def photograph(rendered: Path) -> Image.Image:
    """As a telephone of some years ago took it."""
    large = Image.open(rendered / "still-life.png").convert("RGB")
    small = large.resize((480, 320), Image.Resampling.LANCZOS)
    return noisy(small, 3)


def film(rendered: Path, target: Path) -> None:
    """Two seconds of H.264 at a low rate."""
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(CLIP_RATE))
        stream.width, stream.height, stream.pix_fmt = 240, 160, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryslow", "threads": "1"}
        for number, path in enumerate(sorted(rendered.glob("film-*.png"))):
            small = Image.open(path).convert("RGB").resize((240, 160), Image.Resampling.BOX)
            frame = av.VideoFrame.from_image(noisy(small, number, 0.5))
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rendered", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "ui" / "samples")
    options = parser.parse_args()
    for name, picture, quality in (
        ("photograph", photograph(options.rendered), 70),
        ("drawing", stored(cat.drawing(), 70), 55),
        ("page", almanac.page(), 72),
    ):
        picture.save(options.out / SAMPLES[name], "JPEG", quality=quality)
    film(options.rendered, options.out / "still-life.mp4")
    for path in sorted(options.out.glob("*.[jm]p[g4]")):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
