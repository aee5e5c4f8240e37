"""Aligned crops through a face network: in batches that fit the memory, on the CPU where the device's does not do."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.backends.base import PrecisionError
from engine.pixels.tiling import TileOutOfMemory
from engine.types import EnhanceSettings, JobControl, Progress
from utils.errors import OutOfMemoryError, UnsupportedModelError

if TYPE_CHECKING:
    from engine.backends.loaded import LoadedModel
    from engine.model_manager import HowToLoad, ModelManager

logger = logging.getLogger(__name__)

GPU_BATCH = 8
"""Faces in one run on a GPU. A CPU gains nothing from more than one."""
_BACKENDS = ("torch", "openvino")


@dataclass
class FaceRun:
    """One picture's faces on their way through the network; its attributes say how they got there.

    Attributes:
        backend, device, precision: of the last batch.
        load_seconds: bringing the network.
        batch: faces in the largest run that fitted.
    """

    manager: ModelManager
    model: str
    settings: EnhanceSettings
    control: JobControl = field(default_factory=JobControl)
    warnings: list[str] = field(default_factory=list)
    backend: str = ""
    device: str = ""
    precision: str = ""
    load_seconds: float = 0.0
    batch: int = 0

    def restore(self, crops: Sequence[np.ndarray]) -> list[np.ndarray]:
        """``(512, 512, 3) uint16`` in 0..65535 for every ``(512, 512, 1 or 3) float32`` crop in 0..1.

        Raises:
            OutOfMemoryError: one face does not fit even into the CPU's memory.
            ModelError, BackendError: the network cannot be used.
        """
        done: list[np.ndarray] = []
        how = self._how()
        while len(done) < len(crops):
            # The first time on a machine this takes a minute: the network is converted and its runtimes are compared.
            self._tell("Loading face model", len(done), len(crops))
            try:
                with self.manager.borrow(self.model, **how) as loaded:
                    self._note(loaded)
                    self._rest(loaded, crops, done)
            except PrecisionError as error:
                if how["precision"] == "fp32":
                    raise UnsupportedModelError(
                        f"The face model '{self.model}' gives no valid pixels even in fp32: its file is damaged."
                    ) from error
                how["precision"] = "fp32"
            except (TileOutOfMemory, MemoryError) as error:
                if how["device"] == "cpu":
                    raise OutOfMemoryError(
                        f"Not enough memory for the face model '{self.model}', not even for one face on the CPU. "
                        "Close other programs, or switch face restoration off."
                    ) from error
                self.warnings.append(f"Memory of {how['device']} ran short: faces were restored on the CPU.")
                self.manager.unload_model(self.model)
                how["device"], how["backend"] = "cpu", "auto"
        return done

    def _how(self) -> HowToLoad:
        settings = self.settings
        return {
            "kind": "face",
            "device": self.manager.resolve_device(settings.device),
            "backend": settings.backend if settings.backend in _BACKENDS else "auto",
            # These networks overflow in fp16.
            "precision": "fp32" if settings.precision == "fp16" else settings.precision,
        }

    def _note(self, loaded: LoadedModel) -> None:
        session = loaded.session
        self.backend, self.device, self.precision = session.backend, session.device, session.precision
        self.load_seconds = max(self.load_seconds, loaded.load_seconds)

    def _rest(self, loaded: LoadedModel, crops: Sequence[np.ndarray], done: list[np.ndarray]) -> None:
        """Run what is not done yet; ``done`` grows, so that nothing is run twice after a failure."""
        size = GPU_BATCH if loaded.session.device != "cpu" else 1
        started, before = time.monotonic(), len(done)
        try:
            while len(done) < len(crops):
                self.control.check()
                part = crops[len(done) : len(done) + size]
                try:
                    done += self._batch(loaded, part)
                except TileOutOfMemory:
                    if size == 1:
                        raise
                    size = max(1, len(part) // 2)
                    logger.info("%d faces do not fit at once; going on with %d", len(part), size)
                    continue
                self.batch = max(self.batch, len(part))
                seconds = time.monotonic() - started
                eta = seconds / (len(done) - before) * (len(crops) - len(done))
                self._tell("Restoring faces", len(done), len(crops), eta)
        finally:
            loaded.session.trim()

    def _tell(self, stage: str, done: int, total: int, eta: float | None = None) -> None:
        self.control.report(Progress(stage, done, total, done / total, eta))

    def _batch(self, loaded: LoadedModel, crops: Sequence[np.ndarray]) -> list[np.ndarray]:
        batch = np.stack([np.broadcast_to(crop, (*crop.shape[:2], 3)) for crop in crops])
        with self.control.turn(loaded.session.parallelism):
            output = loaded.session.infer(np.ascontiguousarray(batch, np.float32))
        if not np.isfinite(output).all():
            raise PrecisionError(f"{loaded.session.precision} gave NaN pixels")
        return list(np.rint(np.clip(output, 0, 1) * 65535).astype(np.uint16))
