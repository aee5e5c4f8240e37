"""Faces: found, chosen, restored by a network, guarded, and handed on to be pasted into the enhanced picture.

The pieces are in ``engine/faces``; this module runs them in order. Nothing here downloads anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.damage import blur_level
from engine.faces.align import align, crop_face
from engine.faces.choose import FoundFace, Surroundings, choose
from engine.faces.detector import FaceDetector, open_detector
from engine.faces.face import Face
from engine.faces.guard import Verdict, compare
from engine.faces.landmarks import refine
from engine.faces.missing_models import missing_face_models
from engine.faces.paste import FacePatch, as_channels
from engine.faces.run_network import FaceRun
from engine.types import EnhanceSettings, JobControl
from utils.errors import ModelNotFoundError
from utils.json_types import JsonObject
from utils.pixels import to_eight_bits

if TYPE_CHECKING:
    from engine.model_manager import ModelManager
    from utils.picture import Picture


@dataclass(frozen=True, eq=False)
class RestoredFaces:
    """What became of a picture's faces.

    Attributes:
        found: every face with its decision.
        patches: the restored ones, aligned to the picture they were found in.
        verdicts: of the identity guard, by number.
        seconds: finding is not in it; ``load``, ``restore`` and ``guard`` are.
    """

    found: tuple[FoundFace, ...]
    patches: tuple[FacePatch, ...]
    verdicts: dict[int, Verdict]
    model: str
    backend: str
    device: str
    precision: str
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    def to_json(self) -> list[JsonObject]:
        """A row a face: number, box in the input, score, decision, reason, and what the guard measured."""
        shown = {patch.number: patch for patch in self.patches}
        return [_row(one, shown.get(one.number), self.verdicts.get(one.number)) for one in self.found]


class FaceRestorer:
    """Finds and restores faces. Safe to use from several threads.

    Args:
        manager: knows the face models and loads them.
        detector: finds faces; by default YuNet where its file is installed, else OpenCV's Haar cascades, whose faces
            are counted but not restored, since they come without landmarks.
    """

    def __init__(self, manager: ModelManager, detector: FaceDetector | None = None) -> None:
        self._manager, self._given_detector = manager, detector
        self._opened_detector: FaceDetector | None = None
        self._lock = threading.Lock()

    @property
    def detector(self) -> FaceDetector:
        """What finds faces; opened on first use, and again when YuNet was installed meanwhile."""
        if self._given_detector is not None:
            return self._given_detector
        with self._lock:
            self._opened_detector = open_detector(self._manager, current=self._opened_detector)
            return self._opened_detector

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

    def restore(
        self,
        picture: Picture,
        found: Sequence[FoundFace],
        settings: EnhanceSettings | None = None,
        *,
        control: JobControl | None = None,
    ) -> RestoredFaces:
        """Restore the faces that are to be restored; the picture itself is not changed (see ``engine.faces.paste``).

        Raises:
            ModelNotFoundError: no face model is installed.
            ModelError, BackendError, OutOfMemoryError: it cannot be used.
        """
        settings = settings or EnhanceSettings.create(face_enhance=True)
        absent = missing_face_models(self._manager, settings.face_model)
        if absent is not None:
            raise ModelNotFoundError(absent.text)
        name = settings.face_model if settings.face_model != "auto" else self._manager.default_face_model()
        assert name is not None
        started = time.perf_counter()
        run = FaceRun(self._manager, name, settings, control or JobControl())
        wanted = [one for one in found if one.restore]
        faces = [refine(picture.pixels, one.face, self.detector.look) for one in wanted]
        alignments = [align(_landmarks(face)) for face in faces]
        crops = [crop_face(picture.pixels, alignment) for alignment in alignments]
        restored = run.restore(crops) if crops else []
        after_network = time.perf_counter()
        patches, verdicts = [], {}
        for one, face, alignment, before, after in zip(wanted, faces, alignments, crops, restored, strict=True):
            seen = as_channels(after.astype(np.float32) / 65535, before)
            verdict = verdicts[one.number] = compare(before, seen, alignment.scale, self.detector.look)
            landmarks = alignment.to_crop(_landmarks(face))
            allowed = verdict.share if settings.face_guard else 1.0
            patches.append(FacePatch(one.number, alignment, landmarks, after, settings.face_strength, allowed))
        return RestoredFaces(
            found=tuple(found),
            patches=tuple(patches),
            verdicts=verdicts,
            model=name,
            backend=run.backend,
            device=run.device,
            precision=run.precision,
            seconds={
                "load": round(run.load_seconds, 3),
                "restore": round(after_network - started - run.load_seconds, 3),
                "guard": round(time.perf_counter() - after_network, 3),
            },
            warnings=tuple(run.warnings),
        )


def _row(one: FoundFace, patch: FacePatch | None, verdict: Verdict | None) -> JsonObject:
    row: JsonObject = {"number": one.number, **one.face.to_json(), "decision": "left alone", "reason": one.reason}
    if patch is None or verdict is None:
        return row
    shift = verdict.landmark_shift
    return row | {
        "decision": patch.decision,
        "reason": verdict.reason or one.reason,
        "strength": round(patch.shown, 3),
        "likeness": round(verdict.likeness, 3),
        "landmark_shift": None if shift is None else round(shift, 3),
    }


def _landmarks(face: Face) -> np.ndarray:
    assert face.landmarks is not None
    return face.landmarks


def _rgb(picture: Picture) -> np.ndarray:
    """``(H, W, 3) uint8``; transparent parts show what lies under them."""
    pixels = to_eight_bits(picture.pixels)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _probability_drawn(picture: Picture) -> float:
    from engine.analysis.content import ContentClassifier
    from engine.analysis.planes import planes_of

    return ContentClassifier().probability_drawn(planes_of(picture).small)


def _blur(rgb: np.ndarray, face: Face) -> float:
    height, width = rgb.shape[:2]
    left, top = max(0, int(face.x)), max(0, int(face.y))
    right, bottom = min(width, int(face.x + face.width)), min(height, int(face.y + face.height))
    return blur_level(np.ascontiguousarray(rgb[top:bottom, left:right, 1]))
