"""Drawing like a cartoon: smooth outlines with corners, lines that swell and taper, flat shades with hard edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw

Point = tuple[float, ...]
Colour = tuple[int, int, int]

INK: Colour = (44, 26, 48)
SHADE: Colour = (176, 150, 196)
"""What a surface is multiplied by where the light does not come."""


def smooth(points: Sequence[Point], closed: bool = True, step: int = 10) -> np.ndarray:
    """A line ``(n, 2)`` through the points (Catmull-Rom). A point with a third number is a corner."""
    flat = [point[:2] for point in points]
    corners = [number for number, point in enumerate(points) if len(point) > 2]
    if closed and not corners:
        given = np.array([flat[-1], *flat, flat[0], flat[1]], float)
        return _through(given, step)
    if closed:
        flat = flat[corners[0] :] + flat[: corners[0] + 1]
        corners = [corner - corners[0] for corner in corners] + [len(flat) - 1]
    else:
        corners = sorted({0, *corners, len(flat) - 1})
    parts = []
    for first, last in zip(corners, corners[1:], strict=False):
        piece = np.array(flat[first : last + 1], float)
        whole = np.concatenate([[2 * piece[0] - piece[1]], piece, [2 * piece[-1] - piece[-2]]])
        parts.append(_through(whole, step))
    return np.concatenate(parts)


def _through(p: np.ndarray, step: int) -> np.ndarray:
    t = np.linspace(0, 1, step, endpoint=False)[None, :, None]
    a, b, c, d = (p[k : len(p) - 3 + k, None] for k in range(4))
    line = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate([line.reshape(-1, 2), p[-2:-1]])


def bent(points: Sequence[Point], angle: float, about: Point) -> list[Point]:
    """Turned by so many degrees, corners kept."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    made: list[Point] = []
    for x, y, *corner in points:
        dx, dy = x - about[0], y - about[1]
        made.append((about[0] + c * dx - s * dy, about[1] + s * dx + c * dy, *corner))
    return made


def disc(x: float, y: float, wide: float, high: float | None = None, count: int = 60) -> np.ndarray:
    """An ellipse about (x, y)."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + wide * np.cos(angle), y + (wide if high is None else high) * np.sin(angle)], axis=1)


def square(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """A rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


class Sheet:
    """A drawing; places are pixels of the finished picture, and everything is drawn ``scale`` times as large."""

    def __init__(self, width: int, height: int, scale: int = 8) -> None:
        self.scale, self.size = scale, (width * scale, height * scale)
        self.image = Image.new("RGB", self.size)
        self.clip: Image.Image | None = None

    def mask(self, *outlines: np.ndarray) -> Image.Image:
        """White inside any of the outlines."""
        mask = Image.new("L", self.size)
        draw = ImageDraw.Draw(mask)
        for outline in outlines:
            draw.polygon([tuple(point) for point in (np.asarray(outline) * self.scale).tolist()], fill=255)
        return mask

    def lay(self, mask: Image.Image, colour: Colour, how: str = "over", part: float = 1.0) -> None:
        """Colour where the mask is white, and inside the clip: ``over`` what is there, or ``multiply``."""
        if self.clip is not None:
            mask = ImageChops.multiply(mask, self.clip)
        area = mask.getbbox()
        if area is None:
            return
        mask, below = mask.crop(area), self.image.crop(area)
        if part < 1:
            mask = mask.point(lambda value: int(value * part))
        colours = Image.new("RGB", below.size, colour)
        if how == "multiply":
            colours = ImageChops.multiply(below, colours)
        self.image.paste(colours, area[:2], mask)

    def fill(self, outline: np.ndarray, colour: Colour, how: str = "over", part: float = 1.0) -> None:
        """One flat shape."""
        self.lay(self.mask(outline), colour, how, part)

    def crescent(self, mask: Image.Image, by: Point, colour: Colour, how: str = "multiply", part: float = 1.0) -> None:
        """What of a shape stays uncovered by itself moved: its shade, or the light along its edge."""
        moved = Image.new("L", self.size)
        moved.paste(mask, (round(by[0] * self.scale), round(by[1] * self.scale)))
        self.lay(ImageChops.subtract(mask, moved), colour, how, part)

    def line(self, path: np.ndarray, width: float, colour: Colour, taper: tuple[float, float] = (0.15, 0.15)) -> None:
        """An inked line: full width in its middle, ``taper`` of it at its two ends."""
        path = np.asarray(path, float) * self.scale
        along = np.linspace(0, 1, len(path))
        swell = np.sin(np.pi * along) ** 0.6
        ends = taper[0] * (1 - along) + taper[1] * along
        self._stroke(path, width * self.scale * (ends + (1 - ends) * swell), colour)

    def outline(self, path: np.ndarray, width: float, colour: Colour, heavy: Point = (0.6, 0.8)) -> None:
        """A closed line that is thicker on the side that ``heavy`` points to."""
        path = np.concatenate([path, path[:1]])
        way = np.gradient(path, axis=0)
        way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-9
        outside = np.stack([way[:, 1], -way[:, 0]], axis=1)
        x, y = path[:-1].T
        turning = np.sign(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
        shade = turning * (outside @ np.asarray(heavy))
        self._stroke(path * self.scale, width * self.scale * np.clip(0.85 + 0.45 * shade, 0.35, 1.4), colour)

    def _stroke(self, path: np.ndarray, wide: np.ndarray, colour: Colour) -> None:
        mask = Image.new("L", self.size)
        draw = ImageDraw.Draw(mask)
        for (x, y), (next_x, next_y), half in zip(path, path[1:], wide / 2, strict=False):
            draw.line([x, y, next_x, next_y], fill=255, width=max(1, round(2 * half)))
            draw.ellipse([x - half, y - half, x + half, y + half], fill=255)
        self.lay(mask, colour)

    def finished(self) -> Image.Image:
        """Reduced to its size."""
        size = (self.size[0] // self.scale, self.size[1] // self.scale)
        return self.image.resize(size, Image.Resampling.LANCZOS)
