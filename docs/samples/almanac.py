"""The printed page among the samples: a leaf of an old almanac on a scanner, 400 x 280."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from docs.samples.prints import font, ship, spaced

INK = (40, 34, 34)
TEXT = (
    "The spring tides of this month stand higher than the quay. On the ninth, with the wind in the west, all boats are "
    "to be drawn up before noon. The moon is full on the eleventh. Fog may be met with at daybreak, and the bell is "
    "rung."
)
TABLE = (("Day", "High", "Low"), ("9", "06:12", "12:31"), ("10", "06:54", "13:10"), ("11", "07:33", "13:48"),
         ("12", "08:11", "14:25"), ("13", "08:50", "15:04"))  # fmt: skip
SCALE = 6


def justified(draw: ImageDraw.ImageDraw, words: list[str], left: float, top: float, wide: float, size: float) -> None:
    """Lines of even length, the last one short, the first two beside an initial."""
    beside, lines = 39.0, 0
    face = font(round(size * SCALE), False)
    line: list[str] = []
    y = top

    def put(line: list[str], gap: float) -> None:
        x = (left + (beside if lines < 2 else 0)) * SCALE
        for word in line:
            draw.text((x, y * SCALE), word, font=face, fill=INK)
            x += draw.textlength(word, font=face) + gap

    for word in [*words, None]:  # None: the end
        room = (wide - (beside if lines < 2 else 0)) * SCALE
        natural = sum(draw.textlength(each, font=face) for each in line)
        more = 0 if word is None else draw.textlength(word, font=face)
        if word is None:
            put(line, draw.textlength(" ", font=face))
        elif line and natural + more + len(line) * 0.26 * size * SCALE > room:
            put(line, (room - natural) / max(1, len(line) - 1))
            line, y, lines = [word], y + size * 1.29, lines + 1
        else:
            line.append(word)


def typeset() -> Image.Image:
    """The page as it left the press, six times as large."""
    image = Image.new("RGB", (400 * SCALE, 280 * SCALE), (244, 236, 214))
    draw = ImageDraw.Draw(image)
    middle = 200 * SCALE
    spaced(draw, (middle, 27 * SCALE), "THE HARBOUR ALMANAC", font(24 * SCALE), 2.3 * SCALE, INK)
    below = "Tides and moons for the month of October"
    draw.text((middle, 47 * SCALE), below, font=font(14 * SCALE, True, True), fill=INK, anchor="mm")
    for y, wide in ((58, 2), (61, 0.8), (264, 0.8), (267, 2)):
        draw.rectangle([18 * SCALE, y * SCALE, 382 * SCALE, (y + wide) * SCALE - 1], fill=INK)
    draw.line([216 * SCALE, 70 * SCALE, 216 * SCALE, 256 * SCALE], fill=INK, width=4)
    initial = font(38 * SCALE)
    draw.rectangle([20 * SCALE, 71 * SCALE, 54 * SCALE, 105 * SCALE], fill=(146, 42, 34))
    draw.text((37 * SCALE, 88 * SCALE), "T", font=initial, fill=(244, 236, 214), anchor="mm")
    words = TEXT.split()
    words[0] = "he"
    justified(draw, words, 20, 68.5, 188, 15.9)
    ship(draw, 292 * SCALE, 142 * SCALE, 58 * SCALE, INK)
    for row, cells in enumerate(TABLE):
        y = 170 + row * 15.4
        for x, cell in zip((242, 295, 350), cells, strict=True):
            draw.text((x * SCALE, y * SCALE), cell, font=font(round(14 * SCALE)), fill=INK, anchor="mm")
        draw.line(
            [226 * SCALE, (y + 7.7) * SCALE, 380 * SCALE, (y + 7.7) * SCALE], fill=INK, width=6 if row == 0 else 2
        )
    return image


def page() -> Image.Image:
    """Printed, read a hundred years, and scanned a little askew: 400 x 280 RGB."""
    random = np.random.default_rng(5)
    sheet = typeset().filter(ImageFilter.GaussianBlur(1.5))
    sheet = sheet.rotate(-0.5, Image.Resampling.BICUBIC, fillcolor=(244, 236, 214))
    small = np.asarray(
        sheet.resize((400, 280), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.35)), np.float32
    )

    def clouds(size: int) -> np.ndarray:
        rough = Image.fromarray(random.normal(128, 40, (280 // size, 400 // size)).clip(0, 255).astype(np.uint8))
        return np.asarray(rough.resize((400, 280), Image.Resampling.BICUBIC), np.float32)[..., None] / 128 - 1

    stain = 0.055 * clouds(56) + 0.03 * clouds(14) + 0.015 * clouds(4)
    small = small * (1 + stain * np.array([0.7, 1.0, 1.5]))
    x = np.linspace(0, 1, 400)[None, :, None]
    small *= 1 - 0.34 * np.exp(-x / 0.035)
    for _ in range(24):
        cx, cy, r = random.uniform(0, 400), random.uniform(0, 280), random.uniform(0.5, 1.6)
        yy, xx = np.mgrid[0:280, 0:400]
        small *= 1 - 0.28 * np.exp(-(((xx - cx) ** 2 + (yy - cy) ** 2) / r**2))[..., None] * np.array([0.7, 1, 1.2])
    small += random.normal(0, 2.4, (280, 400, 1)) + random.normal(0, 1.2, (280, 400, 3))
    return Image.fromarray(small.clip(0, 255).astype(np.uint8))
