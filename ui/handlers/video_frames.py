"""The Video tab's numbered pictures: many uploaded as one film, and frames handed out as a zip archive."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os.path import commonprefix
from pathlib import Path
from typing import Any

from engine.storage.output_names import reserved
from engine.types import EnhanceSettings
from engine.video import Pattern, VideoOptions, VideoResult, default_video_path
from utils.errors import InvalidVideoError
from utils.files import replaced

FRAME_KINDS = ("png", "jpg", "tif", "frames-webp")
"""File types of frames to choose from."""


def dropped(path: str | Path | None, values: Mapping[str, Any]) -> tuple[Path, tuple[Path, ...]] | None:
    """What was dropped in: numbered pictures with the name that they share, else a film, else None.

    Raises ``InvalidVideoError`` where two pictures have one name.
    """
    pictures = tuple(Path(one) for one in values.get("pictures") or ())
    if pictures:
        return Path(_name(pictures)), pictures
    return (Path(path), ()) if path else None


def _name(pictures: Sequence[Path]) -> str:
    names = [path.name for path in pictures]
    for name in names:
        if names.count(name) > 1:
            raise InvalidVideoError(f"Two of the pictures are called '{name}'; a film needs one of each number.")
    return shared_name(pictures)


def shared_name(pictures: Sequence[Path]) -> str:
    """What the pictures' names have in common, without the number."""
    shared = commonprefix([path.stem for path in pictures]) if len(pictures) > 1 else pictures[0].stem
    return shared.rstrip("0123456789").rstrip("_-. ") or "frames"


def frames_target(source: Path, folder: Path, settings: EnhanceSettings, options: VideoOptions, kind: str) -> Path:
    """Where frames go until they are packed: the same for the same work, so that it can be gone on with."""
    told = f"{source.name}|{settings.model_dump_json()}|{options.model_dump_json()}|{kind}"
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    stem = default_video_path(source, folder, settings).stem
    return folder / f"frames-{digest}" / stem / f"%06d.{kind.removeprefix('frames-')}"


def packed(result: VideoResult, folder: Path) -> VideoResult:
    """The result with its frames in one archive, uncompressed as they are compressed already; films stay as they are.

    The frames themselves go, unless the job was cancelled and may be gone on with.
    """
    pattern = Pattern.of(result.output_path)
    if pattern is None:
        return result
    with (
        reserved(folder / f"{pattern.folder.name}_frames.zip") as archive,
        replaced(archive) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as file,
    ):
        for path in pattern.existing().values():
            file.write(path, path.name)
    if result.complete:
        shutil.rmtree(pattern.folder.parent, ignore_errors=True)
    return replace(result, output_path=archive, bytes=archive.stat().st_size)


__all__ = ["FRAME_KINDS", "dropped", "frames_target", "packed", "shared_name"]
