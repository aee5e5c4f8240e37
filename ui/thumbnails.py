"""Small pictures of a batch's results, made a few at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from engine.batch import ItemState, ItemStatus
from ui.previews import preview
from utils.errors import EngineError

logger = logging.getLogger(__name__)
SIDE = 320


class Thumbnails:
    """Keeps what it made for as long as result and thumbnail are there.

    Args:
        folder: the browser's own; thumbnails go where its previews go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[Path, int], Path | None] = {}

    def of(self, items: Iterable[ItemStatus], seconds: float = 0.5) -> tuple[list[tuple[str, str]], list[int], bool]:
        """Thumbnails of the finished ones among ``items``; new ones are made until ``seconds`` have passed.

        Returns:
            (path, name) of each, the numbers of their items, and whether some are still to be made.
        """
        shown, numbers, missing = [], [], False
        until = time.monotonic() + seconds
        for item in items:
            if item.state not in (ItemState.DONE, ItemState.SKIPPED) or item.output_size is None:
                continue
            try:
                key = (item.target, item.target.stat().st_mtime_ns)
            except OSError:  # removed since
                continue
            made = self._made.get(key)
            if key not in self._made or (made is not None and not made.exists()):
                if time.monotonic() > until:
                    missing = True
                    continue
                made = self._made[key] = self._make(item.target, item.output_size)
            if made is not None:
                shown.append((str(made), item.name))
                numbers.append(item.number)
        return shown, numbers, missing

    def _make(self, path: Path, size: tuple[int, int]) -> Path | None:
        factor = min(1.0, SIDE / max(size))
        try:
            return preview(path, self._folder, (max(1, round(size[0] * factor)), max(1, round(size[1] * factor))))
        except EngineError as error:
            logger.info("No thumbnail of '%s': %s", path, error)
            return None
