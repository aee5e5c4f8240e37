"""What a batch will take, before it starts; and what earlier ones of the same browser left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.batch import BatchItem, BatchPlan, BatchRequest
from engine.machine.estimates import Estimate
from ui.handlers.picture_facts import PictureFacts
from ui.visitors import Visitor
from utils.errors import EngineError
from utils.image_io import READABLE_SUFFIXES

_LOOKED_AT = 3
"""Pictures that are opened for an estimate; the others are taken to cost as much for each byte of their results."""
_SHOWN = 8


@dataclass(frozen=True)
class Expected:
    """Seconds that a batch will take. ``measured`` is False where the speed is a guess."""

    seconds: float
    measured: bool


@dataclass(frozen=True)
class Earlier:
    """Results of the browser's newest batch of an earlier run of the program; ``count`` of them are there."""

    paths: tuple[Path, ...]
    count: int


def expected(plan: BatchPlan, request: BatchRequest, facts: PictureFacts) -> Expected | None:
    """For what is still to be done; None where nothing is, or it cannot be told."""
    waiting = [item for item in plan.items if item.estimated_bytes and not item.problem and not item.done_before]
    known = [(item, cost) for item in _spread(waiting) if (cost := _cost(item, request, facts)) is not None]
    if not known:
        return None
    rate = sum(cost.seconds for _, cost in known) / sum(item.estimated_bytes for item, _ in known)
    seconds = rate * sum(item.estimated_bytes for item in waiting)
    return Expected(seconds, all(cost.measured for _, cost in known))


def _spread(items: list[BatchItem]) -> list[BatchItem]:
    """A few from all over the list, each once."""
    if len(items) <= _LOOKED_AT:
        return items
    return [items[round(place * (len(items) - 1) / (_LOOKED_AT - 1))] for place in range(_LOOKED_AT)]


def _cost(item: BatchItem, request: BatchRequest, facts: PictureFacts) -> Estimate | None:
    try:
        if request.per_picture:
            return facts.recommend(item.source.path).expected
        return facts.estimate(item.source.path, request.settings)[1]
    except EngineError:  # what is wrong with it, the batch will say
        return None


def earlier_results(visitor: Visitor) -> Earlier:
    """The newest folder of results in the browser's own folder that holds any."""
    for place in sorted(visitor.folder.glob("batch-*/out"), reverse=True):  # their names begin with the time
        found = sorted(path for path in place.rglob("[!.]*") if path.suffix.lower() in READABLE_SUFFIXES)
        if found:
            return Earlier(tuple(found[:_SHOWN]), len(found))
    return Earlier((), 0)


__all__ = ["Earlier", "Expected", "earlier_results", "expected"]
