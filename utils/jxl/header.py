"""The header of a JPEG XL codestream (ISO/IEC 18181-1, annex D), read before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from utils.colorimetry import D65, REC_709, Chromaticities
from utils.jxl.bits import BitReader

MARK = b"\xff\x0a"
_SIDES = ((1, 9), (1, 13), (1, 18), (1, 30))
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_PREVIEW_SIDES = ((1, 6), (65, 8), (321, 10), (1345, 12))
_ALPHA, _SPOT, _CFA = 0, 2, 5
_MOST_CHANNELS = 64
_WEIGHTS = (15, 55, 210)


class Space(IntEnum):
    """What the colour channels are."""

    RGB, GRAY, XYB, UNKNOWN = range(4)


class Curve(IntEnum):
    """How light became numbers."""

    BT709, UNKNOWN, LINEAR, SRGB, PQ, DCI, HLG = 1, 2, 8, 13, 16, 17, 18


_WHITES = {1: D65, 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}
_PRIMARIES = {
    1: REC_709[:6],
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}


@dataclass(frozen=True)
class ColorEncoding:
    """What the numbers of a picture mean.

    Attributes:
        icc: a profile says it, which follows the header; all else but ``space`` is of no meaning then.
        curve: None for a plain gamma.
        gamma: exponent from light to numbers.
    """

    space: Space = Space.RGB
    icc: bool = False
    primaries: Chromaticities = REC_709
    curve: Curve | None = Curve.SRGB
    gamma: float = 1.0

    @property
    def is_srgb(self) -> bool:
        """Whether nothing needs to be said about it."""
        return not self.icc and self.curve == Curve.SRGB and self._near(REC_709)

    @property
    def is_light(self) -> bool:
        """Whether it holds light beyond a display's white, which is to be tone-mapped."""
        return not self.icc and self.curve in (Curve.LINEAR, Curve.PQ, Curve.HLG)

    def _near(self, other: Chromaticities) -> bool:
        places = range(6, 8) if self.space == Space.GRAY else range(8)
        return all(abs(self.primaries[place] - other[place]) < 1e-4 for place in places)


@dataclass(frozen=True)
class Animation:
    """How a codestream moves: ticks a second as a fraction, how often it plays (0: for ever)."""

    ticks: tuple[int, int]
    loops: int
    timecodes: bool


@dataclass(frozen=True)
class CodestreamHeader:
    """What stands before the first frame.

    Attributes:
        width, height: as stored, before ``orientation`` (as EXIF counts).
        bits: of a colour sample; ``is_float``: floats of that many.
        alpha: number among the extra channels, or None; ``premultiplied``: colours were multiplied by it.
        others: extra channels besides.
        xyb: colours are stored as a decoder's own and come out in any encoding that is asked for.
        default: the header has no fields of its own; all bits below are where they would stand.
        extra: it says more of the picture than its samples: orientation, animation and the like.
        sides_end, bits_at, color_at: first bit after the sides; first and last bit of what says the bit depth and the
            colour encoding.
        end: first bit after the header.
    """

    width: int
    height: int
    orientation: int = 1
    bits: int = 8
    is_float: bool = False
    alpha: int | None = None
    premultiplied: bool = False
    others: int = 0
    black: bool = False
    channels: tuple[int, ...] = ()
    xyb: bool = True
    color: ColorEncoding = ColorEncoding()
    intensity: float = 255.0
    animation: Animation | None = None
    preview: bool = False
    default: bool = False
    bits_at: tuple[int, int] = (0, 0)
    color_at: tuple[int, int] = (0, 0)
    end: int = 0
    sides_end: int = 0
    extra: bool = False

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height with the orientation applied."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read_header(data: bytes) -> CodestreamHeader:
    """The header of a codestream, from its first bytes. Raises ``ValueError`` where they are damaged."""
    if data[:2] != MARK:
        raise ValueError("its codestream has no start")
    bits = BitReader(data, 16)
    width, height = _read_sides(bits)
    sides_end = bits.place
    if bits.flag():
        start = bits.place
        _skip_transforms(bits, xyb=True)
        at = start - 1, start
        return CodestreamHeader(width, height, default=True, bits_at=at, end=bits.place, sides_end=sides_end)
    orientation, preview, animation = 1, False, None
    extra = bits.flag()
    if extra:
        orientation = 1 + bits.read(3)
        if bits.flag():
            _read_sides(bits)
        preview = bits.flag()
        if preview:
            _skip_preview(bits)
        animation = _read_animation(bits) if bits.flag() else None
    start = bits.place
    depth, is_float = _read_depth(bits)
    bits_at = start, bits.place
    bits.read(1)
    kinds = [_read_channel(bits) for _ in range(_count(bits))]
    alphas = [place for place, (kind, _) in enumerate(kinds) if kind == _ALPHA]
    xyb = bits.flag()
    start = bits.place
    color = _read_color(bits)
    color_at = start, bits.place
    intensity = _read_intensity(bits) if extra else 255.0
    bits.skip_extensions()
    _skip_transforms(bits, xyb)
    return CodestreamHeader(
        width,
        height,
        orientation,
        depth,
        is_float,
        alphas[0] if alphas else None,
        bool(alphas) and kinds[alphas[0]][1],
        len(kinds) - len(alphas[:1]),
        any(kind == 4 for kind, _ in kinds),
        tuple(kind for kind, _ in kinds),
        xyb,
        color,
        intensity,
        animation,
        preview,
        False,
        bits_at,
        color_at,
        bits.place,
        sides_end,
        extra,
    )


