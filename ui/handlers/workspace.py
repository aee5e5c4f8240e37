"""What one browser holds in the Image tab: the open picture and its finished runs."""

from __future__ import annotations

import filecmp
import itertools
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.storage.history import Run
from utils.page_numbers import PDF_DPI

if TYPE_CHECKING:
    from engine.faces.face import Face

KEPT = 24
"""Results in the strip."""


@dataclass
class Workspace:
    """What one browser has on its workspace. Changed under ``lock`` only.

    Attributes:
        upload: the picture that is open.
        faces: number -> whether it will be restored; ``chosen``: the person decided about one.
        page: of a document, which page is on the stage (from 1), and the resolution of a PDF's pages.
        center: of the part that was tried last.
        seen: the picture's size and its faces, where they were looked for.
        runs: finished runs, newest first; their ids are the workspace's own.
        current: the run that the stage shows, or None.
    """

    upload: Path | None = None
    faces: dict[int, bool] = field(default_factory=dict)
    chosen: bool = False
    page: tuple[int, float] = (1, PDF_DPI)
    center: tuple[float, float] | None = None
    seen: tuple[tuple[int, int], tuple[Face, ...]] | None = None
    runs: list[Run] = field(default_factory=list)
    current: Run | None = None
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    lock: Any = field(default_factory=threading.RLock)

    def lay(self, path: Path) -> None:
        """Another picture: nothing of the one before holds for it."""
        with self.lock:
            self.upload, self.current, self.page = path, None, (1, PDF_DPI)
            self.faces, self.chosen, self.center, self.seen = {}, False, None, None

    def add(self, run: Run, *, instead_of: Run | None = None, show: bool = True) -> Run:
        """Put a run first, and on the stage where ``show`` says so. One that takes another's place takes its id."""
        with self.lock:
            kept = replace(run, id=instead_of.id if instead_of is not None else next(self.numbers))
            self.runs = [kept, *(one for one in self.runs if one.id != kept.id)][:KEPT]
            if show:
                self.current = kept
            return kept

    def renew(self, run: Run) -> Run:
        """A run of which more is known now takes its own place."""
        with self.lock:
            self.runs = [run if one.id == run.id else one for one in self.runs]
            if self.current is not None and self.current.id == run.id:
                self.current = run
            return run

    def get(self, number: int) -> Run | None:
        with self.lock:
            return next((run for run in self.runs if run.id == number), None)


@dataclass(frozen=True)
class Compared:
    """One model's picture of the same part. ``problem``: why there is none."""

    model: str
    file: str = ""
    seconds: float = 0.0
    problem: str = ""


def same_file(one: Path, other: Path) -> bool:
    """Whether two uploads are of the same picture: a refreshed page brings it under another path."""
    if one == other:
        return True
    try:
        return one.name == other.name and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def workspace_base(run: Run) -> dict[str, Any]:
    """The result that the network made, whatever was moved since: its file and its settings."""
    return run.metrics.get("base") or {"output_path": run.output_path, "settings": dict(run.settings)}
