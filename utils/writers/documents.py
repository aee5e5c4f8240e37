"""Writing documents page by page: TIFF and PDF. A page comes as a finished picture file and is not encoded again."""

from __future__ import annotations

import hashlib
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from utils.errors import OutputError
from utils.image_files import open_lazily
from utils.metadata import SOFTWARE
from utils.tiff_pages import Tag, TiffPages, page_tags, resolution_tags
from utils.writers.base import FileWriter, output_error

if TYPE_CHECKING:
    from PIL import Image

_DPI = 300.0
"""Of pictures that have none, to know how large their page is."""
_LARGEST_PAGE = 14400
"""Units a side of a PDF's page; a larger page has larger units."""


@dataclass(frozen=True)
class FinishedPage:
    """A page as it is to be put into a document.

    Attributes:
        picture: its file: for a TIFF a TIFF, for a PDF a JPEG, or a PNG, which is kept without loss.
        dpi: dots an inch, across and down; None leaves them as the file has them.
        points: its size on paper in 1/72 inch, for a PDF; None: as its dots an inch say.
        tags: texts that a TIFF's page had, to be kept.
    """

    picture: Path
    dpi: tuple[float, float] | None = None
    points: tuple[float, float] | None = None
    tags: Sequence[Tag] = ()


class DocumentWriter(FileWriter, ABC):
    """Takes finished pages, first to last; the file appears with ``commit``."""

    kind: str

    def add(self, page: FinishedPage) -> None:
        """Put the next page in. Raises ``OutputError``."""
        try:
            self._add(page)
        except OSError as error:
            raise output_error(self.path, error) from error

    def commit(self) -> None:
        """Finish the file and let it appear under its name."""
        with self._or_no_file():
            self._end()
            self._output.commit()
        self._finished = True

    @abstractmethod
    def _add(self, page: FinishedPage) -> None: ...

    @abstractmethod
    def _end(self) -> None: ...


class TiffDocumentWriter(DocumentWriter):
    """A TIFF of several pages; a BigTIFF where four gigabytes do not suffice.

    Args:
        count: how many pages it is to have, which every page says.
    """

    kind = "tiff"

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(path)
        self._count = count
        with self._or_no_file():
            self._pages = TiffPages(self._output.file)

    def _add(self, page: FinishedPage) -> None:
        tags = [*page.tags, *page_tags(self._pages.count, self._count)]
        if page.dpi is not None:
            tags += resolution_tags(page.dpi)
        with page.picture.open("rb") as file:
            self._pages.append(file, tags)

    def _end(self) -> None:
        pass


