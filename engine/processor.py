"""The main job: a file in, a larger file out, with metrics. Nothing is left half-written, whatever happens."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backends.base import PrecisionError
from engine.model_manager import LoadedModel, ModelManager
from engine.pipeline import PicturePipeline, PipelineReport, blend_with_source
from engine.resample import from_full_scale, to_full_scale
from engine.sizing import SizePlan, plan_size
from engine.tiling import TileOutOfMemory
from engine.types import RESAMPLERS, EnhanceResult, EnhanceSettings, JobControl, Timings
from engine.upscaler import MemoryBudget, Upscaler
from utils import image_io
from utils.errors import InvalidSettingsError, OutOfMemoryError, OutputError
from utils.files import replaced
from utils.gpu import available_host_memory, peak_memory_mb
from utils.picture import Picture
from utils.writers import SaveOptions, open_writer

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)

_MB = 10**6
_OUT_OF_MEMORY_ADVICE = (
    "Not enough memory for '{name}' even with the smallest tile. Turn automatic tiles on, use half precision, "
    "switch face enhancement off, close other programs, or run on the CPU."
)


@dataclass(frozen=True)
class _Task:
    """Everything that is decided before any pixel is decoded."""

    input_path: Path
    output_path: Path
    info: image_io.ImageInfo
    model: str
    model_reason: str
    settings: EnhanceSettings
    size: SizePlan
    save: SaveOptions
    warnings: tuple[str, ...]


def limits_of(config: Any) -> image_io.ImageLimits:
    """The picture limits of the application's configuration."""
    return image_io.ImageLimits(
        max_bytes=int(config.max_image_mb * _MB), max_pixels=int(config.max_image_megapixels * _MB)
    )


def output_format(settings: EnhanceSettings, input_format: str, output_path: Path | None = None) -> str:
    """The file format to write: the settings', else the output name's, else the input's, else PNG."""
    if settings.format != "auto":
        return settings.format
    if output_path is not None:
        named = image_io.format_from_suffix(output_path)
        if named is not None:
            return named
    known = {"png": "png", "jpeg": "jpeg", "mpo": "jpeg", "webp": "webp", "avif": "avif", "tiff": "tiff", "gif": "gif"}
    return known.get(input_format.lower(), "png")


def goal_text(settings: EnhanceSettings) -> str:
    """The goal as it stands in file names: ``x4``, ``3840px``, ``1920x1080``, ``20x30cm`` or ``enhanced``."""
    if settings.scale is not None:
        return f"x{settings.scale:g}"
    if settings.long_edge is not None:
        return f"{settings.long_edge}px"
    if settings.width is not None or settings.height is not None:
        return f"{settings.width or ''}x{settings.height or ''}"
    if settings.print_size is not None:
        return f"{settings.print_size[0]:g}x{settings.print_size[1]:g}cm"
    return "enhanced"


def default_output_path(input_path: Path, folder: Path, settings: EnhanceSettings) -> Path:
    """``<folder>/<stem>_<goal>.<suffix>``, for instance ``photo_x4.png``."""
    input_path, folder = Path(input_path), Path(folder)
    kind = settings.format if settings.format != "auto" else image_io.format_from_suffix(input_path) or "png"
    return folder / f"{input_path.stem}_{goal_text(settings)}{image_io.output_suffix(kind)}"


def _check_output(input_path: Path, output_path: Path, overwrite: bool) -> None:
    if output_path.is_dir():
        raise OutputError(f"'{output_path}' is a folder; name a file for the result.")
    if output_path.exists():
        if output_path.samefile(input_path):
            raise OutputError(f"The result would overwrite its own input '{input_path}'. Choose another name.")
        if not overwrite:
            raise OutputError(f"'{output_path}' exists already. Choose another name, or allow overwriting (--force).")