def _read_sides(bits: BitReader) -> tuple[int, int]:
    small = bits.flag()

    def side() -> int:
        return (1 + bits.read(5)) * 8 if small else bits.u32(*_SIDES)

    height = side()
    ratio = bits.read(3)
    if ratio == 0:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _skip_preview(bits: BitReader) -> None:
    small = bits.flag()
    kinds = ((16, 0), (32, 0), (1, 5), (33, 9)) if small else _PREVIEW_SIDES
    bits.u32(*kinds)
    if bits.read(3) == 0:
        bits.u32(*kinds)


def _read_animation(bits: BitReader) -> Animation:
    numerator = bits.u32((100, 0), (1000, 0), (1, 10), (1, 30))
    denominator = bits.u32((1, 0), (1001, 0), (1, 8), (1, 10))
    loops = bits.u32((0, 0), (0, 3), (0, 16), (0, 32))
    return Animation((numerator, denominator), loops, bits.flag())


def _read_depth(bits: BitReader) -> tuple[int, bool]:
    if not bits.flag():
        return bits.u32((8, 0), (10, 0), (12, 0), (1, 6)), False
    depth = bits.u32((32, 0), (16, 0), (24, 0), (1, 6))
    bits.read(4)
    return depth, True


def _count(bits: BitReader) -> int:
    count = bits.u32((0, 0), (1, 0), (2, 4), (1, 12))
    if count > _MOST_CHANNELS:
        raise ValueError("it has too many channels")
    return count


def _read_channel(bits: BitReader) -> tuple[int, bool]:
    """The kind of an extra channel, and whether colours are multiplied by it."""
    if bits.flag():
        return _ALPHA, False
    kind = bits.enum()
    _read_depth(bits)
    bits.u32((0, 0), (3, 0), (4, 0), (1, 3))
    for _ in range(bits.u32((0, 0), (0, 4), (16, 5), (48, 10))):
        bits.read(8)
    if kind == _SPOT:
        bits.read(64)
    elif kind == _CFA:
        bits.u32((1, 0), (0, 2), (3, 4), (19, 8))
    return kind, kind == _ALPHA and bits.flag()


def _read_color(bits: BitReader) -> ColorEncoding:
    if bits.flag():
        return ColorEncoding()
    icc, space = bits.flag(), bits.enum()
    if space > Space.UNKNOWN:
        raise ValueError("its colours are of an unknown kind")
    if icc:
        return ColorEncoding(Space(space), icc=True)
    white, corners = D65, REC_709[:6]
    if space != Space.XYB:
        number = bits.enum()
        white = _read_point(bits) if number == 2 else _WHITES.get(number, D65)
        if space != Space.GRAY:
            number = bits.enum()
            if number == 2:
                corners = (*_read_point(bits), *_read_point(bits), *_read_point(bits))
            else:
                corners = _PRIMARIES.get(number, REC_709[:6])
    curve, gamma = Curve.LINEAR if space == Space.XYB else None, 1.0
    if space != Space.XYB:
        if bits.flag():
            gamma = bits.read(24) / 1e7
        else:
            number = bits.enum()
            curve = Curve(number) if number in set(Curve) else Curve.UNKNOWN
    bits.enum()
    if curve is None and not 0.01 < gamma <= 1:
        raise ValueError("its colours have a gamma that no display has")
    return ColorEncoding(Space(space), False, (*corners, *white), curve, gamma)  # type: ignore[arg-type]


def _read_point(bits: BitReader) -> tuple[float, float]:
    pair = [bits.u32((0, 19), (524288, 19), (1048576, 20), (2097152, 21)) for _ in range(2)]
    x, y = ((-(value + 1) if value & 1 else value) / 2e6 for value in pair)
    if y <= 0:
        raise ValueError("its colours have a primary that no light has")
    return x, y


def _read_intensity(bits: BitReader) -> float:
    """Candela a square metre of the brightest that there may be."""
    if bits.flag():
        return 255.0
    intensity = bits.half()
    bits.read(33)
    return intensity


def _skip_transforms(bits: BitReader, xyb: bool) -> None:
    if bits.flag():
        return
    if xyb and not bits.flag():
        bits.read(16 * 16)
    mask = bits.read(3)
    for place, count in enumerate(_WEIGHTS):
        if mask >> place & 1:
            bits.read(16 * count)
