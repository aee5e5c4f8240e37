"""A batch in a process that will be killed. Kept apart from the tests so that the child imports little."""

from __future__ import annotations

from pathlib import Path

from engine.batch import process_batch
from engine.types import EnhanceSettings
from tests.conftest import Limits


def run(source: str, target: str) -> None:
    """Everything twice as large by interpolation; no network, so a kill can land on any step of the batch itself."""
    process_batch(
        [Path(source)],
        Path(target),
        EnhanceSettings.create(model="lanczos", scale=2),
        manager=_manager(),
        config=Limits(Path(target)),
    )


def _manager():
    from engine.model_manager import ModelManager

    return ModelManager({}, Path("/nonexistent"), bundled_dir=None, optimize=False, device="cpu")
