"""Photoshop's PSD: the merged picture. Eight bits by Pillow, sixteen here; layers are not read.

https://www.adobe.com/devnet-apps/photoshop/fileformatashtml/ describes the format.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

_GRAY, _RGB = (1, 8), (3,)
_ICC = 1039


@dataclass(frozen=True)
class PsdHeader:
    """What the head of a PSD says. ``transparent``: its fourth channel is what is opaque, no saved selection."""

    width: int
    height: int
    channels: int
    bits: int
    mode: int
    transparent: bool
    icc: bytes | None
    pixels_at: int

    @property
    def colors(self) -> int:
        """1 or 3. Raises ``ValueError`` for modes that only eight bits are read in."""
        if self.mode in _GRAY:
            return 1
        if self.mode in _RGB:
            return 3
        raise ValueError("16 bits are read in RGB and grayscale; convert its mode, or save it with 8 bits")


def is_psd(head: bytes) -> bool:
    """Whether a file that begins so is a PSD (PSB, for huge pictures, is none)."""
    return head[:6] == b"8BPS\0\1"


def header_of(stream: BinaryIO) -> PsdHeader:
    """The header; the stream is left anywhere. Raises ``struct.error`` and ``ValueError`` where it is damaged."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(12)
    channels, height, width, bits, mode = struct.unpack(">HIIHH", stream.read(14))
    _skip(stream, size)
    resources = _section(stream, size)
    layers = _section(stream, size)
    # A negative number of layers says that the first alpha channel is the merged picture's transparency.
    transparent = len(layers) >= 6 and struct.unpack_from(">h", layers, 4)[0] < 0
    return PsdHeader(width, height, channels, bits, mode, transparent, _icc(resources), stream.tell())


def decode_deep(data: bytes) -> np.ndarray:
    """``(H, W, 1..4) uint16`` of a PSD with 16 bits a channel. Raises ``ValueError`` where it cannot be read."""
    import imagecodecs

    header = header_of(io.BytesIO(data))
    planes = header.colors + (header.transparent and header.channels > header.colors)
    if header.channels < planes:
        raise ValueError("it has fewer channels than its mode needs")
    (packing,) = struct.unpack_from(">H", data, header.pixels_at)
    start, row, rows = header.pixels_at + 2, header.width * 2, header.height * header.channels
    if packing == 0:
        raw = data[start : start + row * header.height * planes]
    elif packing == 1:
        lengths = struct.unpack_from(f">{rows}H", data, start)[: header.height * planes]
        start += 2 * rows
        parts = []
        for length in lengths:
            parts.append(bytes(imagecodecs.packbits_decode(data[start : start + length])))
            start += length
        raw = b"".join(parts)
    else:
        raise ValueError("its pixels are packed in a way that is not read; save it with maximised compatibility")
    if len(raw) != row * header.height * planes:
        raise ValueError("its pixels end early")
    array = np.frombuffer(raw, ">u2").reshape(planes, header.height, header.width)
    return np.ascontiguousarray(array.transpose(1, 2, 0).astype(np.uint16))


def without_selection(image: Image.Image, stream: BinaryIO) -> None:
    """Take from Pillow's eight-bit picture a fourth channel that is a saved selection. In place."""
    from PIL.ImageFile import ImageFile

    place = stream.tell()
    if isinstance(image, ImageFile) and image.mode == "RGBA" and not header_of(stream).transparent:
        image._mode = "RGB"
        image.tile = image.tile[:3]
    stream.seek(place)


def _skip(stream: BinaryIO, size: int) -> None:
    (length,) = struct.unpack(">I", stream.read(4))
    if stream.tell() + length > size:
        raise ValueError("its header ends early")
    stream.seek(length, io.SEEK_CUR)


def _section(stream: BinaryIO, size: int) -> bytes:
    place = stream.tell()
    _skip(stream, size)
    end = stream.tell()
    stream.seek(place + 4)
    section = stream.read(end - place - 4)
    return section


def _icc(resources: bytes) -> bytes | None:
    place = 0
    while place + 12 <= len(resources):
        (number,) = struct.unpack_from(">H", resources, place + 4)
        name = resources[place + 6] + 1
        place += 6 + name + name % 2
        if place + 4 > len(resources):
            break
        (length,) = struct.unpack_from(">I", resources, place)
        if number == _ICC:
            return resources[place + 4 : place + 4 + length]
        place += 4 + length + length % 2
    return None
