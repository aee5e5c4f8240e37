"""The same crop of each picture, enlarged x4 in several ways, beside each other on one page to look at.

    python -m benchmarks.side_by_side FOLDER --models NAME [NAME ...] --out page.png
    python -m benchmarks.side_by_side --out page.webp

Every row is one picture of the folder, every column one way; a result pixel is a pixel of the page. Without a folder
the rows are held-out synthesised drawings, enlarged from four times reduced ones, with the truth in the last column.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.quality import drawings, enlarge
from config import Config
from engine.model_manager import ModelManager
from utils.pixels import most_detailed

MARGIN, LABEL = 6, 22
EMBEDDED = "embedded-compact-x4"


def crops(folder: Path, side: int) -> Iterator[tuple[str, np.ndarray]]:
    """(name, its most detailed ``side`` x ``side`` crop as RGB uint8) of every picture of a folder."""
    for path in sorted(folder.iterdir()):
        if not path.is_file():
            continue
        try:
            image = Image.open(path).convert("RGB")
        except OSError:
            continue
        pixels = np.asarray(image)
        yield path.name, most_detailed(pixels, side)


def page(rows: list[list[tuple[str, np.ndarray]]]) -> Image.Image:
    """Rows of labelled pictures as one."""
    font = ImageFont.load_default(size=14)
    width = max(sum(picture.shape[1] + MARGIN for _, picture in row) for row in rows) + MARGIN
    height = sum(max(picture.shape[0] for _, picture in row) + LABEL + MARGIN for row in rows)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for row in rows:
        left = MARGIN
        for label, picture in row:
            draw.text((left, top + 3), label, fill="black", font=font)
            sheet.paste(Image.fromarray(picture), (left, top + LABEL))
            left += picture.shape[1] + MARGIN
        top += max(picture.shape[0] for _, picture in row) + LABEL + MARGIN
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--models", nargs="*", default=[EMBEDDED])
    parser.add_argument("--crop", type=int, default=96, help="side of the crops, in input pixels")
    parser.add_argument("--rows", type=int, default=4, help="how many drawings, without a folder")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    manager = ModelManager.from_config(Config())
    ways = ["bicubic", "lanczos", *options.models]
    rows = []
    if options.folder is not None:
        for name, crop in crops(options.folder, options.crop):
            rows.append([(f"{way}: {name}", enlarge(manager, way, crop)) for way in ways])
    else:
        for small, truth in drawings(count=options.rows):
            rows.append([*((way, enlarge(manager, way, small)) for way in ways), ("truth", truth)])
    manager.close()
    page(rows).save(options.out)
    print(f"{options.out}: {len(rows)} rows of {len(rows[0])}")


if __name__ == "__main__":
    main()
