"""How JPEG XL packs numbers without loss (ISO/IEC 18181-1, annex C): only as much as its colour profiles need.

Prefix codes or asymmetric numeral systems over clustered contexts, numbers split into a token and plain bits, and
repetitions from what came before.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils.jxl.bits import BitReader

_TOP, _TOP_BITS = 4096, 12
_LENGTH_ORDER = (1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LENGTH_CODES = ((2, 0), (2, 4), (2, 3), (3, 2), (2, 0), (2, 4), (2, 3), (4, 1)) * 2
_LENGTH_CODES = (*_LENGTH_CODES[:15], (4, 5))
"""Bits taken and length told, by the next four bits."""
_RUN = 13
_LONGEST_REACH = 2**20


@dataclass(frozen=True)
class _Split:
    """How a number is split: below ``1 << exponent`` the token is all of it."""

    exponent: int
    high: int
    low: int

    @staticmethod
    def read(bits: BitReader, alphabet_bits: int) -> _Split:
        exponent = bits.read(alphabet_bits.bit_length())
        if exponent == alphabet_bits:
            return _Split(exponent, 0, 0)
        high = bits.read(exponent.bit_length())
        if high > exponent:
            raise ValueError("its profile is damaged")
        low = bits.read((exponent - high).bit_length())
        if high + low > exponent:
            raise ValueError("its profile is damaged")
        return _Split(exponent, high, low)

    def number(self, bits: BitReader, token: int) -> int:
        if token < 1 << self.exponent:
            return token
        kept = self.high + self.low
        count = self.exponent - kept + ((token - (1 << self.exponent)) >> kept)
        if count > 32:
            raise ValueError("its profile is damaged")
        low = token & ((1 << self.low) - 1)
        high = (token >> self.low) & ((1 << self.high) - 1) | 1 << self.high
        return (high << count | bits.read(count)) << self.low | low


class _PrefixCode:
    """Symbols by the lengths of their codes; the shorter and the smaller come first."""

    def __init__(self, lengths: list[int]) -> None:
        used = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
        self._only = used[0][1] if len(used) == 1 else 0 if not used else None
        self._symbols: dict[tuple[int, int], int] = {}
        code = previous = 0
        for length, symbol in used:
            code <<= length - previous
            self._symbols[length, code] = symbol
            code, previous = code + 1, length

    def read(self, bits: BitReader) -> int:
        if self._only is not None:
            return self._only
        code = 0
        for length in range(1, 16):
            code = code << 1 | bits.read(1)
            if (length, code) in self._symbols:
                return self._symbols[length, code]
        raise ValueError("its profile is damaged")


class _Ranges:
    """Symbols by how many of 4096 states are theirs, laid out as an alias table."""

    def __init__(self, counts: list[int], alphabet_bits: int) -> None:
        size = 1 << alphabet_bits
        if len(counts) > size and any(counts[size:]):
            raise ValueError("its profile is damaged")
        self.counts = (counts + [0] * size)[:size]
        self.bits = _TOP_BITS - alphabet_bits
        width = 1 << self.bits
        self.right, self.offset, self.cut = list(range(size)), [0] * size, self.counts[:]
        if _TOP in self.counts:
            self.right, self.cut = [self.counts.index(_TOP)] * size, [0] * size
            self.offset = [width * place for place in range(size)]
            return
        over = [place for place in range(size) if self.cut[place] > width]
        under = [place for place in range(size) if self.cut[place] < width]
        while over:
            large, small = over.pop(), under.pop()
            self.cut[large] -= width - self.cut[small]
            self.right[small], self.offset[small] = large, self.cut[large]
            if self.cut[large] != width:
                (under if self.cut[large] < width else over).append(large)
        for place in range(size):
            if self.cut[place] == width:
                self.right[place], self.offset[place], self.cut[place] = place, 0, 0
            else:
                self.offset[place] -= self.cut[place]

    def find(self, state: int) -> tuple[int, int]:
        """The symbol of a state below 4096, and the state's number among the symbol's."""
        place, rest = state >> self.bits, state & ((1 << self.bits) - 1)
        if rest >= self.cut[place]:
            return self.right[place], self.offset[place] + rest
        return place, rest


def _short(bits: BitReader, length_bits: int = 3) -> int:
    """A small number: of up to 8 bits, or of up to 16 for ``length_bits`` 4."""
    if not bits.flag():
        return 0
    count = bits.read(length_bits)
    return bits.read(count) + (1 << count)


def _read_counts(bits: BitReader) -> list[int]:
    """How many states each symbol has."""
    if bits.flag():
        symbols = [_short(bits) for _ in range(bits.read(1) + 1)]
        counts = [0] * (max(symbols) + 1)
        if len(symbols) == 1:
            counts[symbols[0]] = _TOP
        else:
            counts[symbols[0]] = bits.read(_TOP_BITS)
            counts[symbols[1]] = _TOP - counts[symbols[0]]
        return counts
    if bits.flag():
        size = _short(bits) + 1
        return [_TOP // size + (place < _TOP % size) for place in range(size)]
    length = 0
    while length < 3 and bits.flag():
        length += 1
    shift = (bits.read(length) | 1 << length) - 1
    return _fill(bits, shift, *_read_lengths(bits, _short(bits) + 3))


def _length_code(bits: BitReader) -> int:
    """The logarithm of a count, plus one; 13 for a run."""
    seen = bits.peek(7)
    for mask, codes in (
        (7, {0: 10, 2: 7, 4: 6, 5: 8, 6: 9}),
        (15, {3: 3, 7: 5, 9: 4, 11: 1, 15: 2}),
        (31, {17: 0}),
        (63, {33: 11}),
        (127, {1: 12, 65: 13}),
    ):
        if (seen & mask) in codes:
            bits.read(mask.bit_length())
            return codes[seen & mask]
    raise ValueError("its profile is damaged")


def _read_lengths(bits: BitReader, size: int) -> tuple[list[int], dict[int, int]]:
    """Logarithms of the counts, and runs: from where, how many."""
    logs, runs, place = [0] * size, dict[int, int](), 0
    while place < size:
        logs[place] = _length_code(bits)
        if logs[place] == _RUN:
            logs[place] = -1
            runs[place] = _short(bits) + 4
            place += runs[place]
        else:
            place += 1
    return logs, runs


def _fill(bits: BitReader, shift: int, logs: list[int], runs: dict[int, int]) -> list[int]:
    """Counts from their logarithms; the largest one's is what is left of 4096."""
    rest = logs.index(max(logs))
    counts, place = [0] * len(logs), 0
    while place < len(logs):
        if place in runs:
            same = counts[place - 1] if place else 0
            end = min(len(logs), place + runs[place])
            counts[place:end] = [same] * (end - place)
            place = end
            continue
        log = logs[place] - 1
        if place != rest and log >= 0:
            precise = max(0, min(log, shift - ((_TOP_BITS - log) >> 1)))
            counts[place] = (1 << log) + (bits.read(precise) << (log - precise))
        place += 1
    counts[rest] = _TOP - sum(counts)
    if counts[rest] <= 0:
        raise ValueError("its profile is damaged")
    return counts


