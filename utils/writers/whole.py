"""JPEG, WebP, AVIF and GIF: encoders that want all rows at once. One 8-bit canvas is all that is held."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from utils.errors import OutputError
from utils.metadata import clean_exif, clean_xmp, fitting_profile
from utils.picture import Metadata
from utils.writers.base import BandWriter, SaveOptions

if TYPE_CHECKING:
    from PIL import Image


def encoder_arguments(
    options: SaveOptions, metadata: Metadata, width: int, height: int, gray: bool
) -> dict[str, object]:
    """Pillow's ``save`` arguments, its format aside."""
    arguments: dict[str, object] = {}
    # WebP and AVIF have no other place for the resolution than EXIF.
    dpi = metadata.dpi if options.format in ("webp", "avif") else None
    exif = clean_exif(metadata.exif, width, height, options.exif, options.comment, dpi)
    xmp = clean_xmp(metadata.xmp, width, height, options.exif)
    if options.format in ("jpeg", "webp", "avif"):
        arguments["quality"] = options.quality
        if exif:
            arguments["exif"] = b"Exif\x00\x00" + exif
        if xmp:
            arguments["xmp"] = xmp
        # WebP and AVIF have no gray: a gray picture becomes RGB there, where its gray profile would be wrong.
        profile = fitting_profile(metadata.icc_profile, gray=gray and options.format == "jpeg")
        if profile:
            arguments["icc_profile"] = profile
    if options.format == "jpeg":
        arguments["optimize"] = width * height < 50_000_000
        arguments["subsampling"] = 0 if options.quality >= 90 else 2
        if metadata.dpi:
            arguments["dpi"] = tuple(round(dots) for dots in metadata.dpi)
    if options.format == "gif" and options.comment is not None:
        arguments["comment"] = options.comment.encode("utf-8")
    if options.format == "webp":
        arguments["lossless"] = options.lossless
        arguments["exact"] = True
        arguments["method"] = 4
    return arguments


class WholeWriter(BandWriter):
    """Collects every row and lets Pillow encode the picture as a whole: JPEG, WebP, AVIF, GIF."""

    def _begin(self, file: BinaryIO) -> None:
        if self.bit_depth != 8:
            raise OutputError(f"{self.options.format.upper()} holds 8 bits a channel, not {self.bit_depth}.")
        self._file = file
        self._canvas = np.empty((self.height, self.width, self.channels), np.uint8)
        self._filled = 0

    def _write(self, band: np.ndarray) -> None:
        self._canvas[self._filled : self._filled + band.shape[0]] = band
        self._filled += band.shape[0]

    def _end(self) -> None:
        from PIL import Image

        canvas = self._canvas[..., 0] if self.channels == 1 else self._canvas
        image = Image.fromarray(canvas)
        del self._canvas, canvas
        if self.options.format == "jpeg" and self.channels in (2, 4):
            image = flatten(image)
        elif self.options.format != "jpeg" and image.mode == "LA":
            image = image.convert("RGBA")
        gray = self.channels in (1, 2)
        arguments = encoder_arguments(self.options, self.metadata, self.width, self.height, gray)
        self._file.write(self._encoded(image, arguments))

    def _encoded(self, image: Image.Image, arguments: dict[str, object]) -> bytes:
        """The file's bytes. In memory first: Pillow does not say why writing to a full disk failed."""
        refused: Exception | None = None
        # Optimised Huffman tables need a buffer that Pillow makes too small for noise; and metadata that an encoder
        # refuses (an oversized block, a broken profile) must not cost the picture.
        for name in (None, "optimize", "xmp", "exif", "icc_profile"):
            if name is not None and arguments.pop(name, None) is None:
                continue
            encoded = io.BytesIO()
            try:
                image.save(encoded, self.options.format.upper(), **arguments)
                return encoded.getvalue()
            except (ValueError, TypeError, OSError) as error:
                refused = refused or error
        raise OutputError(f"'{self.path.name}' cannot be saved as {self.options.format}: {refused}.") from refused

    def _stop(self) -> None:
        self._canvas = np.empty((0, 0, 0), np.uint8)


def flatten(image: Image.Image) -> Image.Image:
    """A picture with transparency on white, as it would look on paper."""
    from PIL import Image

    mode = "L" if image.mode == "LA" else "RGB"
    paper = Image.new(mode, image.size, "white")
    paper.paste(image.convert(mode), mask=image.getchannel("A"))
    return paper
