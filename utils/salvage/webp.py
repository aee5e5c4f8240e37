"""WebP stills that are cut off, or whose lengths are wrong. The format has no checksums."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from utils.errors import ImageTooLargeError, InvalidImageError
from utils.picture import Picture
from utils.salvage.base import Check, Decode, Found, blanked, differing_rows, noise

_FLAGS = {b"ICCP": 0x20, b"ALPH": 0x10, b"EXIF": 0x08, b"XMP ": 0x04}
ANIMATION = 0x02
_MOST_CHUNKS = 1000
_LONGEST_TAIL = 64 * 2**20


def may_help(data: bytes) -> bool:
    """Whether it is a still of this format whose pixels begin somewhere."""
    return mended(data, bytes(1)) is not None


def mended(data: bytes, fill: bytes) -> bytes | None:
    """A file with right lengths; missing data of the picture are filled up with copies of ``fill``."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kept: list[tuple[bytes, bytes]] = []
    extended: bytes | None = None
    for kind, body, length in chunks(data):
        if kind == b"VP8X" and len(body) == 10:
            if body[0] & ANIMATION:
                return None
            extended = body
        elif kind in (b"VP8 ", b"VP8L"):
            tail = min(length - len(body), _LONGEST_TAIL)
            kept.append((kind, body + (fill * (tail // len(fill) + 1))[:tail]))
        elif kind in _FLAGS and len(body) == length:
            kept.append((kind, body))
    if sum(kind in (b"VP8 ", b"VP8L") for kind, _ in kept) != 1:
        return None
    if extended is not None:
        flags = sum({_FLAGS.get(kind, 0) for kind, _ in kept})
        lossless_alpha = extended[0] & _FLAGS[b"ALPH"] if any(kind == b"VP8L" for kind, _ in kept) else 0
        kept.insert(0, (b"VP8X", bytes([flags | lossless_alpha]) + extended[1:]))
    return packed(kept)


def packed(kept: list[tuple[bytes, bytes]]) -> bytes:
    """A file of these chunks."""
    content = b"".join(kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1) for kind, body in kept)
    return b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content


def rescue(data: bytes, decode: Decode, check: Check) -> Found | None:
    """The rows that are the same whatever follows the data; None where it cannot be decoded."""
    decoded: list[Picture] = []
    for fill in (bytes(1), noise(4099), bytes([0xAA, 0x55, 0x0F]), b"\xff"):
        whole = mended(data, fill)
        if whole is None:
            return None
        try:
            decoded.append(decode(whole, None))
        except ImageTooLargeError:
            raise
        except InvalidImageError:
            continue
        if len(decoded) == 2:
            break
    if len(decoded) < 2:
        return None
    first, second = decoded
    rows = differing_rows(first, second)
    if not rows.any():
        return Found(first, 0.0)
    row = int(rows.argmax())
    return Found(blanked(first, row), 1 - row / first.height)


def chunks(data: bytes, most: int = _MOST_CHUNKS) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, what is there of the body, and its claimed length, of the first ``most``."""
    place = 12
    for _ in range(most):
        if place + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, place)
        yield kind, data[place + 8 : place + 8 + length], length
        place += 8 + length + (length & 1)