def _read_prefix_code(bits: BitReader, size: int) -> _PrefixCode:
    if size == 1:
        return _PrefixCode([])
    skipped = bits.read(2)
    if skipped == 1:
        return _few_symbols(bits, size)
    lengths, room = [0] * 18, 32
    for place in _LENGTH_ORDER[skipped:]:
        if room <= 0:
            break
        taken, lengths[place] = _LENGTH_CODES[bits.peek(4)]
        bits.read(taken)
        room -= (32 >> lengths[place]) if lengths[place] else 0
    return _PrefixCode(_code_lengths(bits, _PrefixCode(lengths), size))


def _few_symbols(bits: BitReader, size: int) -> _PrefixCode:
    count = bits.read(2) + 1
    symbols = [bits.read((size - 1).bit_length()) for _ in range(count)]
    if max(symbols) >= size or len(set(symbols)) != count:
        raise ValueError("its profile is damaged")
    shape = ((1,), (1, 1), (1, 2, 2), (1, 2, 3, 3) if count == 4 and bits.flag() else (2, 2, 2, 2))[count - 1]
    lengths = [0] * size
    for symbol, length in zip(symbols, shape, strict=True):
        lengths[symbol] = length
    return _PrefixCode(lengths)


def _code_lengths(bits: BitReader, code: _PrefixCode, size: int) -> list[int]:
    """Lengths of a prefix code that are themselves packed, with repetitions (as in RFC 7932, 3.5)."""
    lengths: list[int] = []
    before, repeated, repeating, room = 8, 0, 0, 32768
    while len(lengths) < size and room > 0:
        symbol = code.read(bits)
        if symbol < 16:
            lengths.append(symbol)
            repeated = 0
            before = symbol or before
            room -= 32768 >> symbol if symbol else 0
            continue
        extra, length = symbol - 14, before if symbol == 16 else 0
        if repeating != length:
            repeated, repeating = 0, length
        earlier = repeated
        repeated = ((repeated - 2) << extra if repeated else 0) + bits.read(extra) + 3
        lengths += [length] * (repeated - earlier)
        room -= ((repeated - earlier) << 15 >> length) if length else 0
    if room or len(lengths) > size:
        raise ValueError("its profile is damaged")
    return lengths


