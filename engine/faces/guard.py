"""Whether the restored face is still the same person, as far as the picture can tell.

The picture shows everything coarser than its pixels: where eyes and mouth are, and the shading of the face. A
restoration may add what is finer; if it changes what was visible, it shows somebody else. Measured by
``python -m benchmarks.face_guard``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.faces.align import CROP_SIDE, TEMPLATE
from engine.faces.face import Face
from engine.faces.landmarks import landmarks_in_crop
from engine.faces.mask import face_mask

LIKE, UNLIKE = 0.93, 0.88
"""Likeness from which a face is shown as restored, and the one from which it is put back; between, it is blended."""
MOVED, MOVED_FAR = 0.14, 0.21
"""The same for the landmarks' mean move, in distances between the eyes, for faces of 4 crop pixels a picture pixel."""
_RELIABLE_SCALE = 4.0
_FINEST, _COARSEST = 12.0, 48.0
"""Standard deviations in crop pixels between which shading is compared. Coarser tones are taken from the picture."""
_REDUCTION = 4

Find = Callable[[np.ndarray], list[Face]]


@dataclass(frozen=True)
class Verdict:
    """The comparison of a face before and after.

    Attributes:
        likeness: correlation of the visible shading, -1..1; 1 = the same.
        landmark_shift: mean move of eyes, nose and mouth, in distances between the eyes; None where the face was too
            unclear to locate them before.
        share: how much of the restored face may be shown, 0..1.
        reason: one sentence; empty where nothing is to be said.
    """

    likeness: float
    landmark_shift: float | None
    share: float
    reason: str = ""


def compare(before: np.ndarray, after: np.ndarray, scale: float, find: Find | None) -> Verdict:
    """Judge one face.

    Args:
        before, after: aligned crops, ``(512, 512, 1 or 3) float32`` in 0..1.
        scale: crop pixels a picture pixel: what is finer was not visible before.
        find: the detector's look at a small picture; without one the landmarks are not compared.
    """
    alike = likeness(before, after, scale)
    share, reason = _ramp(alike, UNLIKE, LIKE), ""
    if share < 1:
        reason = f"Its features changed (likeness {alike:.2f})."
    shift = None
    old = landmarks_in_crop(before, find) if find is not None else None
    if find is not None and old is not None:
        new = landmarks_in_crop(after, find)
        if new is None:
            return Verdict(alike, None, 0.0, "After restoring it is no face any more.")
        eyes = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))
        shift = float(np.linalg.norm(new - old, axis=1).mean()) / eyes
        # Landmarks of a face of few pixels are not known any better.
        allowed = max(1.0, scale / _RELIABLE_SCALE)
        still = _ramp(-shift, -MOVED_FAR * allowed, -MOVED * allowed)
        if still < share:
            share, reason = still, f"Eyes, nose or mouth moved by {shift:.0%} of the distance between the eyes."
    return Verdict(alike, shift, share, reason)


def likeness(before: np.ndarray, after: np.ndarray, scale: float) -> float:
    """Correlation of two crops' shading inside the face, at sizes that were visible before."""
    finest = min(max(_FINEST, scale), _COARSEST / 2)
    a, b = (_shading(np.asarray(crop, np.float32), finest) for crop in (before, after))
    energy = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # Without any shading, as in a black crop, there is nothing that could have changed.
    return float((a * b).sum()) / energy if energy > 1e-3 else float(np.abs(a - b).max() < 1e-2)


def _shading(crop: np.ndarray, finest: float) -> np.ndarray:
    """The crop's band of frequencies, weighed by the mask of an upright face."""
    from utils.opencv import cv2

    side = CROP_SIDE // _REDUCTION
    weight = cv2.resize(face_mask(TEMPLATE), (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA).reshape(side, side, -1)
    fine = cv2.GaussianBlur(small, (0, 0), finest / _REDUCTION).reshape(small.shape)
    # The mean around is taken inside the face only: what lies behind it does not count.
    inside = (weight + 1e-3)[..., None]
    sigma = _COARSEST / _REDUCTION
    around = cv2.GaussianBlur(small * inside, (0, 0), sigma).reshape(small.shape)
    total = cv2.GaussianBlur(inside[..., 0], (0, 0), sigma)[..., None]
    band: np.ndarray = ((fine - around / total) * np.sqrt(weight)[..., None]).mean(axis=2)
    return band


def _ramp(value: float, none: float, full: float) -> float:
    return float(np.clip((value - none) / (full - none), 0, 1))
