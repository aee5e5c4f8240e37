"""Finding faces: YuNet where its file is here, else the Haar cascades that OpenCV brings along.

YuNet (Wu et al., YuNet: a tiny millisecond-level face detector, 2023) looks once at the picture reduced to 640 pixels
and once at a much smaller one, where a face that fills the picture has the size it was trained on. What it is not sure
of is verified (``engine.faces.verification``).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.faces.face import Face, has_face_geometry, overlap
from engine.faces.verification import is_face

if TYPE_CHECKING:
    from engine.model_manager import ModelManager

MIN_FACE_HEIGHT = 20
"""Pixels of the picture; what is smaller holds no face that can be told from chance."""
MAIN_SIDE, SMALL_SIDE, LARGE_SIDE = 640, 256, 1280
"""Longer sides of the reduced pictures: the usual look, the one for huge faces, the one for crowds."""
CROWD_FACE_HEIGHT = 24
"""Candidates smaller than this in the usual look, in a picture that has more pixels to show, call for the large one."""
CANDIDATE_SCORE = 0.5
_OVERLAP = 0.3
_CONTAINED = 0.65
DETECTOR_MODELS = ("face_detection_yunet_2026may", "face_detection_yunet_2023mar")
"""Registry names, best first. Either file serves."""


class FaceDetector:
    """Finds faces; one detector may be used from several threads.

    Args:
        model_path: YuNet's ONNX file; None uses the Haar cascades.

    Attributes:
        name: "yunet" or "haar".
    """

    def __init__(self, model_path: Path | None = None) -> None:
        self.name = "yunet" if model_path is not None else "haar"
        self._network = YuNet(Path(model_path)) if model_path is not None else None
        self._haar = _Haar() if model_path is None else None

    def detect(self, rgb: np.ndarray) -> tuple[Face, ...]:
        """Faces in an ``(H, W, 3) uint8`` RGB picture (or ``(H, W)`` / ``(H, W, 1)`` gray), largest first."""
        from utils.opencv import cv2

        if rgb.ndim == 2 or rgb.shape[2] == 1:
            rgb = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_GRAY2RGB)
        if min(rgb.shape[:2]) < MIN_FACE_HEIGHT:
            return ()
        if self._haar is not None:
            found = self._haar.detect(rgb)
        else:
            found = self._with_network(rgb)
        kept = [face for face in found if face.height >= MIN_FACE_HEIGHT]
        return tuple(sorted(kept, key=lambda face: -face.height * face.width))

    def look(self, rgb: np.ndarray) -> list[Face]:
        """One plain look at a small ``(H, W, 3) uint8`` picture as it is; nothing with Haar cascades."""
        return [] if self._network is None else self._network.run(rgb)

    def _with_network(self, rgb: np.ndarray) -> list[Face]:
        network = self._network
        assert network is not None
        main, scale = _reduced(rgb, MAIN_SIDE)
        found = [face.scaled(1 / scale) for face in network.run(main)]
        small, small_scale = _reduced(main, SMALL_SIDE)
        if small_scale < 1:
            found += [face.scaled(1 / (scale * small_scale)) for face in network.run(small)]
        if scale < 0.75 and any(face.height * scale < CROWD_FACE_HEIGHT for face in found):
            large, large_scale = _reduced(rgb, LARGE_SIDE)
            found += [face.scaled(1 / large_scale) for face in network.run(large)]
        found = [face for face in found if face.height >= MIN_FACE_HEIGHT and has_face_geometry(face)]
        return [face for face in merge(found) if is_face(rgb, face, network.run)]


class YuNet:
    """OpenCV's ``FaceDetectorYN`` behind a lock: it keeps its input size between calls."""

    def __init__(self, path: Path) -> None:
        from utils.errors import UnsupportedModelError
        from utils.opencv import cv2

        try:
            # From memory: OpenCV cannot open paths with characters outside the system's code page on Windows.
            weights = np.frombuffer(path.read_bytes(), np.uint8)
            self._network = cv2.FaceDetectorYN.create(
                "onnx", weights, np.empty(0, np.uint8), (MAIN_SIDE, MAIN_SIDE), CANDIDATE_SCORE, _OVERLAP, 500
            )
        except (OSError, cv2.error) as error:
            raise UnsupportedModelError(
                f"'{path}' is not a face detector that OpenCV can read; delete it and download it again."
            ) from error
        self._lock = threading.Lock()

    def run(self, rgb: np.ndarray) -> list[Face]:
        """Every candidate of score 0.5 and more in an ``(H, W, 3) uint8`` picture, at its own size."""
        from utils.opencv import cv2

        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        with self._lock:
            self._network.setInputSize((bgr.shape[1], bgr.shape[0]))
            _, rows = self._network.detect(bgr)
        if rows is None:
            return []
        return [_face_of(row) for row in rows]


