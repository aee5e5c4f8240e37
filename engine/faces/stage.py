"""Faces as a stage of the main job: restored before the picture is enhanced, pasted in while the result streams."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.face_restorer import FaceRestorer, RestoredFaces
from engine.faces.choose import FoundFace
from engine.faces.layer import FaceLayer, keep_layer
from engine.faces.missing_models import NOT_RESTORED, missing_face_models
from engine.faces.paste import Cluster, FacePaster, FacePatch, clusters_of
from engine.pixels.sizing import SizePlan
from engine.types import EnhanceSettings, JobControl
from utils.errors import BackendError, ModelError, OutOfMemoryError
from utils.json_types import JsonObject
from utils.picture import Picture
from utils.writers import SaveOptions

if TYPE_CHECKING:
    from engine.model_manager import ModelManager

logger = logging.getLogger(__name__)

_KEPT_PIXELS = 60 * 10**6
"""What is kept in memory for adjusting later, about 360 MB; the faces of larger results cannot be adjusted."""


def progress_share(faces: int) -> float:
    """Which part of a job's progress the faces get: nobody knows how long the rest takes, so a fair guess."""
    return min(0.5, 0.06 * faces)


class FaceStage:
    """The faces of one job. Whatever goes wrong with them, the picture is finished, with a warning.

    Args:
        size: of the job; its ``crop`` is in pixels of ``input_size``.
        input_size: (width, height) of the picture that the job enlarges, which may be larger than the one in which
            the faces are found.
    """

    def __init__(
        self, manager: ModelManager, settings: EnhanceSettings, size: SizePlan, input_size: tuple[int, int]
    ) -> None:
        self._manager, self._settings, self._size, self._input_size = manager, settings, size, input_size
        self._restorer = FaceRestorer(manager)
        self._found: tuple[FoundFace, ...] = ()
        self._restored: RestoredFaces | None = None
        self._patches: tuple[FacePatch, ...] = ()
        self._paster: FacePaster | None = None
        self._find_seconds = 0.0
        self._missing_models: JsonObject | None = None
        self.warnings: list[str] = []

    def prepare(self, picture: Picture, control: JobControl) -> JobControl:
        """Find and restore; returns the control for the rest of the job.

        Args:
            picture: the whole input, uncropped.
        """
        started = time.perf_counter()
        across, down = self._input_size[0] / picture.width, self._input_size[1] / picture.height
        crop = self._size.crop
        part = None
        if crop is not None:
            part = (round(crop[0] / across), round(crop[1] / down), round(crop[2] / across), round(crop[3] / down))
        self._found = self._restorer.find(picture, self._settings, part=part, control=control)
        self._find_seconds = time.perf_counter() - started
        wanted = sum(one.restore for one in self._found)
        absent = missing_face_models(self._manager, self._settings.face_model)
        if absent is not None:
            # "auto" is the wish of who does not think about faces: where there are none there is nothing to say.
            if (
                wanted
                or (self._found and self._restorer.detector.name == "haar")
                or self._settings.face_enhance is True
            ):
                self.warnings.append(absent.text)
                self._missing_models = absent.to_json()
            return control
        if not wanted:
            return control
        share = progress_share(wanted)
        try:
            self._restored = self._restorer.restore(
                picture, self._found, self._settings, control=control.part(0.0, share)
            )
        except (ModelError, BackendError, OutOfMemoryError) as error:
            logger.warning("Faces were not restored", exc_info=True)
            self.warnings.append(f"{NOT_RESTORED}{error}")
            return control.part(share, 1.0)
        self.warnings += self._restored.warnings
        self._warn_of_strangers()
        self._patches = tuple(self._placed(patch, across, down) for patch in self._restored.patches)
        return control.part(share, 1.0)

    def _warn_of_strangers(self) -> None:
        assert self._restored is not None
        changed = [number for number, verdict in self._restored.verdicts.items() if verdict.share < 1]
        if not changed:
            return
        which = f"face {changed[0]}" if len(changed) == 1 else f"faces {', '.join(map(str, changed))}"
        done = "was blended back" if self._settings.face_guard else "is shown all the same, as was asked for"
        self.warnings.append(f"The face model changed {which} too far from the picture; what changed {done}.")

    def _placed(self, patch: FacePatch, across: float, down: float) -> FacePatch:
        """The patch in the enhanced picture's pixels."""
        left, top, width, height = self._size.crop or (0, 0, *self._input_size)
        content = self._size.content
        alignment = patch.alignment.scaled(across, down).moved(-left, -top)
        return replace(patch, alignment=alignment.scaled(content[0] / width, content[1] / height))

    def paste(self, bands: Iterator[np.ndarray], channels: int) -> Iterator[np.ndarray]:
        """The enhanced picture's bands, ``(rows, W, channels[+1]) uint16``, with the faces in them."""
        if not self._patches:
            return bands
        areas = [(box[2] - box[0]) * (box[3] - box[1]) for box, _ in clusters_of(self._patches, self._size.content)]
        keep = sum(areas) <= _KEPT_PIXELS
        self._paster = FacePaster(self._patches, self._size.content, channels=channels, keep=keep)
        return self._paster.bands(bands)

    @property
    def metrics(self) -> JsonObject:
        """``faces``: a row each; how many were found and restored, by what, and in how many seconds."""
        seconds: dict[str, float] = {"find": round(self._find_seconds, 3)}
        found: JsonObject = {"faces_detected": len(self._found), "faces_enhanced": 0}
        if self._restored is None:
            rows = [{**one.to_json(), "decision": "left alone"} for one in self._found]
            for row in rows:
                if row.pop("restore"):
                    row["reason"] = "No face model could be used."
            found["faces"] = rows
        else:
            seconds |= self._restored.seconds
            found["faces_enhanced"] = sum(patch.shown > 0 for patch in self._restored.patches)
            found["faces"] = self._restored.to_json()
            found["face_model"] = self._restored.model
            found["face_backend"] = f"{self._restored.backend}, {self._restored.device}, {self._restored.precision}"
        if self._missing_models is not None:
            found["faces_need"] = self._missing_models
        return found | {"face_seconds": seconds}

    def keep(self, picture_file: Path, cache_dir: Path, bit_depth: int, save: SaveOptions) -> None:
        """Remember the finished file's faces, so that their strength can be changed later; also that it has none."""
        pasted = [] if self._paster is None else self._paster.clusters
        if self._patches and not pasted:
            return
        left, top = self._size.offset
        clusters = tuple(_moved(cluster, left, top) for cluster in pasted)
        rows = () if self._restored is None else tuple(self._restored.to_json())
        keep_layer(FaceLayer(self._size.canvas, clusters, save, rows), picture_file, cache_dir, bit_depth)


def _moved(cluster: Cluster, dx: int, dy: int) -> Cluster:
    left, top, right, bottom = cluster.box
    faces = tuple(replace(face, alignment=face.alignment.moved(dx, dy)) for face in cluster.faces)
    return replace(cluster, box=(left + dx, top + dy, right + dx, bottom + dy), faces=faces)
