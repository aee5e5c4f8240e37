"""What a runner does with a job, wherever it runs: ``enhance_file``, in one step or in the shortest mixed sequence."""

from __future__ import annotations

from dataclasses import replace

from engine.analysis.choice import Requirements, choose_model
from engine.imaging.context import JobContext
from engine.imaging.document import is_document
from engine.imaging.picture_enhancer import how_to_load
from engine.imaging.task import automatic_model
from engine.jobs.job import Job
from engine.model_manager import ModelManager
from engine.pixels.sizing import plan_size
from engine.processor import enhance_within, limits_of
from engine.types import RESAMPLERS, EnhanceResult, EnhanceSettings
from utils import image_io
from utils.engine_config import EngineConfig
from utils.files import folder_beside

_NO_LIMITS = {"max_image_mb": 10**7, "max_image_megapixels": 10.0**7}
"""Input limits are for what people bring, not for our own intermediate file."""

_KEPT_BETWEEN = {"precision", "backend", "device", "tile", "auto_tile", "color_match", "salvage"}


def shortest_passes(factor: float) -> tuple[int, ...]:
    """The fewest x4 and x2 passes that reach ``factor`` (up to 16), and among those the least to shrink afterwards.

    1 needs none, 2 is (2,), 3 is (4,), 6 is (4, 2), 12 is (4, 4).
    """
    # 0.1% of slack, as in engine.pixels.sizing.passes_for: a rounded size must not cost a pass.
    needed = factor * 0.999
    for passes, reach in (((), 1), ((2,), 2), ((4,), 4), ((4, 2), 8)):
        if needed <= reach:
            return passes
    return (4, 4)


def run_job(job: Job, context: JobContext) -> EnhanceResult:
    """Do a job in this process; ``job.overwrite`` counts.

    ``metrics["upscaling_strategy"]`` of the result says which passes were run.

    Raises:
        EngineError: as ``engine.enhance_file``.
    """
    context = replace(context, overwrite=job.overwrite)
    factor = _factor(job, context.config)
    if factor is not None and shortest_passes(factor) == (4, 2) and job.settings.model == "auto":
        first, second = _two_models(job, context)
        if _native_scale(context.manager, first) == 4 and _native_scale(context.manager, second) == 2:
            return _two_networks(job, first, second, context)
    result = enhance_within(context, job.input_path, job.output_path, job.settings)
    return _with_strategy(result, _describe(result, context.manager))


def load_for(settings: EnhanceSettings, manager: ModelManager, pixels: int = 0) -> None:
    """Load the network that ``settings`` names as ``run_job`` would for so large an input. Raises ``EngineError``."""
    if settings.model != "auto" and settings.model not in RESAMPLERS:
        manager.load_model(settings.model, **how_to_load(settings, pixels))


def _factor(job: Job, config: EngineConfig) -> float | None:
    """How many times larger the result is to be; None where passes are not to be mixed."""
    if not job.mixed_passes:
        return None
    info = image_io.probe(job.input_path, limits_of(config, job.settings))
    if info.frames > 1 or is_document(info, job.settings, job.output_path):
        return None
    return plan_size(info.width, info.height, job.settings, max_output_pixels=10**12).scale


def _two_models(job: Job, context: JobContext) -> tuple[str, str]:
    """The model for the picture, and the one that doubles its result: that is clean, and sixteen times as many pixels
    would keep the first busy sixteen times as long."""
    info = image_io.probe(job.input_path, limits_of(context.config, job.settings))
    first = automatic_model(job.input_path, info, job.settings, context).model
    again = Requirements("photo", "picture", 2.0, worn=False, pristine=True, mode="faithful")
    return first, choose_model(context.manager, again).model


def _native_scale(manager: ModelManager, model: str) -> int:
    return 0 if model in RESAMPLERS else manager.info(model).scale


def _two_networks(job: Job, first: str, second: str, context: JobContext) -> EnhanceResult:
    """x4 by one network into a lossless file, then x2 and the final resize by the other."""
    between = EnhanceSettings.create(
        model=first,
        scale=4,
        format="png",
        embed_settings=False,
        **job.settings.model_dump(include=_KEPT_BETWEEN),
    )
    with folder_beside(job.output_path) as folder:
        middle = folder / f"{job.input_path.stem}.png"
        begin = replace(context, control=context.control.part(0.0, 0.35))
        one = enhance_within(begin, job.input_path, middle, between)
        end = replace(
            context,
            config=context.config.model_copy(update=_NO_LIMITS),
            control=context.control.part(0.35, 1.0),
            faces_from=job.input_path,
        )
        two = enhance_within(end, middle, job.output_path, job.settings.but(model=second))
    width, height = two.output_size
    result = replace(
        two,
        input_path=job.input_path,
        input_size=one.input_size,
        scale=round(max(width / one.input_size[0], height / one.input_size[1]), 4),
        warnings=tuple(dict.fromkeys((*one.warnings, *two.warnings))),
        metrics={**two.metrics, **{name: one.metrics[name] for name in one.metrics if name == "missing_percent"}},
    )
    return _with_strategy(result, f"x4 ({first}), x2 ({second}), resize to {width}x{height}")


def _describe(result: EnhanceResult, manager: ModelManager) -> str:
    width, height = result.output_size
    if result.skipped:
        return "written anew at its own size" if result.metrics else "copied unchanged"
    if result.model in RESAMPLERS:
        return f"{result.model} to {width}x{height}"
    native = _native_scale(manager, result.model)
    passes = int(result.metrics.get("passes", 1))
    steps = ", ".join([f"x{native} ({result.model})"] * passes)
    exact = (result.input_size[0] * native**passes, result.input_size[1] * native**passes)
    return steps if exact == result.output_size else f"{steps}, resize to {width}x{height}"


def _with_strategy(result: EnhanceResult, strategy: str) -> EnhanceResult:
    return replace(result, metrics={**result.metrics, "upscaling_strategy": strategy})


__all__ = ["run_job", "shortest_passes"]
