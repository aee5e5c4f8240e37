"""The container of a JPEG XL file (ISO/IEC 18181-2): boxes around a codestream that may also stand alone."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from utils.jxl.header import MARK

_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_KIND = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
_MOST_BOXES = 4096
_LARGEST_METADATA = 2**22
"""Bytes of EXIF or XMP that was packed and is unpacked."""


@dataclass(frozen=True)
class Boxes:
    """What a file holds.

    Attributes:
        exif: a TIFF structure without prefix.
        level: what a decoder must be able to do, where the file says so: 10 for lossless of more than 12 bits.
    """

    codestream: bytes
    exif: bytes | None = None
    xmp: bytes | None = None
    level: int | None = None


def is_jxl(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head.startswith((MARK, _SIGNATURE))


def unpacked(data: bytes) -> Boxes:
    """The codestream, put together from its parts, and the metadata beside it. Raises ``ValueError``."""
    if data.startswith(MARK):
        return Boxes(data)
    whole, parts = b"", dict[int, bytes]()
    exif = xmp = level = None
    for kind, content in _boxes(data):
        if kind == b"brob":
            kind, content = content[:4], _unbrotli(content[:4], content[4:])
        if kind == b"jxlc":
            whole = content
        elif kind == b"jxlp" and len(content) >= 4:
            parts[struct.unpack(">I", content[:4])[0] & 0x7FFFFFFF] = content[4:]
        elif kind == b"jxll" and content:
            level = content[0]
        elif kind == b"Exif" and len(content) > 8:
            exif = content[4 + struct.unpack(">I", content[:4])[0] :] or None
        elif kind == b"xml ":
            xmp = content or None
    codestream = whole or b"".join(parts[number] for number in sorted(parts))
    if not codestream:
        raise ValueError("it holds no codestream")
    return Boxes(codestream, exif, xmp, level)


def open_ended(exif: bytes | None, xmp: bytes | None) -> Iterator[bytes]:
    """What stands before a codestream that goes on to the file's end; nothing where there are no metadata."""
    if exif is None and xmp is None:
        return
    yield _SIGNATURE + _KIND
    yield from _metadata(exif, xmp)
    yield struct.pack(">I4s", 0, b"jxlc")


def packed(boxes: Boxes) -> Iterator[bytes]:
    """The pieces of a file: the codestream alone where nothing stands beside it."""
    if boxes.exif is None and boxes.xmp is None and boxes.level is None:
        yield boxes.codestream
        return
    yield _SIGNATURE + _KIND
    if boxes.level is not None:
        yield _head(b"jxll", 1) + bytes([boxes.level])
    yield from _metadata(boxes.exif, boxes.xmp)
    yield _head(b"jxlc", len(boxes.codestream))
    yield boxes.codestream


def _metadata(exif: bytes | None, xmp: bytes | None) -> Iterator[bytes]:
    if exif is not None:
        yield _head(b"Exif", 4 + len(exif)) + bytes(4) + exif
    if xmp is not None:
        yield _head(b"xml ", len(xmp)) + xmp


def _head(kind: bytes, length: int) -> bytes:
    if length + 8 < 2**32:
        return struct.pack(">I4s", length + 8, kind)
    return struct.pack(">I4sQ", 1, kind, length + 16)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents, one after the other; a last one that is cut off as far as it goes."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, place)
        start = place + 8
        if length == 1 and place + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = len(data) if length == 0 else place + length
        if end < start:
            raise ValueError("its boxes are damaged")
        yield kind, data[start:end]
        place = end


def _unbrotli(kind: bytes, data: bytes) -> bytes:
    """Metadata that was packed; nothing where it is damaged or would be too large."""
    if kind not in (b"Exif", b"xml "):
        return b""
    import imagecodecs

    try:
        return bytes(imagecodecs.brotli_decode(data, out=bytearray(_LARGEST_METADATA)))
    except Exception:  # as damaged as any other metadata
        return b""
