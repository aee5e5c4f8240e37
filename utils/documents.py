"""Files of several pages: a TIFF's or a PDF's pages one by one, each as a picture file of its own.

One page is held at a time. A file that is a single picture is a document of one page.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from utils import image_io
from utils.image_files import ImageLimits, faults_named, open_file
from utils.page_numbers import PDF_DPI
from utils.pdf_pages import PdfFile, is_pdf, opened_pdf
from utils.tiff_pages import extract_page, page_places
from utils.writers import SaveOptions
from utils.writers.base import output_error


@dataclass(frozen=True)
class PageHeader:
    """A page's size.

    Attributes:
        width, height: in pixels, upright.
        points, dpi: of a PDF's page, its size on paper (1/72 inch), and dots an inch across and down.
    """

    width: int
    height: int
    points: tuple[float, float] | None = None
    dpi: tuple[float, float] | None = None


class Document(Protocol):
    """Pages are counted from 1. Everything raises ``InvalidImageError``, ``ImageTooLargeError``; ``write_page`` raises
    ``OutputError`` too."""

    suffix: str
    """Of the files that ``write_page`` makes."""
    count: int

    def header(self, number: int) -> PageHeader:
        """A page's size; no pixel is decoded."""
        ...

    def write_page(self, number: int, path: Path) -> None:
        """Write a page as a picture file of its own, with all that it has."""
        ...

    def facts(self) -> dict[str, str]:
        """What the document says of itself: Title, Author, Subject, Keywords."""
        ...


@contextmanager
def open_document(path: Path, limits: ImageLimits, pdf_dpi: float = PDF_DPI) -> Iterator[Document]:
    """A file's pages.

    Args:
        pdf_dpi: at which pages of a PDF are drawn that are no scanned pictures.

    Raises:
        InvalidImageError: it cannot be read, or needs a password.
        ImageTooLargeError: it is over a limit, of bytes or pages.
    """
    with open_file(path, limits) as (stream, _):
        if is_pdf(stream, path.name):
            with opened_pdf(stream, path.name, limits, pdf_dpi) as pdf:
                yield _PdfPages(pdf)
        elif image_io.probe(path, limits).is_document:
            yield _TiffPages(stream, path.name, limits)
        else:
            yield _OnePage(path, limits)


class _PdfPages:
    suffix = ".png"

    def __init__(self, pdf: PdfFile) -> None:
        self._pdf, self.count = pdf, pdf.count

    def header(self, number: int) -> PageHeader:
        page = self._pdf.header(number)
        return PageHeader(page.width, page.height, page.points, page.dpi)

    def write_page(self, number: int, path: Path) -> None:
        image_io.save(self._pdf.draw(number), path, SaveOptions("png"))

    def facts(self) -> dict[str, str]:
        return self._pdf.facts()


class _TiffPages:
    suffix = ".tif"

    def __init__(self, stream: BinaryIO, name: str, limits: ImageLimits) -> None:
        self._stream, self._name, self._limits = stream, name, limits
        self._places = page_places(stream, limits.max_pages)
        self.count = len(self._places)

    def header(self, number: int) -> PageHeader:
        head = io.BytesIO()
        with faults_named(self._name):
            extract_page(self._stream, self._places[number - 1], head, pixels=False)
        return _header_of(head, self._name, self._limits)

    def write_page(self, number: int, path: Path) -> None:
        page = io.BytesIO()
        with faults_named(self._name):
            extract_page(self._stream, self._places[number - 1], page)
        try:
            path.write_bytes(page.getbuffer())
        except OSError as error:
            raise output_error(path, error) from error

    def facts(self) -> dict[str, str]:
        return {}


class _OnePage:
    def __init__(self, path: Path, limits: ImageLimits) -> None:
        self._path, self._limits, self.count = path, limits, 1
        self.suffix = path.suffix

    def header(self, number: int) -> PageHeader:
        with open_file(self._path, self._limits) as (stream, _):
            return _header_of(stream, self._path.name, self._limits)

    def write_page(self, number: int, path: Path) -> None:
        try:
            shutil.copyfile(self._path, path)
        except OSError as error:
            raise output_error(path, error) from error

    def facts(self) -> dict[str, str]:
        return {}


def _header_of(stream: BinaryIO, name: str, limits: ImageLimits) -> PageHeader:
    info = image_io.probe_stream(stream, name, limits)
    return PageHeader(info.width, info.height)
