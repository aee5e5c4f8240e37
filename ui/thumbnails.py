"""Small pictures of a batch's results, made beside the page, which waits for none of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from engine.batch import ItemState, ItemStatus
from ui.previews import preview
from utils.errors import EngineError

logger = logging.getLogger(__name__)
_SIDE = 320

_Key = tuple[Path, int]
"""A result and the time of its last change: one that is made anew gets another thumbnail."""


class Thumbnails:
    """Makes thumbnails on a thread that lives while there are some to make, and keeps them. Thread-safe.

    Args:
        folder: the browser's own; thumbnails go where its previews go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._made: dict[_Key, Path | None] = {}
        self._wanted: dict[_Key, tuple[int, int]] = {}
        self._thread: threading.Thread | None = None
        self._count = 0

    @property
    def count(self) -> int:
        """Grows with every thumbnail that is made, also with one that could not be."""
        with self._lock:
            return self._count

    def of(self, items: Iterable[ItemStatus]) -> tuple[list[tuple[str, str]], list[int], bool]:
        """Thumbnails of the finished ones among ``items`` that are there. Those that are not are made from now on,
        instead of what was asked for before.

        Returns:
            (path, name) of each, the numbers of their items, and whether some are still to be made.
        """
        shown, numbers = [], []
        wanted: dict[_Key, tuple[int, int]] = {}
        for item in items:
            if item.state not in (ItemState.DONE, ItemState.SKIPPED) or item.output_size is None:
                continue
            try:
                key = (item.target, item.target.stat().st_mtime_ns)
            except OSError:  # removed since
                continue
            with self._lock:
                known, made = key in self._made, self._made.get(key)
            if not known or (made is not None and not made.exists()):
                wanted[key] = item.output_size
            elif made is not None:
                shown.append((str(made), item.name))
                numbers.append(item.number)
        self._want(wanted)
        return shown, numbers, bool(wanted)

    def _want(self, wanted: dict[_Key, tuple[int, int]]) -> None:
        with self._lock:
            self._wanted = wanted
            if wanted and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                key = next(iter(self._wanted), None)
                if key is None:
                    self._thread = None
                    return
                size = self._wanted.pop(key)
            made = self._make(key[0], size)
            with self._lock:
                self._made[key] = made
                self._wanted.pop(key, None)  # asked for again while it was made
                self._count += 1

    def _make(self, path: Path, size: tuple[int, int]) -> Path | None:
        factor = min(1.0, _SIDE / max(size))
        try:
            return preview(path, self._folder, (max(1, round(size[0] * factor)), max(1, round(size[1] * factor))))
        except EngineError as error:
            logger.info("No thumbnail of '%s': %s", path, error)
        except Exception:  # the thread makes the others too
            logger.exception("No thumbnail of '%s'", path)
        return None