def _decide(
    input_path: Path,
    output_path: Path,
    settings: EnhanceSettings,
    manager: ModelManager,
    config: Any,
    overwrite: bool,
) -> _Task:
    """Check input, output, model and sizes; cheap, reads only headers."""
    info = image_io.probe(input_path, limits_of(config))
    _check_output(input_path, output_path, overwrite)
    warnings = []
    name, reason = settings.model, "chosen by name"
    if name == "auto":
        rough = plan_size(info.width, info.height, settings, max_output_pixels=10**12)
        name, reason = manager.default_model(rough.scale)
        if name in RESAMPLERS:
            warnings.append(reason)
    native = 4 if name in RESAMPLERS else manager.info(name).scale
    size = plan_size(
        info.width,
        info.height,
        settings,
        native_scale=native,
        max_output_pixels=int(config.max_output_megapixels * _MB),
    )
    if settings.face_enhance:
        warnings.append("Face restoration is not available: no face model is installed.")
    if settings.denoise_strength is not None and name in RESAMPLERS:
        warnings.append(f"'{name}' has no denoise strength; it was ignored.")
    resolved = settings.model_copy(update={"model": name} | ({} if _has_goal(settings) else {"scale": float(native)}))
    save = SaveOptions(
        format=output_format(settings, info.format, output_path),
        quality=settings.quality,
        lossless=settings.lossless,
        exif=settings.exif,
        comment=_comment(resolved) if settings.embed_settings else None,
    )
    return _Task(input_path, output_path, info, name, reason, settings, size, save, tuple(warnings))


def _has_goal(settings: EnhanceSettings) -> bool:
    return any(
        value is not None
        for value in (settings.scale, settings.width, settings.height, settings.long_edge, settings.print_size)
    )


def _comment(settings: EnhanceSettings) -> str:
    """The settings that differ from the defaults, as JSON, for the output's metadata."""
    chosen = settings.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"software": "Real-ESRGAN Ultimate", **chosen}, ensure_ascii=False)


def enhance_file(
    input_path: Path | str,
    output_path: Path | str,
    settings: EnhanceSettings,
    *,
    manager: ModelManager,
    config: Any,
    control: JobControl | None = None,
    overwrite: bool = False,
) -> EnhanceResult:
    """Enhance one picture file.

    Args:
        config: limits (``max_image_mb``, ``max_image_megapixels``, ``max_output_megapixels``) and
            ``gpu_memory_reserve_mb``.
        control: receives progress, can cancel.
        overwrite: replace an existing output file (never the input itself).

    Raises:
        EngineError: one of its kinds, see ``utils.errors``; then no output file exists or an older one is untouched.
    """
    started = time.perf_counter()
    control = control or JobControl()
    task = _decide(Path(input_path), Path(output_path), settings, manager, config, overwrite)
    if settings.skip_if_large_enough and task.size.reached:
        return _skip(task, started)
    control.check()
    reserve = int(getattr(config, "gpu_memory_reserve_mb", 512)) * 2**20
    runner = _Runner(task, manager, control, reserve, limits_of(config))
    result = runner.run(started)
    if settings.max_megabytes is not None:
        from engine.file_size import shrink_to

        notes = shrink_to(task.output_path, int(settings.max_megabytes * _MB), task.save, control)
        info = image_io.probe(task.output_path, image_io.ImageLimits(10**13, 10**12, 10**13))
        result = replace(result, output_size=(info.width, info.height), warnings=(*result.warnings, *notes))
    return result


def _skip(task: _Task, started: float) -> EnhanceResult:
    """The input already reaches the goal: copy it, bit for bit."""
    with replaced(task.output_path) as temporary:
        shutil.copyfile(task.input_path, temporary)
    size = (task.info.width, task.info.height)
    return EnhanceResult(
        input_path=task.input_path,
        output_path=task.output_path,
        input_size=size,
        output_size=size,
        model=task.model,
        backend="none",
        device="cpu",
        precision="fp32",
        tile=0,
        scale=1.0,
        timings=Timings(total=time.perf_counter() - started),
        metrics={},
        warnings=(*task.warnings, "The picture is large enough already; it was copied unchanged."),
        skipped=True,
        peak_memory_mb=peak_memory_mb(),
    )


