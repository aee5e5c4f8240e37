"""The ICC profile inside a JPEG XL codestream (ISO/IEC 18181-1, annex E.4): as numbers that a reader predicts.

Read in every way that the standard has; written in the plainest: bytes of the profile one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from utils.jxl.bits import BitReader, BitWriter
from utils.jxl.entropy import NumberReader

LARGEST = 2**20
"""Bytes of a profile that is read; those of displays and cameras have some thousand, of printers a million."""
_CONTEXTS = 41
_HEAD = 128
_TAGS = tuple(b"cprt wtpt bkpt rXYZ gXYZ bXYZ kXYZ rTRC gTRC bTRC kTRC chad desc chrm dmnd dmdd lumi".split())
_TWENTY_BYTES = (b"rXYZ", b"gXYZ", b"bXYZ", b"kXYZ", b"wtpt", b"bkpt", b"lumi")
_TYPES = (b"XYZ ", b"desc", b"text", b"mluc", b"para", b"curv", b"sf32", b"gbd ")


def read_profile(bits: BitReader) -> bytes:
    """The profile, from where the header ends. Raises ``ValueError`` where it is damaged or endless."""
    size = bits.u64()
    if size > LARGEST:
        raise ValueError("its profile is too large")
    numbers = NumberReader(bits, _CONTEXTS)
    packed = bytearray()
    last = before = 0
    for place in range(size):
        context = 0 if place <= _HEAD else 1 + _kind(last) + 8 * _kind_before(before)
        value = numbers.read(context)
        if value > 255:
            raise ValueError("its profile is damaged")
        packed.append(value)
        last, before = value, last
    return _unpacked(bytes(packed))


def write_profile(bits: BitWriter, icc: bytes) -> None:
    """Put a profile after a header. What is written is longer than the profile by some 40 bytes."""
    head = _predicted_head(len(icc))
    for place in range(min(_HEAD, len(icc))):
        _predict_more(head, icc[:place])
        head[place] = (icc[place] - head[place]) & 255
    commands = b"\0" if len(icc) > _HEAD else b""
    rest = icc[_HEAD:]
    commands += b"\1" + _varint(len(rest)) if rest else b""
    packed = _varint(len(icc)) + _varint(len(commands)) + commands + bytes(head[: len(icc)]) + rest
    bits.u64(len(packed))
    for value, count in (
        (0, 1),  # no repetitions
        (1, 1),  # one code for all contexts
        (0, 2),
        (1, 1),  # it is a prefix code
        (8, 4),  # numbers below 256 are whole tokens
        (0, 4),
        (0, 4),
        (1, 1),  # of 256 symbols
        (7, 4),
        (127, 7),
        (0, 2),  # their lengths have a code themselves,
        *((1, 2) if length == 8 else (0, 2) for length in (1, 2, 3, 4, 0, 5, 17, 6, 16, *range(7, 16))),
    ):  # in which all are eight
        bits.write(value, count)
    for value in packed:
        bits.write(int(f"{value:08b}"[::-1], 2), 8)


def _kind(byte: int) -> int:
    if chr(byte).isascii() and chr(byte).isalpha():
        return 0
    if byte in b"0123456789.,":
        return 1
    if byte <= 1:
        return 2 + byte
    return 4 if byte < 16 else 6 if byte == 255 else 5 if byte > 240 else 7


def _kind_before(byte: int) -> int:
    kind = _kind(byte)
    return kind if kind < 2 else 2 if kind < 5 else 3 if kind < 7 else 4


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


class _Stream:
    """Bytes that are taken one after the other. Raises ``ValueError`` past the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self.place = data, 0

    def left(self) -> int:
        return len(self._data) - self.place

    def take(self, count: int) -> bytes:
        if count > self.left():
            raise ValueError("its profile is cut off")
        self.place += count
        return self._data[self.place - count : self.place]

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value = shift = 0
        while True:
            part = self.byte()
            value |= (part & 127) << shift
            shift += 7
            if part < 128:
                return value
            if shift > 56:
                raise ValueError("its profile is damaged")


def _unpacked(packed: bytes) -> bytes:
    stream = _Stream(packed)
    size = stream.varint()
    if size > LARGEST:
        raise ValueError("its profile is too large")
    commands = _Stream(stream.take(stream.varint()))
    icc = bytearray()
    head = _predicted_head(size)
    for place in range(min(size, _HEAD)):
        _predict_more(head, icc)
        icc.append((stream.byte() + head[place]) & 255)
    if size > _HEAD:
        count = commands.varint()
        if count:
            _read_tags(commands, stream, icc, count - 1, size)
        while commands.left():
            _run(commands, stream, icc, size)
            if len(icc) > size:
                break
    if len(icc) != size:
        raise ValueError("its profile is damaged")
    return bytes(icc)


