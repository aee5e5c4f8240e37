"""Pages of a PDF as pictures, drawn by PDFium.

A page that is one scanned picture gives that picture's very pixels; a page that a picture covers in part, or that has
text and lines too, is drawn at no less than the picture's resolution; any other at a resolution that is asked for.
Colours come out as sRGB, gray pages as gray.
"""

from __future__ import annotations

import ctypes
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_files import ImageInfo, ImageLimits, check_size, faults_named
from utils.page_numbers import PDF_DPI, check_pages
from utils.pdf_bombs import refuse_bombs
from utils.picture import Metadata, Picture

if TYPE_CHECKING:
    from pathlib import Path

    from pypdfium2 import PdfDocument, PdfImage, PdfPage

_MOST_SECONDS = 120
_MOST_OBJECTS = 100_000
_COVERS, _FILLS = 0.5, 0.98
"""Shares of a page from which on a picture's resolution is the page's, and from which on it is the page."""
_BLOCK = 16
_MOST_UNLIKE, _MOST_UNLIKE_BLOCK = 4.0, 40.0
"""Levels by which a scan's pixels may differ from the drawn page, in means of blocks: on average, and anywhere."""
_HEAD = 1024
_PDFIUM = threading.Lock()
"""PDFium is not made for several threads: one is in it at a time."""


@dataclass(frozen=True)
class PdfPageHeader:
    """One page: its size in pixels as it would be drawn, and in points (1/72 inch); ``dpi`` is across and down."""

    width: int
    height: int
    points: tuple[float, float]
    dpi: tuple[float, float]


@dataclass(frozen=True)
class _Look:
    """What is on a page: a picture that covers most of it, whether nothing else is seen, and whether it is a scan."""

    covering: PdfImage | None
    alone: bool
    scan: PdfImage | None


def is_pdf(stream: BinaryIO, name: str) -> bool:
    """Whether a file is a PDF: by its first bytes, or, where others stand before them, by its name too."""
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"%PDF-") or (
        b"%PDF-" in head and name.lower().endswith(".pdf")
    )


class PdfFile:
    """An opened PDF. Everything raises ``InvalidImageError`` with the file's name, ``ImageTooLargeError`` over a limit.

    Args:
        dpi: of pages that are no scanned pictures.
    """

    def __init__(self, document: PdfDocument, name: str, limits: ImageLimits, dpi: float) -> None:
        self._document, self._name, self._limits, self._dpi = document, name, limits, dpi
        self.count = len(document)
        check_pages(name, self.count, limits.max_pages)

    def header(self, number: int) -> PdfPageHeader:
        """A page's size; ``number`` counts from 1. Nothing is drawn."""
        with self._page(number) as page:
            return self._header_of(page)

    def draw(self, number: int) -> Picture:
        """A page as it looks on paper: RGB, or gray where it has no colour."""
        with self._page(number) as page:
            header = self._header_of(page)
            pixels = _drawn(self._document, page, self._name, header.width, header.height)
            scan = self._look_at(page).scan
            if scan is not None and (exact := _pixels_of(scan, page.get_rotation(), pixels)) is not None:
                pixels = exact
        gray = _without_color(pixels)
        picture = Picture(np.ascontiguousarray(pixels[..., :1]) if gray else pixels)
        metadata = Metadata(dpi=header.dpi, source_format="pdf", source_mode="L" if gray else "RGB")
        return replace(picture, metadata=metadata)

    def facts(self) -> dict[str, str]:
        """Title, author and so on, as far as they are given."""
        with faults_named(self._name), _PDFIUM:
            found = self._document.get_metadata_dict(skip_empty=True)
        return {key: text for key, text in found.items() if key in ("Title", "Author", "Subject", "Keywords")}

    @contextmanager
    def _page(self, number: int) -> Iterator[PdfPage]:
        with faults_named(self._name), _PDFIUM:
            page = self._document[number - 1]
            try:
                yield page
            finally:
                page.close()

    def _header_of(self, page: PdfPage) -> PdfPageHeader:
        width, height = page.get_size()
        if not (0 < width < 1e6 and 0 < height < 1e6):
            raise InvalidImageError(f"'{self._name}' has a page without an area ({width:g}x{height:g} points).")
        look = self._look_at(page)
        own = None if look.covering is None else _own_resolution(look.covering, page.get_rotation())
        if own is None:
            dpi = self._dpi, self._dpi
        else:
            dpi = own if look.alone else (max(own[0], self._dpi), max(own[1], self._dpi))
        across, down = max(1, round(width / 72 * dpi[0])), max(1, round(height / 72 * dpi[1]))
        check_size(self._name, across, down, 1, self._limits)
        return PdfPageHeader(across, down, (width, height), dpi)

    def _look_at(self, page: PdfPage) -> _Look:
        """What is on a page."""
        import pypdfium2.raw as pdfium

        covering, share, others = None, 0.0, 0
        for count, one in enumerate(page.get_objects(max_depth=8)):
            if count > _MOST_OBJECTS:
                others += 1
                break
            if one.type == pdfium.FPDF_PAGEOBJ_IMAGE:
                self._check_picture(*one.get_px_size())
                area = _share_of_page(page, one.get_bounds()) if one.level == 0 else 0.0
                if area > share:
                    others += covering is not None
                    covering, share = one, area
                else:
                    others += 1
            elif one.type == pdfium.FPDF_PAGEOBJ_TEXT:
                # What text recognition lays under a scan is not seen.
                others += pdfium.FPDFTextObj_GetTextRenderMode(one) != pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
            else:
                others += one.type != pdfium.FPDF_PAGEOBJ_FORM
        covering = covering if share >= _COVERS else None
        return _Look(covering, others == 0, covering if share >= _FILLS and not others else None)

    def _check_picture(self, width: int, height: int) -> None:
        """Refuse a picture on a page that is over the limit: it would be decoded whole."""
        if width * height > self._limits.max_pixels:
            raise ImageTooLargeError(
                f"'{self._name}' holds a picture of {width}x{height} pixels on a page; the limit is "
                f"{self._limits.max_pixels / 1e6:.0f} megapixels (REALESRGAN_MAX_IMAGE_MEGAPIXELS)."
            )


