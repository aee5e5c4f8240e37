"""File names as text. On Linux a name may be any bytes; one that is not UTF-8 comes as text that UTF-8 cannot hold."""

from __future__ import annotations

import re

_NOT_TEXT = re.compile("[\ud800-\udfff]")


def as_text(name: str) -> str:
    """The name, or a sentence with names in it, for people: U+FFFD (�) for each byte that is not UTF-8."""
    return _NOT_TEXT.sub("\ufffd", name)


__all__ = ["as_text"]
