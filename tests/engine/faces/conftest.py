"""Stand-ins at the two borders: a detector that knows where the faces are, and a face network that is a function."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from engine.backends.base import Session
from engine.backends.loaded import LoadedModel
from engine.faces.align import TEMPLATE
from engine.faces.face import Face
from engine.faces.landmarks import LOOK_SIDE
from engine.model_manager import ModelManager
from engine.models.info import CheckpointInfo
from engine.models.registry import REGISTRY
from tests.pictures import face_landmarks

FACE_INFO = CheckpointInfo("GFPGAN", "face", 1, 3, 3, 1, minimum_size=512)


def face_at(x: float, y: float, eyes: float, degrees: float = 0.0, score: float = 0.95) -> Face:
    """A face whose eyes are ``eyes`` pixels apart around (x, y)."""
    points = face_landmarks(x, y, eyes, degrees)
    middle = points.mean(0)
    return Face(middle[0] - 1.1 * eyes, middle[1] - 1.5 * eyes, 2.2 * eyes, 3.0 * eyes, points, score)


@dataclass
class KnownFaces:
    """A detector that finds what it was told, and in an aligned crop a face at the template."""

    faces: tuple[Face, ...]
    name: str = "yunet"

    def detect(self, rgb: np.ndarray) -> tuple[Face, ...]:
        return self.faces

    def look(self, rgb: np.ndarray) -> list[Face]:
        points = (TEMPLATE * LOOK_SIDE / 512).astype(np.float32)
        return [Face(60, 60, 200, 220, points, 0.95)] if rgb.shape[0] == LOOK_SIDE else []


class FunctionSession(Session):
    """A network that is a function of ``(N, 512, 512, 3)`` batches."""

    backend, precision = "stand-in", "fp32"

    def __init__(self, function, device="cpu"):
        self._function, self.device = function, device
        self.batches: list[int] = []
        self.trimmed = 0

    def infer(self, batch):
        self.batches.append(len(batch))
        return self._function(batch)

    def trim(self):
        self.trimmed += 1

    def close(self):
        pass


@dataclass
class StandInManager:
    """A real manager whose face model is a function; everything else is the manager's own.

    Attributes:
        sessions: device -> session.
        asked: the settings of every loan.
    """

    real: ModelManager
    sessions: dict[str, FunctionSession]
    device: str = "cpu"
    asked: list[dict] = field(default_factory=list)
    unloaded: list[str] = field(default_factory=list)

    def __getattr__(self, name):
        return getattr(self.real, name)

    def present(self):
        return [*self.real.present(), "stand-in", "face_detection_yunet_2023mar"]

    def default_face_model(self):
        return "stand-in"

    def resolve_device(self, device="auto", gpu_id=None):
        return self.device if device == "auto" else device

    def unload_model(self, name):
        self.unloaded.append(name)
        return 1

    @contextmanager
    def borrow(self, name, **how):
        if how.get("kind") != "face":
            with self.real.borrow(name, **how) as loaded:
                yield loaded
            return
        self.asked.append(how)
        yield LoadedModel(name, "key", FACE_INFO, self.sessions[how["device"]])


@pytest.fixture
def stand_in(manager):
    """Make a manager whose face network is a function, by default one that changes nothing."""

    def make(function=lambda batch: batch, **sessions) -> StandInManager:
        return StandInManager(manager, {"cpu": FunctionSession(function), **sessions})

    return make


@pytest.fixture
def known(monkeypatch):
    """Let the main job find these faces, in a picture that counts as a photograph."""

    def use(*faces: Face) -> KnownFaces:
        detector = KnownFaces(tuple(faces))
        monkeypatch.setattr("engine.face_restorer.open_detector", lambda manager, **_: detector)
        monkeypatch.setattr("engine.face_restorer._probability_drawn", lambda picture: 0.0)
        return detector

    return use


@pytest.fixture
def bare(tmp_path) -> ModelManager:
    """A manager over an empty weights folder: nothing is installed."""
    return ModelManager(dict(REGISTRY), Path(tmp_path) / "none", bundled_dir=None, cache_dir=None, device="cpu")
