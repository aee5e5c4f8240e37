"""A disk that fills up, and folders that may not be written, at every write: nothing half-done remains anywhere."""

from __future__ import annotations

import builtins
import errno
import io
import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.batch import BatchOptions, process_batch
from engine.processor import enhance_file
from engine.settings_manager import SettingsManager
from engine.storage.history import DATABASE_NAME, History, Run
from engine.types import EnhanceSettings
from tests.conftest import REPOSITORY
from tests.waiting import LONG
from utils.errors import EngineError, OutputError

REASONS = {"full": errno.ENOSPC, "forbidden": errno.EACCES, "read-only": errno.EROFS, "broken": errno.EIO}
_FSYNC = os.fsync


class Disk:
    """Counts the calls that change a disk below a folder; the ``fail_at``-th fails."""

    def __init__(self, monkeypatch, folder: Path, code: int, fail_at: int) -> None:
        self.count, self._fail_at, self._code, self._folder = 0, fail_at, code, str(folder)
        for name in ("replace", "rename", "mkdir", "link"):
            monkeypatch.setattr(os, name, self._guard(getattr(os, name), lambda *a, **k: True))
        monkeypatch.setattr(os, "fsync", self._guard(os.fsync, lambda *a, **k: True))
        opened = self._guard(io.open, lambda file, mode="r", *a, **k: any(letter in mode for letter in "wxa+"))
        monkeypatch.setattr(builtins, "open", opened)
        monkeypatch.setattr(io, "open", opened)

    def _guard(self, real, changes):
        def call(*arguments, **options):
            concerns = any(isinstance(one, str | os.PathLike) and self._folder in os.fspath(one) for one in arguments)
            handle = bool(arguments) and isinstance(arguments[0], int)
            if (concerns or (handle and real is _FSYNC)) and changes(*arguments, **options):
                self.count += 1
                if self.count == self._fail_at:
                    raise OSError(self._code, os.strerror(self._code), str(arguments[0]))
            return real(*arguments, **options)

        return call


def every_write(monkeypatch, folder: Path, code: int, action):
    """Run ``action(index)`` with the first write failing, then the second, until none is left; yields after each."""
    for index in range(1, 100):
        with monkeypatch.context() as patch:
            disk = Disk(patch, folder, code, index)
            try:
                action(index)
            except EngineError as error:
                outcome: EngineError | None = error
            else:
                outcome = None
        yield index, outcome
        if disk.count < index:
            assert index > 1, "nothing was written: the test would prove nothing"
            return
    raise AssertionError("endless writes")


def visible(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("kind", ["png", "tiff", "jpeg"])
def test_enhancing(monkeypatch, manager, config, picture, tmp_path, kind, reason):
    folder = tmp_path / "out"
    target = folder / f"result.{kind}"
    settings = EnhanceSettings(model="lanczos", scale=2.0, format=kind)

    def enhance(index: int) -> None:
        enhance_file(picture, target, settings, manager=manager, config=config, overwrite=True)

    for index, error in every_write(monkeypatch, folder, REASONS[reason], enhance):
        if error is not None:
            assert isinstance(error, OutputError) and str(target) in str(error), index
            assert visible(folder) == set(), index
        elif folder.exists():
            assert Image.open(target).size == (80, 60)
            target.unlink(missing_ok=True)


@pytest.mark.parametrize("reason", REASONS)
def test_a_result_that_was_there_stays(monkeypatch, manager, config, picture, tmp_path, reason):
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / "result.png"
    settings = EnhanceSettings(model="lanczos", scale=2.0)

    def enhance(index: int) -> None:
        enhance_file(picture, target, settings, manager=manager, config=config, overwrite=True)

    outcomes = []
    target.write_bytes(b"earlier result")
    for index, error in every_write(monkeypatch, folder, REASONS[reason], enhance):
        outcomes.append(error)
        if error is not None:
            assert target.read_bytes() == b"earlier result", index
        assert visible(folder) == {"result.png"}
        target.write_bytes(b"earlier result")
    assert any(outcomes) and outcomes[-1] is None


@pytest.mark.parametrize("reason", REASONS)
def test_settings_and_presets_are_never_lost(monkeypatch, tmp_path, reason):
    folder = tmp_path / "data"
    SettingsManager(folder).save_preset("mine", EnhanceSettings(scale=3.0))

    def change(index: int) -> None:
        SettingsManager(folder).save_preset(f"new-{index}", EnhanceSettings(scale=2.0))

    failed = 0
    for index, error in every_write(monkeypatch, folder, REASONS[reason], change):
        after = SettingsManager(folder)
        assert after.get("mine").settings["scale"] == 3.0, index
        assert not after.notices, index
        failed += error is not None
        assert [name for name in visible(folder) if name.endswith(".tmp")] == []
    assert failed >= 2


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a POSIX thing")
def test_the_history_stays_consistent_on_a_disk_that_fills_up(tmp_path):
    """SQLite writes by itself, so the limit is the system's: files of this process cannot grow past it."""
    url = f"sqlite:///{tmp_path / DATABASE_NAME}"
    with closing(History(url)) as history:
        history.record(Run("first.png", "/first.png", "00", "11", {}, "done"))
    code = f"""
        import resource, signal
        from contextlib import closing
        from pathlib import Path
        from engine.storage.history import DATABASE_NAME, History, Run
        from utils.errors import HistoryError
        path = Path({str(tmp_path)!r}) / DATABASE_NAME
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limit = path.stat().st_size + 8192
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for index in range(200):
            try:
                with closing(History({url!r})) as history:
                    history.record(Run("x" * 500, "y" * 500, "00", str(index), {{"text": "z" * 2000}}, "done"))
            except HistoryError as error:
                print("refused", path.name in str(error))
                break
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=REPOSITORY, timeout=LONG
    )
    assert done.stdout.strip().startswith("refused"), done.stderr[-1000:]
    with sqlite3.connect(tmp_path / DATABASE_NAME) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with closing(History(url)) as history:
        assert "first.png" in [run.input_name for run in history.query(limit=1000)]


@pytest.mark.parametrize("reason", ["full", "forbidden"])
def test_batches(monkeypatch, manager, config, tmp_path, reason):
    """Whatever write fails, the next run finishes the batch and the folder holds only whole results."""
    source, folder = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in "ab":
        Image.fromarray(np.random.default_rng(ord(name)).integers(0, 256, (20, 30, 3), np.uint8)).save(
            source / f"{name}.png"
        )
    settings = EnhanceSettings(model="lanczos", scale=2.0)

    def batch(_: int) -> None:
        process_batch(
            [source], folder, settings, manager=manager, config=config, options=BatchOptions(retry_failed=True)
        )

    for index, error in every_write(monkeypatch, folder, REASONS[reason], batch):
        assert error is None or isinstance(error, OutputError), index
        batch(index)
        results = sorted(name for name in visible(folder) if not name.startswith("."))
        assert results == ["a_x2.png", "b_x2.png"], index
        for name in results:
            assert Image.open(folder / name).size == (60, 40)
            (folder / name).unlink()
        for name in visible(folder):
            (folder / name).unlink()
