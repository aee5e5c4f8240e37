"""Pictures in and out: probe a header, load pixels upright with their meaning, save.

The pieces live beside this file: headers and limits in ``image_files``, decoders in ``pixels``, animations in
``animation``, encoders in ``writers``. This is the one module to import.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils import salvage
from utils.animation import animation_loop, load_frames, write_animation
from utils.errors import DamagedImageError, ImageTooLargeError, InvalidImageError
from utils.image_files import (
    FORMATS,
    READABLE_SUFFIXES,
    SUFFIXES,
    ImageInfo,
    ImageLimits,
    check_bytes,
    check_size,
    faults_named,
    format_from_suffix,
    has_alpha,
    header_of,
    is_animated,
    metadata_of,
    open_file,
    open_lazily,
    opened,
    orientation,
    output_suffix,
    read_bytes,
)
from utils.odd_pictures import load_odd, odd_header, odd_info
from utils.pdf_pages import is_pdf, load_pdf_page, pdf_info
from utils.picture import Metadata, Picture
from utils.pixels import (
    assemble,
    decode_tiff,
    from_array,
    from_eight_bit,
    from_wide,
    load_deep,
    to_eight_bits,
    to_pil,
    upright,
)
from utils.tiff_pages import counted_pages, extract_page, page_places
from utils.writers import DEEP_FORMATS, SaveOptions, open_writer

if TYPE_CHECKING:
    from typing import BinaryIO

    from PIL import Image

__all__ = [
    "FORMATS",
    "READABLE_SUFFIXES",
    "SUFFIXES",
    "ImageInfo",
    "ImageLimits",
    "animation_loop",
    "as_picture",
    "format_from_suffix",
    "from_array",
    "from_pil",
    "is_animated",
    "load",
    "load_frames",
    "output_suffix",
    "probe",
    "probe_stream",
    "save",
    "to_pil",
    "write_animation",
]
_PILLOWS_LARGEST_TIFF = 80_000_000
"""Pixels above which Pillow's TIFF decoder warns of, then refuses, a picture that is within our limits."""


def probe(path: Path | str, limits: ImageLimits | None = None) -> ImageInfo:
    """A file's header; no pixels are decoded.

    Raises:
        InvalidImageError: missing, empty, no picture, or damaged.
        ImageTooLargeError: over a limit.
    """
    limits = limits or ImageLimits()
    path = Path(path)
    with open_file(path, limits) as (stream, size):
        try:
            return _probe_stream(stream, path.name, path, size, limits)
        except InvalidImageError as error:
            stream.seek(0)
            data = stream.read()
            _offer(data, error, limits)
            mended = salvage.openable(data)
            if mended is None:
                raise
            return _probe_stream(io.BytesIO(mended), path.name, path, size, limits)


def probe_stream(stream: BinaryIO, name: str, limits: ImageLimits) -> ImageInfo:
    """As ``probe``, of an opened file; its size in bytes is not looked at."""
    return _probe_stream(stream, name, None, 0, limits)


def _probe_stream(stream: BinaryIO, name: str, path: Path | None, size: int, limits: ImageLimits) -> ImageInfo:
    if is_pdf(stream, name):
        return pdf_info(stream, name, path, size, limits)
    if (odd := odd_header(stream, name, limits)) is not None:
        return odd_info(odd, path, size)
    if _only_for_tifffile(stream, name):
        return _odd_tiff(stream, name, path, size, limits)[0]
    with opened(stream, name) as image:
        return header_of(image, path, name, size, limits)


def load(source: Path | str | bytes, limits: ImageLimits | None = None, page: int = 1) -> Picture:
    """The (first) picture of a file or of bytes: upright, with alpha, profile and metadata. Errors as ``probe``.

    Args:
        page: of a TIFF or PDF, counted from 1.
    """
    limits = limits or ImageLimits()
    if isinstance(source, bytes):
        data, name, path = source, "the picture", None
        check_bytes(len(data), name, limits)
    else:
        path = Path(source)
        data, name = read_bytes(path, limits), path.name
    stream = io.BytesIO(data)
    if is_pdf(stream, name):
        return load_pdf_page(stream, name, limits, page)
    if page > 1:
        data = _page_of_tiff(stream, name, page, limits).getvalue()
    try:
        return upright(*_stored(data, name, path, limits))
    except InvalidImageError as error:
        _offer(data, error, limits)
        return _salvaged(data, name, path, limits, error)


def _offer(data: bytes, error: InvalidImageError, limits: ImageLimits) -> None:
    """Where a file was refused: go on to save its rest if that is asked for, else say that it could be.

    Raises:
        InvalidImageError: ``error`` itself where nothing can be done.
        DamagedImageError: something could be, and was not asked for.
    """
    if isinstance(error, ImageTooLargeError) or not salvage.may_help(data, error):
        raise error
    if not limits.salvage:
        raise DamagedImageError(f"{error} {salvage.HINT}") from error


def _salvaged(data: bytes, name: str, path: Path | None, limits: ImageLimits, error: InvalidImageError) -> Picture:
    turns = [1]

    def decode(mended: bytes, read: salvage.Reader | None = None) -> Picture:
        picture, turns[0] = _stored(mended, name, path, limits, read)
        return picture

    found = salvage.rescue(data, name, error, decode, lambda width, height: check_size(name, width, height, 1, limits))
    return upright(found, turns[0])


