"""New files of watched folders, each given out once it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from engine.batch.control import BatchControl
from engine.batch.planner import BatchItem, Planner, Source

FileState = tuple[int, int]
"""Size and time of the last change."""


class Watcher:
    """Looks into folders again and again; works on every file system, network drives too, since it only lists them.

    A file counts as complete when its size and time are the same at two looks in a row and it is not empty. One that
    changes after it was given out is given out again.

    Args:
        find: lists the pictures that are there now.
        seen: pictures that are dealt with already, with what was known of each (``known``) before it was read.
        interval: seconds between two looks.
    """

    def __init__(
        self,
        find: Callable[[], Iterator[Source]],
        planner: Planner,
        seen: Mapping[str, FileState | None],
        interval: float,
    ) -> None:
        self._find, self._planner, self._interval = find, planner, interval
        self._given = dict(seen)
        self._last: dict[str, FileState] = {}

    def items(self, control: BatchControl) -> Iterator[BatchItem]:
        """Waits for new files until cancelled."""
        while not control.cancelled:
            yield from self.look()
            control.sleep(self._interval)

    def look(self) -> list[BatchItem]:
        """One look: the items whose files have become complete since the one before."""
        complete, now = [], {}
        for source in self._find():
            facts = _facts(source.path)
            if facts is None or facts[0] == 0 or self._given.get(source.identity) == facts:
                continue
            now[source.identity] = facts
            if self._last.get(source.identity) == facts:
                complete.append(source)
        self._last = now
        self._given.update((source.identity, now[source.identity]) for source in complete)
        return self._planner.items(complete)


def known(sources: Iterable[Source]) -> dict[str, FileState | None]:
    """What is known of each now, by its identity."""
    return {source.identity: _facts(source.path) for source in sources}


def _facts(path: Path) -> FileState | None:
    try:
        facts = path.stat()
    except OSError:  # gone between listing and looking
        return None
    return facts.st_size, facts.st_mtime_ns
