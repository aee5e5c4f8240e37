"""Pages of a TIFF: found, taken out as files of their own, and put together, without decoding a pixel.

Directories are read and written here (TIFF 6.0 and BigTIFF) because Pillow and tifffile would read every page's tags
whole, and would write other pixels than those that a page was compressed as.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from utils.page_numbers import check_pages

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes a value of each type of TIFF."""
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_PIXELS = {273: 279, 324: 325}
"""The tags that say where strips and tiles lie -> those that say how many bytes they have."""
_SUBFILE, _OLD_SUBFILE, _COMPRESSION, _SUB_DIRECTORIES, _OLD_JPEG = 254, 255, 259, 330, 6
_DIRECTORIES = (0x8769, 0x8825, 0xA005)
"""EXIF, its position, its interoperability: tags that lead to further directories."""
_MOST_TAGS = 4096
_MOST_CLASSIC = 2**32 - 1


@dataclass(frozen=True)
class Layout:
    """How a TIFF is written: byte order as ``struct`` has it, and whether its offsets have eight bytes (BigTIFF)."""

    order: str = "<"
    big: bool = False

    @property
    def offset(self) -> str:
        """An offset's format; the number of values of a tag has the same."""
        return self.order + ("Q" if self.big else "I")

    @property
    def count(self) -> str:
        """The format of a directory's number of tags."""
        return self.order + ("Q" if self.big else "H")

    @property
    def inline(self) -> int:
        """Bytes of a value that stand in the directory itself."""
        return 8 if self.big else 4

    def header(self, first: int) -> bytes:
        """The start of a file whose first directory is at ``first``."""
        mark = b"II" if self.order == "<" else b"MM"
        version = struct.pack(self.order + "HHH", 43, 8, 0) if self.big else struct.pack(self.order + "H", 42)
        return mark + version + struct.pack(self.offset, first)


@dataclass(frozen=True)
class Tag:
    """A tag with its values as they are stored."""

    number: int
    kind: int
    values: bytes

    @property
    def length(self) -> int:
        """How many values it has."""
        return len(self.values) // _SIZES[self.kind]

    def integers(self, order: str) -> list[int]:
        """Its values, where they are whole numbers without a sign; else none."""
        form = _INTEGERS.get(self.kind)
        return [] if form is None else list(struct.unpack(f"{order}{self.length}{form}", self.values))


def tiff_pages(stream: BinaryIO, most: int) -> int:
    """How many pages a TIFF has, up to ``most``, at least 1; leaves the stream as it was.

    Smaller copies of a page and masks (TIFF 6.0, NewSubfileType; SubfileType before it) are none.
    """
    return max(1, len(page_places(stream, most)))


def counted_pages(stream: BinaryIO, name: str, most: int) -> int:
    """As ``tiff_pages``. Raises ``ImageTooLargeError`` where there are more than ``most``."""
    pages = tiff_pages(stream, most + 1)
    check_pages(name, pages, most)
    return pages


def page_places(stream: BinaryIO, most: int) -> list[int]:
    """Where the directories of a TIFF's pages are, up to ``most``; leaves the stream as it was."""
    before = stream.tell()
    places: list[int] = []
    seen = set[int]()
    try:
        layout, place = _start(stream)
        while place and place not in seen and len(places) < most and len(seen) < 2 * most:
            seen.add(place)
            stream.seek(place)
            (tags,) = struct.unpack(layout.count, stream.read(struct.calcsize(layout.count)))
            entry = 20 if layout.big else 12
            # Tags stand in the order of their numbers, and these are the first of all.
            if _is_page(stream.read(min(tags, 2) * entry), entry, layout.order):
                places.append(place)
            stream.seek(place + struct.calcsize(layout.count) + tags * entry)
            (place,) = struct.unpack(layout.offset, stream.read(struct.calcsize(layout.offset)))
    except (struct.error, OverflowError, OSError, ValueError):  # cut off or senseless: what was found holds
        pass
    stream.seek(before)
    return places


def _start(stream: BinaryIO) -> tuple[Layout, int]:
    """A file's layout, and where its first directory is."""
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    layout = Layout(order, head[2:4] in (b"+\0", b"\0+"))
    return layout, int(struct.unpack_from(layout.offset, head, 8 if layout.big else 4)[0])


def _is_page(tags: bytes, entry: int, order: str) -> bool:
    for start in range(0, len(tags) - entry + 1, entry):
        number, kind = struct.unpack_from(order + "HH", tags, start)
        if number not in (_SUBFILE, _OLD_SUBFILE) or kind not in (3, 4):
            continue
        value = struct.unpack_from(order + ("H" if kind == 3 else "I"), tags, start + entry - (8 if entry == 20 else 4))
        if (number == _SUBFILE and value[0] & 0b101) or (number == _OLD_SUBFILE and value[0] == 2):
            return False
    return True


