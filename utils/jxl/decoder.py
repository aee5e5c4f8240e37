"""JPEG XL files in: what they are, and their pixels with what these mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.jxl import boxes, colors
from utils.jxl.bits import BitReader
from utils.jxl.boxes import Boxes
from utils.jxl.header import CodestreamHeader, Curve, Space, read_header
from utils.jxl.profile import read_profile
from utils.jxl.rewriting import rewritten

MOVING = "'{}' is an animation: only its first frame is read."
_BAND = 256
"""Rows that are computed with at a time."""
_UNREADABLE = "The colour profile of '{}' cannot be read; its colours were taken as sRGB."
_UNUSABLE = "The colour profile of '{}' cannot be computed with; its colours were made sRGB."


@dataclass(frozen=True)
class JxlFile:
    """A file that was opened, nothing of it decoded.

    Attributes:
        icc: the profile in the codestream; ``frames``: byte where frames start, or None where it cannot be told.
    """

    boxes: Boxes
    header: CodestreamHeader
    icc: bytes | None
    frames: int | None

    @property
    def colors(self) -> int:
        """Colour channels: 1 or 3."""
        return 1 if self.header.color.space == Space.GRAY else 3

    @property
    def depth(self) -> int:
        """Bits of the picture that is made of it: 8 or 16."""
        header = self.header
        return 16 if header.bits > 8 or header.is_float or header.color.is_light else 8


@dataclass(frozen=True)
class Decoded:
    """A picture: ``(H, W, 1..4) uint8 or uint16``, upright; its profile; notes with a place for the file's name."""

    array: np.ndarray
    icc: bytes | None
    notes: tuple[str, ...] = ()


def opened(data: bytes) -> JxlFile:
    """Header, metadata and profile. Raises ``ValueError`` where it is damaged or of a kind that is not read."""
    parts = boxes.unpacked(data)
    header = read_header(parts.codestream)
    if header.black:
        raise ValueError("its colours are for print (CMYK); save it as RGB")
    if header.color.space == Space.XYB:
        raise ValueError("its colours are XYB without a way back; save it as RGB")
    if not header.color.icc:
        return JxlFile(parts, header, None, (header.end + 7) >> 3)
    bits = BitReader(parts.codestream, header.end)
    try:
        icc = read_profile(bits)
    except (ValueError, IndexError):
        return JxlFile(parts, header, None, None)
    return JxlFile(parts, header, icc, bits.to_byte())


def decode(file: JxlFile, frame: int = 0) -> Decoded:
    """One frame. Raises whatever the decoder does where the pixels are damaged."""
    header = file.header
    if header.color.icc and file.icc is None:
        return Decoded(_scaled(_pixels(file.boxes.codestream, header, frame), header.bits), None, (_UNREADABLE,))
    if header.color.icc and header.xyb:
        return _into_profile(file, frame)
    array = _pixels(file.boxes.codestream, header, frame)
    if not header.color.is_light:
        icc = file.icc if header.color.icc else colors.profile_for(header.color)
        return Decoded(_scaled(array, header.bits), icc)
    values = _floats(array, header.bits)
    count = file.colors
    seen = colors.shown(values[..., :count], header.color)
    alpha = np.rint(np.clip(values[..., count:], 0, 1) * 65535).astype(np.uint16)
    return Decoded(np.concatenate([seen, alpha], axis=2), None)


def _into_profile(file: JxlFile, frame: int) -> Decoded:
    """A picture that was stored in a decoder's own colours, put into those that its profile describes."""
    header, codestream = file.header, file.boxes.codestream
    assert file.frames is not None and file.icc is not None
    values = _pixels(rewritten(codestream, header, file.frames, 32, Curve.LINEAR), header, frame)
    top = 65535 if file.depth == 16 else 255
    array = np.empty(values.shape, np.uint16 if top == 65535 else np.uint8)
    icc: bytes | None = file.icc
    for start in range(0, len(array), _BAND):
        band = values[start : start + _BAND]
        color = band[..., : file.colors]
        if icc is not None:
            try:
                color = colors.light_to_profile(color, icc)
            except (RuntimeError, ValueError):  # known at the first rows
                icc = None
        if icc is None:
            color = colors.light_to_srgb(np.clip(color, 0, 1))
        numbers = np.concatenate([color, band[..., file.colors :]], axis=2)
        array[start : start + _BAND] = np.rint(np.clip(np.nan_to_num(numbers), 0, 1) * top)
    return Decoded(array, icc, () if icc else (_UNUSABLE,))


def _pixels(codestream: bytes, header: CodestreamHeader, frame: int) -> np.ndarray:
    """``(H, W, 1..4)``: integers of so many bits as the header says, or floats; not multiplied by alpha."""
    import imagecodecs

    array = np.asarray(imagecodecs.jpegxl_decode(codestream, index=frame))
    gray = header.color.space == Space.GRAY
    if gray and header.alpha is None and array.ndim == 3:
        array = array[0]
    if array.ndim == 2:
        array = array[..., None]
    width, height = header.upright
    if array.shape != (height, width, (1 if gray else 3) + (header.alpha is not None)):
        raise ValueError("its pixels are not as many as its header says")
    if not header.premultiplied:
        return array
    top = 1.0 if array.dtype.kind == "f" else float(2**header.bits - 1)
    alpha = array[..., -1:].astype(np.float32)
    color = np.minimum(array[..., :-1] * (top / np.where(alpha > 0, alpha, top)), top)
    color = color if array.dtype.kind == "f" else np.rint(color)
    return np.concatenate([color.astype(array.dtype), array[..., -1:]], axis=2)


def _scaled(array: np.ndarray, bits: int) -> np.ndarray:
    """Numbers of so many bits over the whole range of 8 or 16."""
    if array.dtype.kind == "f":
        return np.rint(np.clip(np.nan_to_num(array.astype(np.float32)), 0, 1) * 65535).astype(np.uint16)
    whole = array.dtype.itemsize * 8
    if bits == whole:
        return array
    top = 2**bits - 1
    return np.rint(np.minimum(array, top) * ((2**whole - 1) / top)).astype(array.dtype)


def _floats(array: np.ndarray, bits: int) -> np.ndarray:
    values = array.astype(np.float32)
    return values if array.dtype.kind == "f" else values / (2**bits - 1)
