"""What is missing before faces can be restored, with sizes, so that a person can decide about the download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.faces.detector import DETECTOR_MODELS
from utils.errors import ModelNotFoundError, UnsupportedModelError
from utils.installation import command
from utils.json_types import JsonObject

if TYPE_CHECKING:
    from engine.model_manager import ModelManager

RECOMMENDED = "GFPGANv1.4"
NOT_RESTORED = "Faces were not restored: "
"""How every warning begins that says so."""


@dataclass(frozen=True)
class Download:
    """A file that can be brought. ``bytes`` is None where the size is not known beforehand."""

    name: str
    bytes: int | None

    def __str__(self) -> str:
        return self.name if self.bytes is None else f"{self.name} ({self.bytes / 1e6:.1f} MB)"


@dataclass(frozen=True)
class MissingFaceModels:
    """Face restoration is not possible yet. ``missing`` is what ``ModelManager.download`` has to bring."""

    missing: tuple[Download, ...]

    @property
    def text(self) -> str:
        """One or two sentences for people."""
        names = " and ".join(map(str, self.missing))
        commands = " and ".join(f"`{command()} models download {one.name}`" for one in self.missing)
        if len(self.missing) == 1:
            return f"{NOT_RESTORED}{names} is not installed. {commands} would bring it; everything else was done."
        return f"{NOT_RESTORED}{names} are not installed. {commands} would bring them; everything else was done."

    def to_json(self) -> JsonObject:
        """A code that programs can act on, and name and size in bytes of each missing model."""
        return {"code": "models-missing", "missing": [{"name": one.name, "bytes": one.bytes} for one in self.missing]}


def missing_face_models(manager: ModelManager, model: str = "auto") -> MissingFaceModels | None:
    """What has to be downloaded before faces can be restored; None when all is here.

    Args:
        model: as in ``EnhanceSettings.face_model``.

    Raises:
        ModelNotFoundError: no such model is known or here.
        UnsupportedModelError: it is no face model.
    """
    present = set(manager.present())
    missing = []
    if model == "auto":
        if manager.default_face_model() is None:
            missing.append(_download(manager, RECOMMENDED))
    elif model not in present:
        spec = manager.specs.get(model)
        if spec is None:
            known = [name for name, one in manager.specs.items() if one.kind == "face"]
            raise ModelNotFoundError(f"There is no face model '{model}'. Known: {', '.join(known) or 'none'}.")
        if spec.kind != "face":
            raise UnsupportedModelError(f"'{model}' ({spec.architecture}) is not a face model.")
        missing.append(_download(manager, model))
    elif manager.info(model).kind != "face":
        raise UnsupportedModelError(f"'{model}' ({manager.info(model).architecture}) is not a face model.")
    if not present & set(DETECTOR_MODELS):
        missing.append(_download(manager, DETECTOR_MODELS[-1]))
    return MissingFaceModels(tuple(missing)) if missing else None


face_needs = missing_face_models
"""Its name in the public API."""


def _download(manager: ModelManager, name: str) -> Download:
    spec = manager.specs.get(name)
    return Download(name, spec.size if spec is not None else None)