class _Runner:
    """Runs one decided task: load, enhance, write; again in a wider number type where a narrow one failed."""

    def __init__(
        self, task: _Task, manager: ModelManager, control: JobControl, reserve: int, limits: image_io.ImageLimits
    ) -> None:
        self._task, self._manager, self._control = task, manager, control
        self._reserve, self._limits = reserve, limits
        self._warnings = list(task.warnings)
        self._load_seconds = 0.0
        self._inference_seconds = 0.0

    def run(self, started: float) -> EnhanceResult:
        task, settings = self._task, self._task.settings
        if task.model in RESAMPLERS:
            report = self._write(None)
            return self._result(report, None, started)
        precision = settings.precision
        while True:
            begun = time.perf_counter()
            how = {
                "device": settings.device,
                "backend": settings.backend,
                "precision": precision,
                "denoise_strength": settings.denoise_strength,
            }
            try:
                with self._manager.borrow(task.model, **how) as model:
                    self._load_seconds += time.perf_counter() - begun
                    report = self._write(model)
                    return self._result(report, model, started)
            except PrecisionError as error:
                if precision == "fp32":
                    raise InvalidSettingsError(
                        f"'{task.model}' gives no valid pixels even in fp32: its checkpoint is damaged."
                    ) from error
                self._warnings.append(f"{error}; the picture was run again in fp32.")
                precision = "fp32"
            except (TileOutOfMemory, MemoryError) as error:
                raise OutOfMemoryError(_OUT_OF_MEMORY_ADVICE.format(name=task.input_path.name)) from error

    def _upscaler(self, model: LoadedModel) -> Upscaler:
        settings = self._task.settings
        free = model.session.free_memory()
        automatic = settings.auto_tile and settings.tile == 0
        return Upscaler(
            model.session,
            model.info,
            tile=None if automatic else settings.tile,
            budget=MemoryBudget(available_host_memory() if free is None else free, self._reserve),
            remembered_tile=self._manager.tile_memory.get(self._tile_key(model)) if automatic else None,
            control=self._control,
        )

    @staticmethod
    def _tile_key(model: LoadedModel) -> str:
        return f"{model.session.device} | {model.name} | {model.session.backend} | {model.session.precision}"

    def _write(self, model: LoadedModel | None) -> PipelineReport:
        """Decode, enhance and encode the picture (or every frame of an animation)."""
        upscaler = self._upscaler(model) if model is not None else None
        if self._task.info.frames > 1 and self._task.save.format in ("gif", "webp", "png"):
            report = self._write_animation(upscaler)
        else:
            if self._task.info.frames > 1 and image_io.is_animated(self._task.info):
                self._warnings.append(
                    f"{self._task.save.format.upper()} holds one picture: only the first frame is kept."
                )
            report = self._write_still(upscaler)
        if upscaler is not None and model is not None and upscaler.limit.side is not None:
            side = upscaler.limit.side
            self._manager.tile_memory.put(self._tile_key(model), side)
            self._warnings.append(
                f"Memory ran short: tiles were made smaller (now {side} pixels) and the work went on."
            )
        return report

    def _pipeline(self, picture: Picture, upscaler: Upscaler | None, bit_depth: int) -> PicturePipeline:
        task = self._task
        pipeline = PicturePipeline(
            crop(picture, task.size.crop),
            task.size,
            task.settings,
            upscaler=upscaler,
            resampler=task.model,
            bit_depth=bit_depth,
            control=self._control,
        )
        begun = time.perf_counter()
        pipeline.prepare()
        self._load_seconds += time.perf_counter() - begun
        return pipeline

    def _write_still(self, upscaler: Upscaler | None) -> PipelineReport:
        task = self._task
        picture = image_io.load(task.input_path, self._limits)
        for warning in picture.metadata.warnings:
            if warning not in self._warnings:
                self._warnings.append(warning)
        if task.settings.print_size is not None:
            picture = picture.with_metadata(dpi=(task.settings.dpi, task.settings.dpi))
        depth = picture.bit_depth if task.save.format in ("png", "tiff") else 8
        if depth < picture.bit_depth:
            self._warnings.append(f"{task.save.format.upper()} holds 8 bits a channel; the input's 16 were reduced.")
        pipeline = self._pipeline(picture, upscaler, depth)
        begun = time.perf_counter()
        width, height = task.size.canvas
        with open_writer(
            task.output_path, width, height, pipeline.channels, depth, picture.metadata, task.save
        ) as writer:
            for band in pipeline.bands():
                writer.write(band)
            self._control.check()
            writer.commit()
        self._inference_seconds = time.perf_counter() - begun
        return pipeline.report

    def _write_animation(self, upscaler: Upscaler | None) -> PipelineReport:
        task = self._task
        reports: list[PipelineReport] = []

        def frames() -> Iterator[tuple[Picture, int]]:
            for picture, duration in image_io.load_frames(task.input_path, self._limits):
                pipeline = self._pipeline(picture, upscaler, 8)
                joined = np.concatenate(list(pipeline.bands()))
                reports.append(pipeline.report)
                has_alpha = picture.alpha is not None
                yield (
                    Picture(
                        np.ascontiguousarray(joined[..., :-1] if has_alpha else joined),
                        np.ascontiguousarray(joined[..., -1]) if has_alpha else None,
                        picture.metadata,
                    ),
                    duration,
                )

        begun = time.perf_counter()
        first = image_io.load(task.input_path, self._limits)
        image_io.write_animation(
            frames(), task.output_path, image_io.animation_loop(task.input_path), task.save, first.metadata
        )
        self._inference_seconds = time.perf_counter() - begun
        return replace(reports[0], tiles=sum(report.tiles for report in reports))

    def _result(self, report: PipelineReport, model: LoadedModel | None, started: float) -> EnhanceResult:
        task = self._task
        return EnhanceResult(
            input_path=task.input_path,
            output_path=task.output_path,
            input_size=(task.info.width, task.info.height),
            output_size=task.size.canvas,
            model=task.model,
            backend=model.session.backend if model else "pillow",
            device=model.session.device if model else "cpu",
            precision=model.session.precision if model else "fp32",
            tile=max(report.window),
            scale=round(task.size.scale, 4),
            timings=Timings(self._load_seconds, self._inference_seconds, time.perf_counter() - started),
            metrics=_metrics(task, report),
            warnings=tuple(dict.fromkeys(self._warnings)),
            peak_memory_mb=peak_memory_mb(),
        )


