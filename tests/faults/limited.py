"""Reads hostile pictures in a process of its own that may take one gigabyte, and five seconds of the processor for each.

``python -m tests.faults.limited mutations COUNT`` or ``... files PATH...``, both also with ``salvage`` first, which takes
what can be decoded of damaged ones; prints one JSON object. A crash of this
process, which no test could survive inside its own, is an exit code for whoever started it.
"""

from __future__ import annotations

import io
import json
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

SECONDS = 5
MEGABYTES = 1000
KINDS = (
    "PNG",
    "JPEG",
    "WEBP",
    "TIFF",
    "GIF",
    "AVIF",
    "BMP",
    "JPEG2000",
    "PSD",
    "HDR",
    "JXL",
    "EXR",
    "RAW",
    "PDF",
    "PAGES",
)
REPOSITORY = Path(__file__).resolve().parents[2]


class TooSlow(BaseException):
    """Not an ``Exception``: nothing on the way may swallow it."""


def seeds() -> dict[str, list[bytes]]:
    """Small sound files of every kind: plain, with metadata, animated, deep, with transparency."""
    from PIL import Image

    from tests import documents, pictures

    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:40, 0:52]
    smooth = np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8)
    color = Image.fromarray(smooth + rng.integers(0, 9, smooth.shape, dtype=np.uint8))
    clear = color.copy()
    clear.putalpha(Image.fromarray((x * 5).astype(np.uint8)))
    deep = Image.fromarray((x * 1000).astype(np.uint16))
    facts: dict[str, Any] = {"exif": pictures.exif_with_everything(), "icc_profile": pictures.SRGB}
    frames: dict[str, Any] = {"save_all": True, "append_images": [color.rotate(90), color.rotate(180)], "duration": 50}
    variants: dict[str, list[tuple[Image.Image, dict[str, Any]]]] = {
        "PNG": [(color, facts), (clear, {}), (deep, {}), (color, frames), (color.convert("P"), {"bits": 4})],
        "JPEG": [(color, facts), (color, {"progressive": True}), (color.convert("CMYK"), {}), (color.convert("L"), {})],
        "WEBP": [(color, facts), (clear, {"lossless": True}), (color, frames)],
        "TIFF": [
            (color, {"icc_profile": pictures.SRGB}),
            (deep, {}),
            (clear, {"compression": "tiff_lzw"}),
            (color, {"compression": "tiff_deflate"}),
        ],
        "GIF": [(color, {}), (color, frames)],
        "AVIF": [(color, facts), (clear, {})],
        "BMP": [(color, {}), (color.convert("P"), {}), (color.convert("1"), {})],
        "JPEG2000": [(color, {}), (clear, {"irreversible": True})],
    }
    made: dict[str, list[bytes]] = {}
    for kind, rows in variants.items():
        for image, options in rows:
            stream = io.BytesIO()
            image.save(stream, kind, **options)
            made.setdefault(kind, []).append(stream.getvalue())
    pixels = np.asarray(color)
    made["JPEG2000"].append(pictures.jp2(pixels.astype(np.uint16) * 257, pictures.SRGB))
    made["PSD"] = [pictures.psd(pixels), pictures.psd(np.asarray(clear).astype(np.uint16) * 257, packed=True)]
    made["HDR"] = [pictures.radiance(pixels.astype(np.float32) / 9)]
    made["JXL"] = [pictures.jxl(pixels), pictures.jxl(np.asarray(clear).astype(np.uint16) * 257, quality=90)]
    turned = np.ascontiguousarray(pixels[::-1, ::-1])
    made["JXL"] += [pictures.moving_jxl([pixels, turned, pixels], quality) for quality in (100, 80)]
    light = np.asarray(clear).astype(np.float16) / 9
    made["EXR"] = [pictures.openexr(light, kind, display=(60, 50)) for kind in ("NO", "ZIP", "PIZ", "DWAA")]
    made["RAW"] = _raw_photographs(pixels)
    text = documents.PdfPage((72, 50), "BT /F 12 Tf 5 20 Td (Text) Tj ET 0 0 m 60 40 l S")
    made["PDF"] = [documents.pdf([documents.scanned(pixels, 90), text]), _pillows_pdf(color), _pillows_pdf(deep)]
    made["PAGES"] = [_pages(color, clear, deep), _pages(deep, color, big=True)]
    return made


def _raw_photographs(pixels: np.ndarray) -> list[bytes]:
    """DNG with 16 and 8 bits, compressed and not, and what Nikon and Sony make of TIFF."""
    from tests import pictures

    deep = pixels.astype(np.uint16) * 257
    dngs = [pictures.dng(deep, 6), pictures.dng(deep, packed=True), pictures.dng(pixels)]
    return [*dngs, pictures.nef(deep), pictures.arw(np.ascontiguousarray(deep[:, :32]))]


