"""The main job: a file in, a larger file out, with metrics. Nothing is left half-written, whatever happens."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.imaging.context import JobContext
from engine.imaging.direct_call import direct_call
from engine.imaging.document import enhance_document, is_document
from engine.imaging.picture_enhancer import PictureEnhancer
from engine.imaging.readjust import blended
from engine.imaging.task import MB, Task, decide, limits_of
from engine.model_manager import ModelManager
from engine.pixels.resample import from_full_scale
from engine.pixels.sizing import SizePlan, plan_size
from engine.storage.output_names import default_output_path, goal_text, output_format, reserved
from engine.types import EnhanceResult, EnhanceSettings, JobControl, Progress, Timings
from utils import image_io
from utils.engine_config import EngineConfig
from utils.errors import InvalidSettingsError
from utils.files import folder_beside, replaced
from utils.gpu import peak_memory_mb
from utils.json_types import JsonObject
from utils.picture import Picture, crop
from utils.writers import SaveOptions
from utils.writers.base import output_error

if TYPE_CHECKING:
    from PIL import Image


def enhance_file(
    input_path: Path | str,
    output_path: Path | str,
    settings: EnhanceSettings,
    *,
    manager: ModelManager,
    config: EngineConfig,
    control: JobControl | None = None,
    overwrite: bool = False,
    faces_from: Path | None = None,
) -> EnhanceResult:
    """Enhance one picture file, or every page of a TIFF or PDF (``settings.pages``, ``engine.imaging.document``).

    Args:
        config: limits (``max_image_mb``, ``max_image_megapixels``, ``max_pages``, ``max_output_megapixels``) and
            ``gpu_memory_reserve_mb``.
        control: receives progress, can cancel.
        overwrite: replace an existing output file (never the input itself).
        faces_from: the file to restore faces from where the input is itself an enlargement of it.

    Raises:
        EngineError: one of its kinds, see ``utils.errors``; then no output file exists or an older one is untouched.
    """
    context = JobContext(manager, config, control or JobControl(), overwrite, faces_from)
    return enhance_within(context, Path(input_path), Path(output_path), settings)


def enhance_within(context: JobContext, source: Path, target: Path, settings: EnhanceSettings) -> EnhanceResult:
    """``enhance_file`` where a context is there already."""
    started = time.perf_counter()
    info = image_io.probe(source, limits_of(context.config, settings))
    if is_document(info, settings, target):
        return enhance_document(info, target, settings, context, _enhance_page)
    decided = decide(source, target, settings, context, info)
    return _copy(decided, started) if decided.copies else _enhance(decided, context, started)


def _enhance_page(page: Path, target: Path, settings: EnhanceSettings, context: JobContext) -> EnhanceResult:
    """A page's file is there for a moment, so its faces are not remembered."""
    return _enhance(decide(page, target, settings, context), context, time.perf_counter(), keep_faces=False)


def _enhance(decided: Task, context: JobContext, started: float, *, keep_faces: bool = True) -> EnhanceResult:
    """Run one picture."""
    context.control.check()
    task = _at_its_own_size(decided) if decided.large_enough else decided
    if task.settings.max_megabytes is None:
        enhancer = PictureEnhancer(task, context)
        result = enhancer.run(started)
    else:
        # Under its name the file appears only once it is small enough.
        with folder_beside(task.output_path) as folder:
            enhancer = PictureEnhancer(replace(task, output_path=folder / task.output_path.name), context)
            result = _bounded(enhancer.run(started), task, task.settings.max_megabytes, context.control, started)
    if decided.large_enough:
        notice = "The picture is large enough already; it was written anew at its own size."
        result = replace(result, model=decided.model, backend="none", skipped=True, warnings=(*result.warnings, notice))
    cache_dir = context.config.cache_dir
    if cache_dir is not None and keep_faces and result.output_size == task.size.canvas:
        enhancer.keep_faces(task.output_path, Path(cache_dir))
    return result


def _bounded(
    result: EnhanceResult, task: Task, max_megabytes: float, control: JobControl, started: float
) -> EnhanceResult:
    """The result made small enough, and given its name."""
    from engine.imaging.file_size import shrink_to

    assert result.output_path is not None
    notes = shrink_to(result.output_path, int(max_megabytes * MB), task.save, control)
    info = image_io.probe(result.output_path, image_io.ImageLimits(10**13, 10**12, 10**13))
    control.check()
    try:
        result.output_path.replace(task.output_path)
    except OSError as error:
        raise output_error(task.output_path, error) from error
    return replace(
        result,
        output_path=task.output_path,
        output_size=(info.width, info.height),
        timings=replace(result.timings, total=time.perf_counter() - started),
        metrics={**result.metrics, "enhanced_bytes": info.file_bytes},
        warnings=(*result.warnings, *notes),
    )