def _metrics(task: _Task, report: PipelineReport) -> dict[str, Any]:
    """Numbers about the result that cost nothing extra: they fall out of the stream."""
    metrics: dict[str, Any] = {
        "original_bytes": task.info.file_bytes,
        "enhanced_bytes": task.output_path.stat().st_size,
        "tiles": report.tiles,
        "passes": report.passes,
        "model_reason": task.model_reason,
    }
    for name in ("color_difference_before", "color_difference_after"):
        value = getattr(report, name)
        if value is not None:
            metrics[name] = round(value, 3)
    if report.faithfulness_psnr is not None:
        metrics["faithfulness_psnr_db"] = round(report.faithfulness_psnr, 2)
    return metrics


def crop(picture: Picture, box: tuple[int, int, int, int] | None) -> Picture:
    """The part (left, top, width, height) of a picture; all of it for None."""
    if box is None:
        return picture
    left, top, width, height = box
    part = (slice(top, top + height), slice(left, left + width))
    alpha = None if picture.alpha is None else np.ascontiguousarray(picture.alpha[part])
    return Picture(np.ascontiguousarray(picture.pixels[part]), alpha, picture.metadata)


def apply_fidelity(
    enhanced: Picture, original: Picture, fidelity: float, settings: EnhanceSettings | None = None
) -> Picture:
    """Blend a finished result with the plainly resized input, without running the network again.

    Args:
        enhanced: a result made with ``fidelity=0``.
        original: its input.
        fidelity: 0 = ``enhanced`` unchanged, 1 = the resized input.
        settings: those of the run, needed only where they crop ("fill").

    Raises:
        InvalidSettingsError: ``fidelity`` is outside 0..1, or the pictures do not belong together.
    """
    if not 0 <= fidelity <= 1:
        raise InvalidSettingsError(f"fidelity must be between 0 and 1 (given: {fidelity}).")
    if settings is not None:
        original = crop(original, plan_size(*original.size, settings, max_output_pixels=10**12).crop)
    if enhanced.channels != original.channels:
        raise InvalidSettingsError("The two pictures have different channels; they are not a result and its input.")
    bands = iter([to_full_scale(enhanced.interleaved())])
    mixed = next(blend_with_source(bands, original.interleaved(), enhanced.size, fidelity))
    mixed = from_full_scale(mixed, enhanced.bit_depth)
    if enhanced.alpha is None:
        return Picture(mixed, None, enhanced.metadata)
    return Picture(np.ascontiguousarray(mixed[..., :-1]), np.ascontiguousarray(mixed[..., -1]), enhanced.metadata)