def _pillows_pdf(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.convert("RGB").copy().save(stream, "PDF", resolution=100, save_all=True, append_images=[image.convert("L")])
    return stream.getvalue()


def _pages(*images: Image.Image, big: bool = False) -> bytes:
    """A TIFF of several pages."""
    stream = io.BytesIO()
    first, *others = (image.copy() for image in images)  # Pillow lets an encoder of another format stick to them
    first.save(stream, "TIFF", save_all=True, append_images=others, big_tiff=big)
    return stream.getvalue()


def read_pages(data: bytes, limits: Any, folder: Path) -> None:
    """Take every page of a document out and decode it, as a run does. Raises the last page's error."""
    from utils import image_io
    from utils.documents import open_document
    from utils.errors import InvalidImageError

    path, failed = folder / "document", None
    path.write_bytes(data)
    with open_document(path, limits) as document:
        for number in range(1, document.count + 1):
            page = folder / f"page{document.suffix}"
            try:
                document.header(number)
                document.write_page(number, page)
                image_io.load(page, limits)
            except InvalidImageError as error:
                failed = error
    if failed is not None:
        raise failed


def mutations(count: int, seed: int = 2026) -> Iterator[tuple[str, bytes]]:
    """Truncations at 1 to 99 %, flipped bits, swapped and repeated chunks, and lengths overwritten; seeded."""
    chance = random.Random(seed)
    originals = seeds()
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        data = bytearray(chance.choice(originals[kind]))
        how = ("cut", "flip", "flips", "swap", "repeat", "length")[index // len(KINDS) % 6]
        if how == "cut":
            del data[max(1, len(data) * chance.randint(1, 99) // 100) :]
        elif how in ("flip", "flips"):
            for _ in range(1 if how == "flip" else chance.randint(2, 40)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif how == "length":
            # Sizes and counts are 2 or 4 bytes: extreme ones where headers hold them.
            place = chance.randrange(min(len(data) - 4, 400))
            value = chance.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 65535])
            data[place : place + 4] = struct.pack(chance.choice("<>") + "I", value)
        else:
            size = chance.randint(1, max(1, len(data) // 4))
            first, second = (chance.randrange(max(1, len(data) - size)) for _ in range(2))
            piece = bytes(data[first : first + size])
            if how == "swap":
                data[first : first + size] = data[second : second + size]
            data[second : second + size] = piece
        yield f"{index} ({kind}, {how})", bytes(data)


def examine(cases: Iterator[tuple[str, Callable[[], object]]]) -> dict[str, Any]:
    """Run every case; what came of it, and everything that broke a rule."""
    from utils.errors import EngineError
    from utils.gpu import peak_memory_mb

    def stop(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGPROF, stop)
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    base = peak_memory_mb()
    for name, run in cases:
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            run()
            outcomes["result"] += 1
        except EngineError as error:
            outcomes[type(error).__name__] += 1
        except TooSlow:
            faults.append(f"{name}: over {SECONDS} s")
        except BaseException as error:  # what the test is about: anything untyped
            faults.append(f"{name}: {type(error).__name__}: {error}"[:300])
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - started)
    grown = peak_memory_mb() - base
    if grown > MEGABYTES:
        faults.append(f"memory grew by {grown:.0f} MB")
    return {"outcomes": outcomes, "faults": faults, "slowest": round(slowest, 2), "grown_mb": round(grown)}


def start(*arguments: str) -> dict[str, Any]:
    """Run this module as a process and return what it printed; a crash fails with the exit code."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.faults.limited", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=280)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def read_mutated(name: str, data: bytes, limits: Any, folder: Path) -> None:
    """Documents are read page by page, animations frame by frame."""
    from utils import image_io

    if "(PDF" in name or "(PAGES" in name:
        read_pages(data, limits, folder)
        return
    image_io.load(data, limits)
    path = folder / "picture"
    path.write_bytes(data)
    if image_io.is_animated(image_io.probe(path, limits)):
        for _ in image_io.load_frames(path, limits):
            pass
        image_io.animation_loop(path, damaged=limits.salvage)


def main(what: str, *arguments: Any) -> None:
    """``mutations COUNT``, or ``files PATH...``: each is probed, then loaded."""
    import resource

    from utils import image_io

    warnings.simplefilter("ignore")
    limits = image_io.ImageLimits(salvage=what == "salvage")
    if limits.salvage:
        what, *arguments = arguments
    # Untouched address space costs nothing; what is written beyond this fails as MemoryError instead of taking all.
    resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
    cases: Iterator[tuple[str, Callable[[], object]]]
    if what == "mutations":
        folder = Path(tempfile.mkdtemp())
        cases = (
            (name, lambda name=name, data=data: read_mutated(name, data, limits, folder))
            for name, data in mutations(int(arguments[0]))
        )
    else:

        def read(path: str) -> None:
            image_io.probe(path, limits)
            image_io.load(path, limits)

        cases = ((path, lambda path=path: read(path)) for path in arguments)
    print(json.dumps(examine(cases)))


if __name__ == "__main__":
    main(*sys.argv[1:])
