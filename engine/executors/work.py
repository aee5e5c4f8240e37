"""What a runner does with a job, wherever it runs: ``enhance_file``, in one step or in the shortest mixed sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.choice import Needs, choose_model
from engine.jobs import Job
from engine.model_manager import ModelManager
from engine.processor import enhance_file, limits_of
from engine.sizing import plan_size
from engine.task import automatic_model
from engine.types import RESAMPLERS, EnhanceResult, EnhanceSettings, JobControl
from utils import image_io
from utils.files import folder_beside


def shortest_passes(factor: float) -> tuple[int, ...]:
    """The fewest x4 and x2 passes that reach ``factor`` (up to 16), and among those the least to shrink afterwards.

    1 needs none, 2 is (2,), 3 is (4,), 6 is (4, 2), 12 is (4, 4).
    """
    # 0.1% of slack, as in engine.sizing.passes_for: a rounded size must not cost a pass.
    needed = factor * 0.999
    for passes, reach in (((), 1), ((2,), 2), ((4,), 4), ((4, 2), 8)):
        if needed <= reach:
            return passes
    return (4, 4)


def run_job(job: Job, manager: ModelManager, config: Any, control: JobControl) -> EnhanceResult:
    """Do a job in this process.

    ``metrics["upscaling_strategy"]`` of the result says which passes were run.

    Raises:
        EngineError: as ``engine.enhance_file``.
    """
    factor = _factor(job, config)
    if factor is not None and shortest_passes(factor) == (4, 2) and job.settings.model == "auto":
        first, second = _two_models(job, manager, config)
        if _native_scale(manager, first) == 4 and _native_scale(manager, second) == 2:
            return _two_networks(job, first, second, manager, config, control)
    result = enhance_file(
        job.input_path,
        job.output_path,
        job.settings,
        manager=manager,
        config=config,
        control=control,
        overwrite=job.overwrite,
    )
    return _with_strategy(result, _describe(result, manager))


def _factor(job: Job, config: Any) -> float | None:
    """How many times larger the result is to be; None where passes are not to be mixed."""
    if not job.mixed_passes:
        return None
    info = image_io.probe(job.input_path, limits_of(config))
    if info.frames > 1:
        return None
    return plan_size(info.width, info.height, job.settings, max_output_pixels=10**12).scale


def _two_models(job: Job, manager: ModelManager, config: Any) -> tuple[str, str]:
    """The model for the picture, and the one that doubles its result: that is clean, and sixteen times as many pixels
    would keep the first busy sixteen times as long."""
    info = image_io.probe(job.input_path, limits_of(config))
    first = automatic_model(job.input_path, info, job.settings, manager, config).model
    again = Needs("photo", "picture", 2.0, worn=False, pristine=True, mode="faithful")
    return first, choose_model(manager, again).model


def _native_scale(manager: ModelManager, model: str) -> int:
    return 0 if model in RESAMPLERS else manager.info(model).scale


def _two_networks(
    job: Job, first: str, second: str, manager: ModelManager, config: Any, control: JobControl
) -> EnhanceResult:
    """x4 by one network into a lossless file, then x2 and the final resize by the other."""
    between = EnhanceSettings.create(
        model=first,
        scale=4,
        format="png",
        embed_settings=False,
        **job.settings.model_dump(include={"precision", "backend", "device", "tile", "auto_tile", "color_match"}),
    )
    with folder_beside(job.output_path) as folder:
        middle = folder / f"{job.input_path.stem}.png"
        one = enhance_file(
            job.input_path, middle, between, manager=manager, config=config, control=control.part(0.0, 0.35)
        )
        two = enhance_file(
            middle,
            job.output_path,
            job.settings.but(model=second),
            manager=manager,
            config=_Relaxed(config),
            control=control.part(0.35, 1.0),
            overwrite=job.overwrite,
            faces_from=job.input_path,
        )
    width, height = two.output_size
    result = replace(
        two,
        input_path=job.input_path,
        input_size=one.input_size,
        scale=round(max(width / one.input_size[0], height / one.input_size[1]), 4),
        warnings=tuple(dict.fromkeys((*one.warnings, *two.warnings))),
    )
    return _with_strategy(result, f"x4 ({first}), x2 ({second}), resize to {width}x{height}")


class _Relaxed:
    """The configuration without input limits: they are for what people bring, not for our own intermediate file."""

    max_image_mb = 10.0**7
    max_image_megapixels = 10.0**7

    def __init__(self, config: Any) -> None:
        self._config = config

    def __getattr__(self, name: str) -> Any:
        return getattr(self._config, name)


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
