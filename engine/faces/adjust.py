"""Changing the strength of faces in a finished picture, without running any network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.faces.layer import FaceLayer, load_layer, save_layer
from engine.faces.paste import FacePatch
from engine.storage.output_names import check_output, output_format
from engine.types import EnhanceSettings
from utils import image_io
from utils.errors import InvalidSettingsError
from utils.json_types import JsonObject
from utils.picture import Picture

_UNLIMITED = image_io.ImageLimits(10**13, 10**12, 10**13)


@dataclass(frozen=True)
class AdjustedFaces:
    """An adjusted picture file. ``faces``: a row each, as in the metrics, with the strengths that are shown now."""

    output_path: Path
    faces: tuple[JsonObject, ...]


def adjustable(result: Path | str, cache_dir: Path | str) -> FaceLayer | None:
    """The faces that can be adjusted in a result, or None: none were restored, or they are no longer remembered."""
    layer = load_layer(Path(result), Path(cache_dir))
    return layer if layer is not None and layer.clusters else None


def adjust_faces(
    result: Path | str,
    output: Path | str,
    *,
    cache_dir: Path | str,
    strength: float | None = None,
    strengths: Mapping[int, float] | None = None,
    guard: bool = True,
    overwrite: bool = False,
) -> AdjustedFaces:
    """Write a result anew with other strengths of its restored faces.

    The result is recognised by its content, so it may have been moved or renamed. The new file can be adjusted again.

    Args:
        result: a file that ``enhance_file`` or this function wrote.
        cache_dir: the application's; that is where the faces are kept.
        strength: 0..1 for every face; None leaves those alone that ``strengths`` does not name.
        strengths: by face number; wins over ``strength``.
        guard: False shows named faces even where the identity guard held them back.
        overwrite: replace an existing output.

    Raises:
        InvalidSettingsError: nothing is known about the faces of this file, a strength or number is wrong, or the
            output's name asks for a format that cannot be written.
        InvalidImageError, OutputError: the files cannot be read or written.
    """
    result, output = Path(result), Path(output)
    picture = image_io.load(result, _UNLIMITED)
    layer = adjustable(result, cache_dir)
    if layer is None or layer.size != picture.size:
        raise InvalidSettingsError(
            f"No restored faces are remembered for '{result}': it was made without, changed since, or long ago. "
            "Enhance the picture again with --faces on."
        )
    check_output(result, output, overwrite)
    kind = output_format(EnhanceSettings.create(), layer.save.format, output)
    wanted = _wanted(layer, strength, strengths or {})
    layer = layer.with_strengths(wanted, guard=guard)
    layer = replace(layer, save=replace(layer.save, comment=_comment(layer.save.comment, strength)))
    shown = {face.number: face for face in layer.faces}
    rows = tuple(_row(row, shown.get(row["number"])) for row in layer.rows)
    layer = replace(layer, rows=rows)
    adjusted = layer.apply(picture)
    image_io.save(adjusted, output, replace(layer.save, format=kind))
    save_layer(layer, output, Path(cache_dir), picture.bit_depth)
    return AdjustedFaces(output, rows)


def adjusted_picture(
    picture: Picture, layer: FaceLayer, strengths: Mapping[int, float], *, guard: bool = True
) -> Picture:
    """A result in memory with other strengths, for a preview; ``layer`` comes from ``adjustable``."""
    return layer.with_strengths(strengths, guard=guard).apply(picture)


def _wanted(layer: FaceLayer, strength: float | None, strengths: Mapping[int, float]) -> dict[int, float]:
    numbers = [face.number for face in layer.faces]
    wanted = {} if strength is None else dict.fromkeys(numbers, strength)
    wanted |= strengths
    if not wanted:
        raise InvalidSettingsError("Say which strength the faces shall have.")
    for number, value in wanted.items():
        if number not in numbers:
            raise InvalidSettingsError(f"Face {number} was not restored; restored: {', '.join(map(str, numbers))}.")
        if not 0 <= value <= 1:
            raise InvalidSettingsError(f"The strength of a face must be between 0 and 1 (given: {value}).")
    return wanted


def _row(row: JsonObject, face: FacePatch | None) -> JsonObject:
    if face is None:
        return dict(row)
    return {**row, "decision": face.decision, "strength": round(face.shown, 3)}


def _comment(comment: str | None, strength: float | None) -> str | None:
    """The embedded settings with the new strength."""
    if comment is None or strength is None:
        return comment
    try:
        return json.dumps({**json.loads(comment), "face_strength": strength}, ensure_ascii=False)
    except (ValueError, TypeError):
        return comment
