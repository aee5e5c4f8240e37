"""Photographs as the sensor saw them (DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2 and others), developed by LibRaw.

White balance as shot, sRGB, 16 bits; the brightest thousandth becomes white, as of a picture of light. Recognised by
what is in the file: most of these formats are TIFF files whose small previews any TIFF reader takes for the picture.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from utils.metadata import parse_exif

if TYPE_CHECKING:
    import rawpy
    from PIL import Image

_SIGNATURES = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
_CANON3 = b"ftypcrx "
_PHASE_ONE = (b"IIII", b"MMMM")
"""After the TIFF header, in IIQ files of Phase One and Leaf, whose directories are those of a preview alone."""
_PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 0x0106, 0x014A, 0xC612
_FROM_THE_SENSOR = (32803, 34892)
"""Photometric interpretations of a colour filter array and of linear sensor data (TIFF/EP, DNG 1.7)."""
_MOST_DIRECTORIES = 64
_KEPT = (0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298)
"""What the first directory says about the photograph; all else there is about the raw file."""
_EXIF_IFD, _GPS_IFD, _MAKER_NOTE, _CFA_PATTERN = 0x8769, 0x8825, 0x927C, 0xA302
_EXPOSURE = (
    range(0x829A, 0x829E),
    (0x8822, 0x8824, *range(0x8827, 0x8836)),
    range(0x9000, 0x920B),
    range(0x9286, 0x9293),
    range(0xA000, 0xA500),
)
"""Tags of EXIF's own directory that some makers have in the first one, or in one for them alone."""
_LARGEST_MAKER_NOTE = 32 * 1024
"""Bytes: JPEG holds 64 KB of EXIF, and cameras put previews and tables for their own raw files into longer ones."""
_CANON_BOXES = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
BRIGHT_SHARE = 0.001


def is_raw(stream: BinaryIO) -> bool:
    """Whether this is a camera's raw file; the stream is left at its start."""
    try:
        stream.seek(0)
        head = stream.read(16)
        if head.startswith(_SIGNATURES) or head[4:12] == _CANON3 or head[6:14] == b"HEAPCCDR":
            return True
        if head[:4] not in (b"II*\0", b"MM\0*"):
            return False
        if head[8:10] == b"CR" or head[8:12] in _PHASE_ONE:
            return True
        return any(_of_the_sensor(tags) for tags in _directories(stream))
    finally:
        stream.seek(0)


def _of_the_sensor(tags: dict[int, tuple[int, ...]]) -> bool:
    return _DNG_VERSION in tags or any(value in _FROM_THE_SENSOR for value in tags.get(_PHOTOMETRIC, ()))


def _directories(stream: BinaryIO) -> Iterator[dict[int, tuple[int, ...]]]:
    """The directories of a TIFF and those below them: the three tags that tell a raw file, with their values."""
    stream.seek(0)
    order = "<" if stream.read(2) == b"II" else ">"
    stream.seek(4)
    waiting, seen = [*struct.unpack(order + "I", stream.read(4).ljust(4, b"\0"))], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        place = waiting.pop()
        if place in seen or not place:
            continue
        seen.add(place)
        try:
            stream.seek(place)
            (count,) = struct.unpack(order + "H", stream.read(2))
            entries = stream.read(count * 12)
            following = stream.read(4)
            tags = dict(_wanted(stream, entries, order))
        except (struct.error, OSError, OverflowError):
            continue
        waiting += tags.get(_SUB_IFDS, ())
        waiting += struct.unpack(order + "I", following) if len(following) == 4 else ()
        yield tags


