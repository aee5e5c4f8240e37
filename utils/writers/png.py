"""Streaming PNG (W3C PNG, third edition). Rows are filtered with numpy and deflated in blocks by several threads.

Pillow and OpenCV need the whole picture in memory; a 400-megapixel output would take over a gigabyte there. The
blocks are joined as pigz does it: each is a raw deflate stream that ends on a byte boundary and starts with the 32 KB
before it as its dictionary.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

import numpy as np

from utils.metadata import SOFTWARE, clean_exif, clean_xmp, fitting_profile
from utils.picture import Metadata
from utils.writers.base import BandWriter, SaveOptions
from utils.writers.deflate import packer

_BLOCK = 1 << 20
_COLOR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk with its length and CRC."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def international_text(keyword: str, text: str) -> bytes:
    """An uncompressed iTXt chunk."""
    return chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8"))


def metadata_chunks(meta: Metadata, options: SaveOptions, width: int, height: int, gray: bool) -> bytes:
    """Profile, resolution, EXIF, XMP and the settings used: the chunks between IHDR and IDAT."""
    chunks = []
    if profile := fitting_profile(meta.icc_profile, gray):
        chunks.append(chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)))
    if meta.dpi:
        chunks.append(chunk(b"pHYs", struct.pack(">IIB", *(round(dots / 0.0254) for dots in meta.dpi), 1)))
    exif = clean_exif(meta.exif, width, height, options.exif)
    if exif:
        chunks.append(chunk(b"eXIf", exif))
    xmp = clean_xmp(meta.xmp, width, height, options.exif)
    if xmp:
        chunks.append(international_text("XML:com.adobe.xmp", xmp.decode("utf-8")))
    if options.comment is not None:
        chunks.append(international_text("Software", SOFTWARE))
        chunks.append(international_text("parameters", options.comment))
    return b"".join(chunks)


def filter_rows(rows: np.ndarray, above: np.ndarray, pixel_bytes: int) -> bytes:
    """Filter bytes and filtered rows, by the least sum of absolute differences among None, Sub, Up, Average and Paeth.

    Args:
        rows: ``(n, bytes a row) uint8``.
        above: the row before the first one; zeros at the top of the picture.
    """
    count, length = rows.shape
    # Column ``pixel_bytes`` is the first pixel; before it stand the zeros that the standard asks for.
    padded = np.zeros((count + 1, length + pixel_bytes), np.uint8)
    padded[0, pixel_bytes:], padded[1:, pixel_bytes:] = above, rows
    # A sample of columns decides as well as all of them, at a fraction of the cost; an odd step meets every channel.
    sample = np.arange(pixel_bytes, length + pixel_bytes, max(1, length // 512) | 1)
    here, left = padded[1:, sample], padded[1:, sample - pixel_bytes]
    up, corner = padded[:-1, sample], padded[:-1, sample - pixel_bytes]
    costs = [
        np.abs(_filtered(number, here, left, up, corner).view(np.int8).astype(np.int16)).sum(1) for number in range(5)
    ]
    chosen = np.argmin(costs, axis=0)
    result = np.empty((count, length + 1), np.uint8)
    result[:, 0] = chosen
    for number in np.unique(chosen):
        which = np.flatnonzero(chosen == number)
        here, over = padded[which + 1], padded[which]
        views = (here[:, pixel_bytes:], here[:, :-pixel_bytes], over[:, pixel_bytes:], over[:, :-pixel_bytes])
        result[which, 1:] = _filtered(int(number), *views)
    return result.tobytes()


def _filtered(number: int, here: np.ndarray, left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """PNG's filter of that number: what is left of each byte after a guess from its neighbours, modulo 256."""
    if number == 0:
        return here
    if number == 1:
        return here - left
    if number == 2:
        return here - up
    if number == 3:
        return here - ((left >> 1) + (up >> 1) + (left & up & 1))
    # Paeth without leaving 8 bits: |left + up - 2 corner| is the difference of the two distances where they point
    # opposite ways, else their sum, which never is the least and may stand as the larger of the two.
    to_left, to_up = _distance(up, corner), _distance(left, corner)
    opposite = (up > corner) != (left > corner)
    to_corner = np.where(opposite, _distance(to_left, to_up), np.maximum(to_left, to_up))
    guess = np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
    return here - guess


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.maximum(one, other) - np.minimum(one, other)


def _deflate(data: bytes, dictionary: bytes, last: bool) -> bytes:
    compressor = packer(data, -15, dictionary)
    return compressor.compress(data) + compressor.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


class PngWriter(BandWriter):
    """8 and 16 bits, 1 to 4 channels, with ICC profile, EXIF, XMP, resolution and the settings used."""

    def _begin(self, file: BinaryIO) -> None:
        self._file = file
        threads = max(1, min(4, os.cpu_count() or 1))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="png")
        self._pending: deque[Future[bytes]] = deque()
        self._most_pending = 2 * threads
        self._pixel_bytes = self.channels * self.bit_depth // 8
        self._above = np.zeros(self.width * self._pixel_bytes, np.uint8)
        self._buffer = bytearray()
        self._dictionary = b""
        self._checksum = zlib.adler32(b"")
        header = struct.pack(">IIBBBBB", self.width, self.height, self.bit_depth, _COLOR_TYPE[self.channels], 0, 0, 0)
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header))
        gray = self.channels <= 2
        file.write(metadata_chunks(self.metadata, self.options, self.width, self.height, gray))
        file.write(chunk(b"IDAT", b"\x78\x5e"))  # the zlib header; the blocks follow in chunks of their own

    def _write(self, band: np.ndarray) -> None:
        if self.bit_depth == 16:
            band = band.astype(">u2")
        rows = band.reshape(band.shape[0], -1).view(np.uint8)
        # Some rows at a time: the filters need a dozen arrays of this size.
        step = max(1, _BLOCK // rows.shape[1])
        for start in range(0, rows.shape[0], step):
            part = rows[start : start + step]
            self._buffer += filter_rows(part, self._above, self._pixel_bytes)
            self._above = part[-1].copy()
            while len(self._buffer) >= _BLOCK:
                self._submit(bytes(self._buffer[:_BLOCK]), last=False)
                del self._buffer[:_BLOCK]

    def _submit(self, data: bytes, last: bool) -> None:
        self._pending.append(self._pool.submit(_deflate, data, self._dictionary, last))
        self._checksum = zlib.adler32(data, self._checksum)
        self._dictionary = data[-32768:]
        while len(self._pending) > (0 if last else self._most_pending):
            self._file.write(chunk(b"IDAT", self._pending.popleft().result()))

    def _end(self) -> None:
        self._submit(bytes(self._buffer), last=True)
        self._file.write(chunk(b"IDAT", struct.pack(">I", self._checksum)) + chunk(b"IEND", b""))

    def _stop(self) -> None:
        pool = getattr(self, "_pool", None)
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