class PdfDocumentWriter(DocumentWriter):
    """A PDF 1.5 whose pages are one picture each: JPEG as it is, PNG as its deflated rows.

    Args:
        facts: Title, Author and so on, for the document's information.
        comment: the settings used; also says which program made it.
    """

    kind = "pdf"

    def __init__(self, path: Path, facts: Mapping[str, str], comment: str | None) -> None:
        super().__init__(path)
        self._facts = dict(facts) | ({} if comment is None else {"Producer": SOFTWARE, "Parameters": comment})
        self._places: dict[int, int] = {}
        self._pages: list[int] = []
        self._profiles: dict[str, int] = {}
        self._last = 2  # the first two are the catalog and the list of pages, written at the end
        with self._or_no_file():
            self._output.file.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")

    def _add(self, page: FinishedPage) -> None:
        with page.picture.open("rb") as stream:
            image = open_lazily(stream, page.picture.name)
            if image is None or image.format not in ("JPEG", "PNG"):
                raise OutputError(f"'{page.picture.name}' cannot be put into a PDF.")
            number = self._png(image, stream) if image.format == "PNG" else self._jpeg(image, stream)
            dpi = page.dpi or image.info.get("dpi") or (_DPI, _DPI)
            points = page.points or tuple(side / dots * 72 for side, dots in zip(image.size, dpi, strict=True))
        unit = max(1.0, max(points) / _LARGEST_PAGE)
        width, height = (f"{side / unit:.4f}".rstrip("0").rstrip(".") for side in points)
        shown = self._stream({}, f"q {width} 0 0 {height} 0 0 cm /Im Do Q".encode())
        larger = f" /UserUnit {unit:.6f}" if unit > 1 else ""
        self._pages.append(
            self._object(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}]{larger} /Contents {shown} 0 R "
                f"/Resources << /XObject << /Im {number} 0 R >> >> >>"
            )
        )

    def _jpeg(self, image: Image.Image, stream: BinaryIO) -> int:
        stream.seek(0)
        return self._stream(self._picture(image, 8) | {"Filter": "/DCTDecode"}, stream.read())

    def _png(self, image: Image.Image, stream: BinaryIO) -> int:
        """Rows of a PNG are filtered and deflated as a PDF has them; those with transparency are laid on white."""
        stream.seek(8)
        depth, colors = _png_kind(stream)
        if colors not in (0, 2):
            from utils.writers.whole import flatten

            flat = flatten(image if image.mode in ("LA", "RGBA") else image.convert("RGBA"))
            flat.info["icc_profile"] = image.info.get("icc_profile")
            return self._stream(self._picture(flat, 8) | {"Filter": "/FlateDecode"}, zlib.compress(flat.tobytes()))
        samples = 3 if colors == 2 else 1
        rows = f"<< /Predictor 15 /Colors {samples} /BitsPerComponent {depth} /Columns {image.width} >>"
        kind = self._picture(image, depth) | {"Filter": "/FlateDecode", "DecodeParms": rows}
        return self._stream(kind, b"".join(_png_data(stream)))

    def _picture(self, image: Image.Image, depth: int) -> dict[str, str]:
        gray = image.mode in ("1", "L", "I", "I;16")
        profile = image.info.get("icc_profile")
        space = "/DeviceGray" if gray else "/DeviceRGB"
        if isinstance(profile, bytes) and profile:
            space = f"[/ICCBased {self._profile(profile, 1 if gray else 3, space)} 0 R]"
        return {
            "Type": "/XObject",
            "Subtype": "/Image",
            "Width": str(image.width),
            "Height": str(image.height),
            "ColorSpace": space,
            "BitsPerComponent": str(depth),
        }

    def _profile(self, profile: bytes, samples: int, instead: str) -> int:
        key = hashlib.sha256(profile).hexdigest()
        if key not in self._profiles:
            kind = {"N": str(samples), "Alternate": instead, "Filter": "/FlateDecode"}
            self._profiles[key] = self._stream(kind, zlib.compress(profile))
        return self._profiles[key]

    def _stream(self, entries: Mapping[str, str], data: bytes) -> int:
        head = "".join(f"/{key} {value} " for key, value in entries.items())
        return self._object(f"<< {head}/Length {len(data)} >>\nstream\n".encode("latin-1"), data, b"\nendstream")

    def _object(self, *parts: str | bytes, number: int = 0) -> int:
        """Write an object; returns its number."""
        if not number:
            number = self._last = self._last + 1
        file = self._output.file
        self._places[number] = file.tell()
        file.write(f"{number} 0 obj\n".encode())
        for part in parts:
            file.write(part.encode("latin-1") if isinstance(part, str) else part)
        file.write(b"\nendobj\n")
        return number

    def _end(self) -> None:
        pages = " ".join(f"{number} 0 R" for number in self._pages)
        self._object("<< /Type /Catalog /Pages 2 0 R >>", number=1)
        self._object(f"<< /Type /Pages /Count {len(self._pages)} /Kids [{pages}] >>", number=2)
        facts = "".join(f"/{key} {_text(value)} " for key, value in self._facts.items())
        information = self._object(f"<< {facts}>>")
        file = self._output.file
        start = file.tell()
        lines = [f"xref\n0 {self._last + 1}\n0000000000 65535 f \n"]
        lines += [f"{self._places[number]:010d} 00000 n \n" for number in range(1, self._last + 1)]
        lines.append(f"trailer\n<< /Size {self._last + 1} /Root 1 0 R /Info {information} 0 R >>\n")
        lines.append(f"startxref\n{start}\n%%EOF\n")
        file.write("".join(lines).encode())


def _text(value: str) -> str:
    """A text as a PDF's hexadecimal string in UTF-16."""
    return "<" + (b"\xfe\xff" + value.encode("utf-16-be", "replace")).hex() + ">"


def _png_kind(stream: BinaryIO) -> tuple[int, int]:
    """Bits a channel and type of colour; the stream stands after the signature."""
    head = stream.read(25)
    return head[16], head[17]


def _png_data(stream: BinaryIO) -> Iterator[bytes]:
    """The deflated rows, from the first chunk after the header on."""
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        data = stream.read(length)
        stream.read(4)
        if kind == b"IDAT":
            yield data
        elif kind == b"IEND":
            return


__all__ = ["DocumentWriter", "FinishedPage", "PdfDocumentWriter", "TiffDocumentWriter"]
