"""A batch in a process that will be killed. Kept apart from the tests so that the child imports little."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from engine.batch import BatchOptions, process_batch
from engine.processor import enhance_file
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


def begin_and_stay(begun: str) -> None:
    """Makes the file and never ends."""
    Path(begun).touch()
    threading.Event().wait()


_STEPS = ("replace", "rename", "link", "unlink", "fsync", "utime", "chmod")
"""What changes a file or a folder, of the module ``os``; everything else leaves things as they are."""


def die_at(step: int) -> None:
    """This process kills itself just before its ``step``-th change of a file from now on."""
    counted = itertools.count(1)

    def counting(change: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*arguments: object, **named: object) -> object:
            if next(counted) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **named)

        return wrapped

    for name in _STEPS:
        setattr(os, name, counting(getattr(os, name)))


def replace_in_place(folder: str, name: str, backup: bool, step: int, undoing: bool = False) -> None:
    """``folder``/pictures/``name`` is replaced, or brought back, and the process dies at a step."""
    from engine.processor import enhance_file
    from engine.storage.originals import Originals, replaced_path
    from engine.storage.undo import undo

    os.environ["XDG_DATA_HOME"] = f"{folder}/share"
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    source, data = Path(folder, "pictures", name), Path(folder, "data")
    die_at(step)
    if undoing:
        undo(data)
        return
    manager, config = _manager(), Limits(Path(folder))
    with Originals(data, "one", Path(folder, "kept") if backup else None) as originals:
        originals.replace(
            source,
            replaced_path(source, settings),
            lambda staged: enhance_file(source, staged, settings, manager=manager, config=config),
        )


def resume(folder: str) -> None:
    """What a later start does first."""
    from engine.storage.originals import recover

    os.environ["XDG_DATA_HOME"] = f"{folder}/share"
    recover(Path(folder, "data"))


def replace_batch(source: str, target: str, data: str, held: str | None = None, after: int = 0) -> None:
    """As ``run``, in place; the originals go to a folder beside the journal.

    With ``held`` it makes that file before its picture number ``after`` and goes no further.
    """
    manager, config, begun = _manager(), Limits(Path(target), data_dir=Path(data)), itertools.count(1)

    def enhance(path, new, how, control, again):
        if held is not None and next(begun) >= after:
            Path(held).touch()
            threading.Event().wait()
        return enhance_file(path, new, how, manager=manager, config=config, control=control, overwrite=again)

    options = BatchOptions(in_place=True, backup=str(Path(target) / "kept"))
    process_batch(
        [Path(source)],
        Path(target),
        EnhanceSettings.create(model="lanczos", scale=2),
        manager=manager,
        config=config,
        options=options,
        enhance=enhance,
    )


def _manager():
    from engine.model_manager import ModelManager

    return ModelManager({}, Path("/nonexistent"), bundled_dir=None, optimize=False, device="cpu")
