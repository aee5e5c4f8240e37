"""The header of a JPEG XL codestream written anew: other words for the same pixels."""

from __future__ import annotations

from utils.jxl.bits import BitReader, BitWriter
from utils.jxl.header import Animation, CodestreamHeader, Curve, Space
from utils.jxl.profile import write_profile


def rewritten(
    data: bytes, header: CodestreamHeader, frames: int, bits: int, curve: Curve, icc: bytes | None = None
) -> bytes:
    """The codestream with another bit depth and another colour encoding named in its header.

    Nothing is converted. Where ``header.xyb``, a decoder gives other numbers; else the same, with another meaning.

    Args:
        frames: byte where the frames start.
        bits: of a colour sample; 32: floats.
        curve: over Rec. 709's primaries (or gray); of no meaning with ``icc``.
        icc: a profile to name instead.
    """
    return rewritten_header(data, header, bits, curve, icc) + data[frames:]


def rewritten_header(
    data: bytes,
    header: CodestreamHeader,
    bits: int,
    curve: Curve,
    icc: bytes | None = None,
    animation: Animation | None = None,
) -> bytes:
    """What stands before the frames, as ``rewritten`` has it; with ``animation`` it says that the frames move."""
    old = BitReader(data)
    new = BitWriter()

    if animation is not None:
        new.copy(old, 0, header.sides_end)
        new.write(1 << 1 | (header.orientation - 1) << 2, 7)  # fields of its own, extra ones; no other size, no preview
        new.write(1, 1)
        _write_animation(new, animation)
    elif header.default:
        new.copy(old, 0, header.bits_at[0])
        new.write(0, 2)  # fields of its own, no extra ones
    else:
        new.copy(old, 0, header.bits_at[0])
    _write_depth(new, bits)
    if header.default:  # its fields written out: samples, channels, XYB
        new.write(1 | 0 << 1 | 1 << 3, 4)
        _write_color(new, Space.RGB, curve, icc is not None)
        new.write(animation is not None, int(animation is not None))  # tone mapping as usual
        new.u64(0)
        new.copy(old, header.bits_at[1], header.end)
    else:
        new.copy(old, header.bits_at[1], header.color_at[0])
        _write_color(new, header.color.space, curve, icc is not None)
        if animation is not None and not header.extra:
            new.write(1, 1)
        new.copy(old, header.color_at[1], header.end)
    if icc is not None:
        write_profile(new, icc)
    return new.bytes()


def _write_animation(bits: BitWriter, animation: Animation) -> None:
    numerator, denominator = animation.ticks
    bits.write(3 | (numerator - 1) << 2, 32)
    bits.write(3 | (denominator - 1) << 2, 12)
    bits.write(3 | animation.loops << 2, 34)
    bits.write(animation.timecodes, 1)


def _write_depth(bits: BitWriter, depth: int) -> None:
    if depth == 32:
        bits.write(1, 3)  # floats, of 32 bits,
        bits.write(7, 4)  # eight of them the exponent's
    else:
        bits.write(3 << 1 | (depth - 1) << 3, 9)


def _write_color(bits: BitWriter, space: Space, curve: Curve, icc: bool) -> None:
    bits.write(0, 1)
    bits.write(icc, 1)
    _write_enum(bits, space)
    if not icc:
        _write_enum(bits, 1)
        if space != Space.GRAY:
            _write_enum(bits, 1)
        bits.write(0, 1)
        _write_enum(bits, curve)
        _write_enum(bits, 1)


def _write_enum(bits: BitWriter, value: int) -> None:
    if value < 2:
        bits.write(value, 2)
    elif value < 18:
        bits.write(2 | (value - 2) << 2, 6)
    else:
        bits.write(3 | (value - 18) << 2, 8)
