"""What is decided about a picture before any pixel of it is decoded: output, model, size."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.analysis.choice import Chosen
from engine.faces.missing_models import missing_face_models
from engine.imaging.context import JobContext
from engine.pixels.sizing import SizePlan, plan_size
from engine.storage.output_names import check_output, output_format
from engine.types import RESAMPLERS, EnhanceSettings
from utils import image_io
from utils.engine_config import EngineConfig
from utils.errors import InvalidSettingsError
from utils.writers import SaveOptions
from utils.writers.moving import ANIMATED

MB = 10**6


@dataclass(frozen=True)
class Task:
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

    @property
    def writes_animation(self) -> bool:
        """Whether every frame is enhanced and written."""
        return self.info.frames > 1 and self.save.format in ANIMATED

    @property
    def large_enough(self) -> bool:
        """Whether the input reaches the goal, and is to be left alone then."""
        return self.settings.skip_if_large_enough and self.size.reached

    @property
    def copies(self) -> bool:
        """Whether the input is what is asked for, byte for byte: large enough, and of the wanted form."""
        most = self.settings.max_megabytes
        small_enough = most is None or self.info.file_bytes <= int(most * MB)
        return self.large_enough and self.save.format == self.info.format and self.save.exif == "keep" and small_enough


def limits_of(config: EngineConfig, settings: EnhanceSettings | None = None) -> image_io.ImageLimits:
    """The picture limits of the application's configuration; ``settings`` may ask for the rest of damaged pictures."""
    return image_io.ImageLimits(
        max_bytes=int(config.max_image_mb * MB),
        max_pixels=int(config.max_image_megapixels * MB),
        max_pages=config.max_pages,
        salvage=settings is not None and settings.salvage,
    )


def result_limits_of(config: EngineConfig) -> image_io.ImageLimits:
    """Limits within which every result of ours is, to read it again."""
    most = int(max(config.max_image_megapixels, config.max_output_megapixels) * MB)
    return image_io.ImageLimits(max_bytes=10**13, max_pixels=most, max_animation_pixels=10**13, max_pages=10**6)


@dataclass(frozen=True)
class ModelChoice:
    """The model that is run, and the sizes that follow from it.

    Attributes:
        reason: why it was chosen, in words.
        native_scale: the model's own enlargement.
        warnings: what the person should know about the choice, in sentences.
    """

    model: str
    reason: str
    native_scale: int
    size: SizePlan
    warnings: tuple[str, ...] = ()


def model_and_size(
    input_size: tuple[int, int], settings: EnhanceSettings, context: JobContext, automatic: Callable[[float], Chosen]
) -> ModelChoice:
    """Model and sizes for an input of ``input_size``, (width, height) in pixels.

    Args:
        automatic: what "auto" means: the wanted scale -> the model, with reasons.

    Raises:
        ModelNotFoundError: no such model.
        ImageTooLargeError, InvalidSettingsError: as ``plan_size``.
    """
    name, reason = settings.model, "chosen by name"
    warnings: tuple[str, ...] = ()
    if name == "auto":
        rough = plan_size(*input_size, settings, max_output_pixels=10**12)
        chosen = automatic(rough.scale)
        name, reason, warnings = chosen.model, " ".join(chosen.reasons), chosen.warnings
    native = 4 if name in RESAMPLERS else context.manager.info(name).scale
    most = int(context.config.max_output_megapixels * MB)
    size = plan_size(*input_size, settings, native_scale=native, max_output_pixels=most)
    return ModelChoice(name, reason, native, size, warnings)


def automatic_model(path: Path, info: image_io.ImageInfo, settings: EnhanceSettings, context: JobContext) -> Chosen:
    """What ``model="auto"`` means for a picture file under these settings."""
    scale = plan_size(info.width, info.height, settings, max_output_pixels=10**12).scale
    limits = limits_of(context.config, settings)
    return context.manager.automatic.choose(path, (info.width, info.height), scale, settings.mode, limits)


def decide(
    input_path: Path,
    output_path: Path,
    settings: EnhanceSettings,
    context: JobContext,
    info: image_io.ImageInfo | None = None,
) -> Task:
    """Check input, output, model and sizes; cheap, reads only headers. Raises ``EngineError``.

    Args:
        info: the input's header, where it was read already.
    """
    info = info or image_io.probe(input_path, limits_of(context.config, settings))
    check_output(input_path, output_path, context.overwrite)
    choice = model_and_size(
        (info.width, info.height), settings, context, lambda _: automatic_model(input_path, info, settings, context)
    )
    name, size, warnings = choice.model, choice.size, list(choice.warnings)
    if settings.face_enhance:
        missing_face_models(
            context.manager, settings.face_model
        )  # refuses what is no face model before anything is done
    if settings.denoise_strength is not None and name in RESAMPLERS:
        warnings.append(f"'{name}' has no denoise strength; it was ignored.")
    resolved = settings.model_copy(
        update={"model": name} | ({} if _has_goal(settings) else {"scale": float(choice.native_scale)})
    )
    save = save_options(resolved, output_format(settings, info.format, output_path))
    task = Task(input_path, output_path, info, name, choice.reason, settings, size, save, tuple(warnings))
    if settings.max_megabytes is not None and task.writes_animation and not task.copies:
        raise InvalidSettingsError(
            f"'{input_path.name}' is an animation, for which no largest file size can be kept. Leave that out, or save "
            "as JPEG, AVIF or TIFF, which hold its first frame."
        )
    return task


def _has_goal(settings: EnhanceSettings) -> bool:
    return any(
        value is not None
        for value in (settings.scale, settings.width, settings.height, settings.long_edge, settings.print_size)
    )


def save_options(settings: EnhanceSettings, kind: str, missing_percent: float | None = None) -> SaveOptions:
    """How a result is written as a file of ``kind``, by the settings and, where they say so, with them."""
    comment = marked(settings_comment(settings), missing_percent) if settings.embed_settings else None
    return SaveOptions(kind, settings.quality, settings.lossless, settings.exif, comment)


def marked(comment: str | None, missing_percent: float | None) -> str | None:
    """What is written into the output of a damaged input: the settings' comment, and how much was missing."""
    if comment is None or missing_percent is None:
        return comment
    return json.dumps({**json.loads(comment), "missing_percent": missing_percent}, ensure_ascii=False)


def settings_comment(settings: EnhanceSettings) -> str:
    """The settings that differ from the defaults, as JSON, for the output's metadata."""
    chosen = settings.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"software": "Real-ESRGAN Ultimate", **chosen}, ensure_ascii=False)
