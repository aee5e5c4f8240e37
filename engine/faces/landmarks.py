"""Landmarks that can be relied on: the detector's first ones lie several percent of the face's size off.

The face is brought upright at one size, where the detector sees it as it was trained to; that crop and its mirror image
are asked, and their mean is taken. A few rounds, since the first crop is only as straight as the first landmarks.
Measured by ``python -m benchmarks.faces --landmarks``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.faces.align import CROP_SIDE, TEMPLATE, Alignment, align, crop_face
from engine.faces.face import Face

LOOK_SIDE = 320
"""Side of the crop the detector is shown: larger ones no longer give steadier landmarks."""
ROUNDS = 5
_SETTLED = 1.5
"""Mean move in crop pixels below which another round changes nothing that matters."""
_MIRRORED = (1, 0, 2, 4, 3)
_FARTHEST = 0.35
"""Of the distance between the eyes; landmarks that far from the expected ones belong to another face."""

Find = Callable[[np.ndarray], list[Face]]


def refine(pixels: np.ndarray, face: Face, find: Find) -> Face:
    """The same face with steadier landmarks; unchanged where the closer look does not find it.

    Args:
        pixels: the whole picture, ``(H, W, C) uint8 | uint16``.
        find: the detector's own look at a small picture.
    """
    points = face.landmarks
    if points is None:
        return face
    for _ in range(ROUNDS):
        alignment = align(points)
        present = alignment.to_crop(points)
        found = landmarks_in_crop(crop_face(pixels, alignment), find, present)
        if found is None:
            break
        points = alignment.to_picture(found)
        if float(np.linalg.norm(found - present, axis=1).mean()) < _SETTLED:
            break
    return replace(face, landmarks=np.asarray(points, np.float32))


def landmarks_in_crop(crop: np.ndarray, find: Find, expected: np.ndarray = TEMPLATE) -> np.ndarray | None:
    """``(5, 2)`` landmarks of the face in an aligned crop, in crop pixels; None when there is no face.

    Args:
        crop: ``(512, 512, C) float32`` in 0..1.
        expected: where they should be, about; other faces in the crop are passed over.
    """
    from utils.opencv import cv2

    small = cv2.resize(crop, (LOOK_SIDE, LOOK_SIDE), interpolation=cv2.INTER_AREA).reshape(LOOK_SIDE, LOOK_SIDE, -1)
    look = np.rint(small * 255).astype(np.uint8)
    look = np.ascontiguousarray(np.repeat(look, 3, axis=2) if look.shape[2] == 1 else look)
    factor = CROP_SIDE / LOOK_SIDE
    seen = [_nearest(find(look), expected / factor)]
    mirrored = expected[list(_MIRRORED)] / factor
    mirrored = np.column_stack([LOOK_SIDE - mirrored[:, 0], mirrored[:, 1]])
    other = _nearest(find(np.ascontiguousarray(look[:, ::-1])), mirrored)
    if other is not None:
        seen.append(np.column_stack([LOOK_SIDE - other[:, 0], other[:, 1]])[list(_MIRRORED)])
    known = [points for points in seen if points is not None]
    return np.mean(known, axis=0) * factor if known else None


def _nearest(faces: list[Face], expected: np.ndarray) -> np.ndarray | None:
    reach = _FARTHEST * float(np.linalg.norm(expected[1] - expected[0]) + np.linalg.norm(expected[3] - expected[0])) / 2
    best: tuple[float, np.ndarray] | None = None
    for face in faces:
        if face.landmarks is None:
            continue
        distance = float(np.linalg.norm(face.landmarks - expected, axis=1).mean())
        if distance < reach and (best is None or distance < best[0]):
            best = distance, np.asarray(face.landmarks, np.float64)
    return None if best is None else best[1]


def alignment_of(pixels: np.ndarray, face: Face, find: Find | None = None) -> Alignment:
    """The alignment of a face that has landmarks, refined where the detector's own look is given."""
    refined = face if find is None else refine(pixels, face, find)
    assert refined.landmarks is not None
    return align(refined.landmarks)
