"""One picture as every judgement wants to see it: 8-bit RGB over white, a reduced copy, a gray plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.analysis.content_features import reduced
from utils import image_io
from utils.picture import Picture

_GRAY_TOLERANCE = 10


@dataclass(frozen=True, eq=False)
class Planes:
    """Planes of a picture of ``size`` (width, height), each for one kind of judgement.

    Attributes:
        rgb: ``(H, W, 3) uint8``; transparency lies over white.
        gray: ``(H, W) uint8``, the green channel: the closest to brightness and to what cameras record.
        small: ``rgb`` reduced as the content classifier wants it.
        noise_plane: ``gray`` where opaque, 255 elsewhere, so that nothing transparent counts.
        jpeg_tables: quantisation tables of the file, if it is a JPEG.
    """

    rgb: np.ndarray
    gray: np.ndarray
    small: np.ndarray
    noise_plane: np.ndarray
    is_gray: bool
    has_alpha: bool
    jpeg_tables: Mapping[int, Sequence[int]] | None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.rgb.shape[1]), int(self.rgb.shape[0])


def planes_of(image: object, limits: image_io.ImageLimits | None = None) -> Planes:
    """The planes of a path (a file within limits), PIL picture, ``Picture`` or array. Raises ``InvalidImageError``."""
    if isinstance(image, Planes):
        return image
    picture = image_io.as_picture(image, limits)
    tables = getattr(image, "quantization", None)
    if isinstance(image, str | Path) and picture.metadata.source_format == "jpeg":
        tables = _tables_of(Path(image))
    return _views(picture, tables)


def _views(picture: Picture, tables: Mapping[int, Sequence[int]] | None) -> Planes:
    pixels = _eight_bits(picture.pixels)
    alpha = None if picture.alpha is None else _eight_bits(picture.alpha)
    clear = alpha is not None and bool((alpha < 255).any())
    if clear and alpha is not None:
        share = alpha[..., None].astype(np.uint16)
        pixels = ((pixels * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    gray = np.ascontiguousarray(pixels[..., pixels.shape[2] // 2])
    small = reduced(rgb)
    noise_plane = np.where(alpha == 255, gray, np.uint8(255)) if clear else gray
    return Planes(rgb, gray, small, noise_plane, _is_gray(small), clear, tables)


def _eight_bits(values: np.ndarray) -> np.ndarray:
    return values if values.dtype == np.uint8 else (values >> 8).astype(np.uint8)


def _is_gray(rgb: np.ndarray) -> bool:
    """No colour beyond what compression leaves behind in a gray picture."""
    chroma = rgb.max(axis=2).astype(np.int16) - rgb.min(axis=2)
    return bool(np.quantile(chroma, 0.995) < _GRAY_TOLERANCE)


def _tables_of(path: Path) -> Mapping[int, Sequence[int]] | None:
    from PIL import Image

    try:
        with Image.open(path) as opened:
            return getattr(opened, "quantization", None)
    except OSError:
        return None