class NumberReader:
    """Numbers of ``contexts`` kinds, one after the other."""

    def __init__(self, bits: BitReader, contexts: int, repetitions: bool = True) -> None:
        self._bits = bits
        self._shortest, self._threshold = 0, 1 << 32
        if repetitions and bits.flag():
            self._threshold = bits.u32((224, 0), (512, 0), (4096, 0), (8, 15))
            self._shortest = bits.u32((3, 0), (4, 0), (5, 2), (9, 8))
            self._length = _Split.read(bits, 8)
            contexts += 1
        elif not repetitions and bits.flag():
            raise ValueError("its profile is damaged")
        self._clusters = _read_clusters(bits, contexts)
        count = max(self._clusters) + 1
        self._plain = bits.flag()
        alphabet = 15 if self._plain else 5 + bits.read(2)
        self._splits = [_Split.read(bits, alphabet) for _ in range(count)]
        self._codes: list[_PrefixCode] = []
        self._ranges: list[_Ranges] = []
        if self._plain:
            sizes = [_short(bits, 4) + 1 for _ in range(count)]
            self._codes = [_read_prefix_code(bits, size) for size in sizes]
        else:
            self._ranges = [_Ranges(_read_counts(bits), alphabet) for _ in range(count)]
            self._state = bits.read(32)
        self._seen: list[int] = []
        self._copied = self._from = 0

    def _token(self, cluster: int) -> int:
        if self._plain:
            return self._codes[cluster].read(self._bits)
        ranges = self._ranges[cluster]
        symbol, offset = ranges.find(self._state & (_TOP - 1))
        self._state = ranges.counts[symbol] * (self._state >> _TOP_BITS) + offset
        if self._state < 1 << 16:
            self._state = self._state << 16 | self._bits.read(16)
        return symbol

    def read(self, context: int) -> int:
        """The next number, of this kind."""
        cluster = self._clusters[context]
        if not self._copied:
            token = self._token(cluster)
            if token < self._threshold:
                self._seen.append(self._splits[cluster].number(self._bits, token))
                return self._seen[-1]
            self._copied = self._length.number(self._bits, token - self._threshold) + self._shortest
            last = self._clusters[-1]
            reach = self._splits[last].number(self._bits, self._token(last)) + 1
            self._from = len(self._seen) - min(reach, len(self._seen), _LONGEST_REACH)
        self._copied -= 1
        self._seen.append(self._seen[self._from] if self._from < len(self._seen) else 0)
        self._from += 1
        return self._seen[-1]


def _read_clusters(bits: BitReader, contexts: int) -> list[int]:
    """Which code each context uses."""
    if contexts == 1:
        return [0]
    if bits.flag():
        size = bits.read(2)
        return [bits.read(size) for _ in range(contexts)]
    by_last_use = bits.flag()
    numbers = NumberReader(bits, 1, repetitions=contexts > 2)
    found = [numbers.read(0) for _ in range(contexts)]
    if max(found) > 255:
        raise ValueError("its profile is damaged")
    if by_last_use:
        order = list(range(256))
        for place, index in enumerate(found):
            found[place] = order.pop(index)
            order.insert(0, found[place])
    return found