def _predicted_head(size: int) -> bytearray:
    head = bytearray(_HEAD)
    head[0:4] = struct.pack(">I", size)
    head[8] = 4
    head[12:24] = b"mntrRGB XYZ "
    head[36:40] = b"acsp"
    head[68:80] = bytes((0, 0, 246, 214, 0, 1, 0, 0, 0, 0, 211, 45))
    return head


def _predict_more(head: bytearray, known: bytes | bytearray) -> None:
    """What the first bytes say about later ones. In place."""
    if len(known) == 8:
        head[80:84] = known[4:8]
    elif len(known) == 41:
        head[41:44] = {b"A": b"PPL", b"M": b"SFT"}.get(bytes(known[40:41]), head[41:44])
    elif len(known) == 42:
        head[42:44] = {b"SG": b"I ", b"SU": b"NW"}.get(bytes(known[40:42]), head[42:44])


def _read_tags(commands: _Stream, stream: _Stream, icc: bytearray, count: int, size: int) -> None:
    """The list of tags: names, where they start, how long they are."""
    icc += struct.pack(">I", count & 0xFFFFFFFF)
    start, length = _HEAD + count * 12, 0
    while commands.left() and len(icc) <= size:
        command = commands.byte()
        kind = command & 63
        if kind == 0:
            return
        if kind > 3 + len(_TAGS):
            raise ValueError("its profile is damaged")
        tag = stream.take(4) if kind == 1 else {2: b"rTRC", 3: b"rXYZ"}.get(kind) or _TAGS[kind - 4]
        start += length
        if command & 64:
            start = commands.varint()
        if tag in _TWENTY_BYTES:
            length = 20
        if command & 128:
            length = commands.varint()
        names = {2: (b"rTRC", b"gTRC", b"bTRC"), 3: (b"rXYZ", b"gXYZ", b"bXYZ")}.get(kind, (tag,))
        for place, name in enumerate(names):
            begin = start + (place * length if kind == 3 else 0)
            icc += name + struct.pack(">II", begin & 0xFFFFFFFF, length & 0xFFFFFFFF)


def _run(commands: _Stream, stream: _Stream, icc: bytearray, size: int) -> None:
    """One command of the main part."""
    command = commands.byte()
    if command == 1:
        icc += stream.take(commands.varint())
    elif command in (2, 3):
        icc += _unshuffled(stream.take(commands.varint()), 2 if command == 2 else 4)
    elif command == 4:
        _predict(commands, stream, icc, size)
    elif command == 10:
        icc += b"XYZ \0\0\0\0" + stream.take(12)
    elif 16 <= command < 16 + len(_TYPES):
        icc += _TYPES[command - 16] + bytes(4)
    else:
        raise ValueError("its profile is damaged")


def _unshuffled(data: bytes, width: int) -> bytes:
    """Bytes of numbers that stand together by their rank, put together by number."""
    height = -(-len(data) // width)
    order = [place for row in range(height) for place in range(row, len(data), height)]
    return bytes(data[place] for place in order)


_PREDICTIONS: tuple[Callable[[int, int, int], int], ...] = (
    lambda one, two, three: one,
    lambda one, two, three: 2 * one - two,
    lambda one, two, three: 3 * one - 3 * two + three,
)


def _predict(commands: _Stream, stream: _Stream, icc: bytearray, size: int) -> None:
    """Numbers of one, two or four bytes that go on as those before them did."""
    flags = commands.byte()
    width, order = (flags & 3) + 1, flags >> 2 & 3
    if width == 3 or order == 3:
        raise ValueError("its profile is damaged")
    stride = commands.varint() if flags & 16 else width
    if stride < width or stride * 4 >= len(icc):
        raise ValueError("its profile is damaged")
    count = commands.varint()
    data = stream.take(count)
    data = data if width == 1 else _unshuffled(data, width)
    start = len(icc)
    if start + count > size:
        raise ValueError("its profile is damaged")
    for place in range(0, count, width):
        at = start + place
        known = [int.from_bytes(icc[at - stride * back : at - stride * back + width], "big") for back in (1, 2, 3)]
        guess = (_PREDICTIONS[order](*known) & ((1 << 8 * width) - 1)).to_bytes(width, "big")
        icc += bytes((one + other) & 255 for one, other in zip(data[place : place + width], guess, strict=False))
