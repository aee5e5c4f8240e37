"""Reads hostile pictures in a process of its own that may take one gigabyte, and five seconds of the processor for each.

``python -m tests.faults.limited mutations COUNT`` or ``... files PATH...``; prints one JSON object. A crash of this
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
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 5
MEGABYTES = 1000
KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF", "BMP")
REPOSITORY = Path(__file__).resolve().parents[2]


class TooSlow(BaseException):
    """Not an ``Exception``: nothing on the way may swallow it."""


def seeds() -> dict[str, list[bytes]]:
    """Small sound files of every kind: plain, with metadata, animated, deep, with transparency."""
    from PIL import Image

    from tests import pictures

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
    }
    made: dict[str, list[bytes]] = {}
    for kind, rows in variants.items():
        for image, options in rows:
            stream = io.BytesIO()
            image.save(stream, kind, **options)
            made.setdefault(kind, []).append(stream.getvalue())
    return made


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


def main(what: str, *arguments: str) -> None:
    """``mutations COUNT``, or ``files PATH...``: each is probed, then loaded."""
    import resource

    from utils import image_io

    warnings.simplefilter("ignore")
    limits = image_io.ImageLimits()
    # Untouched address space costs nothing; what is written beyond this fails as MemoryError instead of taking all.
    resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
    cases: Iterator[tuple[str, Callable[[], object]]]
    if what == "mutations":
        cases = ((name, lambda data=data: image_io.load(data, limits)) for name, data in mutations(int(arguments[0])))
    else:

        def read(path: str) -> None:
            image_io.probe(path, limits)
            image_io.load(path, limits)

        cases = ((path, lambda path=path: read(path)) for path in arguments)
    print(json.dumps(examine(cases)))


if __name__ == "__main__":
    main(*sys.argv[1:])
