"""Pictures for the content classifier: photographs and drawings, each worn as pictures on a disk are.

Sources: free pictures of Debian and npm packages (``content_sources.json`` names them; labelled by eye), the training
photographs, and drawings made here: photographs turned into paintings and manga, characters and clip art laid over
them, pixel art. The same photographs appear in both classes, so subjects cannot give the answer away.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.painterly import painterly

SIDE = 448


@dataclass(frozen=True)
class Pools:
    """Paths of photographs, and of drawings by kind: ``characters``, ``scenes``, ``games``, ``clipart``."""

    photographs: tuple[Path, ...]
    drawings: dict[str, tuple[Path, ...]]


KIND_SHARES = {"characters": 0.2, "scenes": 0.45, "games": 0.15, "clipart": 0.2}


def load(path: Path, random: np.random.Generator, side: int = 1300) -> np.ndarray:
    """``(H, W, 3) uint8`` RGB, at most ``side`` pixels long; transparency over white, black or a colour."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"'{path}' is not a readable picture.")
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    factor = side / max(pixels.shape[:2])
    if factor < 1:
        pixels = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    if pixels.shape[2] == 4:
        ground = ((255, 255, 255), (0, 0, 0), tuple(random.integers(0, 256, 3)))[
            int(random.choice(3, p=(0.5, 0.2, 0.3)))
        ]
        share = pixels[..., 3:].astype(np.float32) / 255
        pixels = (pixels[..., :3] * share + np.array(ground, np.float32) * (1 - share)).astype(np.uint8)
    return np.ascontiguousarray(pixels[..., ::-1])


def photograph(random: np.random.Generator, pools: Pools, least: float = 0.45) -> np.ndarray:
    """A crop of a photograph, some with shallow focus, as silhouettes, with strong colours or cleaned of grain.

    ``least``: of its area, about.
    """
    rgb = crop(random, load(pools.photographs[int(random.integers(len(pools.photographs)))], random), least)
    chance = random.random()
    if chance < 0.10:
        rgb = _shallow_focus(random, rgb)
    elif chance < 0.16:
        rgb = np.clip((rgb.astype(np.float32) - random.uniform(60, 140)) * 2.2 + 20, 0, 255).astype(np.uint8)
    elif chance < 0.24:
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.float32)
        hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(1.2, 2.2), 0, 255)
        rgb = np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB))
    elif chance < 0.36:
        # What phones and photographers do against grain, before the picture is reduced.
        rgb = cv2.bilateralFilter(rgb, 5, float(random.uniform(8, 20)), 2)
    return rgb


def drawing(random: np.random.Generator, pools: Pools) -> np.ndarray:
    """A drawing: as found, laid together, or made of a photograph."""
    chance = random.random()
    if chance < 0.34:
        return painterly(random, photograph(random, pools))
    if chance < 0.56:
        return laid_over(random, pools, painterly(random, photograph(random, pools)), int(random.integers(1, 4)))
    if chance < 0.66:
        return laid_over(random, pools, plain_ground(random), int(random.integers(1, 5)))
    picked = load(pick_drawing(random, pools), random)
    if chance < 0.74:
        source = picked if random.random() < 0.5 else painterly(random, photograph(random, pools))
        return pixel_art(random, source)
    return crop(random, picked, 0.5)


