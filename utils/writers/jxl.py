"""JPEG XL: the whole picture is held, of integers where nothing is lost, else as light in floats."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from utils.errors import OutputError
from utils.jxl import encoder
from utils.metadata import clean_exif, clean_xmp, fitting_profile
from utils.writers.base import BandWriter


class JxlWriter(BandWriter):
    """Collects every row and lets libjxl encode the picture as a whole; 8 or 16 bits, gray or RGB, with alpha."""

    def _begin(self, file: BinaryIO) -> None:
        self._file = file
        self._icc = fitting_profile(self.metadata.icc_profile, gray=self.channels <= 2)
        whole = encoder.keeps_all(self.options.quality, self.options.lossless)
        # Eight bits of sRGB are what libjxl takes by itself; all else it would take for something that it is not.
        self._as_light = not whole and (self.bit_depth == 16 or self._icc is not None)
        kind = np.float32 if self._as_light else np.uint8 if self.bit_depth == 8 else np.uint16
        self._canvas = np.empty((self.height, self.width, self.channels), kind)
        self._filled = 0

    def _write(self, band: np.ndarray) -> None:
        if self._as_light:
            try:
                band = encoder.as_light(band, self._icc)
            except (RuntimeError, ValueError) as error:
                raise OutputError(
                    f"'{self.path.name}' cannot be saved as JPEG XL with losses: its colour profile cannot be computed "
                    f"with ({error}). Save it lossless."
                ) from error
        self._canvas[self._filled : self._filled + band.shape[0]] = band
        self._filled += band.shape[0]

    def _end(self) -> None:
        options, sides = self.options, (self.width, self.height)
        exif = clean_exif(self.metadata.exif, *sides, options.exif, options.comment, self.metadata.dpi)
        xmp = clean_xmp(self.metadata.xmp, *sides, options.exif)
        canvas, self._canvas = self._canvas, np.empty((0, 0, 0), np.uint8)
        try:
            pieces = encoder.encode(canvas, self.bit_depth, options.quality, options.lossless, self._icc, exif, xmp)
        except (RuntimeError, ValueError) as error:
            raise OutputError(f"'{self.path.name}' cannot be saved as {options.format}: {error}.") from error
        del canvas
        for piece in pieces:
            self._file.write(piece)

    def _stop(self) -> None:
        self._canvas = np.empty((0, 0, 0), np.uint8)