def enhance_image_direct(
    image: str | Path | np.ndarray | Image.Image,
    model_name: str = "auto",
    scale: float | None = None,
    fp32: bool = False,
    face_enhance: bool = False,
    tile: int = 0,
    auto_tile: bool = True,
    denoise_strength: float | None = None,
    gpu_id: int | None = None,
    model_manager: ModelManager | None = None,
    config: Any = None,
    *,
    model: str | None = None,
    output_path: Path | str | None = None,
    progress: Callable[[Any], None] | None = None,
    **settings: Any,
) -> tuple[str, str, str, dict[str, Any]]:
    """Enhance one picture, given as a file, a PIL picture or an array.

    Args:
        image: path, ``PIL.Image``, or ``(H, W[, C]) uint8 | uint16 | float in 0..1`` RGB array.
        model_name: name as listed by ``models list``; "auto" picks the best installed (``model`` is the same).
        gpu_id: which GPU; ignored on a machine without one.
        model_manager, config: shared ones; made when not given. ``config`` may be the ``Config`` class itself.
        output_path: where to write; by default a new name in ``config.output_dir``.
        progress: called with ``engine.types.Progress``.
        settings: any further field of ``EnhanceSettings``.

    Returns:
        (result path, input path, status sentence, metrics).

    Raises:
        EngineError: see ``enhance_file``.
    """
    if config is None:
        from config import Config as config
    if isinstance(config, type):
        config = config()
    chosen = EnhanceSettings.create(
        model=model or model_name,
        scale=scale,
        precision="fp32" if fp32 else settings.pop("precision", "auto"),
        face_enhance=face_enhance,
        tile=tile,
        auto_tile=auto_tile,
        denoise_strength=denoise_strength,
        **settings,
    )
    manager = model_manager if model_manager is not None else ModelManager.from_config(config)
    if gpu_id is not None and chosen.device == "auto":
        chosen = chosen.but(device=manager.resolve_device("auto", gpu_id))
    output_dir = Path(config.output_dir)
    input_path = _as_file(image, output_dir / "inputs")
    target = Path(output_path) if output_path else unused_path(default_output_path(input_path, output_dir, chosen))
    control = JobControl(on_progress=progress)
    try:
        result = enhance_file(
            input_path, target, chosen, manager=manager, config=config, control=control, overwrite=bool(output_path)
        )
    finally:
        if model_manager is None:
            manager.close()
    seconds = result.timings.total
    status = (
        f"Enhanced {result.input_size[0]}x{result.input_size[1]} to {result.output_size[0]}x{result.output_size[1]} "
        f"with {result.model} ({result.backend}, {result.device}, {result.precision}) in {seconds:.1f} s."
    )
    status += "".join(f" {warning}" for warning in result.warnings)
    metrics = {**result.metrics, **{key: value for key, value in result.to_json().items() if key != "metrics"}}
    return str(result.output_path), str(input_path), status, metrics


def _as_file(image: str | Path | np.ndarray | Image.Image, folder: Path) -> Path:
    """A path to the picture; pixels that only live in memory are written as PNG first."""
    if isinstance(image, str | Path):
        return Path(image)
    picture = image_io.from_array(image) if isinstance(image, np.ndarray) else image_io.from_pil(image)
    path = unused_path(folder / "picture.png")
    image_io.save(picture, path, SaveOptions(format="png"))
    return path


def unused_path(path: Path) -> Path:
    """``path``, or with ``-2``, ``-3`` ... before the suffix where that name is taken."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


__all__ = [
    "apply_fidelity",
    "crop",
    "default_output_path",
    "enhance_file",
    "enhance_image_direct",
    "goal_text",
    "limits_of",
    "output_format",
    "unused_path",
]
