"""TIFF with strips or tiles that are cut off, missing, or cannot be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from utils.errors import ImageTooLargeError, InvalidImageError
from utils.salvage.base import Check, Decode, Found

if TYPE_CHECKING:
    from tifffile import TiffPage

_MOST_SAMPLES = 8
_MOST_PIECES = 200_000


def may_help(data: bytes) -> bool:
    """Whether it is a TIFF; a file without its directory, which often stands last, is found out later."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def rescue(data: bytes, decode: Decode, check: Check) -> Found | None:
    """The picture from the strips or tiles that can be decoded."""
    shares: list[float] = []

    def read(page: TiffPage) -> np.ndarray:
        array, missing = _segments_of(page, data)
        shares.append(missing)
        return array

    try:
        picture = decode(data, read)
    except ImageTooLargeError:
        raise
    except InvalidImageError:
        return None
    return Found(picture, shares[-1]) if shares else None


def _segments_of(page: TiffPage, data: bytes) -> tuple[np.ndarray, float]:
    """The page's pixels, and the share of them that is missing (gray)."""
    if page.samplesperpixel > _MOST_SAMPLES or len(page.dataoffsets) > _MOST_PIECES:
        raise ValueError(f"it has {page.samplesperpixel} samples a pixel in {len(page.dataoffsets)} pieces")
    kind = np.dtype(page.dtype)
    middle = 0.5 if kind.kind == "f" else np.iinfo(kind).max // 2 + 1
    whole = np.full(page.shaped, middle, kind)
    tables: dict[str, bytes | None] = {}
    if page.compression in (6, 7, 34892, 33007):  # JPEG
        tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}
    decoded = 0
    for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=False)):
        piece = data[offset : offset + count]
        if not piece:
            continue
        if page.compression == 1 and len(piece) < count:
            piece += bytes(count - len(piece))
        try:
            segment, place, shape = page.decode(piece, index, **tables)
        except Exception:  # whatever the decoders of a dozen compressions raise: this piece is missing
            segment = None
        if segment is None:
            continue
        plane, depth, row, column, _ = place
        part = whole[plane, depth : depth + shape[0], row : row + shape[1], column : column + shape[2]]
        segment = segment[: part.shape[0], : part.shape[1], : part.shape[2]]
        if segment.shape != part.shape:
            continue
        part[...] = segment
        decoded += segment.size
    return whole.reshape(page.shape), 1 - min(1.0, decoded / max(1, whole.size))
