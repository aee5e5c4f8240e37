"""Pictures that Pillow does not read, within limits: header, pixels with their metadata, frames of an animation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from utils import odd_formats, salvage
from utils.errors import ImageTooLargeError
from utils.image_files import ImageInfo, ImageLimits, check_size, faults_named, notes_about, too_many_frames, valid_dpi
from utils.jxl.frames import TooManyFrames
from utils.metadata import clean_exif, resolution_of
from utils.odd_formats import OddHeader
from utils.picture import Metadata, Picture
from utils.pixels import assemble

_LIGHTS_BYTES = 16
"""Of a pixel of light: red, green, blue and alpha in floats."""


def odd_header(stream: BinaryIO, name: str, limits: ImageLimits) -> OddHeader | None:
    """The header of a picture of these kinds, None for all others. Raises as ``image_io.probe``."""
    with faults_named(name):
        try:
            header = odd_formats.header_of(stream, name, limits.max_frames, cut=limits.salvage)
        except TooManyFrames:
            raise too_many_frames(name, limits) from None
    if header is not None:
        check_size(name, header.width, header.height, header.frames, limits)
        if header.decoded_bytes > limits.max_pixels * _LIGHTS_BYTES:
            raise ImageTooLargeError(
                f"'{name}' holds {header.decoded_bytes / 1e6:.0f} MB of channels, which are decoded together, and at "
                f"most {limits.max_pixels * _LIGHTS_BYTES / 1e6:.0f} are read. Save it with red, green, blue and "
                "alpha only."
            )
    return header


def odd_info(header: OddHeader, path: Path | None, size: int) -> ImageInfo:
    """The same as all other pictures have it. ``size``: of the file, in bytes."""
    sides, frames = (header.width, header.height), header.frames
    return ImageInfo(path, header.format, header.mode, *sides, frames, header.bits, header.transparent, size)


def load_odd(data: bytes, name: str, path: Path | None, header: OddHeader, frame: int = 0) -> Picture:
    """The picture, or one of its frames. Raises ``InvalidImageError``."""
    with faults_named(name):
        array, header = odd_formats.decode(data, header, frame)
        picture = assemble(array)
    notes = tuple(note.format(name) for note in header.notes)
    metadata = Metadata(
        icc_profile=header.icc,
        exif=clean_exif(header.exif, header.width, header.height),
        xmp=header.xmp,
        dpi=valid_dpi(resolution_of(header.exif)),
        source_format=header.format,
        source_mode=header.mode,
        warnings=(*notes_about(odd_info(header, path, len(data)), header.exif), *notes),
    )
    picture = replace(picture, metadata=metadata)
    if header.motion is not None and not header.motion.whole:
        return salvage.marked(picture, name, header.frames, None)
    return picture


def odd_frames(data: bytes, name: str, path: Path | None, header: OddHeader) -> Iterator[tuple[Picture, int]]:
    """Every frame of an animation, with its duration in milliseconds. Raises ``InvalidImageError``."""
    assert header.motion is not None
    for number, duration in enumerate(header.motion.durations):
        yield load_odd(data, name, path, header, number), duration


__all__ = ["load_odd", "odd_frames", "odd_header", "odd_info"]
