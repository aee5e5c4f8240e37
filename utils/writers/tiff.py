"""Streaming TIFF through tifffile: strips of deflated rows, BigTIFF where 4 GB do not suffice.

tifffile pulls its strips from an iterator while bands are pushed; a thread and a short queue join the two.
"""

from __future__ import annotations

import queue
import threading
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from utils.metadata import clean_exif, clean_xmp
from utils.writers.base import BandWriter

_STRIP_BYTES = 1 << 20
_LEVEL = 4
_KEPT_TAGS = (0x010E, 0x010F, 0x0110, 0x0132, 0x013B, 0x8298)
"""ImageDescription, Make, Model, DateTime, Artist, Copyright: EXIF's main tags are TIFF tags."""


class _Stopped(Exception):
    """The writer was aborted."""


class TiffWriter(BandWriter):
    """8 and 16 bits, 1 to 4 channels, with ICC profile, XMP, resolution and EXIF's main tags.

    EXIF's own directory (exposure, lens) would need file offsets that tifffile does not hand out; it is not carried.
    """

    def _begin(self, file: BinaryIO) -> None:
        row_bytes = self.width * self.channels * self.bit_depth // 8
        self._rows_a_strip = max(1, min(self.height, _STRIP_BYTES // row_bytes))
        self._queue: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        self._held: list[np.ndarray] = []
        self._held_rows = 0
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(file,), name="tiff", daemon=True)
        self._thread.start()

    def _strips(self) -> Iterator[bytes]:
        while (strip := self._queue.get()) is not None:
            yield strip
        if not self._finished_rows:
            raise _Stopped

    @property
    def _finished_rows(self) -> bool:
        return self._rows == self.height

    def _run(self, file: BinaryIO) -> None:
        import tifffile

        size = self.width * self.height * self.channels * self.bit_depth // 8
        color = self.channels in (3, 4)
        alpha = self.channels in (2, 4)
        shape = (self.height, self.width) + ((self.channels,) if self.channels > 1 else ())
        dpi = self.metadata.dpi or (72.0, 72.0)
        try:
            with tifffile.TiffWriter(file, bigtiff=size > 3_900_000_000) as tiff:
                tiff.write(
                    self._strips(),
                    shape=shape,
                    dtype=np.uint8 if self.bit_depth == 8 else np.uint16,
                    rowsperstrip=self._rows_a_strip,
                    compression="adobe_deflate",
                    predictor=True,
                    photometric="rgb" if color else "minisblack",
                    planarconfig="contig" if self.channels > 1 else None,
                    extrasamples=["unassalpha"] if alpha else None,
                    iccprofile=self.metadata.icc_profile,
                    resolution=dpi,
                    resolutionunit="inch",
                    software="Real-ESRGAN Ultimate" if self.options.comment is not None else False,
                    extratags=self._extra_tags(),
                    metadata=None,
                    maxworkers=1,
                )
        except _Stopped:
            pass
        except BaseException as error:  # handed to the thread that writes
            self._fault = error
            while self._queue.get() is not None:
                pass

    def _extra_tags(self) -> list[tuple[Any, ...]]:
        from PIL import Image

        tags: list[tuple[Any, ...]] = []
        exif = clean_exif(self.metadata.exif, self.width, self.height, self.options.exif)
        parsed = Image.Exif()
        if exif:
            parsed.load(b"Exif\x00\x00" + exif)
        for code in _KEPT_TAGS:
            value = parsed.get(code)
            if isinstance(value, str) and value.isascii():
                tags.append((code, "s", 0, value, True))
        if self.options.comment is not None and not any(tag[0] == 0x010E for tag in tags):
            tags.append((0x010E, "s", 0, self.options.comment.encode("ascii", "backslashreplace").decode(), True))
        xmp = clean_xmp(self.metadata.xmp, self.width, self.height, self.options.exif)
        if xmp:
            tags.append((700, "B", len(xmp), xmp, True))
        return sorted(tags)

    def _write(self, band: np.ndarray) -> None:
        self._held.append(band)
        self._held_rows += band.shape[0]
        if self._held_rows >= self._rows_a_strip:
            rows = np.concatenate(self._held) if len(self._held) > 1 else self._held[0]
            whole = rows.shape[0] - rows.shape[0] % self._rows_a_strip
            for start in range(0, whole, self._rows_a_strip):
                self._put(rows[start : start + self._rows_a_strip])
            self._held, self._held_rows = [rows[whole:]], rows.shape[0] - whole
        self._raise_fault()

    def _put(self, strip: np.ndarray) -> None:
        """Predict (TIFF 6.0, section 14), deflate, and hand over; tifffile writes bytes as they are."""
        predicted = strip.copy()
        predicted[:, 1:] -= strip[:, :-1]
        self._queue.put(zlib.compress(predicted.tobytes(), _LEVEL))

    def _end(self) -> None:
        if self._held_rows:
            self._put(np.concatenate(self._held))
        self._queue.put(None)
        self._thread.join()
        self._raise_fault()

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _stop(self) -> None:
        thread = getattr(self, "_thread", None)
        if thread is not None and thread.is_alive():
            self._rows = -1
            self._queue.put(None)
            thread.join()
        self._held = []
