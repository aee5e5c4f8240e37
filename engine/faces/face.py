"""A face in a picture: its box and landmarks, and what can be told from these alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from utils.json_types import JsonObject


@dataclass(frozen=True, eq=False)
class Face:
    """One face.

    Attributes:
        x, y, width, height: box in pixels of the picture; may reach over its border.
        landmarks: ``(5, 2) float32`` x, y of right eye, left eye, nose tip, right and left corner of the mouth (the
            person's right, so the left one in the picture); None from Haar cascades, which do not know them.
        score: 0..1.
    """

    x: float
    y: float
    width: float
    height: float
    landmarks: np.ndarray | None = field(default=None, repr=False)
    score: float = 1.0

    @property
    def center(self) -> tuple[float, float]:
        """(x, y) of the box's middle, in pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    def scaled(self, factor_x: float, factor_y: float | None = None) -> Face:
        """The same face in a picture of another size."""
        factor_y = factor_x if factor_y is None else factor_y
        points = self.landmarks
        if points is not None:
            points = (points * np.array((factor_x, factor_y))).astype(np.float32)
        return Face(
            self.x * factor_x, self.y * factor_y, self.width * factor_x, self.height * factor_y, points, self.score
        )

    def moved(self, dx: float, dy: float) -> Face:
        """The same face with its box and landmarks ``dx``, ``dy`` pixels further right and down."""
        points = None if self.landmarks is None else self.landmarks + np.array((dx, dy), np.float32)
        return replace(self, x=self.x + dx, y=self.y + dy, landmarks=points)

    def to_json(self) -> JsonObject:
        """Box in whole pixels and score."""
        box = [round(value) for value in (self.x, self.y, self.width, self.height)]
        return {"box": box, "score": round(self.score, 3)}


def overlap(a: Face, b: Face) -> float:
    """Square pixels that two boxes share."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(0.0, width) * max(0.0, height)


def has_face_geometry(face: Face) -> bool:
    """Whether the landmarks can belong to a human face: in their box, eyes and mouth well apart, nose between."""
    points = face.landmarks
    if points is None:
        return True
    size = np.array((face.width, face.height), np.float32)
    inside = (points - np.array((face.x, face.y), np.float32)) / size
    if (inside < -0.25).any() or (inside > 1.25).any():
        return False
    eyes, mouth, nose = points[:2].mean(0), points[3:].mean(0), points[2]
    down = mouth - eyes
    length = float(np.linalg.norm(down))
    if not 0.2 < length / float(np.hypot(*size) / np.sqrt(2)) < 1.0:
        return False
    along = float((nose - eyes) @ down) / length**2
    return -0.2 < along < 1.2
