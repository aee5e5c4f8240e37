"""Numbered boxes on a small picture, for choosing faces by a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.faces.choose import FoundFace
from utils.pixels import to_eight_bits

if TYPE_CHECKING:
    from utils.picture import Picture

PREVIEW_SIDE = 1280
_RESTORED, _LEFT = (46, 160, 67), (128, 128, 128)
_LEAST_REACH = 12
"""A box on the preview answers clicks at least that many pixels around its middle."""


@dataclass(frozen=True, eq=False)
class FacePreview:
    """A preview and where its faces are.

    Attributes:
        pixels: ``(h, w, 3) uint8`` RGB, the longer side at most ``PREVIEW_SIDE``.
        scale: preview pixels a picture pixel.
        faces: in pixels of the picture.
    """

    pixels: np.ndarray
    scale: float
    faces: tuple[FoundFace, ...]

    def number_at(self, x: float, y: float) -> int | None:
        """The number of the face at a position on the preview; of several the smallest box, None beside all."""
        hit: list[tuple[float, int]] = []
        for one in self.faces:
            left, top, right, bottom = (value * self.scale for value in one.box)
            reach_x, reach_y = max((right - left) / 2, _LEAST_REACH), max((bottom - top) / 2, _LEAST_REACH)
            if abs(x - (left + right) / 2) <= reach_x and abs(y - (top + bottom) / 2) <= reach_y:
                hit.append((reach_x * reach_y, one.number))
        return min(hit)[1] if hit else None


def numbered(picture: Picture | np.ndarray, faces: Sequence[FoundFace], side: int = PREVIEW_SIDE) -> FacePreview:
    """The picture, reduced, with a numbered box around every face: green = restored, gray and crossed = left alone.

    Args:
        picture: a ``Picture``, or ``(H, W, 1 or 3) uint8 | uint16`` pixels.
        side: the longer side is reduced to that; smaller pictures stay as they are.
    """
    from utils.opencv import cv2

    pixels = to_eight_bits(picture if isinstance(picture, np.ndarray) else picture.pixels)
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    canvas = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels.copy()
    canvas = np.ascontiguousarray(canvas)
    for one in sorted(faces, key=lambda face: face.restore):
        _draw(canvas, one, scale)
    return FacePreview(canvas, scale, tuple(faces))


def _draw(canvas: np.ndarray, one: FoundFace, scale: float) -> None:
    from utils.opencv import cv2

    color = _RESTORED if one.restore else _LEFT
    left, top, right, bottom = (round(value * scale) for value in one.box)
    line = max(2, round(max(canvas.shape) / 500))
    for thickness, shade in ((line + 2, (255, 255, 255)), (line, color)):
        cv2.rectangle(canvas, (left, top), (right, bottom), shade, thickness, cv2.LINE_AA)
        if not one.restore:
            cv2.line(canvas, (left, bottom), (right, top), shade, max(1, thickness - 1), cv2.LINE_AA)
    text, font = str(one.number), cv2.FONT_HERSHEY_SIMPLEX
    size = max(0.5, max(canvas.shape) / 1600)
    (width, height), below = cv2.getTextSize(text, font, size, 2)
    pad = max(3, height // 3)
    # Above the box, or inside it where the picture ends.
    x = int(np.clip(left - line, 0, max(0, canvas.shape[1] - width - 2 * pad)))
    y = top - line if top - height - 2 * pad >= 0 else top + height + 2 * pad
    cv2.rectangle(canvas, (x, y - height - 2 * pad), (x + width + 2 * pad, y), color, -1)
    cv2.putText(canvas, text, (x + pad, y - pad), font, size, (255, 255, 255), 2, cv2.LINE_AA)