def _at_its_own_size(task: Task) -> Task:
    """The task of writing an input that reaches the goal in the wanted form, without any network."""
    own = (task.info.width, task.info.height)
    settings = task.settings.model_copy(update={"face_enhance": False})
    return replace(task, model="lanczos", settings=settings, size=SizePlan(None, own, own, (0, 0), 1.0, True))


def _copy(task: Task, started: float) -> EnhanceResult:
    """The input already is what is asked for: copy it, bit for bit."""
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


def apply_fidelity(
    enhanced: Picture, original: Picture, fidelity: float, settings: EnhanceSettings | None = None
) -> Picture:
    """Blend a finished result with the plainly resized input, without running the network again.

    Faces that were restored are blended as well; ``readjust_fidelity`` keeps them, from file to file.

    Args:
        enhanced: a result made with ``fidelity=0``.
        original: its input.
        fidelity: 0 = ``enhanced`` unchanged, 1 = the resized input.
        settings: those of the run, needed only where they crop ("fill") or pad.

    Raises:
        InvalidSettingsError: ``fidelity`` is outside 0..1, or the pictures do not belong together.
    """
    if not 0 <= fidelity <= 1:
        raise InvalidSettingsError(f"fidelity must be between 0 and 1 (given: {fidelity}).")
    plan = None if settings is None else plan_size(*original.size, settings, max_output_pixels=10**12)
    bands = blended(enhanced, original, plan, fidelity, settings is not None and settings.normal_map)
    mixed = np.concatenate([from_full_scale(band, enhanced.bit_depth) for band in bands])
    if enhanced.alpha is None:
        return Picture(mixed, None, enhanced.metadata)
    return Picture(np.ascontiguousarray(mixed[..., :-1]), np.ascontiguousarray(mixed[..., -1]), enhanced.metadata)


def enhance_image_direct(
    image: str | Path | np.ndarray | Image.Image,
    model_name: str = "auto",
    scale: float | None = None,
    fp32: bool = False,
    face_enhance: bool | str = False,
    tile: int = 0,
    auto_tile: bool = True,
    denoise_strength: float | None = None,
    gpu_id: int | None = None,
    model_manager: ModelManager | None = None,
    config: EngineConfig | None = None,
    *,
    model: str | None = None,
    output_path: Path | str | None = None,
    progress: Callable[[Progress], None] | None = None,
    **settings: object,
) -> tuple[str, str, str, JsonObject]:
    """Enhance one picture, given as a file, a PIL picture or an array.

    Args:
        image: path, ``PIL.Image``, or ``(H, W[, C]) uint8 | uint16 | float in 0..1`` RGB array.
        model_name: name as listed by ``models list``; "auto" picks the best installed (``model`` is the same).
        face_enhance: restore faces: True, False or "auto"; see the fields ``face_*`` of ``EnhanceSettings``.
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
    given: dict[str, object] = {"model": model or model_name, "scale": scale, "face_enhance": face_enhance}
    given |= {"tile": tile, "auto_tile": auto_tile, "denoise_strength": denoise_strength, **settings}
    with direct_call(model_manager, config, gpu_id, fp32, given) as (chosen, manager, limits), ExitStack() as names:
        output_dir = Path(limits.output_dir)
        input_path = _as_file(image, output_dir / "inputs", names)
        named = default_output_path(input_path, output_dir, chosen)
        target = Path(output_path) if output_path else names.enter_context(reserved(named))
        context = JobContext(manager, limits, JobControl(on_progress=progress), overwrite=True)
        result = enhance_within(context, input_path, target, chosen)
    metrics = {**result.metrics, **{key: value for key, value in result.to_json().items() if key != "metrics"}}
    return str(result.output_path), str(input_path), _status(result), metrics


def _status(result: EnhanceResult) -> str:
    """What was done, in a sentence, and its warnings."""
    status = (
        f"Enhanced {result.input_size[0]}x{result.input_size[1]} to {result.output_size[0]}x{result.output_size[1]} "
        f"with {result.model} ({result.backend}, {result.device}, {result.precision}) in {result.timings.total:.1f} s."
    )
    return status + "".join(f" {warning}" for warning in result.warnings)


def _as_file(image: str | Path | np.ndarray | Image.Image, folder: Path, names: ExitStack) -> Path:
    """A path to the picture; pixels that only live in memory are written as PNG first, for as long as all goes well."""
    if isinstance(image, str | Path):
        return Path(image)
    picture = image_io.from_array(image) if isinstance(image, np.ndarray) else image_io.from_pil(image)
    path = names.enter_context(reserved(folder / "picture.png"))
    image_io.save(picture, path, SaveOptions(format="png"))
    return path


__all__ = [
    "apply_fidelity",
    "crop",
    "default_output_path",
    "enhance_file",
    "enhance_image_direct",
    "enhance_within",
    "goal_text",
    "limits_of",
    "output_format",
]