def _stored(
    data: bytes, name: str, path: Path | None, limits: ImageLimits, read: salvage.Reader | None = None
) -> tuple[Picture, int]:
    """The picture as it lies in the file, and how it is turned upright. ``read``: of a TIFF, see ``decode_tiff``."""
    stream = io.BytesIO(data)
    if (odd := odd_header(stream, name, limits)) is not None:
        return load_odd(data, name, path, odd), 1
    if _only_for_tifffile(stream, name):
        return _load_odd_tiff(data, name, path, limits, read)
    with opened(stream, name) as image:
        info = header_of(image, path, name, len(data), limits)
        salvage.verify(data, info.format)
        metadata, turn = metadata_of(image, info), orientation(image)
        large_tiff = info.format == "tiff" and info.width * info.height > _PILLOWS_LARGEST_TIFF
        picture = load_deep(data, info.format, image) if info.bit_depth == 16 and read is None else None
        if picture is None and (large_tiff or read) and (array := decode_tiff(data, read)) is not None:
            picture = assemble(array)
        if picture is None:
            image.load()
            turn = orientation(image) if info.format == "tiff" else turn  # Pillow has turned it
            picture = from_eight_bit(image)
            if image.mode in ("CMYK", "LAB", "YCbCr"):
                metadata = replace(metadata, icc_profile=None)
        return replace(picture, metadata=metadata), turn


def _page_of_tiff(stream: BinaryIO, name: str, page: int, limits: ImageLimits) -> io.BytesIO:
    """A page of a TIFF, counted from 1, as a file of its own. Raises ``InvalidImageError``."""
    stream.seek(0)
    places = page_places(stream, limits.max_pages) if stream.read(2) in (b"II", b"MM") else []
    if page > len(places):
        raise InvalidImageError(f"'{name}' has no page {page}.")
    single = io.BytesIO()
    with faults_named(name):
        extract_page(stream, places[page - 1], single)
    return single


def _only_for_tifffile(stream: BinaryIO, name: str) -> bool:
    """Whether this is a TIFF of a layout that Pillow does not know: deep gray with alpha, float colour, BigTIFF."""
    stream.seek(0)
    if stream.read(2) not in (b"II", b"MM"):
        return False
    try:
        image = open_lazily(stream, name)
    except Exception:  # damaged: the usual way names the fault
        return False
    return image is None


def _odd_tiff(
    stream: BinaryIO, name: str, path: Path | None, size: int, limits: ImageLimits
) -> tuple[ImageInfo, Metadata, int]:
    """Header, metadata and orientation of a TIFF as tifffile reads them."""
    import tifffile

    with faults_named(name):
        stream.seek(0)
        with tifffile.TiffFile(stream) as tiff:
            page = tiff.pages.first
            width, height, samples, bits = page.imagewidth, page.imagelength, page.samplesperpixel, page.bitspersample
            if not all(isinstance(value, int) for value in (width, height, samples, bits)):
                raise ValueError("its header holds lists where numbers belong")
            tag = page.tags.get(274)
            turn = int(tag.value) if tag is not None and tag.value in range(1, 9) else 1
            resolution = page.get_resolution("INCH") if 282 in page.tags else None
            icc = page.iccprofile
        check_size(name, width, height, 1, limits)
    if turn >= 5:
        width, height = height, width
    kind = f"{samples}x{bits}"
    pages = counted_pages(stream, name, limits.max_pages)
    info = ImageInfo(path, "tiff", kind, width, height, 1, 16 if bits > 8 else 8, samples in (2, 4), size, pages)
    return info, Metadata(icc_profile=icc, dpi=resolution, source_format="tiff", source_mode=kind), turn


def _load_odd_tiff(
    data: bytes, name: str, path: Path | None, limits: ImageLimits, read: salvage.Reader | None
) -> tuple[Picture, int]:
    _, metadata, turn = _odd_tiff(io.BytesIO(data), name, path, len(data), limits)
    with faults_named(name):
        array = decode_tiff(data, read)
        if array is None:
            raise InvalidImageError(f"'{name}' is a TIFF of a colour kind that cannot be read; save it as RGB.")
        return replace(assemble(array), metadata=metadata), turn


def from_pil(image: Image.Image) -> Picture:
    """A picture from a PIL image of any mode, upright."""
    with faults_named(str(getattr(image, "filename", "") or "the picture")):
        info = ImageInfo(None, (image.format or "").lower(), image.mode, *image.size, 1, 8, has_alpha(image), 0)
        if image.mode.startswith("I;16"):
            picture = assemble(np.asarray(image).astype(np.uint16))
        elif image.mode in ("I", "F"):
            picture = from_wide(np.asarray(image))
        else:
            picture = from_eight_bit(image)
        picture = upright(picture, orientation(image))
        metadata = metadata_of(image, replace(info, width=picture.width, height=picture.height))
    if image.mode in ("CMYK", "LAB", "YCbCr"):
        metadata = replace(metadata, icc_profile=None)
    return replace(picture, metadata=metadata)


def as_picture(image: object, limits: ImageLimits | None = None) -> Picture:
    """A path, PIL picture, array or ``Picture`` as a ``Picture``; files within limits. Raises ``InvalidImageError``."""
    if isinstance(image, Picture):
        return image
    if isinstance(image, str | Path):
        return load(image, limits)
    if isinstance(image, np.ndarray):
        return from_array(image)
    from PIL import Image

    if isinstance(image, Image.Image):
        return from_pil(image)
    raise InvalidImageError(f"A path, a PIL picture or an array is needed, not {type(image).__name__}.")


def save(picture: Picture, path: Path | str, options: SaveOptions) -> None:
    """Write a whole picture. Raises ``OutputError``; then no partial file remains."""
    depth = picture.bit_depth if options.format in DEEP_FORMATS else 8
    array = picture.interleaved()
    size = picture.width, picture.height
    with open_writer(Path(path), *size, picture.channels, depth, picture.metadata, options) as writer:
        step = max(1, 2**22 // picture.width)
        for start in range(0, picture.height, step):
            band = array[start : start + step]
            writer.write(to_eight_bits(band) if depth == 8 else band)
        writer.commit()
