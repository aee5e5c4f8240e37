"""Which of the faces found are restored, and why the others are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.faces.face import Face, overlap
from engine.types import EnhanceSettings
from utils.json_types import JsonObject

LARGEST = 512
"""Height in pixels of the picture above which a face has more detail than the networks give back."""
SHARP_HEIGHT, SHARP_BLUR = 256, 0.32
"""With ``auto``: a face at least that tall and no more blurred than that gains nothing."""
SURELY_DRAWN = 0.9
"""Probability from which a picture's faces are taken for drawn ones."""

_LEAST_VISIBLE = 0.25
"""Share of a face's box that has to be in the part of the picture that is used."""


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face and what is to happen to it.

    Attributes:
        number: from 1, the largest face first; the same for the same picture.
        face: in pixels of the picture.
        restore: whether it will be restored; ``reason`` says in one sentence why, or why not.
    """

    number: int
    face: Face
    restore: bool
    reason: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) in pixels of the picture."""
        face = self.face
        return face.x, face.y, face.x + face.width, face.y + face.height

    def to_json(self) -> JsonObject:
        """Number, box, score and landmarks, and the decision with its reason."""
        return {"number": self.number, **self.face.to_json(), "restore": self.restore, "reason": self.reason}


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the decisions depend on beside the face itself.

    Attributes:
        size: (width, height) of the picture, or of the part of it that is used; ``origin`` is that part's corner.
        drawn: probability that the picture is drawn.
        blur: a face's blur as ``engine.analysis.damage.blur_level`` gives it; asked only where it matters.
    """

    size: tuple[int, int]
    drawn: float
    blur: Callable[[Face], float]
    origin: tuple[int, int] = (0, 0)


def choose(faces: Sequence[Face], settings: EnhanceSettings, around: Surroundings) -> tuple[FoundFace, ...]:
    """Decide about every face. A number the person named is followed, whatever else speaks against it."""
    found = [FoundFace(number, face, *_decide(number, face, settings, around)) for number, face in enumerate(faces, 1)]
    if not settings.face_central_only:
        return tuple(found)
    wanted = [one for one in found if one.restore]
    central = min(wanted, key=lambda one: _from_middle(one.face, around), default=None)
    return tuple(
        replace(one, restore=False, reason="Another face is nearer to the middle.")
        if one.restore and one is not central
        else one
        for one in found
    )


def _decide(number: int, face: Face, settings: EnhanceSettings, around: Surroundings) -> tuple[bool, str]:
    if face.landmarks is None:
        return False, "Its eyes and mouth were not located: the detector YuNet (0.2 MB) is not installed."
    if not _inside(face, around):
        return False, "It lies in the part that is cut away."
    if number in settings.face_skip:
        return False, "Skipped by choice."
    if settings.face_keep:
        return (True, "Chosen.") if number in settings.face_keep else (False, "Not among the chosen ones.")
    if around.drawn >= SURELY_DRAWN:
        return False, "It is drawn; face models know photographs only."
    if face.height < settings.face_min_height:
        return False, f"Too small: {face.height:.0f} of at least {settings.face_min_height} pixels high."
    if face.height > LARGEST and not settings.face_large:
        return False, f"Already {face.height:.0f} pixels high: a face model would take detail away."
    if settings.face_enhance == "auto" and face.height >= SHARP_HEIGHT and around.blur(face) <= SHARP_BLUR:
        return False, "Sharp already."
    return True, f"{face.height:.0f} pixels high."


def _inside(face: Face, around: Surroundings) -> bool:
    """Whether enough of the face is in the part of the picture that is used."""
    (left, top), (width, height) = around.origin, around.size
    common = overlap(face, Face(left, top, width, height))
    return common >= _LEAST_VISIBLE * face.width * face.height


def _from_middle(face: Face, around: Surroundings) -> float:
    middle = np.add(around.origin, np.array(around.size) / 2)
    return float(np.hypot(*(np.array(face.center) - middle)))
