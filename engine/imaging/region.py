"""A small part of a picture at full quality, in a second or two: to judge settings and models before the whole runs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.imaging.task import limits_of, result_limits_of
from engine.model_manager import ModelManager
from engine.pixels.sizing import SizePlan, plan_size
from engine.types import EnhanceFile, EnhanceSettings, JobControl
from utils import image_io
from utils.engine_config import EngineConfig
from utils.errors import InvalidSettingsError
from utils.json_types import JsonObject
from utils.picture import Picture, crop
from utils.writers import SaveOptions

REGION_SIDE = 256
_CONTEXT = 24
"""Input pixels around the region that the network sees too: about what it sees in the whole picture."""


@dataclass(frozen=True, eq=False)
class RegionPreview:
    """A region before and after.

    Attributes:
        box: (left, top, width, height) in pixels of the input.
        before: the input's pixels; after: the same at the size that the whole run would give it.
        seconds: of the enhancement, loading the model included.
    """

    box: tuple[int, int, int, int]
    before: Picture
    after: Picture
    model: str
    seconds: float


def region_box(
    size: tuple[int, int], center: tuple[float, float], side: int = REGION_SIDE
) -> tuple[int, int, int, int]:
    """A square of ``side`` around ``center``, moved inside a picture of ``size``; smaller where the picture is."""
    width, height = (min(side, length) for length in size)
    left = round(min(max(0.0, center[0] - width / 2), size[0] - width))
    top = round(min(max(0.0, center[1] - height / 2), size[1] - height))
    return left, top, width, height


def liveliest_center(picture: Picture, side: int = REGION_SIDE) -> tuple[float, float]:
    """The middle of the region with the most detail: where models differ most."""
    from utils.opencv import cv2

    gray = picture.pixels.mean(axis=2, dtype=np.float32)
    step = max(1, side // 8)
    small = cv2.resize(gray, (max(1, picture.width // 2), max(1, picture.height // 2)), interpolation=cv2.INTER_AREA)
    energy = np.abs(cv2.Laplacian(small, cv2.CV_32F))
    mean = cv2.blur(energy, (max(1, side // 2), max(1, side // 2)))
    half = side // 4
    inner = mean[half : max(half + 1, mean.shape[0] - half) : step, half : max(half + 1, mean.shape[1] - half) : step]
    if not inner.size:
        return picture.width / 2, picture.height / 2
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    return float(2 * (half + column * step)), float(2 * (half + row * step))


def enhance_region(
    source: Path | str | Picture,
    center: tuple[float, float] | None,
    settings: EnhanceSettings,
    *,
    enhance: EnhanceFile,
    manager: ModelManager,
    config: EngineConfig,
    side: int = REGION_SIDE,
    control: JobControl | None = None,
) -> RegionPreview:
    """Enhance a square of the picture as the whole would be: same model, same scale, same denoising, same faces.

    Args:
        source: a file, or a picture that was loaded already.
        enhance: ``(input_path, output_path, settings, *, control) -> EnhanceResult``: an executor's ``enhance_file``,
            or ``functools.partial(engine.enhance_file, manager=..., config=...)``.
        center: (x, y) in pixels of the input; None takes the part with the most detail.
        side: of the square, in pixels of the input (32 to 1024).

    Raises:
        EngineError: as ``enhance_file``.
    """
    if not 32 <= side <= 1024:
        raise InvalidSettingsError(f"side must be between 32 and 1024 pixels (given: {side}).")
    picture = source if isinstance(source, Picture) else image_io.load(source, limits_of(config, settings))
    center = center or liveliest_center(picture, side)
    left, top, width, height = region_box(picture.size, center, side)
    outer_left, outer_top = max(0, left - _CONTEXT), max(0, top - _CONTEXT)
    outer_right = min(picture.width, left + width + _CONTEXT)
    outer_bottom = min(picture.height, top + height + _CONTEXT)
    part = crop(picture, (outer_left, outer_top, outer_right - outer_left, outer_bottom - outer_top))
    plan = _plan_of(picture, settings, manager)
    if settings.model == "auto":  # decided by the whole picture, not by this part of it
        settings = settings.but(model=manager.automatic.choose_for(picture, plan.scale, settings.mode).model)
    local = settings.but(
        **dict.fromkeys(("width", "height", "long_edge", "print_size", "max_megabytes")),
        **_faces_in(part, (outer_left, outer_top), picture, plan, settings, manager),
        scale=min(16.0, max(1.0, plan.scale)),
        skip_if_large_enough=False,
        seamless="off",  # the part's borders are in the middle of the picture
        format="png",
        pages="",  # of a document that ``source`` was a page of
    )
    with tempfile.TemporaryDirectory(prefix="region-") as folder:
        before, after = Path(folder) / "before.png", Path(folder) / "after.png"
        image_io.save(part, before, SaveOptions("png"))
        result = enhance(before, after, local, control=control)
        enlarged = image_io.load(after, result_limits_of(config))
    ratio = enlarged.width / part.width, enlarged.height / part.height
    inner = (
        round((left - outer_left) * ratio[0]),
        round((top - outer_top) * ratio[1]),
        max(1, round(width * ratio[0])),
        max(1, round(height * ratio[1])),
    )
    inside = crop(picture, (left, top, width, height))
    return RegionPreview((left, top, width, height), inside, crop(enlarged, inner), result.model, result.timings.total)


def _plan_of(picture: Picture, settings: EnhanceSettings, manager: ModelManager) -> SizePlan:
    """What the whole picture would become, whatever its goal is called."""
    native = 4
    if settings.model in manager.specs or settings.model in manager.present():
        native = manager.info(settings.model).scale
    return plan_size(*picture.size, settings, native_scale=native, max_output_pixels=10**12)


def _faces_in(
    part: Picture,
    corner: tuple[int, int],
    picture: Picture,
    plan: SizePlan,
    settings: EnhanceSettings,
    manager: ModelManager,
) -> JsonObject:
    """The choice of faces for ``part``, which counts its own anew: those that a run of the whole would restore.

    Args:
        corner: (left, top) of the part in the picture.
    """
    if not settings.face_enhance or not (settings.face_keep or settings.face_skip or settings.face_central_only):
        return {}
    from engine.face_restorer import FaceRestorer
    from engine.faces.face import overlap

    restorer = FaceRestorer(manager)
    whole = restorer.find(picture, settings, part=plan.crop)
    kept = []
    for one in restorer.find(part):
        face = one.face.moved(*corner)
        same = max(whole, key=lambda other: overlap(face, other.face), default=None)
        if same is not None and same.restore and overlap(face, same.face) > face.width * face.height / 2:
            kept.append(one.number)
    # Without any number "keep" would mean all.
    wish = settings.face_enhance if kept else False
    return {"face_enhance": wish, "face_keep": tuple(kept), "face_skip": (), "face_central_only": False}


__all__ = ["REGION_SIDE", "RegionPreview", "enhance_region", "liveliest_center", "region_box"]
