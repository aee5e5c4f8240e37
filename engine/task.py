"""What is decided about a picture before any pixel of it is decoded: output, model, size."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.choice import Chosen
from engine.faces.needs import face_needs
from engine.model_manager import ModelManager
from engine.output_names import check_output, output_format
from engine.sizing import SizePlan, plan_size
from engine.types import RESAMPLERS, EnhanceSettings
from utils import image_io
from utils.errors import InvalidSettingsError
from utils.writers import SaveOptions

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
        return self.info.frames > 1 and self.save.format in ("gif", "webp", "png")

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


def limits_of(config: Any) -> image_io.ImageLimits:
    """The picture limits of the application's configuration."""
    return image_io.ImageLimits(
        max_bytes=int(config.max_image_mb * MB), max_pixels=int(config.max_image_megapixels * MB)
    )


def result_limits_of(config: Any) -> image_io.ImageLimits:
    """Limits within which every result of ours is, to read it again."""
    most = int(max(config.max_image_megapixels, config.max_output_megapixels) * MB)
    return image_io.ImageLimits(max_bytes=10**13, max_pixels=most, max_animation_pixels=10**13)


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


def choose_model(
    width: int,
    height: int,
    settings: EnhanceSettings,
    manager: ModelManager,
    config: Any,
    automatic: Callable[[float], Chosen],
) -> ModelChoice:
    """Model and sizes for an input of ``width`` x ``height`` pixels.

    Args:
        config: the limit ``max_output_megapixels``.
        automatic: what "auto" means: the wanted scale -> the model, with reasons.

    Raises:
        ModelNotFoundError: no such model.
        ImageTooLargeError, InvalidSettingsError: as ``plan_size``.
    """
    name, reason = settings.model, "chosen by name"
    warnings: tuple[str, ...] = ()
    if name == "auto":
        rough = plan_size(width, height, settings, max_output_pixels=10**12)
        chosen = automatic(rough.scale)
        name, reason, warnings = chosen.model, " ".join(chosen.reasons), chosen.notices
    native = 4 if name in RESAMPLERS else manager.info(name).scale
    most = int(config.max_output_megapixels * MB)
    size = plan_size(width, height, settings, native_scale=native, max_output_pixels=most)
    return ModelChoice(name, reason, native, size, warnings)


def automatic_model(
    path: Path, info: image_io.ImageInfo, settings: EnhanceSettings, manager: ModelManager, config: Any
) -> Chosen:
    """What ``model="auto"`` means for a picture file under these settings."""
    scale = plan_size(info.width, info.height, settings, max_output_pixels=10**12).scale
    return manager.automatic.choose(path, (info.width, info.height), scale, settings.mode, limits_of(config))


def decide(
    input_path: Path,
    output_path: Path,
    settings: EnhanceSettings,
    manager: ModelManager,
    config: Any,
    overwrite: bool,
) -> Task:
    """Check input, output, model and sizes; cheap, reads only headers. Raises ``EngineError``."""
    info = image_io.probe(input_path, limits_of(config))
    check_output(input_path, output_path, overwrite)
    choice = choose_model(
        info.width,
        info.height,
        settings,
        manager,
        config,
        lambda _: automatic_model(input_path, info, settings, manager, config),
    )
    name, size, warnings = choice.model, choice.size, list(choice.warnings)
    if settings.face_enhance:
        face_needs(manager, settings.face_model)  # refuses what is no face model before anything is done
    if settings.denoise_strength is not None and name in RESAMPLERS:
        warnings.append(f"'{name}' has no denoise strength; it was ignored.")
    resolved = settings.model_copy(
        update={"model": name} | ({} if _has_goal(settings) else {"scale": float(choice.native_scale)})
    )
    save = SaveOptions(
        format=output_format(settings, info.format, output_path),
        quality=settings.quality,
        lossless=settings.lossless,
        exif=settings.exif,
        comment=settings_comment(resolved) if settings.embed_settings else None,
    )
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


def settings_comment(settings: EnhanceSettings) -> str:
    """The settings that differ from the defaults, as JSON, for the output's metadata."""
    chosen = settings.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"software": "Real-ESRGAN Ultimate", **chosen}, ensure_ascii=False)