@contextmanager
def opened_pdf(stream: BinaryIO, name: str, limits: ImageLimits, dpi: float = PDF_DPI) -> Iterator[PdfFile]:
    """A PDF for reading.

    Raises:
        InvalidImageError: it is damaged, or needs a password.
        ImageTooLargeError: it has more pages than the limit, or parts that would fill the memory.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    with faults_named(name):
        refuse_bombs(stream, name)
        stream.seek(0)
        with _PDFIUM:
            try:
                document = pypdfium2.PdfDocument(stream)
            except pypdfium2.PdfiumError as error:
                if error.err_code == pdfium.FPDF_ERR_PASSWORD:
                    raise InvalidImageError(
                        f"'{name}' is protected by a password. Save it without one in a PDF program, and take that "
                        "file."
                    ) from error
                raise
        try:
            with _PDFIUM:
                document.init_forms()
                opened = PdfFile(document, name, limits, dpi)
            yield opened
        finally:
            with _PDFIUM:
                document.close()


def pdf_info(stream: BinaryIO, name: str, path: Path | None, size: int, limits: ImageLimits) -> ImageInfo:
    """The header of a PDF: that of its first page, which others may differ from."""
    with opened_pdf(stream, name, limits) as pdf:
        first = pdf.header(1)
        return ImageInfo(path, "pdf", "RGB", first.width, first.height, 1, 8, False, size, pdf.count)


def load_pdf_page(stream: BinaryIO, name: str, limits: ImageLimits, page: int) -> Picture:
    """A page as a picture; ``page`` counts from 1."""
    with opened_pdf(stream, name, limits) as pdf:
        if not 1 <= page <= pdf.count:
            raise InvalidImageError(f"'{name}' has no page {page}.")
        return pdf.draw(page)


def _share_of_page(page: PdfPage, bounds: tuple[float, float, float, float]) -> float:
    left, bottom, right, top = page.get_bbox()
    across = min(right, bounds[2]) - max(left, bounds[0])
    down = min(top, bounds[3]) - max(bottom, bounds[1])
    area = (right - left) * (top - bottom)
    return max(0.0, across) * max(0.0, down) / area if area > 0 else 0.0


def _own_resolution(image: PdfImage, rotation: int) -> tuple[float, float] | None:
    """Dots an inch of a picture on its page, across and down as the page is seen."""
    (right, up), (width, height) = _directions(image, rotation), image.get_px_size()
    along, upwards = math.hypot(*right), math.hypot(*up)
    if not (along > 0 and upwards > 0 and width and height):
        return None
    dots = width / along * 72, height / upwards * 72
    return (dots[1], dots[0]) if abs(right[1]) > abs(right[0]) else dots


def _directions(image: PdfImage, rotation: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a picture's right and its top point to on the page as it is seen, y upwards; as long as its sides."""
    matrix = image.get_matrix()
    right, up = (matrix.a, matrix.b), (matrix.c, matrix.d)
    for _ in range(rotation // 90 % 4):
        right, up = (right[1], -right[0]), (up[1], -up[0])
    return right, up


def _pixels_of(image: PdfImage, rotation: int, drawn: np.ndarray) -> np.ndarray | None:
    """A scan's pixels as they lie on the page, ``(H, W, 3) uint8``, where they are what is seen of it; else None.

    Drawing blurs a scan a little, unless its page has a whole number of points.

    Args:
        drawn: the page as it is drawn, with which they are compared: a mask or a colour space can change what is seen.
    """
    bitmap = image.get_bitmap(render=False)
    bitmap.warn_on_close = False  # its memory is not used afterwards
    try:
        stored = bitmap.to_numpy()
        if stored.ndim == 2:
            stored = stored[..., None]
        colors = np.repeat(stored, 3, axis=2) if stored.shape[2] == 1 else stored[..., 2::-1]
        right, up = _directions(image, rotation)
        if abs(right[1]) > abs(right[0]):
            colors = colors.transpose(1, 0, 2)
            colors = colors[:: -1 if right[1] > 0 else 1, :: -1 if up[0] > 0 else 1]
        else:
            colors = colors[:: -1 if up[1] < 0 else 1, :: -1 if right[0] < 0 else 1]
        if colors.shape != drawn.shape:
            return None
        unlike = np.abs(_means(colors) - _means(drawn))
        if unlike.mean() > _MOST_UNLIKE or unlike.max() > _MOST_UNLIKE_BLOCK:
            return None
        return np.ascontiguousarray(colors)
    finally:
        bitmap.close()


def _means(pixels: np.ndarray) -> np.ndarray:
    """Means of blocks, the last ones of a row or column smaller."""
    rows, columns = (np.arange(0, length, _BLOCK) for length in pixels.shape[:2])
    sums = np.stack([pixels[row : row + _BLOCK].sum(axis=0, dtype=np.float32) for row in rows])
    sums = np.add.reduceat(sums, columns, axis=1)
    counts = np.outer(np.diff([*rows, len(pixels)]), np.diff([*columns, pixels.shape[1]]))
    return sums / counts[..., None]


def _drawn(document: PdfDocument, page: PdfPage, name: str, width: int, height: int) -> np.ndarray:
    """``(H, W, 3) uint8`` of a page on white paper. Raises ``InvalidImageError`` where it takes too long."""
    import pypdfium2.raw as pdfium

    pixels = np.full((height, width, 3), 255, np.uint8)
    memory = pixels.ctypes.data_as(ctypes.c_void_p)
    bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_BGR, memory, width * 3)
    if not bitmap:
        raise MemoryError
    until = time.monotonic() + _MOST_SECONDS
    pause = pdfium.IFSDK_PAUSE(version=1)
    is_late = type(pause.NeedToPauseNow)(lambda _: int(time.monotonic() > until))
    pause.NeedToPauseNow = is_late
    how = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
    try:
        state = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, width, height, 0, how, pause)
        pdfium.FPDF_RenderPage_Close(page)
        if state == pdfium.FPDF_RENDER_TOBECONTINUED:
            raise InvalidImageError(f"A page of '{name}' took over {_MOST_SECONDS} seconds to draw, and was given up.")
        if document.formenv:
            pdfium.FPDF_FFLDraw(document.formenv, bitmap, page, 0, 0, width, height, 0, how)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return pixels


def _without_color(pixels: np.ndarray) -> bool:
    """Whether every pixel is gray; in bands, for a page may be large."""
    for start in range(0, len(pixels), 512):
        band = pixels[start : start + 512]
        if (band[..., 0] != band[..., 1]).any() or (band[..., 0] != band[..., 2]).any():
            return False
    return True
