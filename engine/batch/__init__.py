"""Many pictures at once: planned before the start, run with overlap, journalled, resumable.

``plan`` finds the pictures and names their outputs, ``journal`` remembers what is done, ``run`` does the work,
``watch`` waits for new files, ``archive`` reads and writes ZIP files, ``request`` keeps what was asked for, and
``background`` runs it beside other work. This is the one module to import.
"""

from __future__ import annotations

from engine.batch.archive import ArchiveLimits, zip_results
from engine.batch.background import BackgroundBatch, BatchLine, BatchSnapshot, Phase
from engine.batch.choose import recommended
from engine.batch.control import BatchControl
from engine.batch.journal import JOURNAL_NAME, is_running
from engine.batch.names import DEFAULT_TEMPLATE
from engine.batch.plan import BatchItem, BatchPlan, plan_batch
from engine.batch.request import BatchRequest, forget_request, load_request, unfinished_requests
from engine.batch.run import process_batch, through
from engine.batch.status import BatchOptions, BatchProgress, BatchResult, ItemState, ItemStatus

__all__ = [
    "DEFAULT_TEMPLATE",
    "JOURNAL_NAME",
    "ArchiveLimits",
    "BackgroundBatch",
    "BatchControl",
    "BatchItem",
    "BatchLine",
    "BatchOptions",
    "BatchPlan",
    "BatchProgress",
    "BatchRequest",
    "BatchResult",
    "BatchSnapshot",
    "ItemState",
    "ItemStatus",
    "Phase",
    "forget_request",
    "is_running",
    "load_request",
    "plan_batch",
    "process_batch",
    "recommended",
    "through",
    "unfinished_requests",
    "zip_results",
]