def _face_of(row: np.ndarray) -> Face:
    """A row of YuNet's answer: box, five points, score."""
    x, y, width, height = map(float, row[:4])
    return Face(x, y, width, height, row[4:14].reshape(5, 2).astype(np.float32), float(row[14]))


class _Haar:
    """Viola-Jones cascades. They give no landmarks and are sure of nothing: two of them have to agree, or see eyes."""

    def __init__(self) -> None:
        from utils.opencv import cv2

        folder = Path(cv2.data.haarcascades)  # type: ignore[attr-defined]
        names = ("haarcascade_frontalface_alt2", "haarcascade_frontalface_default", "haarcascade_eye")
        self._first, self._second, self._eyes = (cv2.CascadeClassifier(str(folder / f"{name}.xml")) for name in names)
        self._lock = threading.Lock()

    def detect(self, rgb: np.ndarray) -> list[Face]:
        from utils.opencv import cv2

        reduced, scale = _reduced(rgb, MAIN_SIDE)
        gray = cv2.equalizeHist(cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY))
        with self._lock:
            found = self._first.detectMultiScale(gray, 1.1, 5, minSize=(24, 24))
            boxes = [box for box in np.asarray(found).reshape(-1, 4) if self._confirmed(gray, box)]
        faces = [Face(float(x), float(y), float(width), float(height), score=0.5) for x, y, width, height in boxes]
        return merge([face.scaled(1 / scale) for face in faces])

    def _confirmed(self, gray: np.ndarray, box: np.ndarray) -> bool:
        from utils.opencv import cv2

        x, y, width, height = map(int, box)
        margin = width // 4
        window = gray[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
        factor = 160 / width
        window = cv2.resize(window, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        return len(self._second.detectMultiScale(window, 1.1, 4, minSize=(96, 96))) > 0


def _reduced(rgb: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """The picture with its longer side at most ``side``, and the factor."""
    from utils.opencv import cv2

    height, width = rgb.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return rgb, 1.0
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), factor


def merge(faces: Sequence[Face]) -> list[Face]:
    """Keep the best of faces that overlap, or of which one lies inside the other."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda one: -one.score):
        if not any(_same(face, other) for other in kept):
            kept.append(face)
    return kept


def _same(a: Face, b: Face) -> bool:
    common = overlap(a, b)
    areas = a.width * a.height, b.width * b.height
    return common / (sum(areas) - common) > _OVERLAP or common / min(areas) > _CONTAINED


def open_detector(
    manager: ModelManager, *, current: FaceDetector | None = None, fetch: bool = False, patience: float = 2.0
) -> FaceDetector:
    """The best detector there is: YuNet, else Haar cascades.

    Args:
        current: what an earlier call opened. It is returned, unless it is Haar and a file of YuNet has come since.
        fetch: bring YuNet (0.2 MB) where it is missing, if the manager may do so unasked.
        patience: seconds after which a slow download is left to itself and Haar cascades serve this time.
    """
    from utils.errors import ModelError

    if current is not None and (current.name != "haar" or set(DETECTOR_MODELS).isdisjoint(manager.present())):
        return current
    for name in DETECTOR_MODELS:
        try:
            return FaceDetector(manager.file(name).path)
        except ModelError:
            continue
    path = manager.fetch_quietly(DETECTOR_MODELS[-1], patience) if fetch else None
    return FaceDetector(path) if path else current or FaceDetector()
