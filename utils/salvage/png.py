"""PNG that is cut off, or whose checksums (CRC of a chunk, Adler-32 of the pixels) or lengths are wrong."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from utils.picture import Picture
from utils.salvage.base import Check, Decode, Found, blanked

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column and row, and the steps between columns and rows."""
_PIECE = 512
"""Bytes inflated at a time: where one fails, what comes out of the others is kept."""
_BLOCK = 2**20
_LAST_FILTER = 4
_MOST_CHUNKS = 200_000
_NEXT = re.compile(b"IDAT|IEND")
_OF_PIXELS = (b"IDAT", b"fdAT", b"fcTL")
"""Chunks whose checksums Pillow passes over; it looks at those that come before."""


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    color: int
    interlaced: bool

    def layout(self) -> list[tuple[int, int]]:
        """Rows, and bytes of a row with its filter byte, of every pass that has pixels."""
        bits = self.depth * _SAMPLES[self.color]
        if not self.interlaced:
            return [(self.height, 1 + (self.width * bits + 7) // 8)]
        sizes = [
            (-(-(self.width - left) // across), -(-(self.height - top) // down)) for left, top, across, down in _PASSES
        ]
        return [(rows, 1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0]


def may_help(data: bytes) -> bool:
    """Whether it is a PNG with a header that makes sense, and no animation."""
    return _header(data) is not None and b"acTL" not in data[:4096]


def check_pixels(data: bytes) -> None:
    """Compare the checksums of a PNG's pixel data, and of where and when its frames are shown; nothing is inflated.

    What ends too early is left to the decoder.

    Raises:
        ValueError: one is wrong.
    """
    view, place = memoryview(data), 8
    for _ in range(_MOST_CHUNKS):
        if place + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 8 + length
        if kind == b"IEND" or end + 4 > len(data):
            return
        if kind in _OF_PIXELS and zlib.crc32(view[place + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ValueError(f"wrong checksum of a chunk {kind.decode()}")
        place = end + 4


def with_right_checksums(data: bytes) -> bytes:
    """The same chunks with the checksums that belong to them."""
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body, _ in chunks(data))


def rescue(data: bytes, decode: Decode, check: Check) -> Found | None:
    """The rows before the fault, written anew for the usual decoder; None without any pixel data."""
    header = _header(data)
    if header is None:
        return None
    check(header.width, header.height)
    packed, known = _repacked((body for kind, body, _ in chunks(data) if kind == b"IDAT"), header.layout())
    if not any(known):
        return None
    around: tuple[list[bytes], list[bytes]] = ([], [])
    seen = 0
    for kind, body, sound in chunks(data):
        seen = max(seen, kind == b"IDAT")
        if kind not in (b"IDAT", b"IEND") and (sound or kind in (b"IHDR", b"PLTE")):
            around[seen].append(chunk(kind, body))
    mended = [SIGNATURE, *around[0], chunk(b"IDAT", packed), *around[1], chunk(b"IEND", b"")]
    picture = decode(b"".join(mended), None)
    if header.interlaced:
        return _filled(picture, header, known)
    return Found(blanked(picture, known[0]), 1 - known[0] / header.height)


def _header(data: bytes) -> _Header | None:
    """The header, its checksum aside (PNG, 11.2.2)."""
    if data[:8] != SIGNATURE or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height, depth, color, packing, filters, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    depths = {0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(color, (8, 16))
    fits = color in _SAMPLES and depth in depths and not packing and not filters and interlaced < 2
    return _Header(width, height, depth, color, bool(interlaced)) if fits and width and height else None


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and the checksum that belongs to it."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Kind, body, whether its checksum is right. Where a length leads nowhere, the next IDAT or IEND is looked for."""
    place = 8
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 8 + length
        follows = data[end + 8 : end + 12]
        if _is_kind(kind) and end + 4 <= len(data) and (_is_kind(follows) or end + 12 > len(data)):
            body = data[place + 8 : end]
            yield kind, body, zlib.crc32(kind + body) == int.from_bytes(data[end : end + 4], "big")
            place = end + 4
            continue
        found = _NEXT.search(data, place + 8)
        # Before the next kind stand its length and the checksum of this chunk.
        body = data[place + 8 : max(place + 8, found.start() - 8)] if found else data[place + 8 : end]
        if kind == b"IDAT":
            yield kind, body, False
        if found is None:
            return
        place = max(place + 8, found.start() - 4)


def _is_kind(text: bytes) -> bool:
    return len(text) == 4 and text.isalpha()


def _repacked(pieces: Iterable[bytes], layout: list[tuple[int, int]]) -> tuple[bytes, list[int]]:
    """The rows that can be inflated and zeros for the others, deflated anew; how many are known, pass by pass."""
    packer = zlib.compressobj(1)
    packed: list[bytes] = []
    known = [0] * len(layout)
    buffer = bytearray()
    inflated = _inflated(pieces)
    broken = False
    for number, (rows, size) in enumerate(layout):
        while known[number] < rows and not broken:
            if len(buffer) < size:
                more = next(inflated, b"")
                broken = not more
                buffer += more
                continue
            whole = min(len(buffer) // size, rows - known[number])
            filters = np.frombuffer(bytes(buffer[: whole * size]), np.uint8)[::size]
            senseless = np.flatnonzero(filters > _LAST_FILTER)
            if senseless.size:  # from here on the data are out of step
                whole, broken = int(senseless[0]), True
            packed.append(packer.compress(buffer[: whole * size]))
            del buffer[: whole * size]
            known[number] += whole
        left = (rows - known[number]) * size
        while left:
            packed.append(packer.compress(bytes(min(left, _BLOCK))))
            left -= min(left, _BLOCK)
    packed.append(packer.flush())
    return b"".join(packed), known


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pixel data as far as they can be inflated, at most a megabyte at a time; their own checksum is not read."""
    inflate = zlib.decompressobj(-15)
    head = 2
    for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            part = piece[start : start + _PIECE]
            part, head = part[head:], max(0, head - len(part))
            while part and not inflate.eof:
                try:
                    block = inflate.decompress(part, _BLOCK)
                except zlib.error:
                    return
                if block:
                    yield block
                part = inflate.unconsumed_tail


def _filled(picture: Picture, header: _Header, known: list[int]) -> Found:
    """Pixels of the passes that are missing, from the nearest pixel of those that are there."""
    there = np.zeros((header.height, header.width), bool)
    passes = iter(known)
    for left, top, across, down in _PASSES:
        if left < header.width and top < header.height:
            there[top::down, left::across][: next(passes)] = True
    missing = 1 - float(there.mean())
    pixels, alpha = picture.pixels.copy(), None if picture.alpha is None else picture.alpha.copy()
    high = 8 * max(1, _BLOCK // (8 * header.width))
    for top in range(0, header.height, high):
        band = slice(top, top + high)
        _fill(pixels[band], None if alpha is None else alpha[band], there[band])
    return Found(replace(picture, pixels=pixels, alpha=alpha), missing)


def _fill(pixels: np.ndarray, alpha: np.ndarray | None, there: np.ndarray) -> None:
    """A band whose first row is the first of a group of eight. In place."""
    filled = there.copy()
    for down, across in ((1, 2), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8)):
        rows = np.arange(there.shape[0]) // down * down
        columns = np.arange(there.shape[1]) // across * across
        usable = ~filled & there[np.ix_(rows, columns)]
        y, x = np.nonzero(usable)
        for plane in (pixels, alpha):
            if plane is not None:
                plane[y, x] = plane[rows[y], columns[x]]
        filled |= usable
    pixels[~filled] = np.iinfo(pixels.dtype).max // 2 + 1
    if alpha is not None:
        alpha[~filled] = 0
