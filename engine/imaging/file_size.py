"""Keep an output file below a number of bytes: first by quality, then by fewer pixels."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.pixels.resample import from_full_scale, resize_rows
from engine.types import JobControl
from utils import image_io
from utils.errors import OutputError
from utils.files import folder_beside
from utils.picture import Picture
from utils.writers import SaveOptions

_LOWEST_QUALITY = 40
_LOSSY = ("jpeg", "webp", "avif", "jxl")
_UNLIMITED = image_io.ImageLimits(10**13, 10**12, 10**13)


def shrink_to(path: Path, max_bytes: int, options: SaveOptions, control: JobControl | None = None) -> list[str]:
    """Rewrite a still until its file has at most ``max_bytes``; returns what was done, in plain words.

    Raises:
        OutputError: the bound cannot be met with a picture of at least 16 pixels; the file stays as it was.
    """
    if path.stat().st_size <= max_bytes:
        return []
    control = control or JobControl()
    picture = image_io.load(path, _UNLIMITED)
    with folder_beside(path) as folder:
        trial = folder / path.name
        if options.format in _LOSSY and not options.lossless:
            quality = _best_quality(picture, trial, options, max_bytes, control)
            if quality is not None:
                trial.replace(path)
                return [f"Quality was lowered to {quality} to stay below {max_bytes / 1e6:g} MB."]
            options = replace(options, quality=_LOWEST_QUALITY)
        width, height = _shrink_pixels(picture, trial, options, max_bytes, control)
        trial.replace(path)
        return [f"The picture was reduced to {width}x{height} pixels to stay below {max_bytes / 1e6:g} MB."]


def _best_quality(
    picture: Picture, trial: Path, options: SaveOptions, max_bytes: int, control: JobControl
) -> int | None:
    """The highest quality below the given one that fits, left in ``trial``; None when even the lowest does not."""
    low, high, best = _LOWEST_QUALITY, options.quality - 1, None
    while low <= high:
        control.check()
        middle = (low + high) // 2
        image_io.save(picture, trial, replace(options, quality=middle))
        if trial.stat().st_size <= max_bytes:
            best, low = middle, middle + 1
        else:
            high = middle - 1
    if best is not None:
        image_io.save(picture, trial, replace(options, quality=best))
    return best


def _shrink_pixels(
    picture: Picture, trial: Path, options: SaveOptions, max_bytes: int, control: JobControl
) -> tuple[int, int]:
    factor = 1.0
    image_io.save(picture, trial, options)
    while trial.stat().st_size > max_bytes:
        control.check()
        # Bytes follow the number of pixels; 3% less than that, so that it seldom takes a third try.
        factor *= 0.97 * math.sqrt(max_bytes / trial.stat().st_size)
        size = (round(picture.width * factor), round(picture.height * factor))
        if min(size) < 16:
            raise OutputError(f"'{trial.name}' cannot be made as small as {max_bytes} bytes; allow a larger file.")
        resized = from_full_scale(resize_rows(picture.interleaved(), size, 0, size[1]), picture.bit_depth)
        color = resized if picture.alpha is None else np.ascontiguousarray(resized[..., :-1])
        alpha = None if picture.alpha is None else np.ascontiguousarray(resized[..., -1])
        image_io.save(Picture(color, alpha, picture.metadata), trial, options)
    return (picture.width, picture.height) if factor == 1.0 else size
