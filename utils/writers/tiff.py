"""Streaming TIFF through tifffile: strips of deflated rows, BigTIFF where 4 GB do not suffice.

tifffile pulls its strips from an iterator while bands are pushed; a thread and a short queue join the two.
"""

from __future__ import annotations

import queue
import struct
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


_DIRECTORIES = (0x8769, 0x8825)
"""Pointers to EXIF's own directory and to the location's."""


class _Stopped(Exception):
    """The writer was aborted."""


class TiffWriter(BandWriter):
    """8 and 16 bits, 1 to 4 channels, with ICC profile, XMP, resolution and EXIF.

    EXIF's own directories (exposure, location) hold file offsets that are known only at the end: they are appended
    then, and the placeholders of their pointers patched. BigTIFF has other pointers; there only the main tags go along.
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

        big = self._is_big
        color = self.channels in (3, 4)
        alpha = self.channels in (2, 4)
        shape = (self.height, self.width) + ((self.channels,) if self.channels > 1 else ())
        dpi = self.metadata.dpi or (72.0, 72.0)
        try:
            with tifffile.TiffWriter(file, bigtiff=big, byteorder="<") as tiff:
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

    @property
    def _is_big(self) -> bool:
        return self.width * self.height * self.channels * self.bit_depth // 8 > 3_900_000_000

    def _exif_directories(self) -> dict[int, dict[int, Any]]:
        """Pointer tag -> entries of EXIF's own directories."""
        from PIL import Image

        exif = clean_exif(self.metadata.exif, self.width, self.height, self.options.exif)
        if not exif or self._is_big:
            return {}
        parsed = Image.Exif()
        parsed.load(b"Exif\x00\x00" + exif)
        directories = {pointer: dict(parsed.get_ifd(pointer)) for pointer in _DIRECTORIES}
        return {pointer: entries for pointer, entries in directories.items() if entries}

    def _append_directories(self, file: BinaryIO) -> None:
        """Put EXIF's directories at the end and let the placeholders point to them."""
        import tifffile
        from PIL.TiffImagePlugin import ImageFileDirectory_v2

        directories = self._exif_directories()
        if not directories:
            return
        file.seek(0)
        with tifffile.TiffFile(file) as tiff:
            page: Any = tiff.pages[0]
            entries_at = {pointer: page.tags[pointer - 1] for pointer in directories}
        for pointer, entries in directories.items():
            offset = file.seek(0, 2)
            if offset % 2:
                offset += file.write(b"\0")
            directory = ImageFileDirectory_v2(b"II*\0\x08\0\0\0")
            directory.update(entries)
            file.write(directory.tobytes(offset))
            placeholder = entries_at[pointer]
            file.seek(placeholder.offset)
            file.write(struct.pack("<H", pointer))
            file.seek(placeholder.valueoffset)
            file.write(struct.pack("<I", offset))
        file.seek(0, 2)

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
        # tifffile writes no EXIF pointers: the code below each, which keeps the tags in order, holds its place.
        tags += [(pointer - 1, "I", 1, 0, True) for pointer in self._exif_directories()]
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
        self._append_directories(self._output.file)

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
