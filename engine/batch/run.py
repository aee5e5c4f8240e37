"""Running a batch: several pictures in flight, every outcome journalled before the next step."""

from __future__ import annotations

import itertools
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.batch.control import BatchControl
from engine.batch.in_place import Enhance, InPlaceEnhance, replacing
from engine.batch.journal import Journal, Stamp
from engine.batch.plan import planner_for
from engine.batch.planner import BatchItem, BatchPlan
from engine.batch.progress_tracker import ProgressTracker
from engine.batch.spec import BatchSpec
from engine.batch.status import BatchOptions, BatchProgress, BatchResult, ItemState, ItemStatus
from engine.batch.watch import Watcher, known
from engine.executors import Executor
from engine.imaging.context import JobContext
from engine.jobs.network_queue import NetworkTime
from engine.model_manager import ModelManager
from engine.processor import enhance_within
from engine.types import EnhanceResult, EnhanceSettings, Progress
from utils.engine_config import EngineConfig
from utils.errors import (
    EngineError,
    InvalidImageError,
    InvalidSettingsError,
    JobCancelled,
    QueueFullError,
    ServiceStoppedError,
)
from utils.files import sweep_temporaries

logger = logging.getLogger(__name__)

_LONGEST_WAIT = 1.0
"""Seconds between two tries to bring a picture into a full queue."""

Chooser = Callable[[Path], EnhanceSettings]


def through(executor: Executor) -> Enhance:
    """Pictures of a batch go through an executor: to worker processes, or to a cluster."""

    def enhance(source: Path, target: Path, how: EnhanceSettings, one: BatchControl, again: bool) -> EnhanceResult:
        return executor.enhance_file(source, target, how, control=one, overwrite=again)

    return enhance


def process_batch(
    inputs: Sequence[Path | str],
    output_dir: Path | str,
    settings: EnhanceSettings | None = None,
    *,
    manager: ModelManager,
    config: EngineConfig,
    choose: Chooser | None = None,
    options: BatchOptions | None = None,
    control: BatchControl | None = None,
    on_plan: Callable[[BatchPlan], None] | None = None,
    on_item: Callable[[ItemStatus], None] | None = None,
    on_progress: Callable[[BatchProgress], None] | None = None,
    workspace: Path | str | None = None,
    enhance: Enhance | None = None,
) -> BatchResult:
    """Enhance many pictures. One that fails never stops the others; a killed batch resumes where it was.

    Args:
        inputs: pictures, folders and ZIP files, mixed.
        output_dir: where results and the journal go; folders' structure is kept below it.
        choose: decides the settings of each picture; file format and name still follow ``settings``.
        control: pauses, resumes and cancels, from any thread.
        on_plan: told once, before anything is started: items, name collisions, disk space.
        on_item: told of every change of an item, one call at a time, from the batch's threads; must be quick.
        on_progress: told of the whole, in the same way.
        enhance: how one picture is done, for instance ``through(executor)``; by default in this process.
        workspace: where pictures of ZIP files are extracted to and kept; by default a temporary folder.

    Raises:
        InvalidImageError: no picture was found, or a ZIP is refused.
        InvalidSettingsError: the name template is wrong, or names collide and ``options.collisions`` is "refuse".
        OutputError: the output folder or the journal cannot be written, or another batch is using them.
    """
    settings, options = settings or EnhanceSettings.create(), options or BatchOptions()
    control = control or BatchControl()
    spec = BatchSpec(Path(output_dir).absolute(), settings, options, config, per_picture=choose is not None)
    if enhance is None:

        def enhance(source: Path, target: Path, how: EnhanceSettings, one: BatchControl, again: bool) -> EnhanceResult:
            return enhance_within(JobContext(manager, config, one, again), source, target, how)

    with ExitStack() as stack:
        if workspace is None:
            workspace = stack.enter_context(tempfile.TemporaryDirectory(prefix="realesrgan-batch-"))
        in_place: InPlaceEnhance | None = None
        if options.in_place:
            in_place = stack.enter_context(replacing(enhance, spec))
            enhance = in_place
        planner = planner_for(spec)
        find = partial(planner.find, [Path(one) for one in inputs if Path(one).is_dir()], spec.output_dir)
        before = known(find()) if options.watch else {}
        plan = planner.plan(inputs, Path(workspace))
        if in_place is not None:
            in_place.relative.update((item.source.path, item.source.relative) for item in plan.items)
        if on_plan is not None:
            on_plan(plan)
        journal = stack.enter_context(Journal(spec.output_dir))
        for folder in {item.target.parent for item in plan.items}:
            sweep_temporaries(folder)  # of a batch that was killed
        tracker = ProgressTracker(on_item, on_progress)
        run = _Run(plan, spec, choose, control, journal, enhance, tracker)
        arrivals: Iterator[BatchItem] = iter(())
        if options.watch:
            # As they were before they were read: one that was still being written then is given out again when whole.
            seen = known(item.source for item in plan.items) | before
            arrivals = Watcher(find, planner, seen, options.watch_interval).items(control)
        return run.run(itertools.chain(plan.items, arrivals))