def named_tags(stream: BinaryIO, numbers: Iterable[int]) -> list[Tag]:
    """The texts that a file's first page has under the given numbers; none where its directory is damaged."""
    try:
        layout, place = _start(stream)
        return [tag for tag in _read_directory(stream, layout, place) if tag.number in numbers and tag.kind == 2]
    except (struct.error, OverflowError, ValueError):
        return []


def resolution_tags(dpi: tuple[float, float]) -> list[Tag]:
    """Little-endian tags for dots an inch, across and down."""
    across, down = (struct.pack("<II", round(dots * 1000), 1000) for dots in dpi)
    return [Tag(282, 5, across), Tag(283, 5, down), Tag(296, 3, struct.pack("<H", 2))]


def page_tags(index: int, count: int) -> list[Tag]:
    """Little-endian tags that say which page of how many this is; ``index`` counts from 0."""
    return [Tag(_SUBFILE, 4, struct.pack("<I", 2)), Tag(297, 3, struct.pack("<HH", index, count))]


def extract_page(source: BinaryIO, place: int, target: BinaryIO, *, pixels: bool = True) -> None:
    """Write one page, whose directory is at ``place``, as a file of its own: pixels and tags as they are.

    Without ``pixels`` the file is good for its header alone.

    Raises ``ValueError``, ``struct.error`` where its directory cannot be followed; pixels that are missing are left to
    decoders.
    """
    layout, _ = _start(source)
    tags = _read_directory(source, layout, place)
    found = {tag.number: tag for tag in tags}
    compression = found.get(_COMPRESSION)
    old_jpeg = compression is not None and compression.integers(layout.order) == [_OLD_JPEG]
    if old_jpeg or not any(where in found and size in found for where, size in _PIXELS.items()):
        # Its pieces lie all over the file, or nothing says how long they are: the whole file, starting with this page.
        source.seek(0)
        while block := source.read(1 << 20):
            target.write(block)
        target.seek(0)
        target.write(layout.header(place))
        return
    target.write(layout.header(0))
    _PageCopy(source, target, layout, layout, pixels).write(tags, 8 if layout.big else 4)


