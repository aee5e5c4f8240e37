"""Documents for tests: PDFs written by hand, so that every word of them is known."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class PdfPage:
    """A page: its size in points, its drawing instructions, and pictures by name. ``more``: further entries."""

    size: tuple[float, float] = (72, 72)
    content: str = ""
    pictures: dict[str, np.ndarray] = field(default_factory=dict)
    more: str = ""


def scanned(pixels: np.ndarray, dpi: float = 72.0, beside: str = "", more: str = "") -> PdfPage:
    """A page that is one picture; ``beside``: instructions that follow it."""
    width, height = pixels.shape[1] / dpi * 72, pixels.shape[0] / dpi * 72
    content = f"q {width} 0 0 {height} 0 0 cm /Im Do Q {beside}"
    return PdfPage((width, height), content, {"Im": pixels}, more)


def pdf(pages: Sequence[PdfPage], trailer: str = "", objects: Iterable[str] = ()) -> bytes:
    """A PDF of pages; ``objects`` are added from number 1000 on, for ``trailer`` to refer to."""
    written: dict[int, bytes] = {}

    def add(content: str, data: bytes | None = None, number: int = 0) -> int:
        number = number or len(written) + 10
        stream = b"" if data is None else b"\nstream\n" + data + b"\nendstream"
        written[number] = content.encode("latin-1") + stream
        return number

    kids = []
    for page in pages:
        names = " ".join(f"/{name} {_picture(add, pixels)} 0 R" for name, pixels in page.pictures.items())
        shown = add(f"<< /Length {len(page.content)} >>", page.content.encode("latin-1"))
        kids.append(
            add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page.size[0]} {page.size[1]}] /Contents {shown} 0 R "
                f"/Resources << /XObject << {names} >> /Font << /F 3 0 R >> >> {page.more} >>"
            )
        )
    add("<< /Type /Catalog /Pages 2 0 R >>", number=1)
    add(f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>", number=2)
    add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", number=3)
    for number, content in enumerate(objects, 1000):
        add(content, number=number)
    return _file(written, trailer)


def _picture(add, pixels: np.ndarray) -> int:
    space = "/DeviceGray" if pixels.ndim == 2 else "/DeviceRGB"
    head = f"<< /Type /XObject /Subtype /Image /Width {pixels.shape[1]} /Height {pixels.shape[0]} /ColorSpace {space} "
    data = zlib.compress(pixels.tobytes())
    return add(f"{head} /BitsPerComponent 8 /Filter /FlateDecode /Length {len(data)} >>", data)


def _file(written: dict[int, bytes], trailer: str) -> bytes:
    made, places = b"%PDF-1.5\n", {}
    for number, content in written.items():
        places[number] = len(made)
        made += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "xref\n0 1\n0000000000 65535 f \n" + "".join(
        f"{number} 1\n{place:010d} 00000 n \n" for number, place in sorted(places.items())
    )
    size = max(places) + 1
    return made + f"{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{len(made)}\n%%EOF\n".encode()


def locked_pdf(pixels: np.ndarray) -> bytes:
    """A PDF that opens with a password alone, which nobody knows."""
    locks = "<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + "5a" * 32 + "> /U <" + "a5" * 32 + "> >>"
    return pdf([scanned(pixels)], "/Encrypt 1000 0 R /ID [<00> <00>]", [locks])
