"""Training pairs: sharp patches, and what cameras, resizers and encoders would have left of them.

Sources: a folder of photographs (free ones; the shipped model uses CC0 and Kodak PhotoCD pictures) and drawings that
are synthesised here: flat shapes, strokes, gradients, text, halftone. Degradations follow Real-ESRGAN (Wang et al.,
2021) in kind, with a share of clean antialiased downscales so that good pictures are not smoothed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

SCALE = 4
CLEAN_SHARE = 0.55
DRAWN_SHARE = 0.2
TURNED_SHARE = 0.2


def load_photographs(folder: Path) -> list[np.ndarray]:
    """Every JPEG and PNG of a folder as ``(H, W, 3) uint8`` RGB, in the order of their names."""
    pictures = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
            if picture is not None:
                pictures.append(np.ascontiguousarray(picture[..., ::-1]))
    if not pictures:
        raise SystemExit(f"'{folder}' holds no photographs.")
    return pictures


def drawing(random: np.random.Generator, side: int) -> np.ndarray:
    """A synthetic drawing, ``(side, side, 3) uint8``: drawn at twice the size and averaged, so edges are smooth."""
    big = side * 2
    canvas = np.empty((big, big, 3), np.uint8)
    first, second = random.integers(0, 256, (2, 3))
    ramp = np.linspace(0, 1, big, dtype=np.float32)
    ramp = ramp[:, None] if random.random() < 0.5 else ramp[None, :]
    share = ramp[..., None] if random.random() < 0.4 else np.zeros((1, 1, 1), np.float32)
    canvas[:] = first * (1 - share) + second * share
    for _ in range(int(random.integers(3, 14))):
        _draw_one(random, canvas, big)
    return cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)


def _draw_one(random: np.random.Generator, canvas: np.ndarray, big: int) -> None:
    color = tuple(int(value) for value in random.integers(0, 256, 3))
    if random.random() < 0.3:
        color = (0, 0, 0) if random.random() < 0.7 else (255, 255, 255)
    kind = random.integers(0, 5)
    thickness = int(random.integers(2, 14))
    if kind == 0:
        points = random.integers(-big // 4, big * 5 // 4, (int(random.integers(3, 7)), 1, 2)).astype(np.int32)
        cv2.fillPoly(canvas, [points], color, cv2.LINE_AA)
        if random.random() < 0.6:
            cv2.polylines(canvas, [points], True, (20, 20, 20), thickness, cv2.LINE_AA)
    elif kind == 1:
        center, axes = random.integers(0, big, 2), random.integers(big // 20, big // 2, 2)
        filled = -1 if random.random() < 0.5 else thickness
        cv2.ellipse(
            canvas, center.tolist(), axes.tolist(), float(random.integers(0, 180)), 0, 360, color, filled, cv2.LINE_AA
        )
    elif kind == 2:
        t = np.linspace(0, 1, 40)[:, None]
        a, b, c, d = random.uniform(0, big, (4, 2))
        curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        cv2.polylines(canvas, [curve.astype(np.int32).reshape(-1, 1, 2)], False, color, thickness, cv2.LINE_AA)
    elif kind == 3:
        text = "".join(random.choice(list("ABCDEFGHJKLMNPRSTUVWXYZabcdefghkmnopqrstuvwxyz0123456789"), 7))
        place = (int(random.integers(-big // 8, big // 2)), int(random.integers(big // 8, big)))
        font, size = int(random.integers(0, 8)), float(random.uniform(1.2, 5))
        cv2.putText(canvas, text, place, font, size, color, thickness // 2 + 1, cv2.LINE_AA)
    else:
        pitch = int(random.integers(8, 28))
        x, y = random.integers(0, big // 2, 2)
        for row in range(y, min(big, y + big // 3), pitch):
            for column in range(x, min(big, x + big // 3), pitch):
                cv2.circle(canvas, (column, row), max(1, pitch // 3), color, -1, cv2.LINE_AA)


def turn_colors(random: np.random.Generator, patch: np.ndarray) -> np.ndarray:
    """The patch with its colour axes turned at random, ``(S, S, 3) uint8``, brought into the range again.

    In photographs, brightness changes at nearly every edge and colour follows. A network trained on them alone looks
    for edges in brightness, and leaves those between colours of like brightness as they are. Turned, they are as sharp
    and as detailed, but in whichever colours chance says.
    """
    axes, _ = np.linalg.qr(random.normal(size=(3, 3)))
    pixels = patch.astype(np.float32)
    mean = pixels.mean(axis=(0, 1))
    turned = (pixels - mean) @ axes.astype(np.float32)
    low, high = turned.min(axis=(0, 1)), turned.max(axis=(0, 1))
    turned *= min(1.0, float((255 / np.maximum(high - low, 1)).min()))
    low, high = turned.min(axis=(0, 1)), turned.max(axis=(0, 1))
    return np.rint(turned + np.clip(mean, -low, 255 - high)).clip(0, 255).astype(np.uint8)


def _downscale(random: np.random.Generator, patch: np.ndarray, size: int) -> np.ndarray:
    """An antialiased reduction of float 0..255 pixels by one of the usual filters."""
    from PIL import Image

    filters = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX, Image.Resampling.BILINEAR)
    chosen = filters[int(random.choice(4, p=(0.55, 0.2, 0.15, 0.1)))]
    planes = [np.asarray(Image.fromarray(patch[..., channel]).resize((size, size), chosen)) for channel in range(3)]
    return np.stack(planes, axis=-1)


def _blur(random: np.random.Generator, patch: np.ndarray) -> np.ndarray:
    sigma_x = random.uniform(0.2, 2.4)
    sigma_y = sigma_x if random.random() < 0.6 else random.uniform(0.2, 2.4)
    return cv2.GaussianBlur(patch, (0, 0), sigma_x, sigmaY=sigma_y)


def _noise(random: np.random.Generator, patch: np.ndarray) -> np.ndarray:
    if random.random() < 0.7:
        shape = patch.shape if random.random() < 0.6 else (*patch.shape[:2], 1)
        return patch + random.normal(0, random.uniform(1, 14), shape).astype(np.float32)
    peak = random.uniform(30, 300)
    return (random.poisson(np.clip(patch, 0, 255) / 255 * peak) / peak * 255).astype(np.float32)


def _encode(random: np.random.Generator, patch: np.ndarray) -> np.ndarray:
    quality = int(random.integers(40, 98))
    pixels = np.clip(np.rint(patch), 0, 255).astype(np.uint8)
    if random.random() < 0.8:
        kind, flags = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]
    else:
        kind, flags = ".webp", [cv2.IMWRITE_WEBP_QUALITY, quality]
    _, data = cv2.imencode(kind, pixels[..., ::-1], flags)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[..., ::-1].astype(np.float32)


def degrade(random: np.random.Generator, sharp: np.ndarray) -> np.ndarray:
    """What is left of ``(S, S, 3) uint8`` at a quarter of its size, ``uint8``."""
    patch = sharp.astype(np.float32)
    size = sharp.shape[0] // SCALE
    if random.random() < CLEAN_SHARE:
        return np.clip(np.rint(_downscale(random, patch, size)), 0, 255).astype(np.uint8)
    if random.random() < 0.35:
        patch = _blur(random, patch)
    patch = _downscale(random, patch, size)
    steps: list[Callable[[np.random.Generator, np.ndarray], np.ndarray]] = []
    if random.random() < 0.55:
        steps.append(_noise)
    if random.random() < 0.65:
        steps.append(_encode)
    for index in random.permutation(len(steps)):
        patch = steps[index](random, patch)
    return np.clip(np.rint(patch), 0, 255).astype(np.uint8)


class Pairs:
    """Endless batches of (worn, sharp) patches. The same seed and position give the same batch."""

    def __init__(self, photographs: list[np.ndarray], batch: int, patch: int, seed: int = 0) -> None:
        self._photographs, self._batch, self._patch, self._seed = photographs, batch, patch, seed
        areas = np.array([picture.shape[0] * picture.shape[1] for picture in photographs], np.float64)
        # Square root: large pictures give more patches, small ones are not forgotten.
        self._weights = np.sqrt(areas) / np.sqrt(areas).sum()

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Batch number ``step``: ``(N, p, p, 3)`` and ``(N, 4p, 4p, 3)``, uint8."""
        random = np.random.default_rng((self._seed, step))
        sharp = [self._sharp(random) for _ in range(self._batch)]
        sharp = [turn_colors(random, patch) if random.random() < TURNED_SHARE else patch for patch in sharp]
        return np.stack([degrade(random, patch) for patch in sharp]), np.stack(sharp)

    def _sharp(self, random: np.random.Generator) -> np.ndarray:
        side = self._patch * SCALE
        if random.random() < DRAWN_SHARE:
            return drawing(random, side)
        for _ in range(4):
            picture = self._photographs[int(random.choice(len(self._photographs), p=self._weights))]
            top = int(random.integers(0, picture.shape[0] - side + 1))
            left = int(random.integers(0, picture.shape[1] - side + 1))
            patch = picture[top : top + side, left : left + side]
            # Sky teaches little: mostly ask for some structure.
            if patch.std() > 14 or random.random() < 0.2:
                break
        patch = np.rot90(patch, int(random.integers(0, 4)))
        return np.ascontiguousarray(patch[:, ::-1] if random.random() < 0.5 else patch)
