"""Bits of a JPEG XL codestream: lowest first, and the numbers that headers are made of (ISO/IEC 18181-1, B.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Choice = tuple[int, int]
"""A number: what is added, and how many bits follow for the rest."""


class BitReader:
    """Reads from ``place``, counted in bits. Raises ``ValueError`` past the end."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self._data, self.place = data, place
        self._end = len(data) * 8

    def read(self, count: int) -> int:
        """The next ``count`` bits as a number."""
        if self.place + count > self._end:
            raise ValueError("its header is cut off")
        first, last = self.place >> 3, (self.place + count + 7) >> 3
        value = int.from_bytes(self._data[first:last], "little") >> (self.place & 7)
        self.place += count
        return value & ((1 << count) - 1)

    def peek(self, count: int) -> int:
        """The next ``count`` bits, left where they are; zeros past the end."""
        first, last = self.place >> 3, (self.place + count + 7) >> 3
        return int.from_bytes(self._data[first:last], "little") >> (self.place & 7) & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return self.read(1) == 1

    def u32(self, *choices: Choice) -> int:
        """A number by one of four ways of writing it."""
        base, bits = choices[self.read(2)]
        return base + self.read(bits)

    def enum(self) -> int:
        """One of a list of names."""
        return self.u32((0, 0), (1, 0), (2, 4), (18, 6))

    def u64(self) -> int:
        """A number of up to 64 bits."""
        kind = self.read(2)
        if kind < 3:
            base, bits = ((0, 0), (1, 4), (17, 8))[kind]
            return base + self.read(bits)
        value, shift = self.read(12), 12
        while self.read(1):
            if shift == 60:
                return value | self.read(4) << shift
            value |= self.read(8) << shift
            shift += 8
        return value

    def half(self) -> float:
        """A half float. Raises ``ValueError`` where it is no number."""
        value = float(np.array(self.read(16), np.uint16).view(np.float16))
        if not np.isfinite(value):
            raise ValueError("its header holds a number that is none")
        return value

    def skip_extensions(self, whose: str = "its header") -> None:
        """What later versions may have added."""
        size = sum(self.u64() for _ in range(self.u64().bit_count()))
        if size > 2**20:
            raise ValueError(f"{whose} is too large")
        self.read(size)

    def to_byte(self) -> int:
        """Go to the next whole byte; its place in bytes."""
        self.place = (self.place + 7) & ~7
        return self.place >> 3


@dataclass
class BitWriter:
    """Bits put one after the other."""

    _value: int = 0
    _count: int = 0
    _done: bytearray = field(default_factory=bytearray)

    def write(self, value: int, count: int) -> None:
        """``count`` bits of a number."""
        self._value |= value << self._count
        self._count += count
        whole = self._count >> 3
        self._done += (self._value & ((1 << 8 * whole) - 1)).to_bytes(whole, "little")
        self._value >>= 8 * whole
        self._count &= 7

    def copy(self, source: BitReader, first: int, until: int) -> None:
        """The bits of ``source`` from one place to another."""
        source.place = first
        while source.place < until:
            count = min(4096, until - source.place)
            self.write(source.read(count), count)

    def u64(self, value: int) -> None:
        """As ``BitReader.u64`` reads it."""
        if value < 273:
            kind, base, bits = (0, 0, 0) if value == 0 else (1, 1, 4) if value < 17 else (2, 17, 8)
            self.write(kind, 2)
            self.write(value - base, bits)
            return
        self.write(3, 2)
        self.write(value & 0xFFF, 12)
        value >>= 12
        while value:
            self.write(1 | (value & 0xFF) << 1, 9)
            value >>= 8
        self.write(0, 1)

    def bytes(self) -> bytes:
        """All of it, filled up with zeros to whole bytes."""
        return bytes(self._done) + (bytes([self._value]) if self._count else b"")