def _wanted(stream: BinaryIO, entries: bytes, order: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    for place in range(0, len(entries) - 11, 12):
        tag, kind, count = struct.unpack_from(order + "HHI", entries, place)
        if tag == _DNG_VERSION:
            yield tag, ()
        if tag not in (_PHOTOMETRIC, _SUB_IFDS) or kind not in (3, 4, 13) or not 0 < count <= _MOST_DIRECTORIES:
            continue
        code = order + str(count) + ("H" if kind == 3 else "I")
        if struct.calcsize(code) <= 4:
            yield tag, struct.unpack_from(code, entries, place + 8)
        else:
            stream.seek(struct.unpack_from(order + "I", entries, place + 8)[0])
            yield tag, struct.unpack(code, stream.read(struct.calcsize(code)))


def opened(data: bytes) -> rawpy.RawPy:
    """The raw file with its header read; nothing is decoded yet. To be closed.

    Raises:
        ImportError: the package that reads it is not installed.
        ValueError: of a camera that LibRaw does not know, or damaged.
    """
    import rawpy

    with _faults_said():
        return rawpy.imread(io.BytesIO(data))


@contextmanager
def _faults_said() -> Iterator[None]:
    """What LibRaw raises holds bytes where words belong."""
    import rawpy

    try:
        yield
    except rawpy.LibRawError as error:
        said = error.args[0] if error.args else b""
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"{words} (LibRaw)") from error


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of the developed photograph, upright. Raises as ``opened``."""
    with opened(data) as raw:
        sizes = raw.sizes
        width, height = int(sizes.width), int(sizes.height)
        if sizes.pixel_aspect < 0.995:
            height = int(height / sizes.pixel_aspect + 0.5)
        elif sizes.pixel_aspect > 1.005:
            width = int(width * sizes.pixel_aspect + 0.5)
        return (height, width) if sizes.flip & 4 else (width, height)


def decode(data: bytes) -> np.ndarray:
    """``(H, W, 3) uint16`` sRGB, upright. Raises as ``opened``, also where the sensor's data is damaged."""
    import rawpy

    with opened(data) as raw, _faults_said():
        array = raw.postprocess(
            use_camera_wb=True,
            output_color=rawpy.ColorSpace.sRGB,
            output_bps=16,
            gamma=(2.4, 12.92),
            auto_bright_thr=BRIGHT_SHARE,
        )
    array = np.asarray(array)
    if array.ndim == 3 and array.shape[2] == 1:
        return array[..., 0]
    if array.ndim == 3 and array.shape[2] == 3 and np.array_equal(array[..., 0], array[..., 1]):
        return array[..., :1] if np.array_equal(array[..., 0], array[..., 2]) else array
    return array


def exif_of(data: bytes) -> bytes | None:
    """What the camera noted about the photograph, as an EXIF block without prefix; None where it is not readable."""
    from PIL import Image

    result = Image.Exif()
    try:
        for block in _blocks(data):
            _add(result, parse_exif(block))
        return result.tobytes().removeprefix(b"Exif\x00\x00") if len(result) else None
    except Exception:  # damaged or of a maker's own structure: the photograph matters more
        return None


def _add(result: Image.Exif, source: Image.Exif) -> None:
    for tag in _KEPT:
        if tag in source and tag not in result:
            result[tag] = source[tag]
    details = dict(source.get_ifd(_EXIF_IFD))
    details.update((tag, value) for tag, value in source.items() if any(tag in kind for kind in _EXPOSURE))
    note = details.get(_MAKER_NOTE)
    if not isinstance(note, bytes) or len(note) > _LARGEST_MAKER_NOTE:
        details.pop(_MAKER_NOTE, None)
    details.pop(_CFA_PATTERN, None)
    result.get_ifd(_EXIF_IFD).update(details)
    result.get_ifd(_GPS_IFD).update(dict(source.get_ifd(_GPS_IFD)))


def _blocks(data: bytes) -> Iterator[bytes]:
    """The TIFF structures of a raw file that hold EXIF."""
    if data.startswith(b"FUJIFILMCCD-RAW"):
        (place,) = struct.unpack_from(">I", data, 84)
        length = struct.unpack_from(">H", data, place + 4)[0] if data[place + 2 : place + 4] == b"\xff\xe1" else 0
        yield data[place + 12 : place + 4 + length]
    elif data[4:12] == _CANON3:
        yield from _canon_blocks(data)
    elif data[:2] in (b"II", b"MM"):  # Olympus and Panasonic write letters of their own where TIFF has 42
        yield data[:2] + (b"*\0" if data[:2] == b"II" else b"\0*") + data[4:]


def _canon_blocks(data: bytes) -> Iterator[bytes]:
    """CMT1 (the first directory), CMT2 (exposure) and CMT4 (position) of a CR3."""
    start = data.find(_CANON_BOXES, 0, 2**20)
    if start < 0:
        return
    for kind in (b"CMT1", b"CMT2"):
        place = data.find(kind, start, start + 2**20)
        if place >= 4:
            (length,) = struct.unpack_from(">I", data, place - 4)
            yield data[place + 4 : place - 4 + length]
