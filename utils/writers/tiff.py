"""Streaming TIFF through tifffile: strips of deflated rows, BigTIFF where 4 GB do not suffice.

tifffile pulls its strips from an iterator while bands are pushed; a thread and a short queue join the two.
"""

from __future__ import annotations

import io
import queue
import struct
import threading
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from utils.metadata import clean_exif, clean_xmp, fitting_profile, parse_exif
from utils.writers.base import BandWriter
from utils.writers.deflate import deflate

_STRIP_BYTES = 1 << 20
_LARGEST_CLASSIC = 3_900_000_000
"""Bytes of pixels; the offsets of a classic TIFF end at 4 GiB, and the metadata needs room too."""
_DIRECTORIES = (0x8769, 0x8825)
_KEPT_TAGS = (0x010E, 0x010F, 0x0110, 0x0132, 0x013B, 0x8298)
"""ImageDescription, Make, Model, DateTime, Artist, Copyright: EXIF's main tags are TIFF tags."""


class _Stopped(Exception):
    """The writer was aborted."""


class TiffWriter(BandWriter):
    """8 and 16 bits, 1 to 4 channels, with ICC profile, XMP, resolution and EXIF.

    EXIF's directories (exposure and lens; position) are appended once the pixels are written. A BigTIFF carries the
    main tags alone, for few programs read EXIF there.
    """

    def _begin(self, file: BinaryIO) -> None:
        self._file = file
        self._big = self.width * self.height * self.channels * self.bit_depth // 8 > _LARGEST_CLASSIC
        meta, options = self.metadata, self.options
        self._exif = parse_exif(clean_exif(meta.exif, self.width, self.height, options.exif, options.comment))
        row_bytes = self.width * self.channels * self.bit_depth // 8
        self._rows_a_strip = max(1, min(self.height, _STRIP_BYTES // row_bytes))
        self._queue: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        self._held: list[np.ndarray] = []
        self._held_rows = 0
        self._fault: BaseException | None = None
        self._exhausted = False
        self._thread = threading.Thread(target=self._run, args=(file,), name="tiff", daemon=True)
        self._thread.start()

    def _strips(self) -> Iterator[bytes]:
        while (strip := self._queue.get()) is not None:
            yield strip
        self._exhausted = True
        if not self._finished_rows:
            raise _Stopped

    @property
    def _finished_rows(self) -> bool:
        return self._rows == self.height

    def _run(self, file: BinaryIO) -> None:
        color = self.channels in (3, 4)
        alpha = self.channels in (2, 4)
        shape = (self.height, self.width) + ((self.channels,) if self.channels > 1 else ())
        dpi = self.metadata.dpi or (72.0, 72.0)
        try:
            import tifffile

            with tifffile.TiffWriter(file, bigtiff=self._big, byteorder="<") as tiff:
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
                    iccprofile=fitting_profile(self.metadata.icc_profile, gray=not color),
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
            # Take what is still pushed, or the other thread waits for ever; nothing follows the last None.
            while not self._exhausted and self._queue.get() is not None:
                pass

    def _extra_tags(self) -> list[tuple[int, str, int, object, bool]]:
        tags: list[tuple[int, str, int, object, bool]] = []
        for code in _KEPT_TAGS:
            value = self._exif.get(code)
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
        self._queue.put(deflate(predicted.tobytes()))

    def _end(self) -> None:
        if self._held_rows:
            self._put(np.concatenate(self._held))
        self._queue.put(None)
        self._thread.join()
        self._raise_fault()
        self._append_directories()

    def _append_directories(self) -> None:
        """Put EXIF's directories at the end of the file, then the page's own once more, with two entries for them.

        tifffile writes no such entries, since it cannot know what their offsets lead to.
        """
        from PIL.TiffImagePlugin import ImageFileDirectory_v2

        contents = {code: dict(self._exif.get_ifd(code)) for code in _DIRECTORIES}
        if self._big or not any(contents.values()):
            return
        file = self._file
        file.seek(4)
        file.seek(*struct.unpack("<I", file.read(4)))
        (count,) = struct.unpack("<H", file.read(2))
        entries = [file.read(12) for _ in range(count)]
        for code, values in contents.items():
            if values:
                directory = ImageFileDirectory_v2(group=code)
                directory.update(values)
                entries.append(struct.pack("<HHII", code, 4, 1, start := self._even_end()))
                file.write(directory.tobytes(start))
        entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
        start = self._even_end()
        file.write(struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0))
        file.seek(4)
        file.write(struct.pack("<I", start))

    def _even_end(self) -> int:
        """Go to the end of the file, at an even offset as TIFF 6.0 asks."""
        end = self._file.seek(0, io.SEEK_END)
        self._file.write(b"\0" * (end % 2))
        return end + end % 2

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
