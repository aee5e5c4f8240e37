"""Pictures that Pillow does not read: JPEG XL, Radiance HDR, OpenEXR, raw photographs, deep Photoshop files."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from utils import camera_raw, openexr, photoshop, radiance
from utils.errors import InvalidImageError
from utils.jxl import decoder as jxl
from utils.jxl.boxes import is_jxl
from utils.jxl.moving import Motion, motion_of

_PACKAGES = {"raw": "rawpy", "openexr": "OpenEXR"}
_HEAD = 26


@dataclass(frozen=True)
class OddHeader:
    """What a picture's head says.

    Attributes:
        width, height: upright.
        bits: of the result, which for light and for raw photographs is 16.
        exif: without prefix; its orientation is applied by the decoder.
        motion: of an animation.
        decoded_bytes: what is decoded at once, where that is more than the picture itself.
        opened: a JPEG XL file whose head was read.
        notes: with a place for the file's name.
    """

    format: str
    mode: str
    width: int
    height: int
    bits: int = 16
    transparent: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    decoded_bytes: int = 0
    opened: jxl.JxlFile | None = None
    notes: tuple[str, ...] = ()
    motion: Motion | None = None

    @property
    def frames(self) -> int:
        """How many pictures it shows."""
        return len(self.motion.durations) if self.motion is not None else 1


def header_of(stream: BinaryIO, name: str, most_frames: int = 20_000, *, cut: bool = False) -> OddHeader | None:
    """The header of a picture of these kinds, None for all others; the stream is left at its start.

    Args:
        cut: an animation that ends within a frame is of those frames that are whole.

    Raises:
        TooManyFrames: more than ``most_frames``.
        InvalidImageError: a package that reads it is not installed.
        ValueError, struct.error: it is of these kinds, and damaged or of a variety that is not read.
    """
    kind = _kind(stream)
    if kind is None:
        return None
    try:
        return _jxl(stream, most_frames, cut) if kind == "jxl" else _READERS[kind](stream)
    except ImportError:
        package = _PACKAGES[kind]
        raise InvalidImageError(f"'{name}' needs the package {package}: pip install {package}.") from None
    finally:
        stream.seek(0)


def _kind(stream: BinaryIO) -> str | None:
    """Which of them it is, by its content."""
    stream.seek(0)
    head = stream.read(_HEAD)
    if is_jxl(head):
        return "jxl"
    if radiance.is_radiance(head):
        return "radiance"
    if head.startswith(openexr.MAGIC):
        return "openexr"
    if photoshop.is_psd(head):
        return "psd" if len(head) == _HEAD and head[22:24] not in (b"\0\x08", b"\0\x01") else None
    return "raw" if camera_raw.is_raw(stream) else None


def _radiance(stream: BinaryIO) -> OddHeader:
    return OddHeader("radiance", "RGBE", *radiance.size_of(stream))


def _psd(stream: BinaryIO) -> OddHeader:
    psd = photoshop.header_of(stream)
    if psd.bits != 16:
        raise ValueError(f"it has {psd.bits} bits a channel; save it with 8 or 16")
    return OddHeader("psd", f"{psd.colors}x16", psd.width, psd.height, transparent=psd.transparent, icc=psd.icc)


def _openexr(stream: BinaryIO) -> OddHeader:
    exr = openexr.header_of(stream)
    mode = "".join(name.rpartition(".")[2] for name in exr.channels)
    sides = exr.width, exr.height
    return OddHeader("openexr", mode, *sides, transparent=exr.transparent, decoded_bytes=exr.decoded_bytes)


def _raw(stream: BinaryIO) -> OddHeader:
    stream.seek(0)
    data = stream.read()
    return OddHeader("raw", "CFA", *camera_raw.size_of(data), exif=camera_raw.exif_of(data))


def _jxl(stream: BinaryIO, most_frames: int, cut: bool) -> OddHeader:
    stream.seek(0)
    file = jxl.opened(stream.read())
    header, alpha = file.header, file.header.alpha is not None
    motion = motion_of(file, most_frames, cut=cut)
    return OddHeader(
        "jxl",
        f"{file.colors + alpha}x{header.bits}",
        *header.upright,
        file.depth,
        alpha,
        file.icc,
        exif=file.boxes.exif,
        xmp=file.boxes.xmp,
        opened=file,
        notes=(jxl.MOVING,) if header.animation is not None and motion is None else (),
        motion=motion,
    )


_READERS = {"radiance": _radiance, "psd": _psd, "openexr": _openexr, "raw": _raw}


def decode(data: bytes, header: OddHeader, frame: int = 0) -> tuple[np.ndarray, OddHeader]:
    """``(H, W, 1..4) uint8 or uint16``, and the header with what decoding changed of profile and notes.

    Args:
        frame: of an animation, counted from 0.

    Raises:
        Whatever a decoder does where the pixels are damaged.
    """
    if header.opened is not None:
        decoded = jxl.decode(header.opened, frame)
        array, header = decoded.array, replace(header, icc=decoded.icc, notes=(*header.notes, *decoded.notes))
    elif header.format == "openexr":
        array = openexr.decode(io.BytesIO(data), len(data))
    else:
        decoders = {"radiance": radiance.decode, "psd": photoshop.decode_deep, "raw": camera_raw.decode}
        array = decoders[header.format](data)
    if array.shape[:2] != (header.height, header.width):
        raise ValueError("its pixels are not as many as its header says")
    return array, header
