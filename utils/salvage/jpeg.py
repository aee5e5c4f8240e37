"""JPEG that is cut off, or whose entropy-coded data holds markers that cannot be there."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from utils.errors import ImageTooLargeError, InvalidImageError
from utils.picture import Picture
from utils.salvage.base import Check, Decode, Found, differing_rows, noise

_END = b"\xff\xd9"
_TAIL = 4096
_MOST_CUTS = 3
_MOST_SEGMENTS = 10_000
_MOST_MARKERS = 1_000_000
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""What is neither a stuffed byte nor a restart: inside a scan it is the scan's end, or damage."""


@dataclass(frozen=True)
class _Layout:
    """``scan``: where the first scan's data begin; ``block``: width and height of what is coded at once."""

    scan: int
    block: tuple[int, int]
    one_scan: bool


def may_help(data: bytes) -> bool:
    """Whether it is a JPEG with a header."""
    return data[:3] == b"\xff\xd8\xff" and _layout(data) is not None


def rescue(data: bytes, decode: Decode, check: Check) -> Found | None:
    """The picture as far as its data go; None where no decoder takes any of it."""
    layout = _layout(data)
    if layout is None:
        return None
    cut_off = data[:-1] if data[-1:] == b"\xff" else data
    if (picture := _tried(decode, cut_off + _END)) is not None:
        return _measured(picture, cut_off, layout, decode)
    markers = [found.start() for found in itertools.islice(_MARKER.finditer(data, layout.scan), _MOST_MARKERS)]
    if layout.one_scan and markers:
        # The only scan can hold no marker but its end: bytes that look like one are damage, read as data.
        middle = _MARKER.sub(b"\xff\x00", data[layout.scan :])
        picture = _tried(decode, data[: layout.scan] + middle + _END)
        before = _tried(decode, data[: markers[0]] + _END)
        if picture is not None and before is not None:
            reached = _measured(before, data[: markers[0]], layout, decode)
            return Found(picture, reached.missing, doubtful=True)
    for marker in reversed(markers[-_MOST_CUTS:]):
        if (picture := _tried(decode, data[:marker] + _END)) is not None:
            return _measured(picture, data[:marker], layout, decode)
    return None


def _tried(decode: Decode, data: bytes) -> Picture | None:
    try:
        return decode(data, None)
    except ImageTooLargeError:
        raise
    except InvalidImageError:
        return None


def _measured(picture: Picture, data: bytes, layout: _Layout, decode: Decode) -> Found:
    """How much of it the data decide: what another ending changes, they do not."""
    other = _tried(decode, data + noise(_TAIL) + _END)
    if other is None:  # the data are whole, and what follows them is not read
        return Found(picture, 0.0)
    rows = differing_rows(picture, other)
    missing = 0.0
    if rows.any():
        wide, high = layout.block
        across, down = -(-picture.width // wide), -(-picture.height // high)
        # Chroma is smoothed across one pixel of a block's border.
        row = (int(rows.argmax()) + 1) // high
        band = slice(row * high, (row + 1) * high)
        columns = (picture.pixels[band] != other.pixels[band]).any(axis=(0, 2))
        column = (int(columns.argmax()) + 1) // wide if columns.any() else across
        missing = 1 - (row * across + min(column, across)) / (across * down)
    scans = data.count(b"\xff\xda", layout.scan) + 1
    scan = 0 if layout.one_scan or scans == 1 else scans
    return Found(picture, min(missing, 0.9999) if scan else missing, scan=scan)


def _layout(data: bytes) -> _Layout | None:
    """Where the pixels begin, and how they are coded (ITU T.81, B.2); None without a frame and a scan."""
    block: tuple[int, int] | None = None
    sequential, components = False, 0
    for kind, start, end in _segments(data):
        body = data[start:end]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC) and len(body) >= 9:
            components = body[5]
            factors = body[7 : 6 + 3 * components : 3]
            if not factors or not struct.unpack(">HH", body[1:5])[1]:
                return None
            block = 8 * max(1, max(one >> 4 for one in factors)), 8 * max(1, max(one & 15 for one in factors))
            block = (8, 8) if components == 1 else block
            sequential = kind in (0xC0, 0xC1)
        elif kind == 0xDA and block is not None and body:
            return _Layout(end, block, sequential and body[0] == components)
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the body of every segment of the header."""
    place = 2
    for _ in range(_MOST_SEGMENTS):
        if place + 4 > len(data) or data[place] != 0xFF:
            return
        if data[place + 1] == 0xFF:  # a fill byte
            place += 1
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        if length < 2 or place + 2 + length > len(data):
            return
        yield data[place + 1], place + 4, place + 2 + length
        place += 2 + length
