"""Many pictures: planned (``plan``), run with overlap (``run``), resumed after a crash (``journal``, ``request``).

This is the one module to import. Imports jobs, storage, pixels, imaging and executors.
"""

from __future__ import annotations

from engine.batch.archive import ArchiveLimits, zip_results
from engine.batch.background import BackgroundBatch, BatchQueue, BatchSnapshot, Phase
from engine.batch.choose import recommended
from engine.batch.control import BatchControl
from engine.batch.in_place import Enhance, check_in_place, journal_place
from engine.batch.journal import JOURNAL_NAME, is_running, read_journal
from engine.batch.names import DEFAULT_TEMPLATE
from engine.batch.plan import plan_batch
from engine.batch.planner import BatchItem, BatchPlan
from engine.batch.request import REQUEST_NAME, BatchRequest, forget_request, load_request, unfinished_requests
from engine.batch.run import process_batch, through
from engine.batch.status import BatchOptions, BatchProgress, BatchResult, ItemState, ItemStatus

__all__ = [
    "DEFAULT_TEMPLATE",
    "JOURNAL_NAME",
    "REQUEST_NAME",
    "ArchiveLimits",
    "BackgroundBatch",
    "BatchControl",
    "BatchItem",
    "BatchQueue",
    "BatchOptions",
    "BatchPlan",
    "BatchProgress",
    "BatchRequest",
    "BatchResult",
    "BatchSnapshot",
    "Enhance",
    "ItemState",
    "ItemStatus",
    "Phase",
    "check_in_place",
    "forget_request",
    "is_running",
    "journal_place",
    "load_request",
    "plan_batch",
    "process_batch",
    "read_journal",
    "recommended",
    "through",
    "unfinished_requests",
    "zip_results",
]
