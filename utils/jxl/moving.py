"""Animations in JPEG XL: how long each picture of a file is shown; and stills put one after the other into a file.

``imagecodecs`` decodes any frame of a file, but tells no time, and encodes frames that all have the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils.jxl.bits import BitReader, BitWriter
from utils.jxl.decoder import JxlFile
from utils.jxl.frames import OFFSETS, PAGE, CutOff, Frame, TooManyFrames, frames_of
from utils.jxl.header import Animation, CodestreamHeader, Curve
from utils.jxl.rewriting import rewritten_header

LONGEST = PAGE - 1
"""Ticks of a frame."""
_KEPT_AS = 1
"""The place in which a picture is kept for the next one to be laid upon; libjxl's patches are in the last."""
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Motion:
    """How an animation moves.

    Attributes:
        durations: milliseconds of each picture that is shown.
        loops: how often it plays, 0 for ever.
        whole: the file does not end within a picture.
    """

    durations: tuple[int, ...]
    loops: int
    whole: bool = True


def motion_of(file: JxlFile, most: int, *, cut: bool = False) -> Motion | None:
    """How a file moves; None where it does not, or where that cannot be told (then its first frame is what is read).

    Args:
        most: frames that may be in it.
        cut: a file that ends within a frame is of those frames that are whole.

    Raises:
        CutOff: it ends within a frame; with ``cut`` only where none before is whole.
        TooManyFrames: more than ``most``.
    """
    animation, whole = file.header.animation, True
    if animation is None or file.header.preview or file.frames is None:
        return None
    try:
        frames = frames_of(file.boxes.codestream, file.header, file.frames, most)
    except CutOff as error:
        if not cut or not any(frame.shown for frame in error.frames):
            raise
        frames, whole = error.frames, False
    except TooManyFrames:
        raise
    except (ValueError, IndexError):
        return None
    ticks = [frame.duration for frame in frames if frame.shown]
    if not ticks or PAGE in ticks:
        return None
    return Motion(_milliseconds(ticks, animation.ticks), animation.loops, whole)


def _milliseconds(ticks: list[int], a_second: tuple[int, int]) -> tuple[int, ...]:
    """Rounded so that errors do not add up."""
    numerator, denominator = a_second
    found, total, told = [], 0, 0
    for count in ticks:
        total += count
        until = round(total * 1000 * denominator / numerator)
        found.append(until - told)
        told = until
    return tuple(found)


@dataclass(frozen=True)
class Still:
    """A picture that libjxl encoded: the last of its frames is the one that is shown."""

    codestream: bytes
    header: CodestreamHeader
    frames: tuple[Frame, ...]

    @staticmethod
    def of(codestream: bytes, header: CodestreamHeader) -> Still:
        """Raises ``ValueError`` for one that is put together from several pictures."""
        frames = frames_of(codestream, header, (header.end + 7) >> 3, 1)
        if any(frame.normal for frame in frames[:-1]):
            raise ValueError("a frame of it was stored as several")
        return Still(codestream, header, frames)

    def fits(self, other: Still) -> bool:
        """Whether its frames can stand behind the header of another one, whatever the size of either."""
        return _samples(self) == _samples(other)


def _samples(still: Still) -> tuple[int, int]:
    header, bits = still.header, BitReader(still.codestream, still.header.sides_end)
    count = header.end - header.sides_end
    return count, bits.read(count)


def head(still: Still, bits: int, icc: bytes | None, ticks: int, loops: int) -> bytes:
    """What stands before the frames of an animation that is as large as ``still``.

    Args:
        bits: of a colour sample.
        ticks: a second.
        loops: how often it plays, 0 for ever.
    """
    animation = Animation((ticks, 1), loops, False)
    return rewritten_header(still.codestream, still.header, bits, Curve.SRGB, icc, animation)


def frame(still: Still, box: Box, canvas: tuple[int, int], duration: int, *, last: bool) -> bytes:
    """A still as a frame that takes the place of what was shown before in ``box``.

    Args:
        box: left, top, right, bottom, the last two exclusive; the still's size.
        duration: in ticks, 1 to ``LONGEST``.
    """
    shown, data = still.frames[-1], still.codestream
    old, new = BitReader(data), BitWriter()

    channels = len(still.header.channels)
    if shown.default:
        # Its fields written out: a regular frame of DCT blocks, no flags, no upsampling; weights of X and B; one pass.
        new.write(0, 1 + 2 + 1 + 2 + 2 + 2 * channels)
        new.write(3 | 2 << 3, 6)
        new.write(0, 2)
    else:
        new.copy(old, shown.start * 8, shown.crop_at)
    partial = (box[2] - box[0], box[3] - box[1]) != canvas
    _write_place(new, box, partial, channels)
    new.write(3 | duration << 2, 34)
    new.write(last, 1)
    if not last:
        new.write(_KEPT_AS, 2)
        new.write(0, int(not partial))  # kept as it is shown
    if shown.default:
        new.write(1 << 2, 2 + 1 + 2)  # no name, filters as usual, no extensions
    else:
        new.copy(old, shown.last_at, shown.header_end)
    new.copy(old, shown.header_end, shown.order_end)
    before = data[still.frames[0].start : shown.start]
    return before + new.bytes() + data[shown.body : shown.end]


def _write_place(bits: BitWriter, box: Box, partial: bool, channels: int) -> None:
    """The rectangle, and that it replaces what was there in all channels."""
    bits.write(partial, 1)
    if partial:
        left, top, right, bottom = box
        for value in (2 * left, 2 * top, right - left, bottom - top):
            _write_offset(bits, value)
    for _ in range(1 + channels):
        bits.write(0, 2)
        bits.write(_KEPT_AS * partial, 2 * partial)


def _write_offset(bits: BitWriter, value: int) -> None:
    for choice, (base, count) in enumerate(OFFSETS):
        if value < base + (1 << count):
            bits.write(choice | (value - base) << 2, 2 + count)
            return
    raise ValueError("a frame of it is too large")


__all__ = ["LONGEST", "Motion", "Still", "frame", "head", "motion_of"]
