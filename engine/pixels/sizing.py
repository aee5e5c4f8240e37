"""From a goal ("x3", "3840 pixels wide", "20 x 30 cm at 300 dpi") to sizes: what is run, and what is resized."""

from __future__ import annotations

from dataclasses import dataclass

from engine.types import MAX_SCALE, EnhanceSettings
from utils.errors import ImageTooLargeError, InvalidSettingsError


@dataclass(frozen=True)
class SizePlan:
    """All sizes are (width, height) in pixels.

    Attributes:
        crop: (left, top, width, height) cut out of the input first ("fill"), or None.
        content: size of the enhanced picture after the final resize.
        canvas: size of the output file; larger than ``content`` only for "pad".
        offset: (left, top) of the content on the canvas.
        scale: enlargement of the (cropped) input, the larger of both axes.
        reached: whether the input is already as large as the goal.
    """

    crop: tuple[int, int, int, int] | None
    content: tuple[int, int]
    canvas: tuple[int, int]
    offset: tuple[int, int]
    scale: float
    reached: bool


def _round_size(width: float, height: float) -> tuple[int, int]:
    return max(1, round(width)), max(1, round(height))


def _target_box(width: int, height: int, settings: EnhanceSettings, native_scale: int) -> tuple[float, float]:
    """The box (width, height) that the goal asks for."""
    if settings.print_size is not None:
        box = (settings.print_size[0] / 2.54 * settings.dpi, settings.print_size[1] / 2.54 * settings.dpi)
        # Paper can be turned: the longer side of the print goes to the longer side of the picture.
        return box if (box[0] >= box[1]) == (width >= height) else (box[1], box[0])
    if settings.long_edge is not None:
        return (settings.long_edge, settings.long_edge)
    if settings.width is not None or settings.height is not None:
        wide = settings.width if settings.width is not None else width * settings.height / height  # type: ignore[operator]
        high = settings.height if settings.height is not None else height * settings.width / width  # type: ignore[operator]
        return (wide, high)
    scale = settings.scale if settings.scale is not None else native_scale
    return (width * scale, height * scale)


def plan_size(
    width: int, height: int, settings: EnhanceSettings, *, native_scale: int = 4, max_output_pixels: int = 10**9
) -> SizePlan:
    """Sizes for an input of ``width`` x ``height``.

    Raises:
        ImageTooLargeError: the output would have more than ``max_output_pixels``.
        InvalidSettingsError: the goal asks for more than 16 times the input.
    """
    box = _target_box(width, height, settings, native_scale)
    exact = settings.width is not None and settings.height is not None
    fit = settings.fit if exact else "fit"
    crop: tuple[int, int, int, int] | None = None
    used_width, used_height = width, height
    if fit == "fill":
        ratio = box[0] / box[1]
        used_width, used_height = _round_size(min(width, height * ratio), min(height, width / ratio))
        if (used_width, used_height) != (width, height):
            crop = ((width - used_width) // 2, (height - used_height) // 2, used_width, used_height)
    if fit in ("fill", "stretch"):
        content = _round_size(*box)
    else:
        factor = min(box[0] / width, box[1] / height)
        content = _round_size(width * factor, height * factor)
    canvas = _round_size(*box) if fit == "pad" else content
    offset = ((canvas[0] - content[0]) // 2, (canvas[1] - content[1]) // 2)
    scale = max(content[0] / used_width, content[1] / used_height)
    _check(width, height, canvas, scale, max_output_pixels)
    reached = content[0] <= used_width and content[1] <= used_height
    return SizePlan(crop, content, canvas, offset, scale, reached)


def _check(width: int, height: int, canvas: tuple[int, int], scale: float, max_output_pixels: int) -> None:
    if canvas[0] * canvas[1] > max_output_pixels:
        raise ImageTooLargeError(
            f"The result would be {canvas[0]}x{canvas[1]} pixels ({canvas[0] * canvas[1] / 1e6:.0f} megapixels); the "
            f"limit is {max_output_pixels / 1e6:.0f}. Choose a smaller scale or raise REALESRGAN_MAX_OUTPUT_MEGAPIXELS."
        )
    if scale > MAX_SCALE * 1.001 and scale * min(width, height) > MAX_SCALE:
        raise InvalidSettingsError(
            f"The goal is {scale:.1f} times the input ({width}x{height}); at most {MAX_SCALE:g} times is possible."
        )


def passes_for(scale: float, native_scale: int) -> int:
    """How often a network of ``native_scale`` has to run so that its result is at least ``scale`` times as large."""
    passes, reached = 1, float(native_scale)
    # 0.1% of slack: 4.001 (a rounded size) must not cost a second pass of sixteen times the work.
    while native_scale > 1 and reached < scale * 0.999:
        passes, reached = passes + 1, reached * native_scale
    return passes
