"""A batch that runs on its own thread while others look at it, pause it, or cancel it."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypedDict, Unpack

from engine.batch.control import BatchControl
from engine.batch.planner import BatchPlan
from engine.batch.request import BatchRequest
from engine.batch.run import Enhance
from engine.batch.status import BatchProgress, BatchResult, ItemState, ItemStatus
from engine.jobs.job_list import MoveTo, moved
from engine.jobs.network_queue import NetworkQueue
from engine.model_manager import ModelManager
from utils.engine_config import EngineConfig
from utils.errors import EngineError, JobCancelled, QueueFullError

logger = logging.getLogger(__name__)


class Phase(StrEnum):
    """Where a batch is: waiting in the queue, planning, running or paused, then finished or failed."""

    WAITING = "waiting"
    PLANNING = "planning"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class BatchSnapshot:
    """A batch at one moment.

    Attributes:
        version: grows with every change but that of ``ahead``; else equal versions of one batch are equal snapshots.
        ahead: batches that must end before this one begins, while it is waiting.
        items: in the order of the plan.
        error: why the batch could not begin, or broke off.
        result: once it has ended.
    """

    version: int
    phase: Phase
    ahead: int = 0
    items: tuple[ItemStatus, ...] = ()
    progress: BatchProgress | None = None
    warnings: tuple[str, ...] = ()
    error: str | None = None
    result: BatchResult | None = None

    @property
    def active(self) -> bool:
        """Whether it has not ended yet."""
        return self.phase not in (Phase.FINISHED, Phase.FAILED)

    def count(self, state: ItemState) -> int:
        """How many pictures are in a state."""
        return sum(item.state is state for item in self.items)


class _News(TypedDict, total=False):
    """Fields of ``BatchSnapshot`` that change while a batch runs."""

    phase: Phase
    progress: BatchProgress
    warnings: tuple[str, ...]
    error: str
    result: BatchResult


@dataclass(eq=False)
class BatchQueue:
    """Lets a few batches run at a time, the others in the order in which they came; shared by all of a program.

    Those that run take turns at the network picture by picture, so a small batch does not wait for a large one. One
    that is paused takes no place; when it goes on, one more than ``places`` may run for a while.

    Args:
        places: batches that run at a time.
        longest: batches that may wait.
    """

    places: int = 3
    longest: int = 20
    network_queue: NetworkQueue = field(default_factory=NetworkQueue)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _order: dict[object, BatchControl] = field(default_factory=dict)
    _begun: set[object] = field(default_factory=set)

    def join(self, one: object, control: BatchControl) -> None:
        """Stand at the end. Raises ``QueueFullError``."""
        with self._changed:
            if len(self._order) >= self.places + self.longest:
                raise QueueFullError(f"{self.longest} batches are waiting already. Try again when some have ended.")
            self._order[one] = control

    def ahead(self, one: object) -> int:
        """How many must leave before it is one's turn; 0 = it is."""
        with self._changed:
            return max(0, self._before(one) + 1 - self.places) if one in self._order else 0

    def wait(self, one: object) -> None:
        """Until it is one's turn. Raises ``JobCancelled``."""
        with self._changed:
            control = self._order[one]
            while self._before(one) >= self.places:
                self._changed.wait(0.2)
                if control.cancelled:
                    control.check()
            self._begun.add(one)

    def move(self, one: object, to: MoveTo) -> bool:
        """Let a waiting batch begin earlier; False when it does not wait."""
        with self._changed:
            waiting = [other for other in self._order if other not in self._begun]
            if one not in waiting:
                return False
            begun = [other for other in self._order if other in self._begun]
            self._order = {other: self._order[other] for other in (*begun, *moved(waiting, one, to))}
            self._changed.notify_all()
            return True

    def leave(self, one: object) -> None:
        """Give the place up; doing so twice is fine."""
        with self._changed:
            self._order.pop(one, None)
            self._begun.discard(one)
            self._changed.notify_all()

    def _before(self, one: object) -> int:
        """How many stand before it and take a place."""
        before = itertools.takewhile(lambda other: other is not one, self._order)
        return sum(not self._order[other].paused for other in before)


