"""JPEG 2000: what Pillow does not tell of it (bits, profile), and pixels of more than eight bits (ISO/IEC 15444-1)."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

import numpy as np

_BOX_LIMIT = 64


def bits_of(stream: BinaryIO) -> int:
    """Bits a sample, of the deepest component; 8 where the codestream's header is not found. Stream left as it was."""
    found = _codestream(stream)
    if found is None or len(found) < 42:
        return 8
    (components,) = struct.unpack_from(">H", found, 40)
    depths = [(found[42 + 3 * number] & 0x7F) + 1 for number in range(components) if 42 + 3 * number < len(found)]
    return max(depths, default=8)


def profile_of(stream: BinaryIO) -> bytes | None:
    """The ICC profile of a JP2 file, or None. Stream left as it was."""
    header = _box(stream, b"jp2h")
    if header is None:
        return None
    color = _box(io.BytesIO(header), b"colr")
    return color[3:] if color is not None and color[:1] in (b"\2", b"\3") else None


def decode_deep(data: bytes) -> np.ndarray | None:
    """``(H, W)`` or ``(H, W, samples) uint16`` over the whole range; None where eight bits hold all there is."""
    import imagecodecs

    bits = bits_of(io.BytesIO(data))
    if bits <= 8:
        return None
    array = np.asarray(imagecodecs.jpeg2k_decode(data))
    if array.dtype != np.uint16:
        raise ValueError(f"its samples are {array.dtype}; unsigned 8 to 16 bits can be read")
    top = 2**bits - 1
    return array if bits == 16 else np.rint(np.minimum(array, top) * (65535 / top)).astype(np.uint16)


def _codestream(stream: BinaryIO) -> bytes | None:
    """The first bytes of the codestream, from its SOC marker."""
    place = stream.tell()
    stream.seek(0)
    head = stream.read(4)
    stream.seek(place)
    if head == b"\xff\x4f\xff\x51":
        stream.seek(0)
        found: bytes | None = stream.read(4096)
        stream.seek(place)
        return found
    return _box(stream, b"jp2c", 4096)


def _box(stream: BinaryIO, wanted: bytes, most: int = 2**20) -> bytes | None:
    """The first ``most`` bytes of the content of a box at the top level."""
    place = stream.tell()
    try:
        stream.seek(0)
        for _ in range(_BOX_LIMIT):
            start, head = stream.tell(), stream.read(8)
            if len(head) < 8:
                return None
            length, kind = struct.unpack(">I4s", head)
            if length == 1:
                wide = stream.read(8)
                length = struct.unpack(">Q", wide)[0] if len(wide) == 8 else 0
            if kind == wanted:
                return stream.read(min(most, length - (stream.tell() - start)) if length else most)
            if length < 8:
                return None
            stream.seek(start + length)
        return None
    except (OverflowError, ValueError):
        return None
    finally:
        stream.seek(place)
