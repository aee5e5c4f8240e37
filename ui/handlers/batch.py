"""The Batch tab's work."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.processor import unused_path
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from ui.handlers.image import enhance_one
from utils.errors import EngineError


def enhance_many(
    paths: Iterable[str],
    settings: EnhanceSettings,
    *,
    enhance: Callable[..., EnhanceResult],
    folder: Path,
    control: JobControl,
    on_step: Callable[[int, str], None] | None = None,
) -> tuple[list[list[str]], list[str], str]:
    """Enhance files one after the other; one bad file never stops the rest.

    Returns:
        (table rows, paths of the results, summary sentence).
    """
    rows: list[list[str]] = []
    done: list[str] = []
    failed = 0
    for index, path in enumerate(paths):
        if control.cancelled:
            rows.append([Path(path).name, "cancelled", "", "", ""])
            continue
        if on_step is not None:
            on_step(index, Path(path).name)
        try:
            shown = enhance_one(path, settings, enhance=enhance, folder=folder, control=control)
        except EngineError as error:
            failed += 1
            rows.append([Path(path).name, "failed", "", "", str(error)])
            continue
        result = shown.result
        done.append(str(result.output_path))
        size = f"{result.output_size[0]} x {result.output_size[1]}"
        rows.append([Path(path).name, "done", size, f"{result.timings.total:.1f} s", "; ".join(result.warnings)])
    return rows, done, f"{len(done)} successful, {failed} failed."


def zip_of(paths: list[str], folder: Path) -> str | None:
    """One ZIP of all results (stored: pictures do not shrink again)."""
    if not paths:
        return None
    target = unused_path(folder / "enhanced.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            archive.write(path, Path(path).name)
    return str(target)
