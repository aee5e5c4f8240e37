"""Runs one decided task: decode, enhance, encode; again in a wider number type where a narrow one failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.base import PrecisionError
from engine.faces.stage import FaceStage
from engine.model_manager import LoadedModel, ModelManager
from engine.pipeline import PicturePipeline, PipelineReport
from engine.task import Task
from engine.tiling import TileOutOfMemory
from engine.types import RESAMPLERS, EnhanceResult, JobControl, Timings
from engine.upscaler import MemoryBudget, Upscaler
from utils import image_io
from utils.errors import InvalidSettingsError, OutOfMemoryError
from utils.gpu import available_host_memory, peak_memory_mb
from utils.picture import Picture, crop
from utils.writers import open_writer


class Runner:
    """Runs one decided task: load, enhance, write; again in a wider number type where a narrow one failed."""

    def __init__(
        self,
        task: Task,
        manager: ModelManager,
        control: JobControl,
        reserve: int,
        limits: image_io.ImageLimits,
        faces_from: Path | None = None,
    ) -> None:
        self._task, self._manager, self._control = task, manager, control
        self._reserve, self._limits = reserve, limits
        self._warnings = list(task.warnings)
        self._load_seconds = 0.0
        self._inference_seconds = 0.0
        self._bit_depth = 8
        self._picture: Picture | None = None
        self._faces: FaceStage | None = None
        self._faces_from = faces_from

    def run(self, started: float) -> EnhanceResult:
        """Do the task; ``started`` is the ``time.perf_counter()`` that its total time counts from."""
        task, settings = self._task, self._task.settings
        if settings.face_enhance:
            self._restore_faces()
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
        if self._faces_from is not None:
            source = image_io.load(self._faces_from, self._limits)
        else:
            source = self._picture = image_io.load(task.input_path, self._limits)
        self._control = self._faces.prepare(source, self._control)
        self._warnings += self._faces.warnings

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
        if self._task.writes_animation:
            report = self._write_animation(upscaler)
        else:
            if self._task.info.pages > 1:
                self._warnings.append(
                    f"'{self._task.input_path.name}' has {self._task.info.pages} pages: only the first is kept."
                )
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
        for warning in picture.metadata.warnings:
            if warning not in self._warnings:
                self._warnings.append(warning)
        if task.settings.print_size is not None:
            picture = picture.with_metadata(dpi=(task.settings.dpi, task.settings.dpi))
        depth = picture.bit_depth if task.save.format in ("png", "tiff") else 8
        if depth < picture.bit_depth:
            self._warnings.append(f"{task.save.format.upper()} holds 8 bits a channel; the input's 16 were reduced.")
        self._bit_depth = depth
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
        began = time.monotonic()

        def frames() -> Iterator[tuple[Picture, int]]:
            loaded = image_io.load_frames(task.input_path, self._limits)
            for index, (picture, duration) in enumerate(loaded):
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

        begun = time.perf_counter()
        first = image_io.load(task.input_path, self._limits)
        image_io.write_animation(
            frames(), task.output_path, image_io.animation_loop(task.input_path), task.save, first.metadata
        )
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
            metrics=_metrics(task, report) | ({} if self._faces is None else self._faces.metrics),
            warnings=tuple(dict.fromkeys(self._warnings)),
            peak_memory_mb=peak_memory_mb(),
        )


def _out_of_memory(name: str) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"Not enough memory for '{name}' even with the smallest tile. Turn automatic tiles on, use half precision, "
        "switch face enhancement off, close other programs, or run on the CPU."
    )


def _metrics(task: Task, report: PipelineReport) -> dict[str, Any]:
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
