"""Animated GIF, WebP and APNG; JPEG XL stands beside this file. Each frame is encoded as a still and its data put into
the container at once.

Pillow collects all frames before it writes the first; a long enhanced animation would need gigabytes. Where a frame
only changes a part of the one before, only that rectangle is stored.
"""

from __future__ import annotations

import io
import struct
from abc import ABC, abstractmethod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from utils.errors import OutputError
from utils.metadata import clean_exif, clean_xmp, fitting_profile
from utils.picture import Metadata
from utils.writers.base import FileWriter, SaveOptions, output_error
from utils.writers.deflate import deflate
from utils.writers.png import chunk, filter_rows, metadata_chunks

Box = tuple[int, int, int, int]
"""Left, top, right, bottom; the last two exclusive."""


class AnimationWriter(FileWriter, ABC):
    """Takes whole frames in order."""

    largest_side = 2**31 - 1
    even_boxes = False

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        channels: int,
        loop: int,
        metadata: Metadata,
        options: SaveOptions,
    ) -> None:
        if max(width, height) > self.largest_side:
            raise OutputError(
                f"{options.format.upper()} holds at most {self.largest_side} pixels a side; '{path.name}' would be "
                f"{width}x{height}. Save the animation as PNG, or choose a smaller size."
            )
        super().__init__(path)
        self.width, self.height, self.channels, self.loop = width, height, channels, loop
        self.metadata, self.options = metadata, options
        self.count = 0
        self._previous: np.ndarray | None = None
        self.file: BinaryIO = self._output.file
        with self._or_no_file():
            self._begin()

    def add(self, frame: np.ndarray, duration: int) -> None:
        """The next frame, ``(H, W, channels) uint8``, shown for ``duration`` milliseconds."""
        box = self._changed(frame)
        left, top, right, bottom = box
        try:
            self._add(np.ascontiguousarray(frame[top:bottom, left:right]), box, max(0, int(duration)))
        except OSError as error:
            raise output_error(self.path, error) from error
        self._previous = frame
        self.count += 1

    def commit(self) -> None:
        """Finish the file and let it appear under its name."""
        with self._or_no_file():
            try:
                self._end()
            except struct.error as error:  # a length that does not fit the container's field
                raise OutputError(f"'{self.path.name}' would be too long for {self.options.format.upper()}.") from error
            self._output.commit()
        self._finished = True

    def _changed(self, frame: np.ndarray) -> Box:
        """The rectangle to store: what differs from the frame before, or one pixel where nothing does."""
        if self._previous is None or not self._can_crop():
            return 0, 0, self.width, self.height
        differs = (frame != self._previous).any(axis=2)
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        if not rows.size:
            return 0, 0, 1, 1
        left, top = int(columns[0]), int(rows[0])
        if self.even_boxes:
            left, top = left & ~1, top & ~1
        return left, top, int(columns[-1]) + 1, int(rows[-1]) + 1

    def _can_crop(self) -> bool:
        return True

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _add(self, pixels: np.ndarray, box: Box, duration: int) -> None: ...

    @abstractmethod
    def _end(self) -> None: ...


