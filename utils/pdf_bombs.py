"""PDFs that are small on the disk and gigabytes in memory: found before a reader unpacks them."""

from __future__ import annotations

import io
import mmap
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from utils.errors import ImageTooLargeError

MOST_BYTES = 100 * 10**6
"""Of one part of a page once it is unpacked: instructions, a font, a profile. Pictures are limited by their pixels."""
_STREAM = re.compile(rb"stream\r?\n")
_LARGEST_RATIO = 1032
"""Of deflate: fewer bytes than this share of the limit cannot exceed it."""
_HEAD = 600
_STEP = 1 << 20


def refuse_bombs(stream: BinaryIO, name: str) -> None:
    """Unpack every deflated part that could be larger than ``MOST_BYTES``, as far as that.

    Raises:
        ImageTooLargeError: one is.
    """
    with _contents(stream) as data:
        for match in _STREAM.finditer(data):  # type: ignore[arg-type]  # takes anything with a buffer
            start = match.end()
            head = bytes(data[max(0, match.start() - _HEAD) : match.start()]).rpartition(b"obj")[2]
            layers = head.count(b"/FlateDecode") + len(re.findall(rb"/Fl\b", head))
            if not layers or (b"/Image" in head and b"/Width" in head):
                continue
            end = data.find(b"endstream", start)
            length = (len(data) if end < 0 else end) - start
            if layers == 1 and length * _LARGEST_RATIO < MOST_BYTES:
                continue
            if _is_larger(memoryview(data)[start : start + length], layers):
                raise ImageTooLargeError(
                    f"'{name}' holds parts that are over {MOST_BYTES / 1e6:.0f} MB once they are unpacked; it is "
                    "refused."
                )


def _is_larger(packed: memoryview, layers: int) -> bool:
    """Whether bytes that were deflated ``layers`` times are more than the limit."""
    try:
        blocks: Iterator[bytes] = (bytes(packed[at : at + _STEP]) for at in range(0, len(packed), _STEP))
        for _ in range(min(layers, 8)):
            blocks = _inflated(blocks)
        total = 0
        with suppress(zlib.error):  # damaged, or encrypted: what came so far counts
            for block in blocks:
                total += len(block)
                if total > MOST_BYTES:
                    return True
        return False
    finally:
        packed.release()


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    for block in blocks:
        while block:
            yield unpacker.decompress(block, _STEP)
            block = unpacker.unconsumed_tail


@contextmanager
def _contents(stream: BinaryIO) -> Iterator[bytes | mmap.mmap]:
    """A file's bytes, without reading them all where that can be helped."""
    try:
        number = stream.fileno()
    except (OSError, io.UnsupportedOperation):
        stream.seek(0)
        yield stream.read()
        return
    with mmap.mmap(number, 0, access=mmap.ACCESS_READ) as mapped:
        yield mapped