class _Run:
    """One run over the items; ``options.lanes`` threads take from one iterator."""

    def __init__(
        self,
        plan: BatchPlan,
        spec: BatchSpec,
        choose: Chooser | None,
        control: BatchControl,
        journal: Journal,
        enhance: Enhance,
        tracker: ProgressTracker,
    ) -> None:
        self._plan, self._choose = plan, choose
        self._key, self._settings, self._options = spec.key, spec.settings, spec.options
        self._control, self._journal, self._enhance = control, journal, enhance
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        self._tracker = tracker
        self._network = NetworkTime()
        self._fatal: BaseException | None = None

    def run(self, items: Iterator[BatchItem]) -> BatchResult:
        for item in self._plan.items:
            self._tracker.add(_queued(item), item.work)
        threads = [
            threading.Thread(target=self._take_items, args=(items,), name=f"batch-{index}", daemon=True)
            for index in range(max(1, self._options.lanes))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)  # a wait without end cannot be interrupted on Windows
        if self._fatal is not None:
            raise self._fatal
        statuses = self._tracker.statuses
        stopped_early = any(one.state in (ItemState.QUEUED, ItemState.CANCELLED) for one in statuses)
        # Cancelling is how watching ends; it is only worth a word where work was left.
        cancelled = self._control.cancelled and (stopped_early or not self._options.watch)
        return BatchResult(statuses, self._tracker.seconds, self._network.seconds, cancelled, self._plan.warnings)

    def _take_items(self, items: Iterator[BatchItem]) -> None:
        try:
            while not self._control.cancelled:
                with self._taking:
                    item = next(items, None)
                if item is None:
                    return
                self._one(item)
        except BaseException as error:
            # The journal cannot be written, or a listener failed: the whole batch stops, and says so.
            with self._lock:
                self._fatal = self._fatal or error
            self._control.cancel()

    def _one(self, item: BatchItem) -> None:
        status = _queued(item)
        self._tracker.add(status, item.work)
        if self._settled_before(item, status):
            return
        try:
            self._control.check()
        except JobCancelled:
            return
        self._tracker.tell(replace(status, state=ItemState.RUNNING))
        started = time.monotonic()
        stamp: Stamp | None = None
        try:
            stamp = Stamp.of(item.source.path)
            self._make_folder(item.target)
            self._journal.started(item.source.identity, self._key, item.target, stamp)
            result = self._enhance_one(item, status)
        except JobCancelled:
            self._tracker.tell(replace(status, state=ItemState.CANCELLED))
        except ServiceStoppedError:  # the program is ending: nothing of what is left has failed
            self._control.cancel()
            self._tracker.tell(replace(status, state=ItemState.CANCELLED))
        except EngineError as error:
            self._failed(item, status, stamp, error, time.monotonic() - started)
        except MemoryError:
            self._failed(item, status, stamp, _memory_error(item), time.monotonic() - started)
        except Exception as error:  # a fault of ours in one picture must not take the others with it
            logger.exception("'%s' failed unexpectedly", item.name)
            fault = EngineError(f"'{item.name}' failed unexpectedly ({type(error).__name__}: {error}); see the log.")
            self._failed(item, status, stamp, fault, time.monotonic() - started)
        else:
            self._done(item, status, stamp, result)

    @staticmethod
    def _make_folder(target: Path) -> None:
        from utils.writers.base import output_error

        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(target, error) from error

    def _settled_before(self, item: BatchItem, status: ItemStatus) -> bool:
        """Whether an earlier run has dealt with the item, or an earlier failure stands."""
        earlier = item.earlier
        if earlier is None:
            return False
        if item.done_before:
            size = earlier.values.get("size")
            self._tracker.tell(
                replace(
                    status,
                    state=ItemState.SKIPPED,
                    fraction=1.0,
                    model=earlier.values.get("model"),
                    output_size=(int(size[0]), int(size[1])) if size else None,
                    output_bytes=_size_of(item.target, earlier.values.get("bytes")),
                )
            )
            return True
        if earlier.event == "failed" and earlier.values.get("lasting") and not self._options.retry_failed:
            self._tracker.tell(
                replace(
                    status,
                    state=ItemState.FAILED,
                    error=str(earlier.values.get("error")),
                    error_type=str(earlier.values.get("type")),
                    exit_code=int(earlier.values.get("exit_code", 1)),
                )
            )
            return True
        return False

    def _enhance_one(self, item: BatchItem, status: ItemStatus) -> EnhanceResult:
        settings = self._settings
        if self._choose is not None:
            # Name and format were promised before the start; what is inside is decided now.
            settings = self._choose(item.source.path).but(format=self._settings.format)
        running = replace(status, state=ItemState.RUNNING, model=None if settings.model == "auto" else settings.model)
        if running.model is not None:
            self._tracker.tell(running)
        one = self._control.child(
            lambda step: self._tell_fraction(running, step), self._control.network_queue.next_rank()
        )
        while True:
            try:
                return self._enhance(item.source.path, item.target, settings, one, self._options.overwrite)
            except QueueFullError as error:  # others fill it now; the picture is not to blame, and waits
                one.sleep(min(error.retry_after, _LONGEST_WAIT))
                one.check()

    def _tell_fraction(self, running: ItemStatus, step: Progress) -> None:
        self._tracker.tell(replace(running, fraction=step.fraction))

    def _done(self, item: BatchItem, status: ItemStatus, stamp: Stamp | None, result: EnhanceResult) -> None:
        assert stamp is not None
        written = _size_of(item.target, result.metrics.get("enhanced_bytes", 0))
        seconds = result.timings.total
        self._network.add(result.timings.network)
        values = {
            "bytes": written,
            "model": result.model,
            "size": list(result.output_size),
            "seconds": round(seconds, 3),
        }
        self._journal.done(item.source.identity, self._key, item.target, stamp, values)
        self._tracker.tell(
            replace(
                status,
                state=ItemState.DONE,
                fraction=1.0,
                model=result.model,
                seconds=seconds,
                input_size=result.input_size,
                output_size=result.output_size,
                output_bytes=written,
                warnings=result.warnings,
            )
        )

    def _failed(
        self, item: BatchItem, status: ItemStatus, stamp: Stamp | None, error: EngineError, seconds: float
    ) -> None:
        kind = type(error).__name__
        if stamp is not None:
            # Faults of the picture or its settings stay until one of them changes; a full disk may be empty tomorrow.
            lasting = isinstance(error, InvalidImageError | InvalidSettingsError)
            values = {"error": str(error), "type": kind, "exit_code": error.exit_code, "lasting": lasting}
            self._journal.failed(item.source.identity, self._key, item.target, stamp, values)
        self._tracker.tell(
            replace(
                status,
                state=ItemState.FAILED,
                seconds=seconds,
                error=str(error),
                error_type=kind,
                exit_code=error.exit_code,
            )
        )


def _size_of(path: Path, otherwise: int | None) -> int | None:
    """A result's bytes; somebody may have taken it away the moment it appeared."""
    try:
        return path.stat().st_size
    except OSError:
        return otherwise


def _queued(item: BatchItem) -> ItemStatus:
    return ItemStatus(item.number, item.name, item.source.path, item.target, input_size=item.input_size)


def _memory_error(item: BatchItem) -> EngineError:
    from utils.errors import OutOfMemoryError

    return OutOfMemoryError(f"Not enough memory for '{item.name}'. Close other programs or use smaller tiles.")