def relit(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """In another light, contrast or in gray: each with some chance."""
    if random.random() < 0.25:
        rgb = (255 * (rgb / 255.0) ** random.uniform(0.6, 2.6)).astype(np.uint8)
    if random.random() < 0.12:
        light = (rgb.astype(np.float32) - 128) * random.uniform(0.5, 1.7) + 128 + random.uniform(-30, 30)
        rgb = np.clip(light, 0, 255).astype(np.uint8)
    if random.random() < 0.12:
        rgb = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return rgb


def worn(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Resized, relit, blurred, grainy, encoded: each with some chance."""
    side = min(int(random.choice((256, 400, 640, 900, 1280))), max(rgb.shape[:2]) * 2)
    rgb = _fit(rgb, side)
    rgb = relit(random, rgb)
    if random.random() < 0.2:
        rgb = cv2.GaussianBlur(rgb, (0, 0), random.uniform(0.4, 1.8))
    if random.random() < 0.10:
        rgb = np.clip(rgb + random.normal(0, random.uniform(1, 10), rgb.shape), 0, 255).astype(np.uint8)
    if random.random() < 0.7:
        flags = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 97))]
        rgb = np.asarray(cv2.imdecode(cv2.imencode(".jpg", rgb[..., ::-1], flags)[1], cv2.IMREAD_COLOR))[..., ::-1]
    return np.ascontiguousarray(rgb)


def sample(random: np.random.Generator, pools: Pools, drawn: bool) -> np.ndarray:
    """One picture of a class, ``(H, W, 3) uint8``, reduced to ``SIDE`` pixels as the classifier will see it."""
    while True:
        rgb = worn(random, drawing(random, pools) if drawn else photograph(random, pools))
        factor = min(1.0, SIDE / max(rgb.shape[:2]))
        size = (round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))
        if min(size) >= 64:
            return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _fit(rgb: np.ndarray, side: int) -> np.ndarray:
    factor = side / max(rgb.shape[:2])
    size = (max(48, int(rgb.shape[1] * factor)), max(48, int(rgb.shape[0] * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC))


def crop(random: np.random.Generator, rgb: np.ndarray, least: float) -> np.ndarray:
    share = np.sqrt(random.uniform(least, 1))
    height = int(rgb.shape[0] * min(1, share * random.uniform(0.85, 1.15)))
    width = int(rgb.shape[1] * min(1, share * random.uniform(0.85, 1.15)))
    top = int(random.integers(0, rgb.shape[0] - height + 1))
    left = int(random.integers(0, rgb.shape[1] - width + 1))
    cut = rgb[top : top + height, left : left + width]
    return np.ascontiguousarray(cut[:, ::-1] if random.random() < 0.5 else cut)


def _shallow_focus(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x / width - random.uniform(0.3, 0.7), y / height - random.uniform(0.3, 0.7))
    share = np.clip(distance * 3 - 0.5, 0, 1)[..., None]
    blurred = cv2.GaussianBlur(rgb, (0, 0), max(height, width) / random.uniform(60, 150))
    return (rgb * (1 - share) + blurred * share).astype(np.uint8)


def pick_drawing(random: np.random.Generator, pools: Pools) -> Path:
    kinds = [kind for kind in KIND_SHARES if pools.drawings.get(kind)]
    shares = np.array([KIND_SHARES[kind] for kind in kinds])
    kind = kinds[int(random.choice(len(kinds), p=shares / shares.sum()))]
    return pools.drawings[kind][int(random.integers(len(pools.drawings[kind])))]


def plain_ground(random: np.random.Generator) -> np.ndarray:
    size = (int(random.integers(300, 900)), int(random.integers(300, 900)))
    first, second = random.integers(0, 256, (2, 3))
    share = np.linspace(0, 1, size[0])[:, None, None]
    return np.ascontiguousarray(np.broadcast_to(first * (1 - share) + second * share, (*size, 3)).astype(np.uint8))


def laid_over(random: np.random.Generator, pools: Pools, ground: np.ndarray, count: int) -> np.ndarray:
    """Characters and clip art with transparency over a ground, at many sizes."""
    result = ground
    for _ in range(count):
        sprite = cv2.imread(str(pick_drawing(random, pools)), cv2.IMREAD_UNCHANGED)
        if sprite is None or sprite.ndim != 3 or sprite.shape[2] != 4 or sprite.dtype != np.uint8:
            continue
        height, width = result.shape[:2]
        factor = min(height / sprite.shape[0], width / sprite.shape[1]) * random.uniform(0.5, 1.5)
        sprite = cv2.resize(sprite, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)[:height, :width]
        if min(sprite.shape[:2]) < 8:
            continue
        top = int(random.integers(0, height - sprite.shape[0] + 1))
        left = int(random.integers(0, width - sprite.shape[1] + 1))
        place = (slice(top, top + sprite.shape[0]), slice(left, left + sprite.shape[1]))
        share = sprite[..., 3:].astype(np.float32) / 255
        result = result.copy()
        result[place] = (result[place] * (1 - share) + sprite[..., 2::-1] * share).astype(np.uint8)
    return result


def pixel_art(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    small = _fit(rgb, int(random.integers(64, 200)))
    levels = int(random.integers(4, 10))
    small = (np.rint(small / 255 * levels) / levels * 255).astype(np.uint8)
    factor = int(random.integers(3, 8))
    return np.asarray(cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST))
