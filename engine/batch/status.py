"""What a batch tells while it runs and at its end. All values are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from engine.batch.names import DEFAULT_TEMPLATE
from utils.json_types import JsonObject


class ItemState(StrEnum):
    """Where a picture of a batch is. ``SKIPPED``: done by an earlier run."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run; what is done to each picture is in ``EnhanceSettings``.

    Attributes:
        recursive: look into sub-folders; the folder structure is kept in the output.
        name_template: file name of outputs without suffix, see ``engine.batch.names``.
        collisions: what to do where two outputs would get one name, or a file of that name exists already:
            "number" appends ``-2``, ``-3`` ..., "refuse" raises before anything is started.
        overwrite: replace existing files (never an input).
        resume: skip what the journal in the output folder knows as done.
        retry_failed: try pictures again that failed because of themselves; other failures are always tried again.
        lanes: pictures in flight at a time. One is in the network, the others are decoded or encoded meanwhile.
        watch: keep waiting for new files in the input folders until cancelled.
        watch_interval: seconds between two looks into the folders.
        in_place: put results in the places of their originals, which go to the system's trash; the output folder holds
            only the journal then. ``engine.undo`` takes it back.
        backup: with ``in_place``, the folder that originals go to instead of the trash.
    """

    recursive: bool = True
    name_template: str = DEFAULT_TEMPLATE
    collisions: Literal["number", "refuse"] = "number"
    overwrite: bool = False
    resume: bool = True
    retry_failed: bool = False
    lanes: int = 3
    watch: bool = False
    watch_interval: float = 2.0
    in_place: bool = False
    backup: str | None = None


@dataclass(frozen=True)
class ItemStatus:
    """One picture at one moment. ``seconds`` is the wall time of its own run; ``fraction`` is 0..1."""

    number: int
    name: str
    source: Path
    target: Path
    state: ItemState = ItemState.QUEUED
    fraction: float = 0.0
    model: str | None = None
    seconds: float | None = None
    input_size: tuple[int, int] | None = None
    output_size: tuple[int, int] | None = None
    output_bytes: int | None = None
    error: str | None = None
    error_type: str | None = None
    exit_code: int = 0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """The object that ``batch --json`` prints."""
        width, height = self.output_size or (None, None)
        return {
            "number": self.number,
            "name": self.name,
            "input": str(self.source),
            "output": str(self.target) if self.state in (ItemState.DONE, ItemState.SKIPPED) else None,
            "state": self.state.value,
            "model": self.model,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "width": width,
            "height": height,
            "bytes": self.output_bytes,
            "error": None if self.error is None else {"type": self.error_type, "message": self.error},
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class BatchProgress:
    """The whole batch at one moment. ``total`` grows while a folder is watched; ``eta_seconds`` may be unknown."""

    done: int
    failed: int
    skipped: int
    total: int
    fraction: float
    elapsed_seconds: float
    eta_seconds: float | None = None


@dataclass(frozen=True)
class BatchResult:
    """What became of every picture, in the order of the plan.

    ``network_seconds`` is the part of the wall time ``seconds`` in which the network was at work, summed over workers
    where there are several.
    """

    items: tuple[ItemStatus, ...]
    seconds: float
    network_seconds: float = 0.0
    cancelled: bool = False
    warnings: tuple[str, ...] = ()

    def count(self, state: ItemState) -> int:
        """How many pictures ended in a state."""
        return sum(item.state is state for item in self.items)

    @property
    def failures(self) -> tuple[ItemStatus, ...]:
        """The pictures that failed."""
        return tuple(item for item in self.items if item.state is ItemState.FAILED)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Every finished file, of this run or an earlier one."""
        return tuple(item.target for item in self.items if item.state in (ItemState.DONE, ItemState.SKIPPED))

    @property
    def summary(self) -> str:
        """ "X successful, Y failed", and what else there is to say."""
        text = f"{self.count(ItemState.DONE)} successful, {self.count(ItemState.FAILED)} failed"
        if skipped := self.count(ItemState.SKIPPED):
            text += f", {skipped} skipped (done before)"
        if self.cancelled:
            left = self.count(ItemState.QUEUED) + self.count(ItemState.CANCELLED)
            text += f", cancelled with {left} left"
        return text

    @property
    def exit_code(self) -> int:
        """0, the first failure's code, or 130 when cancelled."""
        if self.cancelled:
            return 130
        return next((item.exit_code for item in self.failures), 0)
