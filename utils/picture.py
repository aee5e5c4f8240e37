"""``Picture``: pixels together with what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

import numpy as np

from utils.errors import InvalidImageError


@dataclass(frozen=True)
class Metadata:
    """What travels with the pixels from the input file to the output file.

    ``exif`` is a TIFF-structured EXIF block *without* the ``Exif\\0\\0`` prefix; its orientation has already been
    applied to the pixels and reset to 1. ``xmp`` is the raw XMP packet. ``dpi`` is (x, y).
    ``missing_percent``: of a damaged file that was salvaged, how much of it is gone; None for every sound one.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    source_format: str = ""
    source_mode: str = ""
    warnings: tuple[str, ...] = ()
    missing_percent: float | None = None


class _Changes(TypedDict, total=False):
    """Fields of ``Metadata`` that a picture may get other values of."""

    icc_profile: bytes | None
    dpi: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright still picture.

    Attributes:
        pixels: ``(H, W, C)`` array, C = 1 (gray) or 3 (RGB), ``uint8`` (0..255) or ``uint16`` (0..65535),
            never premultiplied by alpha.
        alpha: ``(H, W)`` array of the same dtype, or None for an opaque picture.
        metadata: ICC profile, EXIF, XMP, resolution.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (1, 3):
            raise InvalidImageError(f"A picture needs an (H, W, 1 or 3) array, not {self.pixels.shape}.")
        if self.pixels.dtype not in (np.uint8, np.uint16):
            raise InvalidImageError(f"A picture needs uint8 or uint16 pixels, not {self.pixels.dtype}.")
        if 0 in self.pixels.shape:
            raise InvalidImageError("The picture has no pixels.")
        if self.alpha is not None and (
            self.alpha.shape != self.pixels.shape[:2] or self.alpha.dtype != self.pixels.dtype
        ):
            raise InvalidImageError("The alpha channel must have the picture's size and bit depth.")

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def is_gray(self) -> bool:
        """Whether there is one colour channel; alpha does not count."""
        return self.pixels.shape[2] == 1

    @property
    def bit_depth(self) -> int:
        """Bits a channel: 8 or 16."""
        return 8 if self.pixels.dtype == np.uint8 else 16

    @property
    def channels(self) -> int:
        """Channels with alpha counted: 1, 2, 3 or 4."""
        return int(self.pixels.shape[2]) + (self.alpha is not None)

    def interleaved(self) -> np.ndarray:
        """``(H, W, channels)`` array with alpha last."""
        if self.alpha is None:
            return self.pixels
        return np.concatenate([self.pixels, self.alpha[..., None]], axis=2)

    def with_metadata(self, **changes: Unpack[_Changes]) -> Picture:
        """The same pixels with some fields of ``metadata`` replaced."""
        return replace(self, metadata=replace(self.metadata, **changes))


def crop(picture: Picture, box: tuple[int, int, int, int] | None) -> Picture:
    """The part (left, top, width, height) of a picture; all of it for None."""
    if box is None:
        return picture
    left, top, width, height = box
    part = (slice(top, top + height), slice(left, left + width))
    alpha = None if picture.alpha is None else np.ascontiguousarray(picture.alpha[part])
    return Picture(np.ascontiguousarray(picture.pixels[part]), alpha, picture.metadata)
