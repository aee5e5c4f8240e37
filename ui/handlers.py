"""What the buttons do: plain functions, tested without a browser."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.model_manager import ModelManager
from engine.processor import default_output_path, enhance_file, limits_of, unused_path
from engine.types import RESAMPLERS, EnhanceResult, EnhanceSettings, JobControl
from utils import image_io
from utils.errors import EngineError

GOALS = ("Scale", "Long edge", "Exact size")
PRESETS: dict[str, dict[str, Any]] = {
    "Photo x4": {"model": "auto", "scale": 4.0},
    "Photo x2": {"model": "auto", "scale": 2.0},
    "Wallpaper 4K": {"model": "auto", "long_edge": 3840},
    "True to the original": {"model": "auto", "scale": 4.0, "fidelity": 0.4},
    "Maximum speed": {"model": "lanczos", "scale": 4.0},
}
RESAMPLER_WORDS = {
    "lanczos": "no network: plain enlargement, sharp edges",
    "bicubic": "no network: plain enlargement, soft",
    "bilinear": "no network: plain enlargement, softest",
    "nearest": "no network: copies pixels, for pixel art",
}


@dataclass(frozen=True)
class Shown:
    """What the interface shows of one finished picture."""

    result: EnhanceResult
    rows: list[list[str]]
    sentence: str


def model_choices(manager: ModelManager) -> list[tuple[str, str]]:
    """(label, name) for the model list: automatic, installed networks, then resamplers."""
    installed = [s for s in manager.list() if s.installed and s.kind == "upscale" and s.problem is None]
    choices = [("Automatic: the best installed", "auto")]
    choices += [(f"{status.name} (x{status.scale}): {status.purpose}", status.name) for status in installed]
    choices += [(f"{name}: {RESAMPLER_WORDS[name]}", name) for name in RESAMPLERS]
    return choices


def model_note(manager: ModelManager, name: str, scale: float | None) -> str:
    """One line about what the chosen model means now."""
    if name == "auto":
        chosen, reason = manager.default_model(scale)
        return f"Automatic means **{chosen}**. {reason}"
    if name in RESAMPLERS:
        return f"**{name}**: {RESAMPLER_WORDS[name]}."
    status = next((status for status in manager.list() if status.name == name), None)
    return f"**{name}**: {status.purpose} {status.architecture}, {status.licence}." if status else ""


def make_settings(values: dict[str, Any]) -> EnhanceSettings:
    """Settings from the form's fields; ``goal`` says which of the size fields count.

    Raises ``InvalidSettingsError`` with a sentence for the person.
    """
    values = dict(values)
    goal = values.pop("goal")
    sizes = {name: values.pop(name) or None for name in ("scale", "long_edge", "width", "height")}
    wanted = {"Scale": ("scale",), "Long edge": ("long_edge",), "Exact size": ("width", "height")}[goal]
    for name in wanted:
        number = sizes[name]
        values[name] = number if number is None or name == "scale" else int(number)
    values["tile"] = int(values.get("tile") or 0)
    values["quality"] = int(values["quality"])
    return EnhanceSettings.create(**values)


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
    path: str, settings: EnhanceSettings, *, manager: ModelManager, config: Any, folder: Path, control: JobControl
) -> Shown:
    """Enhance one uploaded file into ``folder``. Raises ``EngineError``."""
    source = Path(path)
    target = unused_path(default_output_path(source, folder, settings))
    result = enhance_file(source, target, settings, manager=manager, config=config, control=control)
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


def enhance_many(
    paths: Iterable[str],
    settings: EnhanceSettings,
    *,
    manager: ModelManager,
    config: Any,
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
            shown = enhance_one(path, settings, manager=manager, config=config, folder=folder, control=control)
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
