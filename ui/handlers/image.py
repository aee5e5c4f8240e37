"""The Image tab's work: plain functions, tested without a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.processor import default_output_path, limits_of, unused_path
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from utils import image_io
from utils.errors import EngineError


@dataclass(frozen=True)
class Shown:
    """What the interface shows of one finished picture."""

    result: EnhanceResult
    rows: list[list[str]]
    sentence: str


def describe_upload(path: str | None, config: Any) -> str:
    """What was dropped in, or why it cannot be used."""
    if not path:
        return ""
    try:
        info = image_io.probe(Path(path), limits_of(config))
    except EngineError as error:
        return f"**This file cannot be used.** {error}"
    parts = [f"{info.width} x {info.height} pixels", info.format.upper(), f"{info.file_bytes / 1e6:.2f} MB"]
    if info.bit_depth == 16:
        parts.append("16 bits a channel")
    if info.has_alpha:
        parts.append("transparency")
    if info.frames > 1:
        parts.append(f"{info.frames} frames")
    return ", ".join(parts)


def enhance_one(
    path: str,
    settings: EnhanceSettings,
    *,
    enhance: Callable[..., EnhanceResult],
    folder: Path,
    control: JobControl,
) -> Shown:
    """Enhance one uploaded file into ``folder`` by ``enhance`` (see ``ui.app.build``). Raises ``EngineError``."""
    source = Path(path)
    target = unused_path(default_output_path(source, folder, settings))
    result = enhance(source, target, settings, control=control)
    return Shown(result, metric_rows(result), summary(result))


def summary(result: EnhanceResult) -> str:
    """One paragraph: what was done, then notes."""
    if result.skipped:
        return result.warnings[-1]
    speed = f"{result.timings.total:.1f} s"
    lines = [
        f"**{result.output_size[0]} x {result.output_size[1]} pixels** with {result.model} in {speed} "
        f"({result.backend}, {result.device}, {result.precision})."
    ]
    lines += [f"Note: {warning}" for warning in result.warnings]
    return "\n\n".join(lines)


def metric_rows(result: EnhanceResult) -> list[list[str]]:
    """(measure, value) rows in plain words."""
    metrics = result.metrics
    rows = [
        [
            "Size",
            f"{result.input_size[0]} x {result.input_size[1]} to {result.output_size[0]} x {result.output_size[1]}",
        ],
        ["Model", result.model],
    ]
    if metrics:
        rows.append(["File", f"{metrics['original_bytes'] / 1e6:.2f} MB to {metrics['enhanced_bytes'] / 1e6:.2f} MB"])
    if "faithfulness_psnr_db" in metrics:
        value = metrics["faithfulness_psnr_db"]
        words = (
            "very close to the original"
            if value >= 32
            else "close to the original"
            if value >= 26
            else "detail was redrawn freely"
        )
        rows.append(["Faithfulness", f"{value:.1f} dB: {words}"])
    if "color_difference_before" in metrics:
        rows.append(
            [
                "Colour drift",
                f"{metrics['color_difference_before']:.2f} levels by the network, "
                f"{metrics['color_difference_after']:.2f} after matching",
            ]
        )
    rows.append(["Time", f"{result.timings.load:.2f} s loading, {result.timings.inference:.2f} s enhancing"])
    rows.append(["Tiles", f"{metrics.get('tiles', 0)} of at most {result.tile} pixels"])
    return rows
