"""Pixels into JPEG XL files, with the profile in the codestream and the metadata beside it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from utils.jxl import boxes, colors
from utils.jxl.boxes import Boxes
from utils.jxl.header import Curve, read_header
from utils.jxl.moving import Still
from utils.jxl.rewriting import rewritten

LARGEST_SIDE = 2**30
_WHOLE = 100
"""Quality from which on nothing is lost."""


def keeps_all(quality: int, lossless: bool) -> bool:
    """Whether the pixels come out as they went in."""
    return lossless or quality >= _WHOLE


def as_light(band: np.ndarray, icc: bytes | None) -> np.ndarray:
    """``(rows, W, 1..4) uint8 or uint16`` as float32: colours as light over Rec. 709's primaries, alpha in 0..1.

    Light beyond those primaries is below zero or above one. Raises ``RuntimeError`` where ``icc`` has no way to it.
    """
    values = band.astype(np.float32) / np.iinfo(band.dtype).max
    count = 1 if band.shape[2] <= 2 else 3
    color = values[..., :count]
    color = colors.srgb_to_light(color) if icc is None else colors.profile_to_light(color, icc)
    return np.concatenate([color, values[..., count:]], axis=2, dtype=np.float32)


def encode(
    pixels: np.ndarray,
    bits: int,
    quality: int,
    lossless: bool,
    icc: bytes | None,
    exif: bytes | None,
    xmp: bytes | None,
) -> Iterator[bytes]:
    """The pieces of a file.

    Args:
        pixels: ``(H, W, 1..4)``; integers, or floats as ``as_light`` makes them, which is for lossy files only.
        bits: 8 or 16, of a colour sample as the file tells it.
        quality: 1..99, as libjxl turns it into a distance.
    """
    file = _encoded(pixels, quality, lossless)
    header = read_header(file.codestream)
    codestream = rewritten(file.codestream, header, (header.end + 7) >> 3, bits, Curve.SRGB, icc)
    return boxes.packed(Boxes(codestream, exif, xmp, file.level))


def still(pixels: np.ndarray, quality: int, lossless: bool) -> Still:
    """A picture for a frame of an animation; all as ``encode``."""
    codestream = _encoded(pixels, quality, lossless).codestream
    return Still.of(codestream, read_header(codestream))


def _encoded(pixels: np.ndarray, quality: int, lossless: bool) -> Boxes:
    import imagecodecs

    whole = keeps_all(quality, lossless)
    flat = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    level = None if whole else quality
    return boxes.unpacked(bytes(imagecodecs.jpegxl_encode(flat, level, lossless=whole, usecontainer=False)))
