"""Sample pictures that the program draws itself, small and a little worn, so that there is something to restore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from utils.files import replaced

_SUPER = 4
"""Everything is drawn that many times as large and reduced, for smooth edges."""


def landscape() -> Image.Image:
    """Mountains over a lake in the evening, 480 x 320, with a little grain."""
    width, height, horizon = 480 * 2, 320 * 2, 400
    rng = np.random.default_rng(7)
    y = np.linspace(0, 1, horizon)[:, None, None]
    sky = (1 - y) * np.array([58, 84, 140]) + y * np.array([250, 190, 140])
    picture = np.repeat(sky, width, axis=1)
    yy, xx = np.mgrid[0:horizon, 0:width]
    sun = np.hypot(xx - 660, yy - 250)
    glow = np.exp(-((sun / 130) ** 2))[..., None] * np.array([80, 60, 20])
    picture = np.where((sun < 34)[..., None], [255, 238, 190], picture + glow)
    for depth in range(5):
        ridge = _ridge(rng, width, rough=0.35 + 0.09 * depth) * (120 - 14 * depth)
        line = 235 + depth * 36 - ridge
        shade = np.array([150, 130, 150]) * (1 - depth / 5) + np.array([22, 38, 44]) * (depth / 5)
        light = np.gradient(ridge) * 9
        covered = yy > line[None, :]
        tone = shade + np.clip(light, -16, 22)[None, :, None] * np.array([1.0, 0.8, 0.5])
        if depth > 2:
            tone = tone + rng.normal(0, 9, (horizon, width, 1))
        picture = np.where(covered[..., None], tone, picture)
    lake = picture[::-1][: height - horizon].copy()
    shift = (6 * np.sin(np.arange(height - horizon) / 3.3) * np.linspace(0.1, 1.6, height - horizon)).astype(int)
    for row, offset in enumerate(shift):
        lake[row] = np.roll(lake[row], offset, axis=0)
    lake = lake * 0.72 + np.array([10, 22, 34])
    whole = np.concatenate([picture, lake])
    whole[_trees(rng, width, height)] = (14, 24, 26)
    small = Image.fromarray(np.clip(whole, 0, 255).astype(np.uint8)).resize((480, 320), Image.Resampling.LANCZOS)
    grain = np.asarray(small, np.float32) + rng.normal(0, 4, (320, 480, 1))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))


def _ridge(rng: np.random.Generator, width: int, rough: float) -> np.ndarray:
    """Heights 0..1 of a mountain range: midpoints displaced again and again."""
    points, amount = np.array([rng.random() * 0.6, rng.random() * 0.6]), 0.6
    while len(points) < width:
        middle = (points[:-1] + points[1:]) / 2 + rng.normal(0, amount, len(points) - 1) * 0.5
        both = np.empty(len(points) + len(middle))
        both[0::2], both[1::2] = points, middle
        points, amount = both, amount * rough
    points = points[:width]
    return (points - points.min()) / (np.ptp(points) + 1e-6)


def _trees(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A mask of firs along the near shore."""
    mask = Image.new("1", (width, height))
    draw = ImageDraw.Draw(mask)
    draw.polygon([(0, height), (0, 560), (190, 580), (360, 616), (520, height)], fill=1)
    for x in range(6, 400, 17):
        tall = int(rng.integers(60, 150) * (1 - x / 620))
        foot = 566 + int(x * 0.14)
        for level in range(5):
            top, wide = foot - tall + level * tall // 6, 5 + level * tall // 26
            draw.polygon([(x, top), (x - wide, top + tall // 4), (x + wide, top + tall // 4)], fill=1)
    return np.asarray(mask)


def drawing() -> Image.Image:
    """A cat on a roof at night in flat colours and clean lines, 360 x 270."""
    scale = _SUPER
    image = Image.new("RGB", (360 * scale, 270 * scale), (38, 44, 92))
    draw = ImageDraw.Draw(image)

    def at(*values: float) -> list[float]:
        return [value * scale for value in values]

    ink, line = (20, 18, 30), 3 * scale
    draw.ellipse(at(214, 20, 320, 126), fill=(255, 236, 170))
    for across, down, r in ((238, 52, 12), (282, 80, 17), (262, 36, 6)):
        draw.ellipse(at(across - r, down - r, across + r, down + r), fill=(244, 216, 138))
    rng = np.random.default_rng(3)
    for _ in range(40):
        x, y = rng.random() * 350, rng.random() * 150
        if np.hypot(x - 267, y - 73) > 64:
            size = 0.6 + rng.random() * 1.1
            draw.ellipse(at(x - size, y - size, x + size, y + size), fill=(255, 255, 240))
    draw.polygon(at(0, 216, 360, 176, 360, 270, 0, 270), fill=(170, 70, 62), outline=ink)
    for row in range(5):
        for step in range(-1, 20):
            x = step * 22 + (row % 2) * 11
            y = 216 - x / 9 + row * 17
            draw.arc(at(x, y - 8, x + 22, y + 12), 10, 170, fill=(112, 38, 44), width=2 * scale)
    draw.line(at(0, 216, 360, 176), fill=ink, width=line)
    body = (240, 150, 60)
    draw.arc(at(150, 120, 226, 212), 250, 60, fill=ink, width=13 * scale)
    draw.arc(at(151, 121, 225, 211), 250, 60, fill=body, width=9 * scale)
    draw.ellipse(at(88, 116, 172, 212), fill=body, outline=ink, width=line)
    draw.ellipse(at(104, 138, 142, 204), fill=(255, 226, 190))
    for ear in ((84, 78, 88, 40, 112, 64), (148, 64, 170, 40, 174, 80)):
        draw.polygon(at(*ear), fill=body, outline=ink, width=line)
    draw.ellipse(at(80, 56, 178, 136), fill=body, outline=ink, width=line)
    for x in (106, 152):
        draw.ellipse(at(x - 11, 78, x + 11, 106), fill=(150, 214, 120), outline=ink, width=2 * scale)
        draw.ellipse(at(x - 4, 80, x + 4, 104), fill=ink)
        draw.ellipse(at(x - 2, 83, x + 3, 89), fill=(255, 255, 255))
    draw.polygon(at(123, 108, 135, 108, 129, 115), fill=(214, 96, 96), outline=ink)
    for side in (-1, 1):
        middle = 129 + side * 7
        draw.arc(at(middle - 7, 108, middle + 7, 122), 20, 160, fill=ink, width=2 * scale)
        for lift in (-5, 0, 5):
            draw.line(at(129 + side * 24, 114 + lift / 2, 129 + side * 58, 112 + lift * 2), fill=ink, width=scale)
    for x in (104, 146):
        draw.ellipse(at(x - 13, 196, x + 13, 216), fill=body, outline=ink, width=line)
    return image.resize((360, 270), Image.Resampling.BOX)


def printed_page() -> Image.Image:
    """A line chart with small print, 400 x 280, a little out of focus, as from a scanner."""
    scale = _SUPER
    image = Image.new("RGB", (400 * scale, 280 * scale), (247, 243, 232))
    draw = ImageDraw.Draw(image)
    ink = (44, 42, 48)

    def text(x: float, y: float, words: str, size: float) -> None:
        draw.text((x * scale, y * scale), words, fill=ink, font=ImageFont.load_default(size * scale))

    text(24, 14, "Tides at the harbour", 20)
    text(24, 42, "Height above chart datum, in metres, over two days.", 9.5)
    for metre in range(5):
        y = 230 - metre * 38
        draw.line([48 * scale, y * scale, 380 * scale, y * scale], fill=(200, 194, 182), width=scale)
        text(28, y - 7, f"{metre}.0", 10)
    hours = np.linspace(0, 48, 400)
    heights = 2.1 + 1.5 * np.cos((hours - 3) * 2 * np.pi / 12.4) + 0.35 * np.cos((hours - 9) * 2 * np.pi / 25.8)
    points = zip(48 + hours / 48 * 332, 230 - heights * 38, strict=True)
    curve = [(x * scale, y * scale) for x, y in points]
    draw.line(curve, fill=(178, 52, 44), width=2 * scale, joint="curve")
    for hour in range(0, 49, 8):
        text(36 + hour / 48 * 326, 236, f"{hour % 24:02d}:00", 9)
    text(24, 256, "Spring tides follow the full moon by about two days. Times are local.", 9.5)
    small = image.resize((400, 280), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.6))
    grain = np.asarray(small, np.float32) + np.random.default_rng(5).normal(0, 3, (280, 400, 3))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))


SAMPLES: dict[str, Callable[[], Image.Image]] = {"landscape": landscape, "drawing": drawing, "page": printed_page}


def sample_file(name: str, folder: Path) -> Path:
    """The sample as a file in ``folder``, drawn at the first call. The landscape is a JPEG of middling quality."""
    path = Path(folder) / f"{name}{'.jpg' if name == 'landscape' else '.png'}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as temporary:
            if path.suffix == ".jpg":
                SAMPLES[name]().save(temporary, "JPEG", quality=70)
            else:
                SAMPLES[name]().save(temporary, "PNG")
    return path
