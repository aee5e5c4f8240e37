"""What runs in the interface, whoever began it: for a window that is about to be closed."""

from __future__ import annotations

import time

from ui.visitors import Visitors


def busy(visitors: Visitors) -> bool:
    """Whether a job or a batch is going on; a paused batch is."""
    batches = [visitor.memory.get("batch") for visitor in visitors.all()]
    return bool(visitors.running()) or any(batch is not None and batch.snapshot().active for batch in batches)


def end_all(visitors: Visitors, seconds: float) -> bool:
    """Cancel everything and wait for its end: films keep what is done, batches can be gone on with.

    Returns whether all of it ended within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    jobs = visitors.running()
    batches = [batch for visitor in visitors.all() if (batch := visitor.memory.get("batch")) is not None]
    for one in (*jobs, *batches):
        one.cancel()
    ended = [job.join(max(0.0, deadline - time.monotonic())) for job in jobs]
    ended += [batch.join(max(0.0, deadline - time.monotonic())) for batch in batches]
    return all(ended)


__all__ = ["busy", "end_all"]