def _read_directory(stream: BinaryIO, layout: Layout, place: int) -> list[Tag]:
    """The tags of a directory, with their values. Raises ``ValueError``, ``struct.error`` where it is damaged."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(place)
    (number_of_tags,) = struct.unpack(layout.count, stream.read(struct.calcsize(layout.count)))
    if number_of_tags > _MOST_TAGS:
        raise ValueError(f"it claims {number_of_tags} tags")
    entry = 20 if layout.big else 12
    block = stream.read(number_of_tags * entry)
    tags, left = [], size
    for start in range(0, len(block) - entry + 1, entry):
        number, kind = struct.unpack_from(layout.order + "HH", block, start)
        (count,) = struct.unpack_from(layout.offset, block, start + 4)
        length = count * _SIZES.get(kind, 0)
        if not length or length > left:
            continue  # of no known type, or longer than the file: as good as none
        left -= length
        values = block[start + entry - layout.inline :][:length]
        if length > layout.inline:
            stream.seek(struct.unpack(layout.offset, values[: layout.inline])[0])
            values = stream.read(length)
        if len(values) == length:
            tags.append(Tag(number, kind, values))
    return tags


class _PageCopy:
    """Copies one page's pixels and directories from file to file, in the other's layout; byte orders are the same."""

    def __init__(self, source: BinaryIO, target: BinaryIO, layout: Layout, wanted: Layout, pixels: bool = True) -> None:
        self._source, self._target, self._layout, self._wanted = source, target, layout, wanted
        self._copies_pixels = pixels
        self._size = source.seek(0, io.SEEK_END)
        self._left = 2 * self._size
        """Bytes that may still be copied: strips that overlap would make a small file endless."""

    def write(self, tags: Iterable[Tag], link: int) -> int:
        """Append what the tags lead to and a directory of them; its offset goes to ``link``, which is returned for
        the next page: where this directory says what follows it."""
        found = {tag.number: tag for tag in tags if tag.number != _SUB_DIRECTORIES}
        for where, size in _PIXELS.items():
            if self._copies_pixels and where in found and size in found:
                found[where], found[size] = self._pixels(found[where], found[size])
        for number in _DIRECTORIES:
            if number in found:
                place = found[number].integers(self._layout.order)
                moved = self._directory(place[0]) if place else None
                del found[number]
                if moved is not None:
                    found[number] = self._numbers(number, [moved])
        start, following = self._append(list(found.values()))
        self._target.seek(link)
        self._target.write(struct.pack(self._wanted.offset, start))
        return following

    def _pixels(self, where: Tag, size: Tag) -> tuple[Tag, Tag]:
        order = self._layout.order
        places, lengths = [], []
        for place, length in zip(where.integers(order), size.integers(order), strict=False):
            kept = max(0, min(length, self._size - place))  # of a file that was cut off
            self._left -= kept
            if self._left < 0:
                raise ValueError("strips of a page lie over each other")
            places.append(self._end())
            lengths.append(kept)
            self._source.seek(min(place, self._size))
            while kept:
                block = self._source.read(min(kept, 1 << 20))
                if not block:
                    break
                self._target.write(block)
                kept -= len(block)
        return self._numbers(where.number, places), self._numbers(size.number, lengths)

    def _directory(self, place: int) -> int | None:
        """Copy a directory that a tag leads to; None where it cannot be read."""
        try:
            tags = [tag for tag in _read_directory(self._source, self._layout, place) if tag.number not in _DIRECTORIES]
        except (struct.error, OverflowError, ValueError):
            return None
        self._left -= sum(len(tag.values) for tag in tags)
        return self._append(tags)[0] if tags and self._left > 0 else None

    def _numbers(self, number: int, values: list[int]) -> Tag:
        kind, form = (16, "Q") if self._wanted.big else (4, "I")
        return Tag(number, kind, struct.pack(f"{self._wanted.order}{len(values)}{form}", *values))

    def _append(self, tags: list[Tag]) -> tuple[int, int]:
        """Write a directory at the end: where it is, and where it says what follows it."""
        layout, entries = self._wanted, []
        for tag in sorted(tags, key=lambda one: one.number):
            head = struct.pack(layout.order + "HH", tag.number, tag.kind) + struct.pack(layout.offset, tag.length)
            if len(tag.values) <= layout.inline:
                entries.append(head + tag.values.ljust(layout.inline, b"\0"))
            else:
                entries.append(head + struct.pack(layout.offset, self._end()))
                self._target.write(tag.values)
        start = self._end()
        self._target.write(struct.pack(layout.count, len(entries)) + b"".join(entries))
        following = self._target.tell()
        self._target.write(struct.pack(layout.offset, 0))
        return start, following

    def _end(self) -> int:
        """Go to the end of the target, at an even offset as TIFF 6.0 asks."""
        end = self._target.seek(0, io.SEEK_END)
        self._target.write(b"\0" * (end % 2))
        return end + end % 2


class TiffPages:
    """A TIFF of several pages that is being put together from files of one page each, as ``utils.writers`` writes them.

    It becomes a BigTIFF when it outgrows four gigabytes.

    Args:
        file: opened for reading and writing, empty.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._layout, self.count = file, Layout(), 0
        file.write(self._layout.header(0))
        self._link = 4

    def append(self, page: BinaryIO, tags: Iterable[Tag] = ()) -> None:
        """Add the first page of a little-endian TIFF; ``tags`` replace those of the same number."""
        if not self._layout.big and self._file.seek(0, io.SEEK_END) + 2 * page.seek(0, io.SEEK_END) > _MOST_CLASSIC:
            self._become_big()
        layout, place = _start(page)
        found = {tag.number: tag for tag in (*_read_directory(page, layout, place), *tags)}
        self._link = _PageCopy(page, self._file, layout, self._layout).write(found.values(), self._link)
        self.count += 1

    def _become_big(self) -> None:
        """Write anew what is there, with offsets of eight bytes."""
        import tempfile

        with tempfile.TemporaryFile(dir=_folder_of(self._file)) as before:
            self._file.seek(0)
            for block in _blocks(self._file):
                before.write(block)
            places = page_places(before, self.count + 1)
            self._file.seek(0)
            self._file.truncate()
            self._layout = replace(self._layout, big=True)
            self._file.write(self._layout.header(0))
            self._link = 8
            for place in places:
                tags = _read_directory(before, Layout(), place)
                self._link = _PageCopy(before, self._file, Layout(), self._layout).write(tags, self._link)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(1 << 20):
        yield block


def _folder_of(file: BinaryIO) -> str | None:
    """Where a file lies, so that what does not fit into memory's disk goes beside it."""
    import os

    name = getattr(file, "name", None)
    return os.path.dirname(name) if isinstance(name, str) else None
