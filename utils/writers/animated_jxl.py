"""Animated JPEG XL: each frame is encoded as a still by libjxl, and put into the file as a frame of it."""

from __future__ import annotations

import numpy as np

from utils.errors import OutputError
from utils.jxl import boxes, encoder, moving
from utils.metadata import clean_exif, clean_xmp, fitting_profile
from utils.writers.animated import AnimationWriter, Box

_TICKS = 1000
"""A second, as everybody's time is in milliseconds."""


class JxlAnimationWriter(AnimationWriter):
    """Metadata, then the codestream to the file's end. A frame is written when the next one comes: it says which is
    the last."""

    largest_side = encoder.LARGEST_SIDE

    def _begin(self) -> None:
        sides, options = (self.width, self.height), self.options
        self._icc = fitting_profile(self.metadata.icc_profile, gray=self.channels <= 2)
        whole = encoder.keeps_all(options.quality, options.lossless)
        self._as_light = not whole and self._icc is not None
        exif = clean_exif(self.metadata.exif, *sides, options.exif, options.comment, self.metadata.dpi)
        xmp = clean_xmp(self.metadata.xmp, *sides, options.exif)
        for piece in boxes.open_ended(exif, xmp):
            self.file.write(piece)
        self._first: moving.Still | None = None
        self._held: tuple[moving.Still, Box, int] | None = None

    def _add(self, pixels: np.ndarray, box: Box, duration: int) -> None:
        still = self._still(pixels)
        if self._first is None:
            self._first = still
            self.file.write(moving.head(still, 8, self._icc, _TICKS, self.loop))
        elif not still.fits(self._first):
            differently = "its frames were encoded differently"
            raise OutputError(f"'{self.path.name}' cannot be saved as JPEG XL: {differently}.")
        self._write_held(last=False)
        self._held = still, box, min(max(1, duration), moving.LONGEST)

    def _still(self, pixels: np.ndarray) -> moving.Still:
        options = self.options
        try:
            made = encoder.as_light(pixels, self._icc) if self._as_light else pixels
            return encoder.still(made, options.quality, options.lossless)
        except (RuntimeError, ValueError) as error:
            raise OutputError(f"'{self.path.name}' cannot be saved as JPEG XL: {error}.") from error

    def _write_held(self, *, last: bool) -> None:
        if self._held is not None:
            still, box, duration = self._held
            self.file.write(moving.frame(still, box, (self.width, self.height), duration, last=last))
            self._held = None

    def _end(self) -> None:
        self._write_held(last=True)

    def _stop(self) -> None:
        self._first = self._held = None
