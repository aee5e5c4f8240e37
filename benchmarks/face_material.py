"""Faces to measure with: real ones from a folder, made small and worn, with the truth kept beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from config import Config
from engine.faces.align import Alignment, align, crop_face
from engine.faces.detector import FaceDetector, open_detector
from engine.faces.face import Face
from engine.faces.landmarks import refine
from engine.model_manager import ModelManager
from utils import image_io
from utils.errors import EngineError
from utils.pixels import to_eight_bits

LEAST_HEIGHT = 140
"""Faces of fewer pixels are no truth to compare with."""


@dataclass(frozen=True, eq=False)
class TrueFace:
    """A large face in its picture, ``(H, W, 3) uint8``."""

    name: str
    pixels: np.ndarray
    face: Face


@dataclass(frozen=True, eq=False)
class WornFace:
    """The same picture made small and worn.

    Attributes:
        pixels: ``(h, w, 3) uint8``; ``alignment`` brings its face upright, ``crop`` is that.
        truth: the true picture's crop by the same alignment, ``(512, 512, 3) float32``: a perfect restoration.
    """

    pixels: np.ndarray
    alignment: Alignment
    crop: np.ndarray
    truth: np.ndarray


def detector() -> FaceDetector:
    """YuNet, which must be installed."""
    found = open_detector(ModelManager.from_config(Config()))
    if found.name != "yunet":
        raise SystemExit("YuNet is not installed: `python main.py models download face_detection_yunet_2023mar`.")
    return found


def true_faces(folder: Path, find: FaceDetector) -> list[TrueFace]:
    """Every face of ``LEAST_HEIGHT`` pixels and more in the pictures of a folder and its sub-folders."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            pixels = to_eight_bits(image_io.load(path).pixels)
        except EngineError:
            continue
        pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        for face in find.detect(pixels):
            if face.height >= LEAST_HEIGHT:
                found.append(TrueFace(path.name, pixels, refine(pixels, face, find.look)))
    return found


def upright(one: TrueFace) -> np.ndarray:
    """The aligned crop, ``(512, 512, 3) float32``."""
    assert one.face.landmarks is not None
    return crop_face(one.pixels, align(one.face.landmarks))


def wear(one: TrueFace, height: int, find: FaceDetector, random: np.random.Generator) -> WornFace | None:
    """The face reduced to ``height`` pixels, blurred, noisy and compressed; None where it is not found any more."""
    import cv2

    factor = height / one.face.height
    size = (max(8, round(one.pixels.shape[1] * factor)), max(8, round(one.pixels.shape[0] * factor)))
    soft = cv2.GaussianBlur(one.pixels, (0, 0), 0.6 / factor) if factor < 1 else one.pixels
    small = cv2.resize(soft, size, interpolation=cv2.INTER_AREA)
    noisy = np.clip(small + random.normal(0, 5, small.shape), 0, 255).astype(np.uint8)
    worn = cv2.imdecode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    assert worn is not None
    across, down = size[0] / one.pixels.shape[1], size[1] / one.pixels.shape[0]
    expected = one.face.scaled(across, down).center
    near = [face for face in find.detect(worn) if np.hypot(*np.subtract(face.center, expected)) < 0.4 * height]
    if not near:
        return None
    landmarks = refine(worn, near[0], find.look).landmarks
    assert landmarks is not None
    alignment = align(landmarks)
    truth = crop_face(one.pixels, alignment.scaled(1 / across, 1 / down))
    return WornFace(worn, alignment, crop_face(worn, alignment), truth)


def strangers(faces: list[TrueFace], one: TrueFace, count: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Aligned crops of faces from other pictures."""
    others = [other for other in faces if other.name != one.name]
    for index in random.permutation(len(others))[:count]:
        yield upright(others[index])
