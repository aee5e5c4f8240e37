"""Which pixels of an aligned crop belong to the face: soft, following the landmarks, zero at the crop's border."""

from __future__ import annotations

import numpy as np

from engine.faces.align import CROP_SIDE

FEATHER = 0.42
"""Width of the fade, as a share of the face's unit (about the distance between the eyes of a frontal face)."""
_BORDER = 48
"""Pixels over which the mask fades towards the crop's border, whatever the landmarks say."""


def face_mask(landmarks: np.ndarray) -> np.ndarray:
    """``(512, 512) float32`` in 0..1: 1 from brow to chin and cheek to cheek, fading out over the face's outline.

    The core is the convex hull of the landmarks, grown outwards by what a face has around them. On a turned face the
    far side is narrower by as much as the nose is nearer to that eye.

    Args:
        landmarks: ``(5, 2)`` in crop pixels.
    """
    from utils.opencv import cv2

    outline, unit = _outline(np.asarray(landmarks, np.float64))
    outside = np.full((CROP_SIDE, CROP_SIDE), 255, np.uint8)
    cv2.fillConvexPoly(outside, cv2.convexHull(np.rint(outline).astype(np.int32)), 0)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    mask = _smooth(1 - distance / (FEATHER * unit))
    edge = np.minimum(np.arange(CROP_SIDE), np.arange(CROP_SIDE)[::-1]) / _BORDER
    ramp = _smooth(edge)
    return (mask * ramp[:, None] * ramp).astype(np.float32)


def _outline(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Corners of the core, and the face's unit in pixels."""
    right_eye, left_eye, nose, right_mouth, left_mouth = points
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    across = left_eye - right_eye
    width = max(float(np.linalg.norm(across)), 1e-6)
    down = mouth - eyes
    length = max(float(np.linalg.norm(down)), 1e-6)
    across, down = across / width, down / length
    unit = float(np.clip(max(width, 0.9 * length), 16, CROP_SIDE / 2))
    towards = float(np.clip((nose - eyes) @ across / (0.5 * unit), -1, 1))
    right, left = np.clip((1 + towards, 1 - towards), 0.25, 1.3) * unit
    return (
        np.array(
            [
                right_eye - 0.30 * right * across,
                left_eye + 0.30 * left * across,
                right_eye - 0.10 * right * across - 0.50 * unit * down,
                left_eye + 0.10 * left * across - 0.50 * unit * down,
                right_mouth - 0.22 * right * across,
                left_mouth + 0.22 * left * across,
                mouth - 0.22 * unit * across + 0.42 * unit * down,
                mouth + 0.22 * unit * across + 0.42 * unit * down,
            ]
        ),
        unit,
    )


def _smooth(value: np.ndarray) -> np.ndarray:
    """Smoothstep of values clipped to 0..1: no edge where the fade begins or ends."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)