class BackgroundBatch:
    """Runs a request on a thread of its own. All methods may be called from any thread.

    A batch that watches folders stands in no queue: it rests most of the time, and would hold a place for ever.

    Args:
        enhance: does one picture, as for ``process_batch``.

    Raises ``QueueFullError`` when too many batches wait.
    """

    def __init__(
        self,
        request: BatchRequest,
        *,
        manager: ModelManager,
        config: EngineConfig,
        queue: BatchQueue,
        enhance: Enhance | None = None,
    ) -> None:
        self.request = request
        self.began: float | None = None
        """Seconds since 1970; None while it waits in the queue."""
        self._enhance = enhance
        self._manager, self._config, self._queue = manager, config, queue
        self._control = BatchControl(network_queue=queue.network_queue)
        self._lock = threading.Lock()
        self._items: dict[int, ItemStatus] = {}
        self._now = BatchSnapshot(0, Phase.WAITING)
        if not request.options.watch:
            queue.join(self, self._control)
        self._thread = threading.Thread(target=self._work, name="batch", daemon=True)
        self._thread.start()

    def snapshot(self, *, with_items: bool = True) -> BatchSnapshot:
        """The batch as it is now, a value that no longer changes. Without items it costs nothing."""
        with self._lock:
            now, items = self._now, tuple(self._items[number] for number in sorted(self._items) if with_items)
        phase, version, ahead = self._outline(now)
        return BatchSnapshot(version, phase, ahead, items, now.progress, now.warnings, now.error, now.result)

    @property
    def mark(self) -> tuple[int, int]:
        """Stays the same for as long as ``snapshot`` does, and costs nothing, however many pictures there are."""
        with self._lock:
            now = self._now
        return self._outline(now)[1:]

    def _outline(self, now: BatchSnapshot) -> tuple[Phase, int, int]:
        """Phase, version and the number of batches ahead."""
        phase = Phase.PAUSED if now.phase is Phase.RUNNING and self._control.paused else now.phase
        ahead = self._queue.ahead(self) if phase is Phase.WAITING else 0
        return phase, 2 * now.version + (phase is Phase.PAUSED), ahead

    def pause(self) -> None:
        """Begin nothing new, and stop after the tiles that are running."""
        self._control.pause()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._control.resume()

    def cancel(self) -> None:
        """Stops within one tile; what is done stays."""
        self._control.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._control.cancelled

    def move(self, to: MoveTo) -> bool:
        """Begin before other batches that wait; False when this one does not wait."""
        return self._queue.move(self, to)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; False when it has not come in time."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # -- on the batch's threads --------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            if not self.request.options.watch:
                self._queue.wait(self)
            self.began = time.time()
            self._change(phase=Phase.PLANNING)
            result = self.request.run(
                manager=self._manager,
                config=self._config,
                control=self._control,
                enhance=self._enhance,
                on_plan=self._planned,
                on_item=self._told,
                on_progress=lambda progress: self._change(progress=progress),
            )
            for item in result.items:
                self._told(item)
            self._change(phase=Phase.FINISHED, result=result)
        except JobCancelled:
            self._change(phase=Phase.FINISHED, result=BatchResult((), 0.0, cancelled=True))
        except EngineError as error:
            logger.info("Batch not run: %s", error)
            self._change(phase=Phase.FAILED, error=str(error))
        except Exception as error:
            logger.exception("The batch failed unexpectedly")
            self._change(phase=Phase.FAILED, error=f"{type(error).__name__}: {error}; see the log.")
        finally:
            self._queue.leave(self)

    def _planned(self, plan: BatchPlan) -> None:
        for item in plan.items:
            self._told(ItemStatus(item.number, item.name, item.source.path, item.target, input_size=item.input_size))
        self._change(phase=Phase.RUNNING, warnings=plan.warnings)

    def _told(self, status: ItemStatus) -> None:
        with self._lock:
            self._items[status.number] = status
        self._change()

    def _change(self, **values: Unpack[_News]) -> None:
        with self._lock:
            self._now = replace(self._now, version=self._now.version + 1, **values)
