"""Faces: found, chosen, restored by a network, guarded, and handed on to be pasted into the enhanced picture.

The pieces are in ``engine/faces``; this module runs them in order. Nothing here downloads anything.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.damage import blur_level
from engine.face_detector import Face, FaceDetector, open_detector
from engine.faces.choose import FoundFace, Surroundings, choose
from engine.types import EnhanceSettings, JobControl
from utils.pixels import to_eight_bits

if TYPE_CHECKING:
    from engine.model_manager import ModelManager
    from utils.picture import Picture


class FaceRestorer:
    """Finds and restores faces. Safe to use from several threads.

    Args:
        manager: knows the face models and loads them.
        detector: finds faces; by default YuNet where its file is installed, else OpenCV's Haar cascades, whose faces
            are counted but not restored, since they come without landmarks.
    """

    def __init__(self, manager: ModelManager, detector: FaceDetector | None = None) -> None:
        self._manager, self._own_detector = manager, detector
        self._lock = threading.Lock()

    @property
    def detector(self) -> FaceDetector:
        with self._lock:
            if self._own_detector is None:
                self._own_detector = open_detector(self._manager, allow_download=False)
            return self._own_detector

    def find(
        self,
        picture: Picture,
        settings: EnhanceSettings | None = None,
        *,
        part: tuple[int, int, int, int] | None = None,
        control: JobControl | None = None,
    ) -> tuple[FoundFace, ...]:
        """Every face with the decision about it, numbered from 1, the largest first.

        Args:
            settings: the fields ``face_*`` decide; by default everything that can be restored is.
            part: (left, top, width, height) of the picture that will be used; None = all of it.
        """
        settings = settings or EnhanceSettings.create(face_enhance=True)
        rgb = _rgb(picture)
        found = self.detector.detect(rgb)
        if control is not None:
            control.check()
        left, top, width, height = part or (0, 0, *picture.size)
        around = Surroundings(
            size=(width, height),
            drawn=_probability_drawn(picture) if found else 0.0,
            blur=lambda face: _blur(rgb, face),
            origin=(left, top),
        )
        return choose(found, settings, around)


def _rgb(picture: Picture) -> np.ndarray:
    """``(H, W, 3) uint8``; transparent parts show what lies under them."""
    pixels = to_eight_bits(picture.pixels)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _probability_drawn(picture: Picture) -> float:
    from engine.analysis.content import ContentClassifier
    from engine.analysis.view import view_of

    return ContentClassifier().probability_drawn(view_of(picture).small)


def _blur(rgb: np.ndarray, face: Face) -> float:
    height, width = rgb.shape[:2]
    left, top = max(0, int(face.x)), max(0, int(face.y))
    right, bottom = min(width, int(face.x + face.width)), min(height, int(face.y + face.height))
    return blur_level(np.ascontiguousarray(rgb[top:bottom, left:right, 1]))
