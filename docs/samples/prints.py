"""What is printed in the still life: the label of a tea tin and the backs of two books."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FACES = Path("/usr/share/fonts/truetype/liberation")
"""The fonts of Debian's fonts-liberation; the files that are handed out hold only pictures of letters."""


@cache
def font(size: int, bold: bool = True, slanted: bool = False) -> ImageFont.FreeTypeFont:
    """A serif face."""
    kind = "Bold" * bold + "Italic" * slanted or "Regular"
    return ImageFont.truetype(str(FACES / f"LiberationSerif-{kind}.ttf"), size)


def spaced(draw: ImageDraw.ImageDraw, middle: tuple[float, float], words: str, face: object, gap: float, ink) -> None:
    """A line of capitals set wide, about its middle."""
    wide = sum(draw.textlength(letter, font=face) + gap for letter in words) - gap
    x = middle[0] - wide / 2
    for letter in words:
        draw.text((x, middle[1]), letter, font=face, fill=ink, anchor="lm")
        x += draw.textlength(letter, font=face) + gap


def ship(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, ink) -> None:
    """A cutter under sail, in lines like an engraving; (x, y) is the middle of its waterline."""

    def at(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + across * size, y - up * size) for across, up in pairs]

    draw.polygon(at((-0.5, 0.14), (0.52, 0.17), (0.36, -0.02), (-0.36, -0.02)), fill=ink)
    for foot, top in (((-0.02, 0.1), (-0.02, 1.1)), ((0.5, 0.16), (0.86, 0.26)), ((-0.02, 0.22), (-0.56, 0.24))):
        draw.line(at(foot, top), fill=ink, width=max(2, int(size * 0.025)))
    sails = (((-0.05, 0.95), (-0.05, 0.27), (-0.53, 0.29)), ((0.02, 1.0), (0.04, 0.26), (0.42, 0.24)))
    sails = (*sails, ((0.06, 1.04), (0.48, 0.26), (0.82, 0.27)))
    for sail in sails:
        for step in range(17):
            t = step / 16
            first = (sail[0][0] * (1 - t) + sail[1][0] * t, sail[0][1] * (1 - t) + sail[1][1] * t)
            last = (sail[0][0] * (1 - t) + sail[2][0] * t, sail[0][1] * (1 - t) + sail[2][1] * t)
            draw.line(at(first, last), fill=ink, width=max(1, int(size * 0.012)))
        draw.line(at(*sail, sail[0]), fill=ink, width=max(2, int(size * 0.018)))
    for row in range(5):
        for step in range(-9, 10):
            left = step * 0.11 + (row % 2) * 0.05
            if abs(left) < 1.0 - 0.12 * row:
                box = [*at((left - 0.05, -0.02 - 0.05 * row))[0], *at((left + 0.05, -0.08 - 0.05 * row))[0]]
                draw.arc(box, 200, 340, fill=ink, width=max(1, int(size * 0.014)))


def tin_label(path: Path) -> None:
    """All around a tin, 2640 x 960; its front is the middle."""
    paper, green, red = (238, 222, 184), (22, 62, 50), (150, 38, 28)
    picture = Image.new("RGB", (2640, 960), green)
    draw = ImageDraw.Draw(picture)
    for middle in (0, 1320, 2640):
        draw.rounded_rectangle([middle - 470, 60, middle + 470, 900], 70, fill=paper)
        draw.rounded_rectangle([middle - 440, 90, middle + 440, 870], 52, outline=green, width=10)
        draw.rounded_rectangle([middle - 422, 108, middle + 422, 852], 42, outline=red, width=4)
        ship(draw, middle, 424, 250, green)
        draw.rectangle([middle - 400, 496, middle + 400, 770], fill=red)
        spaced(draw, (middle, 634), "TEA", font(300), 26, paper)
        for step in range(-4, 5):
            draw.ellipse([middle + 84 * step - 15, 795, middle + 84 * step + 15, 825], fill=green)
    for side in (660, 1980):
        for ring in range(7):
            draw.ellipse([side - 150 + 18 * ring, 330 + 18 * ring, side + 150 - 18 * ring, 630 - 18 * ring],
                         outline=(188, 150, 76), width=5)  # fmt: skip
        for ray in range(24):
            angle = ray * math.pi / 12
            ends = [(side + r * math.cos(angle), 480 + r * math.sin(angle)) for r in (160, 190 + 20 * (ray % 2))]
            draw.line(ends, fill=(188, 150, 76), width=6)
    draw.rectangle([0, 0, 2640, 22], fill=(188, 150, 76))
    draw.rectangle([0, 938, 2640, 960], fill=(188, 150, 76))
    picture.save(path)


def spine(path: Path, title: str, cover: tuple[int, ...], gold: tuple[int, ...]) -> None:
    """The back of a book that lies, 2100 x 360: its title (or none) left of the middle, its left edge plain."""
    picture = Image.new("RGB", (2100, 360), cover)
    draw = ImageDraw.Draw(picture)
    for place in (110, 1880) if title else (110, 560, 1430, 1880):
        draw.rectangle([place, 0, place + 34, 360], fill=gold)
    spaced(draw, (880, 176), title, font(280), 44, gold)
    if not title:
        draw.polygon([(995, 60), (1115, 180), (995, 300), (875, 180)], gold)
    picture.save(path)
