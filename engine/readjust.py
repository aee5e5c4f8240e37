"""Moving a finished result's fidelity without running the network again, in bands, file to file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.output_names import output_format
from engine.pipeline import blend_with_source
from engine.resample import from_full_scale, to_full_scale
from engine.sizing import SizePlan, plan_size
from engine.task import limits_of, settings_comment
from engine.types import EnhanceSettings
from utils import image_io
from utils.errors import InvalidSettingsError
from utils.picture import Picture, crop
from utils.writers import SaveOptions, open_writer

MOST = 0.9
"""From a result with more of the original in it than this, the network's own picture cannot be got back."""
_ROWS = 512


def can_readjust(settings: EnhanceSettings, frames: int = 1) -> bool:
    """Whether a result made with these settings can be moved afterwards."""
    return frames == 1 and settings.fidelity <= MOST and settings.max_megabytes is None


def readjust_fidelity(
    result: Path | str,
    original: Path | str,
    settings: EnhanceSettings,
    fidelity: float,
    output_path: Path | str,
    *,
    config: Any,
) -> EnhanceSettings:
    """Write a finished result anew with another share of the plainly resized input.

    A smaller share than the result was made with is got back by calculation; the more of the original was in it, the
    coarser (one step of 255 at a share of 0.5). Lossy formats lose a little at every encoding.

    Args:
        result: the file that ``enhance_file`` wrote for ``original`` with ``settings``.
        fidelity: the wanted share, 0..1.
        output_path: another file than ``result``.

    Returns:
        The settings with the new fidelity.

    Raises:
        InvalidSettingsError: the share is outside 0..1, or the result does not allow it (see ``can_readjust``).
        EngineError: a file cannot be read or written.
    """
    if not 0 <= fidelity <= 1:
        raise InvalidSettingsError(f"fidelity must be between 0 and 1 (given: {fidelity}).")
    if not can_readjust(settings):
        raise InvalidSettingsError("This result holds too much of the original to be moved back; run it again.")
    limits = limits_of(config)
    enhanced = image_io.load(result, image_io.ImageLimits(10**13, 10**12, 10**13))
    source = image_io.load(original, limits)
    plan = plan_size(*source.size, settings, max_output_pixels=10**12)
    source = crop(source, plan.crop)
    if enhanced.channels != source.channels:
        raise InvalidSettingsError("The two pictures have different channels; they are not a result and its input.")
    changed = settings.but(fidelity=fidelity)
    share = (fidelity - settings.fidelity) / (1 - settings.fidelity)
    target = Path(output_path)
    options = SaveOptions(
        format=output_format(settings, Path(result).suffix.lstrip("."), target),
        quality=settings.quality,
        lossless=settings.lossless,
        exif=settings.exif,
        comment=settings_comment(changed) if settings.embed_settings else None,
    )
    size = (enhanced.width, enhanced.height)
    with open_writer(target, *size, enhanced.channels, enhanced.bit_depth, enhanced.metadata, options) as writer:
        for band in _bands(enhanced, source, plan, share):
            writer.write(from_full_scale(band, enhanced.bit_depth))
        writer.commit()
    return changed


def _bands(enhanced: Picture, source: Picture, plan: SizePlan, share: float) -> Iterator[np.ndarray]:
    """The result in bands, blended where the picture is; what "pad" added around it stays."""
    pixels, original = enhanced.interleaved(), source.interleaved()
    padded = plan.canvas != plan.content and enhanced.size == plan.canvas
    (left, top), size = (plan.offset, plan.content) if padded else ((0, 0), enhanced.size)
    inside = (slice(top, top + size[1]), slice(left, left + size[0]))
    content = pixels[inside]

    def given() -> Iterator[np.ndarray]:
        for row in range(0, size[1], _ROWS):
            yield to_full_scale(content[row : row + _ROWS])

    blended = blend_with_source(given(), original, size, share)
    if not padded:
        yield from blended
        return
    canvas = to_full_scale(pixels).copy()
    canvas[inside] = np.concatenate(list(blended))
    yield canvas


__all__ = ["MOST", "can_readjust", "readjust_fidelity"]
