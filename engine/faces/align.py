"""Bringing a face to the position that restoration networks were trained on, and pixels along with it.

Coordinates are continuous: pixel ``i`` covers ``i .. i + 1``, so one position means the same place in a picture and in
its enlargement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.models.face_network import CROP_SIDE

TEMPLATE = (
    np.array(
        [
            (192.98138, 239.94708),
            (318.90277, 240.1936),
            (256.63416, 314.01935),
            (201.26117, 371.41043),
            (313.08905, 371.15118),
        ]
    )
    + 0.5
)
"""Where the FFHQ data set (Karras et al., 2019) has right eye, left eye, nose tip and corners of the mouth, scaled to
512 pixels. The published numbers count from the middle of the first pixel, hence the half."""
_SHRINK = 0.8
"""Below this scale a plain interpolation would skip pixels, so they are averaged first."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """A map from a picture to an upright face crop of ``CROP_SIDE`` pixels.

    Attributes:
        matrix: ``(2, 3) float64``; ``crop = matrix[:, :2] @ picture + matrix[:, 2]``.
    """

    matrix: np.ndarray

    @property
    def scale(self) -> float:
        """Crop pixels a picture pixel."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    @property
    def degrees(self) -> float:
        """How far the face is turned in the picture's plane, clockwise."""
        return float(np.degrees(np.arctan2(-self.matrix[1, 0], self.matrix[0, 0])))

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """``(N, 2)`` positions in the picture as positions in the crop."""
        return np.asarray(points, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """The inverse of ``to_crop``."""
        return np.asarray(points, np.float64) @ self.inverse[:, :2].T + self.inverse[:, 2]

    @property
    def inverse(self) -> np.ndarray:
        """``(2, 3)`` map from the crop to the picture."""
        back = np.linalg.inv(self.matrix[:, :2])
        return np.column_stack([back, -back @ self.matrix[:, 2]])

    def scaled(self, factor_x: float, factor_y: float) -> Alignment:
        """The same face in a picture of another size."""
        return Alignment(np.column_stack([self.matrix[:, :2] / (factor_x, factor_y), self.matrix[:, 2]]))

    def moved(self, dx: float, dy: float) -> Alignment:
        """The same face in a picture whose content lies ``dx``, ``dy`` further right and down."""
        turn = self.matrix[:, :2]
        return Alignment(np.column_stack([turn, self.matrix[:, 2] - turn @ (dx, dy)]))

    def box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the crop in a picture of ``size`` (width, height), clipped to it."""
        side = float(CROP_SIDE)
        corners = self.to_picture(np.array([(0.0, 0.0), (side, 0.0), (0.0, side), (side, side)]))
        (left, top), (right, bottom) = np.floor(corners.min(0)) - 2, np.ceil(corners.max(0)) + 2
        width, height = size
        return (
            int(np.clip(left, 0, width)),
            int(np.clip(top, 0, height)),
            int(np.clip(right, 0, width)),
            int(np.clip(bottom, 0, height)),
        )


def align(landmarks: np.ndarray, template: np.ndarray = TEMPLATE) -> Alignment:
    """The similarity (turn, scale, shift; no mirroring) that brings landmarks closest to the template.

    Least squares in closed form: Umeyama, Least-squares estimation of transformation parameters between two point
    patterns, 1991.

    Args:
        landmarks: ``(5, 2)`` in the picture, ordered as in ``engine.faces.face.Face``.
    """
    points = np.asarray(landmarks, np.float64)
    center, target = points.mean(0), template.mean(0)
    points, wanted = points - center, template - target
    u, singular, v = np.linalg.svd(wanted.T @ points)
    sign = np.array([1.0, np.sign(np.linalg.det(u @ v)) or 1.0])
    turn = (u * sign) @ v * ((singular * sign).sum() / max(float((points**2).sum()), 1e-12))
    return Alignment(np.column_stack([turn, target - turn @ center]))


def warp(pixels: np.ndarray, matrix: np.ndarray, size: tuple[int, int], *, reflect: bool = True) -> np.ndarray:
    """Resample through an affine map without aliasing; ``float32``.

    Args:
        pixels: ``(H, W)`` or ``(H, W, C)`` of ``uint8``, ``uint16`` or ``float32``.
        matrix: ``(2, 3)`` from source to result, in continuous coordinates.
        size: (width, height) of the result.
        reflect: what lies outside the source mirrors it; else it is zero.
    """
    from utils.opencv import cv2

    source, unit = np.ascontiguousarray(pixels), 1.0
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    matrix = np.asarray(matrix, np.float64)
    if scale < _SHRINK:
        height, width = source.shape[:2]
        # Large faces are reduced as integers: a quarter of the memory, and 16 bits hold the mean well enough.
        if source.dtype == np.uint8:
            source = source.astype(np.uint16) * np.uint16(257)
            unit = 257.0
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        source = cv2.resize(source, small, interpolation=cv2.INTER_AREA)
        matrix = np.column_stack([matrix[:, :2] * (width / small[0], height / small[1]), matrix[:, 2]])
    source = np.asarray(source, np.float32) / np.float32(unit)
    # OpenCV counts from the middle of the first pixel.
    shift = matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5
    border = cv2.BORDER_REFLECT_101 if reflect else cv2.BORDER_CONSTANT
    result: np.ndarray = cv2.warpAffine(
        source, np.column_stack([matrix[:, :2], shift]), size, flags=cv2.INTER_CUBIC, borderMode=border
    )
    return result.reshape(size[1], size[0], *pixels.shape[2:])


def crop_face(pixels: np.ndarray, alignment: Alignment) -> np.ndarray:
    """The aligned face: ``(512, 512, C) float32`` in 0..1. Beyond the picture's border it is mirrored.

    Args:
        pixels: the whole picture, ``(H, W, C) uint8 | uint16``.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = alignment.box((width, height))
    if left >= right or top >= bottom:
        left, top, right, bottom = 0, 0, width, height
    part = pixels[top:bottom, left:right]
    white = 255.0 if pixels.dtype == np.uint8 else 65535.0
    crop = warp(part, alignment.moved(-left, -top).matrix, (CROP_SIDE, CROP_SIDE))
    return np.clip(crop / white, 0, 1, dtype=np.float32)
