"""The frames of a JPEG XL codestream (ISO/IEC 18181-1, annexes C.2 to C.4): where each lies and how long it is shown.

Nothing is decoded: a frame's header says how many parts its data have, the table behind it how long each is, and the
next frame begins where they end.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils.jxl.bits import BitReader
from utils.jxl.entropy import NumberReader
from utils.jxl.header import CodestreamHeader

PAGE = 2**32 - 1
"""A duration that says: shown until a person goes on."""
_REGULAR, _LOW, _REFERENCE, _PROGRESSIVE = range(4)
_REPLACE, _BLEND, _WEIGHTED, _MULTIPLY = 0, 2, 3, 4
_USES_LOW_FRAME = 32
OFFSETS = ((0, 8), (256, 11), (2304, 14), (18688, 30))
"""How sides and places of a frame are written, in pixels."""
_LENGTHS = ((0, 10), (1024, 14), (17408, 22), (4211712, 30))
_MOST_PARTS = 2**16
_PERMUTATION_CONTEXTS = 8


class CutOff(ValueError):
    """The codestream ends within a frame.

    Attributes:
        frames: those that are whole.
    """

    def __init__(self, frames: tuple[Frame, ...]) -> None:
        super().__init__("its last frame is cut off")
        self.frames = frames


class TooManyFrames(ValueError):
    """More frames than are read."""


@dataclass(frozen=True)
class Frame:
    """One frame as it is stored; a picture that is shown may be put together from several.

    Attributes:
        normal: of those that are shown or laid under others.
        start, body, end: bytes of the codestream: its header, the lengths of its parts, the end of its data.
        default: the header has no fields of its own.
        crop_at, last_at: bits: where its rectangle is said, and after what says that it is the last one.
        header_end, order_end: bits: where its header ends, and what says in which order its parts lie.
        duration: in ticks.
    """

    start: int
    body: int
    end: int
    default: bool
    crop_at: int
    last_at: int
    header_end: int
    order_end: int
    duration: int
    normal: bool
    last: bool

    @property
    def shown(self) -> bool:
        """Whether it is a picture of its own, with all that was laid under it."""
        return self.normal and (self.last or self.duration > 0)


@dataclass
class _Fields:
    """What the data's layout depends on, and where what is rewritten stands."""

    kind: int = _REGULAR
    modular: bool = False
    flags: int = 0
    upsampling: int = 1
    group_shift: int = 1
    passes: int = 1
    level: int = 0
    sides: tuple[int, int] | None = None
    duration: int = 0
    last: bool = True
    crop_at: int = 0
    last_at: int = 0


def frames_of(codestream: bytes, header: CodestreamHeader, start: int, most: int) -> tuple[Frame, ...]:
    """All frames that are stored, in order.

    Args:
        start: byte of the first one.
        most: how many may be shown.

    Raises:
        CutOff: the codestream ends before its last frame does.
        TooManyFrames: more than ``most`` are shown.
        ValueError: it is damaged.
    """
    found: list[Frame] = []
    shown = 0
    while not found or not found[-1].last:
        try:
            frame = read_frame(codestream, header, start)
        except EOFError:
            raise CutOff(tuple(found)) from None
        if frame.end > len(codestream):
            raise CutOff(tuple(found))
        found.append(frame)
        shown += frame.shown
        if shown > most or len(found) > 4 * most:
            raise TooManyFrames(f"it has more than {most} frames")
        start = frame.end
    return tuple(found)


def read_frame(codestream: bytes, header: CodestreamHeader, start: int) -> Frame:
    """The frame that begins at a byte. Raises ``ValueError``, and ``EOFError`` at the codestream's end."""
    bits = _Ending(codestream, start * 8)
    default = bits.flag()
    fields = _Fields()
    if not default:
        _read_fields(bits, header, fields)
    header_end = bits.place
    parts = _parts(fields, header)
    if bits.flag():
        _skip_permutation(bits, parts)
    order_end = bits.place
    body = bits.to_byte()
    size = sum(bits.u32(*_LENGTHS) for _ in range(parts))
    end = bits.to_byte() + size
    normal = fields.kind in (_REGULAR, _PROGRESSIVE)
    return Frame(
        start,
        body,
        end,
        default,
        fields.crop_at,
        fields.last_at,
        header_end,
        order_end,
        fields.duration,
        normal,
        normal and fields.last,
    )


class _Ending(BitReader):
    """Tells the end of the data from damage."""

    def read(self, count: int) -> int:
        """As ``BitReader.read``. Raises ``EOFError`` past the end."""
        if self.place + count > self._end:
            raise EOFError
        return super().read(count)


