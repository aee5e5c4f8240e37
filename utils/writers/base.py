"""What every writer shares: a hidden temporary file, one atomic rename, nothing left after a failure."""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from utils.errors import OutputError
from utils.files import temporary_for
from utils.picture import Metadata


@dataclass(frozen=True)
class SaveOptions:
    """How to encode.

    Attributes:
        format: png, jpeg, webp, avif, jxl, tiff or gif; of documents tiff or pdf.
        quality: 1..100, for lossy formats; 100 is lossless in JPEG XL.
        lossless: of WebP and JPEG XL.
        exif: "keep", "no-location" or "drop"; XMP follows it.
        comment: text to embed (the settings used, as JSON).
    """

    format: str = "png"
    quality: int = 95
    lossless: bool = False
    exif: str = "keep"
    comment: str | None = None


def output_error(path: Path, error: OSError) -> OutputError:
    """The sentence for a failed write."""
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "the file would be too large for this file system",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENAMETOOLONG: "the name is too long",
        errno.ENOTDIR: "its folder is not a folder",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return OutputError(f"Cannot write '{path}': {reason}. Nothing was left behind.")


def _refuse_long_name(path: Path) -> None:
    """Fail now rather than at the last rename, hours of work later."""
    with suppress(FileNotFoundError):
        path.lstat()


class AtomicFile:
    """A binary file that appears under its name only when ``commit`` is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # A short name of its own: adding to a name that is already as long as can be would fail.
        self.temporary = temporary_for(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder has that name")
            _refuse_long_name(path)
            self.file: BinaryIO = self.temporary.open("w+b")
        except OSError as error:
            raise output_error(path, error) from error
        except ValueError as error:  # a zero byte in the name
            raise OutputError(f"Cannot write '{path}': {error}.") from error

    def commit(self) -> None:
        """Put the file on the disk and give it its name. Raises ``OSError``."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.replace(self.temporary, self.path)

    def abort(self) -> None:
        """Remove the temporary file. Never raises: an earlier error is what the person must see."""
        # Closing writes what is still buffered, which on a full disk fails once more.
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)


class FileWriter:
    """A picture file that is being made. A context manager; without ``commit`` the file never appears."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._output = AtomicFile(path)
        self._finished = False

    @contextmanager
    def _or_no_file(self) -> Iterator[None]:
        """What fails inside removes the partial file; faults of the disk become ``OutputError``."""
        try:
            yield
        except OSError as error:
            self.abort()
            raise output_error(self.path, error) from error
        except BaseException:
            self.abort()
            raise

    def _stop(self) -> None:
        """Free what a writer holds besides its file; called once, after success and failure alike."""

    def abort(self) -> None:
        """Remove the partial file."""
        if not self._finished:
            self._finished = True
            self._stop()
            self._output.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class BandWriter(FileWriter, ABC):
    """Takes bands of one picture, from top to bottom."""

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        channels: int,
        bit_depth: int,
        metadata: Metadata,
        options: SaveOptions,
    ) -> None:
        super().__init__(path)
        self.width, self.height, self.channels, self.bit_depth = width, height, channels, bit_depth
        self.metadata, self.options = metadata, options
        self._rows = 0
        with self._or_no_file():
            self._begin(self._output.file)

    @abstractmethod
    def _begin(self, file: BinaryIO) -> None: ...

    @abstractmethod
    def _write(self, band: np.ndarray) -> None: ...

    @abstractmethod
    def _end(self) -> None: ...

    def write(self, band: np.ndarray) -> None:
        """Add the next rows: ``(rows, width, channels)``, ``uint8`` or ``uint16`` as the bit depth says."""
        expected = np.uint8 if self.bit_depth == 8 else np.uint16
        if band.shape[1:] != (self.width, self.channels) or band.dtype != expected:
            raise ValueError(f"a band of {band.shape} {band.dtype} does not fit {self.width} x {self.channels}")
        if self._rows + band.shape[0] > self.height:
            raise ValueError("more rows than the picture has")
        self._rows += band.shape[0]
        try:
            self._write(np.ascontiguousarray(band))
        except OSError as error:
            raise output_error(self.path, error) from error

    def commit(self) -> None:
        """Finish the file and let it appear under its name."""
        if self._rows != self.height:
            raise ValueError(f"only {self._rows} of {self.height} rows were written")
        with self._or_no_file():
            self._end()
            self._stop()
            self._output.commit()
        self._finished = True