class ApngWriter(AnimationWriter):
    """PNG, third edition: acTL, then an fcTL and the data of every frame, numbered in one sequence."""

    def _begin(self) -> None:
        color = {1: 0, 2: 4, 3: 2, 4: 6}[self.channels]
        self.file.write(b"\x89PNG\r\n\x1a\n")
        self.file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, color, 0, 0, 0)))
        self._control = self.file.tell()
        self.file.write(chunk(b"acTL", struct.pack(">II", 1, self.loop)))
        self.file.write(metadata_chunks(self.metadata, self.options, self.width, self.height, self.channels <= 2))
        self._sequence = 0

    def _number(self) -> bytes:
        self._sequence += 1
        return struct.pack(">I", self._sequence - 1)

    def _add(self, pixels: np.ndarray, box: Box, duration: int) -> None:
        left, top, right, bottom = box
        delay = (duration, 1000) if duration < 65536 else (min(65535, duration // 10), 100)
        place = struct.pack(">IIII", right - left, bottom - top, left, top)
        self.file.write(chunk(b"fcTL", self._number() + place + struct.pack(">HHBB", *delay, 0, 0)))
        rows = pixels.reshape(pixels.shape[0], -1)
        data = deflate(filter_rows(rows, np.zeros(rows.shape[1], np.uint8), self.channels))
        first = self.count == 0
        self.file.write(chunk(b"IDAT", data) if first else chunk(b"fdAT", self._number() + data))

    def _end(self) -> None:
        self.file.write(chunk(b"IEND", b""))
        self.file.seek(self._control)
        self.file.write(chunk(b"acTL", struct.pack(">II", self.count, self.loop)))


class WebpWriter(AnimationWriter):
    """RIFF: VP8X, ICCP, ANIM, an ANMF a frame, EXIF, XMP. Offsets of frames are even."""

    largest_side = 16383
    even_boxes = True

    def _begin(self) -> None:
        sizes = self.width, self.height
        exif, comment = self.metadata.exif, self.options.comment
        self._exif = clean_exif(exif, *sizes, self.options.exif, comment, self.metadata.dpi)
        self._xmp = clean_xmp(self.metadata.xmp, *sizes, self.options.exif)
        icc = fitting_profile(self.metadata.icc_profile, gray=False)
        alpha = self.channels in (2, 4)
        flags = 0x02 | 0x20 * bool(icc) | 0x10 * alpha | 0x08 * bool(self._exif) | 0x04 * bool(self._xmp)
        header = struct.pack("<I", flags) + _uint24(self.width - 1) + _uint24(self.height - 1)
        self.file.write(b"RIFF\0\0\0\0WEBP" + _riff(b"VP8X", header))
        if icc:
            self.file.write(_riff(b"ICCP", icc))
        self.file.write(_riff(b"ANIM", struct.pack("<IH", 0, min(self.loop, 65535))))

    def _add(self, pixels: np.ndarray, box: Box, duration: int) -> None:
        left, top, right, bottom = box
        if self.channels <= 2:
            gray = np.repeat(pixels[..., :1], 3, axis=2)
            pixels = gray if self.channels == 1 else np.concatenate([gray, pixels[..., 1:]], axis=2)
        lossy = {"quality": self.options.quality, "method": 4, "exact": True, "lossless": self.options.lossless}
        still = _encode(pixels, "WEBP", **lossy)
        place = b"".join(map(_uint24, (left // 2, top // 2, right - left - 1, bottom - top - 1)))
        overwrite = b"\x02"  # neither blend nor dispose
        data = b"".join(_riff(kind, body) for kind, body in _riff_chunks(still) if kind in (b"ALPH", b"VP8 ", b"VP8L"))
        self.file.write(_riff(b"ANMF", place + _uint24(min(duration, 2**24 - 1)) + overwrite + data))

    def _end(self) -> None:
        if self._exif:
            self.file.write(_riff(b"EXIF", self._exif))
        if self._xmp:
            self.file.write(_riff(b"XMP ", self._xmp))
        length = self.file.tell() - 8
        self.file.seek(4)
        self.file.write(struct.pack("<I", length))


class GifWriter(AnimationWriter):
    """GIF89a: every frame has colours of its own. A transparent animation clears each frame before the next."""

    largest_side = 65535

    def _begin(self) -> None:
        self.file.write(b"GIF89a" + struct.pack("<HHBBB", self.width, self.height, 0x70, 0, 0))
        if self.loop != 1:
            repeats = min(max(0, self.loop - 1), 65535)
            self.file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", repeats, 0))
        if self.options.comment is not None:
            self.file.write(b"\x21\xfe" + _sub_blocks(self.options.comment.encode("utf-8")))

    def _can_crop(self) -> bool:
        return self.channels in (1, 3)

    def _add(self, pixels: np.ndarray, box: Box, duration: int) -> None:
        left, top, right, bottom = box
        if self.channels == 2:
            pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
        still = _encode(pixels, "GIF", optimize=False, interlace=0)
        table, clear, body = _gif_parts(still)
        disposal = 1 if self._can_crop() else 2
        packed = disposal << 2 | (clear is not None)
        delay = min(65535, round(duration / 10))
        self.file.write(b"\x21\xf9\x04" + struct.pack("<BHBB", packed, delay, clear or 0, 0))
        bits = (len(table) // 3).bit_length() - 2  # a table of 2^(bits + 1) colours
        self.file.write(b"\x2c" + struct.pack("<HHHHB", left, top, right - left, bottom - top, 0x80 | bits))
        self.file.write(table + body)

    def _end(self) -> None:
        self.file.write(b"\x3b")


def _encode(pixels: np.ndarray, format: str, **arguments: object) -> bytes:
    """A still file by Pillow, from ``(H, W, 1, 3 or 4) uint8``."""
    from PIL import Image

    encoded = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(encoded, format, **arguments)
    return encoded.getvalue()


def _uint24(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    place, chunks = 12, []
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        chunks.append((kind, data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return chunks


def _sub_blocks(data: bytes) -> bytes:
    parts = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _gif_parts(data: bytes) -> tuple[bytes, int | None, bytes]:
    """Colour table, transparent index or None, and compressed pixels of a still GIF."""
    packed, place = data[10], 13
    table = b""
    if packed & 0x80:
        length = 3 << ((packed & 7) + 1)
        table, place = data[place : place + length], place + length
    clear = None
    while data[place] == 0x21:
        if data[place + 1] == 0xF9 and data[place + 3] & 1:
            clear = data[place + 6]
        place += 2
        while data[place]:
            place += 1 + data[place]
        place += 1
    local, place = data[place + 9], place + 10
    if local & 0x80:
        length = 3 << ((local & 7) + 1)
        table, place = data[place : place + length], place + length
    return table, clear, data[place:-1]
