"""Damaged and hostile files: a result or a typed error, within five seconds and a gigabyte, never a crash.

``REALESRGAN_TEST_MUTATIONS`` is how many damaged files are made in all, for each of the two tests that read such. They
are dealt out to the kinds (``limited.KINDS``) in turn, so that each gets its fifteenth part: 667 by default, of which
each of a kind's sound files gets about as many as the others.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from tests import documents
from tests.faults import limited
from utils import image_io

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a POSIX thing")
COUNT = int(os.environ.get("REALESRGAN_TEST_MUTATIONS", "1000"))
"""Of all kinds together."""
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def test_mutations_of_every_format():
    answer = limited.start("mutations", str(COUNT))
    print(answer)
    assert answer["faults"] == []
    assert sum(answer["outcomes"].values()) == COUNT
    # Both happen: mutations that always fail, or never, would prove nothing.
    assert answer["outcomes"]["result"] > COUNT / 20 and answer["outcomes"]["InvalidImageError"] > COUNT / 20


def test_mutations_with_the_rest_of_them_asked_for():
    """More of them give a picture; none takes longer or more than those that are refused may."""
    answer = limited.start("salvage", "mutations", str(COUNT))
    print(answer)
    assert answer["faults"] == []
    assert sum(answer["outcomes"].values()) == COUNT
    assert answer["outcomes"]["result"] > COUNT * 0.5
    assert "DamagedImageError" not in answer["outcomes"], "it says what to do, which was done"


def test_every_kind_is_damaged_as_often_as_the_others():
    dealt = Counter(name.split("(")[1].split(",")[0] for name, _ in limited.mutations(300))
    assert dealt == dict.fromkeys(limited.KINDS, 300 // len(limited.KINDS))
    sound = limited.seeds()
    assert set(sound) == set(limited.KINDS) and len(sound["RAW"]) == 5
    for data in sound["RAW"]:
        assert image_io.load(data).metadata.source_format == "raw"


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = zlib.compress(b"\0" * (1 + 3 * min(width, 100)) * min(height, 100))
    return SIGNATURE + header + b"".join(extra) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 1000, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
        + b"\0" * 946
    )


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return b"\xff\xd8" + frame + b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00" + b"\0" * 500 + b"\xff\xd9"


def gif(width: int, height: int, frames: int) -> bytes:
    """Every frame claims the whole screen and holds next to nothing."""
    frame = (
        b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, width, height, 0)
        + b"\x02\x02\x44\x01\x00"
    )
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0" * 6 + frame * frames + b"\x3b"


def tiff(width: int, height: int, offset: int = 8) -> bytes:
    """Little-endian, one strip that does not exist; ``offset`` of the next directory makes a circle."""
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (279, 4, 10**9),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + struct.pack("<I", offset)


def tiff_of_pages(count: int) -> bytes:
    """Directories one after the other."""
    page = tiff(9, 9)[8:-4]
    places = [8 + number * (len(page) + 4) for number in range(count)]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(page + struct.pack("<I", place) for place in [*places[1:], 0])


def pdf_with(picture: str = "", content: bytes = b"", side: int = 72) -> bytes:
    """A page with a picture of no pixels whose entries are given, and deflated instructions."""
    data = documents.pdf([documents.PdfPage((side, side), "q 72 0 0 72 0 0 cm /Im Do Q")])
    made = data.replace(b"/XObject <<  >>", b"/XObject << /Im 1000 0 R >>")
    objects = f"1000 0 obj\n<< /Type /XObject /Subtype /Image {picture} /Length 0 >>\nstream\n\nendstream\nendobj\n"
    objects += f"1001 0 obj\n<< /Filter /FlateDecode /Length {len(content)} >>\nstream\n"
    if content:
        made = made.replace(b"/Contents 10 0 R", b"/Contents 1001 0 R")
    # Without a table of objects, readers look for them from the start.
    return made[: made.index(b"xref")] + objects.encode() + content + b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>"


def animated_webp(width: int, height: int) -> bytes:
    """Two small frames on a canvas that claims more than any frame can hold."""
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:])
    data = bytearray(stream.getvalue())
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def zipped_zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(2**24)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


CRAFTED = {
    "65535-squared.png": lambda: png(65535, 65535),
    "65535-squared.jpg": lambda: jpeg(65535, 65535),
    "65535-squared.bmp": lambda: bmp(65535, 65535),
    "65535-squared.tif": lambda: tiff(65535, 65535),
    "65535-squared.gif": lambda: gif(65535, 65535, 1),
    "2147483647-wide.png": lambda: png(2**31 - 1, 1),
    "2147483647-wide.bmp": lambda: bmp(2**31 - 1, 1),
    "2147483647-wide.tif": lambda: tiff(2**31 - 1, 1),
    "2147483647-squared.tif": lambda: tiff(2**31 - 1, 2**31 - 1),
    "negative.bmp": lambda: bmp(-5, -(2**31)),
    "no-width.png": lambda: png(0, 7),
    "no-height.jpg": lambda: jpeg(9, 0),
    "no-width.bmp": lambda: bmp(0, 9),
    "no-width.gif": lambda: gif(0, 9, 3),
    "no-width.tif": lambda: tiff(0, 9),
    "gigapixels-in-frames.gif": lambda: gif(10000, 10000, 400),
    "many-frames.gif": lambda: gif(1, 1, 200_000),
    "gigabyte-of-text.png": lambda: png(9, 9, png_chunk(b"zTXt", b"Comment\0\0" + zipped_zeros(2**30))),
    "gigabyte-of-profile.png": lambda: png(9, 9, png_chunk(b"iCCP", b"icc\0\0" + zipped_zeros(2**30))),
    "gigabyte-of-pixels.png": lambda: (
        SIGNATURE
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))
        + png_chunk(b"IDAT", zipped_zeros(2**30))
        + png_chunk(b"IEND", b"")
    ),
    "circle-of-pages.tif": lambda: tiff(9, 9, offset=8),
    "many-pages.tif": lambda: tiff_of_pages(100_000),
    "huge-page.pdf": lambda: pdf_with(side=14400),
    "65535-squared.pdf": lambda: pdf_with("/Width 65535 /Height 65535 /ColorSpace /DeviceRGB /BitsPerComponent 8"),
    "gigabyte-of-instructions.pdf": lambda: pdf_with(content=zipped_zeros(2**30)),
    "wide-canvas.webp": lambda: animated_webp(2_400_000, 40),
    "script.png": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
    "drawing.jpg": lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "layers.png": lambda: b"8BPS\0\1" + b"\0" * 6 + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + b"\0" * 400,
    "archive.png": lambda: b"PK\x03\x04" + b"\0" * 100,
}


@pytest.fixture(scope="module", params=[(), ("salvage",)], ids=["plain", "salvage"])
def verdict(request, tmp_path_factory):
    """All crafted files in one process; its answer a file."""
    folder: Path = tmp_path_factory.mktemp("crafted")
    for name, make in CRAFTED.items():
        (folder / name).write_bytes(make())
    answer = limited.start(*request.param, "files", *(str(folder / name) for name in CRAFTED))
    print({key: value for key, value in answer.items() if key != "faults"})
    return answer


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_file_is_answered(verdict, name):
    assert [fault for fault in verdict["faults"] if name in fault or "memory" in fault] == []


def test_nearly_all_crafted_files_are_refused(verdict):
    assert verdict["outcomes"].get("result", 0) <= 4, "only those that hold a whole picture beside their trick"