def _read_fields(bits: BitReader, header: CodestreamHeader, fields: _Fields) -> None:
    """The header of a frame that is not the plainest. In place."""
    channels = len(header.channels)
    fields.kind = bits.read(2)
    fields.modular = bits.flag()
    fields.flags = bits.u64()
    low = bool(fields.flags & _USES_LOW_FRAME)
    luma = not header.xyb and bits.flag()
    if luma and not low:
        bits.read(6)
    if not low:
        fields.upsampling = 1 << bits.read(2)
        bits.read(2 * channels)
    if fields.modular:
        fields.group_shift = bits.read(2)
    elif header.xyb:
        bits.read(6)
    if fields.kind != _REFERENCE:
        fields.passes = _read_passes(bits)
    if fields.kind == _LOW:
        fields.level = bits.read(2) + 1
    else:
        fields.crop_at = bits.place
    normal = fields.kind in (_REGULAR, _PROGRESSIVE)
    partial = fields.kind != _LOW and bits.flag() and _read_rectangle(bits, header, fields, normal)
    fields.last = False
    replaces = False
    if normal:
        modes = [_read_blending(bits, channels, partial) for _ in range(1 + channels)]
        replaces = modes[0] == _REPLACE and not partial
        if header.animation is not None:
            fields.duration = bits.u32((0, 0), (1, 0), (0, 8), (0, 32))
            bits.read(32 * header.animation.timecodes)
        fields.last = bits.flag()
        fields.last_at = bits.place
    kept = bits.read(2) if fields.kind != _LOW and not fields.last else 0
    kept_for_others = not fields.last and (fields.duration == 0 or kept != 0)
    if fields.kind == _REFERENCE or (normal and replaces and kept_for_others):
        bits.read(1)
    for _ in range(bits.u32((0, 0), (0, 4), (16, 5), (48, 10))):
        bits.read(8)
    _skip_filters(bits, fields.modular)
    bits.skip_extensions("a frame's header")


def _read_passes(bits: BitReader) -> int:
    count = bits.u32((1, 0), (2, 0), (3, 0), (4, 3))
    if count > 1:
        smaller = bits.u32((0, 0), (1, 0), (2, 0), (3, 1))
        bits.read(2 * (count - 1))
        bits.read(2 * smaller)
        for _ in range(smaller):
            bits.u32((0, 0), (1, 0), (2, 0), (0, 3))
    return count


def _read_rectangle(bits: BitReader, header: CodestreamHeader, fields: _Fields, normal: bool) -> bool:
    """A rectangle of the canvas; whether it leaves anything out."""
    left = top = 0
    if normal:
        left, top = (_signed(bits.u32(*OFFSETS)) for _ in range(2))
    width, height = (bits.u32(*OFFSETS) for _ in range(2))
    if width < 1 or height < 1:
        raise ValueError("a frame has no pixels")
    fields.sides = width, height
    return left > 0 or top > 0 or left + width < header.width or top + height < header.height


def _signed(value: int) -> int:
    return -(value >> 1) - 1 if value & 1 else value >> 1


def _read_blending(bits: BitReader, channels: int, partial: bool) -> int:
    mode = bits.u32((0, 0), (1, 0), (2, 0), (3, 2))
    with_alpha = channels > 0 and mode in (_BLEND, _WEIGHTED)
    if with_alpha:
        bits.u32((0, 0), (1, 0), (2, 0), (3, 3))
    if with_alpha or mode == _MULTIPLY:
        bits.read(1)
    if mode != _REPLACE or partial:
        bits.read(2)
    return mode


def _skip_filters(bits: BitReader, modular: bool) -> None:
    if bits.flag():
        return
    if bits.flag() and bits.flag():
        bits.read(6 * 16)
    if bits.read(2):
        if not modular and bits.flag():
            bits.read(8 * 16)
        if bits.flag():
            bits.read(5 * 16)
        if bits.flag():
            bits.read((3 + (not modular)) * 16)
        if modular:
            bits.read(16)
    bits.skip_extensions("a frame's header")


def _parts(fields: _Fields, header: CodestreamHeader) -> int:
    """Into how many parts the data are divided."""
    shrunk = fields.upsampling << 3 * fields.level
    width, height = (-(-side // shrunk) for side in fields.sides or (header.width, header.height))
    side = 128 << fields.group_shift
    groups = -(-width // side) * -(-height // side)
    if groups == fields.passes == 1:
        return 1
    coarse = -(-width // (8 * side)) * -(-height // (8 * side))
    parts = 2 + coarse + groups * fields.passes
    if parts > _MOST_PARTS:
        raise ValueError("a frame has too many parts")
    return parts


def _skip_permutation(bits: BitReader, parts: int) -> None:
    """In which order the parts lie. Raises ``ValueError``."""
    numbers = NumberReader(bits, _PERMUTATION_CONTEXTS)
    count = numbers.read(min(_PERMUTATION_CONTEXTS - 1, parts.bit_length()))
    if count > parts:
        raise ValueError("the order of a frame's parts is damaged")
    before = 0
    for _ in range(count):
        before = numbers.read(min(_PERMUTATION_CONTEXTS - 1, before.bit_length()))


__all__ = ["OFFSETS", "PAGE", "CutOff", "Frame", "TooManyFrames", "frames_of", "read_frame"]
