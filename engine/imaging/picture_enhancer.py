"""Runs one decided task: decode, enhance, encode; again in a wider number type where a narrow one failed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.backends.asked import NARROWEST
from engine.backends.base import PrecisionError
from engine.faces.stage import FaceStage
from engine.imaging.context import JobContext
from engine.imaging.pipeline import PicturePipeline, PipelineReport
from engine.imaging.task import Task, limits_of, marked
from engine.imaging.upscaler import Upscaler, upscaler_for
from engine.model_manager import LoadedModel
from engine.pixels.normals import looks_like_normals
from engine.pixels.tiling import TileOutOfMemory
from engine.types import RESAMPLERS, EnhanceResult, EnhanceSettings, JobControl, Timings
from utils import image_io
from utils.errors import InvalidSettingsError, OutOfMemoryError
from utils.gpu import peak_memory_mb
from utils.json_types import JsonObject
from utils.picture import Picture, crop
from utils.writers import DEEP_FORMATS, open_writer

if TYPE_CHECKING:
    from engine.model_manager import HowToLoad

_IN_A_HURRY = ("quick", "balanced")
"""Modes in which what "auto" runs may be in eight bits."""
_LARGE = 500_000
"""Pixels of an input from which on eight bits repay looking, once, whether they serve here."""


def how_to_load(settings: EnhanceSettings, pixels: int = 0, *, a_film: bool = False) -> HowToLoad:
    """What ``ModelManager.load_model`` is asked for a run with these settings, the model's name aside.

    Args:
        pixels: of the input.
    """
    quick = settings.mode in _IN_A_HURRY and (a_film or pixels >= _LARGE)
    hurry = settings.precision == "auto" and (quick or (a_film and settings.mode == "auto"))
    return {
        "device": settings.device,
        "backend": settings.backend,
        "precision": NARROWEST if hurry else settings.precision,
        "denoise_strength": settings.denoise_strength,
    }


class PictureEnhancer:
    """Runs one decided task: load, enhance, write; again in a wider number type where a narrow one failed."""

    def __init__(self, task: Task, context: JobContext) -> None:
        self._task, self._context = task, context
        self._manager, self._control = context.manager, context.control
        self._limits = limits_of(context.config, task.settings)
        self._warnings = list(task.warnings)
        self._load_seconds = 0.0
        self._inference_seconds = 0.0
        self._bit_depth = 8
        self._missing: float | None = None
        self._picture: Picture | None = None
        self._faces: FaceStage | None = None

    def run(self, started: float) -> EnhanceResult:
        """Do the task; ``started`` is the ``time.perf_counter()`` that its total time counts from."""
        task, settings = self._task, self._task.settings
        if settings.face_enhance:
            self._restore_faces()
        if task.model in RESAMPLERS:
            report = self._write(None)
            return self._result(report, None, started)
        how = how_to_load(settings, task.info.width * task.info.height)
        while True:
            begun = time.perf_counter()
            try:
                with self._manager.borrow(task.model, **how) as model:
                    if model.note:
                        self._warnings.append(model.note)
                    self._load_seconds += time.perf_counter() - begun
                    report = self._write(model)
                    return self._result(report, model, started)
            except PrecisionError as error:
                if how["precision"] == "fp32":
                    raise InvalidSettingsError(
                        f"'{task.model}' gives no valid pixels even in fp32: its checkpoint is damaged."
                    ) from error
                self._warnings.append(f"{error}; the picture was run again in fp32.")
                how["precision"] = "fp32"
            except (TileOutOfMemory, MemoryError) as error:
                raise _out_of_memory(task.input_path.name) from error

    def keep_faces(self, picture_file: Path, cache_dir: Path) -> None:
        """Remember the finished file's faces, so that their strength can be changed without a new run."""
        if self._faces is not None:
            self._faces.keep(picture_file, cache_dir, self._bit_depth, self._task.save)

    def _restore_faces(self) -> None:
        """Before the network for the picture is loaded: the two need not be in memory together."""
        task = self._task
        if task.writes_animation:
            if task.settings.face_enhance is True:
                self._warnings.append("Faces in animations are not restored: they would flicker.")
            return
        self._faces = FaceStage(self._manager, task.settings, task.size, (task.info.width, task.info.height))
        if self._context.faces_from is not None:
            source = image_io.load(self._context.faces_from, self._limits)
        else:
            source = self._picture = image_io.load(task.input_path, self._limits)
        self._control = self._faces.prepare(source, self._control)
        self._warnings += self._faces.warnings

    def _write(self, model: LoadedModel | None) -> PipelineReport:
        """Decode, enhance and encode the picture (or every frame of an animation)."""
        upscaler = None
        if model is not None:
            upscaler = upscaler_for(model, self._task.settings, self._context, self._control)
        if self._task.writes_animation:
            report = self._write_animation(upscaler)
        else:
            if self._task.info.frames > 1 and image_io.is_animated(self._task.info):
                self._warnings.append(
                    f"{self._task.save.format.upper()} holds one picture: only the first frame is kept."
                )
            report = self._write_still(upscaler)
        if upscaler is not None and model is not None and upscaler.limit.side is not None:
            side = upscaler.limit.side
            self._manager.tile_memory.put(model.tile_key, side)
            self._warnings.append(
                f"Memory ran short: tiles were made smaller (now {side} pixels) and the work went on."
            )
        return report

    def _pipeline(
        self, picture: Picture, upscaler: Upscaler | None, bit_depth: int, control: JobControl | None = None
    ) -> PicturePipeline:
        task, faces = self._task, self._faces
        colors = picture.pixels.shape[2]
        pipeline = PicturePipeline(
            crop(picture, task.size.crop),
            task.size,
            task.settings,
            upscaler=upscaler,
            resampler=task.model,
            bit_depth=bit_depth,
            control=control or self._control,
            overlay=None if faces is None else lambda bands: faces.paste(bands, colors),
        )
        begun = time.perf_counter()
        pipeline.prepare()
        self._load_seconds += time.perf_counter() - begun
        return pipeline

    def _write_still(self, upscaler: Upscaler | None) -> PipelineReport:
        task = self._task
        picture = self._picture or image_io.load(task.input_path, self._limits)
        self._missing = picture.metadata.missing_percent
        for warning in picture.metadata.warnings:
            if warning not in self._warnings:
                self._warnings.append(warning)
        if task.settings.normal_map and not looks_like_normals(picture.pixels):
            self._warnings.append("This does not look like a normal map: its RGB vectors are not of length 1.")
        if task.settings.print_size is not None:
            picture = picture.with_metadata(dpi=(task.settings.dpi, task.settings.dpi))
        depth = picture.bit_depth if task.save.format in DEEP_FORMATS else 8
        if depth < picture.bit_depth:
            self._warnings.append(f"{task.save.format.upper()} holds 8 bits a channel; the input's 16 were reduced.")
        self._bit_depth = depth
        pipeline = self._pipeline(picture, upscaler, depth)
        begun = time.perf_counter()
        width, height = task.size.canvas
        save = replace(task.save, comment=marked(task.save.comment, self._missing))
        with open_writer(task.output_path, width, height, pipeline.channels, depth, picture.metadata, save) as writer:
            for band in pipeline.bands():
                writer.write(band)
            self._control.check()
            writer.commit()
        self._inference_seconds = time.perf_counter() - begun
        return pipeline.report

    def _write_animation(self, upscaler: Upscaler | None) -> PipelineReport:
        task = self._task
        reports: list[PipelineReport] = []
        began = time.monotonic()
        begun = time.perf_counter()
        loaded = image_io.load_frames(task.input_path, self._limits)
        first = next(loaded)
        metadata = first[0].metadata
        self._missing = metadata.missing_percent
        self._warnings += metadata.warnings
        if first[0].bit_depth > 8:
            self._warnings.append("Animations are written with 8 bits a channel; the input's 16 were reduced.")

        def frames() -> Iterator[tuple[Picture, int]]:
            for index, (picture, duration) in enumerate(itertools.chain([first], loaded)):
                control = self._control.one_of(index, task.info.frames, began)
                pipeline = self._pipeline(picture, upscaler, 8, control)
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

        loop = image_io.animation_loop(task.input_path, damaged=self._limits.salvage)
        save = replace(task.save, comment=marked(task.save.comment, self._missing))
        image_io.write_animation(frames(), task.output_path, loop, save, metadata)
        self._inference_seconds = time.perf_counter() - begun
        return replace(reports[0], tiles=sum(report.tiles for report in reports))

    def _result(self, report: PipelineReport, model: LoadedModel | None, started: float) -> EnhanceResult:
        task = self._task
        if model is not None and report.passes == 1 and not report.tile_shrunk and not task.writes_animation:
            pixels = task.info.width * task.info.height
            self._manager.speeds.note(model.info, model.session.device, pixels, self._control.network.seconds)
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
            timings=Timings(
                self._load_seconds,
                self._inference_seconds,
                time.perf_counter() - started,
                self._control.network.seconds,
            ),
            metrics=_metrics(task, report)
            | ({} if self._faces is None else self._faces.metrics)
            | ({} if self._missing is None else {"missing_percent": self._missing}),
            warnings=tuple(dict.fromkeys(self._warnings)),
            peak_memory_mb=peak_memory_mb(),
        )


def _out_of_memory(name: str) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"Not enough memory for '{name}' even with the smallest tile. Turn automatic tiles on, use half precision, "
        "switch face enhancement off, close other programs, or run on the CPU."
    )


def _metrics(task: Task, report: PipelineReport) -> JsonObject:
    """Numbers about the result that cost nothing extra: they fall out of the stream."""
    metrics: JsonObject = {
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
