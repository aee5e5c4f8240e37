"""Telling a face from what looks like one: a drawing, an animal, a knot in the wood.

A real face is found again, as surely, in an enlarged, mirrored or turned crop; chance likenesses fall apart. Drawings
of faces hold together, but they are made of flat areas between hard lines, which skin is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.faces.face import Face, has_face_geometry, overlap

SURE_SCORE = 0.90
"""A first score from which a face with the texture of a photograph is not verified."""
PHOTO_SCORE, DRAWN_SCORE = 0.82, 0.91
"""Mean score of all looks that is asked for where the texture is a photograph's, and where it is a drawing's."""
DRAWN_FLAT, DRAWN_CONTRAST = 0.11, 0.045
"""Above this share of flat pixels, or below this ratio of weak to strong edges, a face looks drawn."""
_FACE_SIDE = 96
_MARGIN = 0.6
_LOOKS = ((0.0, False), (0.0, True), (12.0, False), (-12.0, False))
_FLAT_STEP = 0.75
"""Levels of 255 a pixel: less is not visible shading."""

Find = Callable[[np.ndarray], list[Face]]


@dataclass(frozen=True)
class Texture:
    """What the inside of a face box is made of.

    Attributes:
        flat: share of pixels without any shading.
        contrast: gradient that a quarter of the pixels stay below, over the one that a tenth exceeds.
    """

    flat: float
    contrast: float

    @property
    def drawn(self) -> bool:
        """Whether it is too flat, or too low in contrast, for a photographed face."""
        return self.flat > DRAWN_FLAT or self.contrast < DRAWN_CONTRAST


def is_face(rgb: np.ndarray, face: Face, find: Find) -> bool:
    """Whether a candidate is a real human face.

    Args:
        rgb: the whole picture, ``(H, W, 3) uint8``.
        find: the detector's own look at a small picture.
    """
    drawn = texture(rgb, face).drawn
    if not drawn and face.score >= SURE_SCORE:
        return True
    scores = []
    for degrees, mirrored in _LOOKS:
        scores.append(_score_again(rgb, face, find, degrees, mirrored))
        if not drawn and scores[0] >= SURE_SCORE:
            return True
        if scores[0] == 0:
            return False
    return float(np.mean(scores)) >= (DRAWN_SCORE if drawn else PHOTO_SCORE)


def texture(rgb: np.ndarray, face: Face) -> Texture:
    """Measured in an ellipse inside the box, at a common size so that resolution does not count."""
    from utils.opencv import cv2

    gray = cv2.cvtColor(_window(rgb, face, 0.0), cv2.COLOR_RGB2GRAY).astype(np.float32)
    across = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(gray, cv2.CV_32F, 0, 1, ksize=3) / 8
    edge = _FACE_SIDE // 12
    gradient = np.hypot(across, down)[edge:-edge, edge:-edge]
    y, x = np.linspace(-1, 1, gradient.shape[0])[:, None], np.linspace(-1, 1, gradient.shape[1])
    gradient = gradient[x * x + y * y < 1]
    weak, strong = np.percentile(gradient, (25, 90))
    return Texture(float((gradient < _FLAT_STEP).mean()), float(weak / max(strong, 1e-6)))


def _score_again(rgb: np.ndarray, face: Face, find: Find, degrees: float, mirrored: bool) -> float:
    """Score of the same face in a crop around it; 0 when it is not found there."""
    window = _window(rgb, face, _MARGIN, degrees)
    if mirrored:
        window = np.ascontiguousarray(window[:, ::-1])
    start = _FACE_SIDE * _MARGIN
    expected = Face(start, start, _FACE_SIDE, _FACE_SIDE)
    best = 0.0
    for candidate in find(window):
        common = overlap(candidate, expected)
        union = candidate.width * candidate.height + expected.width * expected.height - common
        if common / union > 0.3 and has_face_geometry(candidate):
            best = max(best, candidate.score)
    return best


def _window(rgb: np.ndarray, face: Face, margin: float, degrees: float = 0.0) -> np.ndarray:
    """A square crop around a face whose longer side becomes ``_FACE_SIDE``; black outside the picture."""
    from utils.opencv import cv2

    side = max(face.width, face.height)
    reach = side * (0.5 + margin) * 1.5  # room for turning
    x, y = face.center
    left, top = max(0, int(x - reach)), max(0, int(y - reach))
    part = rgb[top : int(y + reach) + 2, left : int(x + reach) + 2]
    factor = _FACE_SIDE / side
    shrink_x = shrink_y = 1.0
    if factor < 0.7 and min(part.shape[:2]) > 8:
        size = (max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor)))
        shrink_x, shrink_y = size[0] / part.shape[1], size[1] / part.shape[0]
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    pixels = round(_FACE_SIDE * (1 + 2 * margin))
    cos, sin = np.cos(np.deg2rad(degrees)) * factor, np.sin(np.deg2rad(degrees)) * factor
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = pixels / 2 - turn @ np.array([x - left, y - top])
    matrix = np.column_stack([turn / np.array([shrink_x, shrink_y]), shift])
    return cv2.warpAffine(np.ascontiguousarray(part), matrix, (pixels, pixels), flags=cv2.INTER_LINEAR)
