"""Which pages of a document are meant: ``1-3,7``, ``5-`` for all from the fifth, nothing for all."""

from __future__ import annotations

import re

from utils.errors import ImageTooLargeError, InvalidSettingsError

PDF_DPI = 150.0
"""Dots an inch at which pages of a PDF are drawn that are no scanned pictures: enlarged twice, as printers have it."""
_PART = re.compile(r"(\d{1,9})(?:(-)(\d{1,9})?)?")


def page_ranges(text: str) -> tuple[tuple[int, int | None], ...]:
    """The ranges that are named, first and last page counted from 1; a last of None goes on to the end.

    Raises ``ValueError`` with a sentence where the text names no pages.
    """
    ranges: list[tuple[int, int | None]] = []
    for part in filter(None, re.split(r"[,;\s]+", re.sub(r"\s*-\s*", "-", text.strip()))):
        match = _PART.fullmatch(part)
        first = int(match[1]) if match else 0
        last = None if match is None or (match[2] and not match[3]) else int(match[3] or match[1])
        if first < 1 or (last is not None and last < first):
            raise ValueError(f"pages must look like 1-3,7 or 5-, counted from 1, not '{text}'")
        ranges.append((first, last))
    return tuple(ranges)


def check_pages(name: str, pages: int, most: int) -> None:
    """Refuse a document of more than ``most`` pages. Raises ``ImageTooLargeError``."""
    if pages > most:
        raise ImageTooLargeError(
            f"'{name}' has more than {most} pages, which is the limit (REALESRGAN_MAX_PAGES). Cut it into parts, or "
            "raise the limit."
        )


def chosen_pages(text: str, count: int, name: str) -> tuple[int, ...]:
    """The numbers of the pages that are meant, each once, in the order in which they are named.

    Args:
        count: how many pages the file ``name`` has.

    Raises:
        InvalidSettingsError: the file has not so many.
    """
    try:
        ranges = page_ranges(text) or ((1, None),)
    except ValueError as error:
        raise InvalidSettingsError(f"{error}.") from error
    farthest = max(last or first for first, last in ranges)
    if farthest > count:
        has = "1 page" if count == 1 else f"{count} pages"
        raise InvalidSettingsError(f"'{name}' has {has}; there is no page {farthest}.")
    return tuple(dict.fromkeys(page for first, last in ranges for page in range(first, (last or count) + 1)))
