"""Animations that are cut off, or have a damaged frame: GIF, APNG, WebP and JPEG XL.

A frame changes what the one before left, so what can be had are the frames before the first one that is damaged.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from utils.jxl import decoder, moving
from utils.jxl.boxes import is_jxl
from utils.salvage import png, webp

_MOST_FRAMES = 20_000
_MOST_INFLATED = 2**28
"""Bytes of a frame that are looked through for its end."""
_WEBP_PARTS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}


@dataclass(frozen=True)
class Mended:
    """A file with whole frames only.

    Attributes:
        claimed: how many the damaged file says that it has; None where it does not say.
    """

    data: bytes
    frames: int
    claimed: int | None = None


def is_animation(data: bytes) -> bool:
    """Whether it is of a kind that can hold an animation, and begins like one."""
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return True
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return b"acTL" in data[:4096]
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X":
        return len(data) > 20 and bool(data[20] & webp.ANIMATION)
    return is_jxl(data)


def mended(data: bytes) -> Mended | None:
    """The frames that are whole, as a file of their own; None where nothing is missing, or no frame is whole.

    Whether they can be decoded is not known yet.
    """
    if not is_animation(data):
        return None
    if data[:3] == b"GIF":
        found = _gif(data)
    elif data[:4] == b"RIFF":
        found = _webp(data)
    else:
        found = _jxl(data) if is_jxl(data) else _apng(data)
    return found if found is not None and found.frames else None


def sentence(name: str, frames: int, claimed: int | None) -> str:
    """What is missing. ``frames``: that can be decoded."""
    if claimed is None:
        return (
            f"'{name}' is cut off: only its first {frames} frames can be decoded, and the file does not say how many "
            "there were."
        )
    missing = claimed - frames
    if not missing:
        return f"'{name}' is damaged, but all of its pixels could be decoded; a few may be wrong."
    return f"'{name}' is damaged: only the first {frames} of its {claimed} frames can be decoded; missing: {missing}."


def missing_percent(frames: int, claimed: int | None) -> float:
    """Share of the frames that are known to be missing: where nothing is said, the one in which the file ends."""
    total = frames + 1 if claimed is None else claimed
    return round(100 * (total - frames) / total, 2)


def _gif(data: bytes) -> Mended | None:
    """Up to the last frame whose blocks have an end."""
    place, frames, whole_until = 13, 0, 0
    if len(data) > 10 and data[10] & 0x80:
        place += 3 << ((data[10] & 7) + 1)
    while place < len(data) and frames < _MOST_FRAMES:
        kind = data[place]
        if kind == 0x3B:
            return None
        if kind == 0x2C and place + 10 < len(data):
            table = 3 << ((data[place + 9] & 7) + 1) if data[place + 9] & 0x80 else 0
            end = _after_blocks(data, place + 11 + table)
            frames += end is not None
            whole_until = end or whole_until
        elif kind == 0x21:
            end = _after_blocks(data, place + 2)
        else:  # readers pass over what is neither a frame nor an extension
            end = place + 1 if kind != 0x2C else None
        if end is None:
            return Mended(data[:whole_until] + b"\x3b", frames)
        place = end
    return None


def _after_blocks(data: bytes, place: int) -> int | None:
    """Where a row of blocks ends; None where the file ends before."""
    while place < len(data):
        if not data[place]:
            return place + 1
        place += 1 + data[place]
    return None


def _webp(data: bytes) -> Mended | None:
    """The chunks that are whole, with the right length around them."""
    kept, extended, frames, cut = list[tuple[bytes, bytes]](), b"", 0, False
    for kind, body, length in webp.chunks(data, most=_MOST_FRAMES):
        if len(body) < length:
            cut = True
        elif kind == b"VP8X" and length == 10:
            extended = body
        elif kind in (b"ANIM", b"ANMF") or kind in _WEBP_PARTS:
            kept.append((kind, body))
            frames += kind == b"ANMF"
    cut = cut or len(data) < struct.unpack_from("<I", data, 4)[0] + 8
    if not cut or not extended:
        return None
    gone = sum(flag for kind, flag in _WEBP_PARTS.items() if kind not in dict(kept))
    return Mended(webp.packed([(b"VP8X", bytes([extended[0] & ~gone]) + extended[1:]), *kept]), frames)


def _apng(data: bytes) -> Mended | None:
    """The chunks up to the last frame whose pixel data have an end.

    Where a checksum of a chunk is wrong, that of the pixels within decides, as far as there is an end.
    """
    kept, pending = list[bytes](), list[bytes]()
    frames, claimed, control, packed, ended, doubted, rewritten = 0, 0, 0, b"", False, False, False
    for kind, body, sound in png.chunks(data):
        if kind in (b"fcTL", b"acTL") and not sound:
            break
        if kind in (b"fcTL", b"IEND"):  # what came before is whole
            if doubted and not _ends(packed):
                break
            kept += pending
            frames += _is_frame(pending)
            rewritten |= doubted
            pending, packed, doubted = [], b"", False
        if kind == b"IEND":
            ended = True
            break
        if kind == b"acTL" and len(body) == 8:
            claimed, control = struct.unpack(">I", body[:4])[0], len(kept)
            kept.append(png.chunk(kind, body))
        elif kind in (b"fcTL", b"IDAT", b"fdAT"):
            pending.append(png.chunk(kind, body))
            packed += {b"IDAT": body, b"fdAT": body[4:]}.get(kind, b"")
            doubted |= not sound
        elif sound and not pending:
            kept.append(png.chunk(kind, body))
    if not ended and _ends(packed):
        kept += pending
        frames += _is_frame(pending)
    if not claimed or (ended and frames >= claimed and not rewritten) or not frames:
        return None
    kept[control] = png.chunk(b"acTL", struct.pack(">I", frames) + kept[control][12:16])
    return Mended(png.SIGNATURE + b"".join(kept) + png.chunk(b"IEND", b""), frames, claimed)


def _is_frame(chunks: list[bytes]) -> bool:
    """Whether it is a frame, and not the still in front of them."""
    return bool(chunks) and chunks[0][4:8] == b"fcTL"


def _ends(packed: bytes) -> bool:
    """Whether deflated data have an end. What they hold is thrown away, a megabyte at a time."""
    inflate, left = zlib.decompressobj(), _MOST_INFLATED
    while packed and not inflate.eof and left > 0:
        try:
            left -= len(inflate.decompress(packed, 2**20))
        except zlib.error:
            return False
        packed = inflate.unconsumed_tail
    return inflate.eof


def _jxl(data: bytes) -> Mended | None:
    """The file itself: its frames are read as far as they are whole."""
    try:
        motion = moving.motion_of(decoder.opened(data), _MOST_FRAMES, cut=True)
    except (ValueError, IndexError, struct.error):
        return None
    return None if motion is None or motion.whole else Mended(data, len(motion.durations))


__all__ = ["Mended", "is_animation", "mended", "missing_percent", "sentence"]
