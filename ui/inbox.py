"""What waits to be opened in the page. Imports nothing heavy: files can wait here before there is a page."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

ADDRESS_KEY = "open"
"""Of the page's address: ``/?open=KEY``."""
_KEPT = 64


class Inbox:
    """What waits to be opened. Each key serves once; the oldest are forgotten."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, tuple[Path, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, paths: Iterable[Path]) -> str:
        """Keep files and folders; returns the key that they are taken with."""
        key = secrets.token_urlsafe(24)
        with self._lock:
            self._waiting[key] = tuple(paths)
            while len(self._waiting) > _KEPT:
                self._waiting.popitem(last=False)
        return key

    def take(self, key: str) -> tuple[Path, ...]:
        """What was kept under that key; nothing where it was taken already."""
        with self._lock:
            return self._waiting.pop(key, ())


__all__ = ["ADDRESS_KEY", "Inbox"]
