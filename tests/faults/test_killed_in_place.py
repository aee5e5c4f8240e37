"""Killed at every single step while an original is replaced or brought back: it is never lost, and all of it resumes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.storage.in_place_journal import FOLDER, read_replacements
from engine.storage.undo import undo
from tests.faults import killable
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SIGKILL, the fork server, and a trash of its own")
KILLS = int(os.environ.get("REALESRGAN_TEST_KILLS", "12"))
TAKEN = 1_500_000_000_123_456_789


@pytest.fixture(scope="module")
def context():
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(
        ["tests.faults.killable", "engine.processor", "engine.storage.undo", "PIL.Image", "cv2"]
    )
    return made


def original_in(folder: Path, name: str) -> bytes:
    path = folder / "pictures" / name
    path.parent.mkdir(parents=True)
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (12, 16, 3), np.uint8)).save(path)
    os.utime(path, ns=(TAKEN, TAKEN))
    return path.read_bytes()


def killed(context, *arguments, what=killable.replace_in_place) -> bool:
    """Whether the process died of its kill rather than ending before that step."""
    process = context.Process(target=what, args=arguments)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def where(folder: Path, content: bytes) -> list[Path]:
    """Every file of that content outside of hidden ones, in the pictures' folder, the backup and the trash."""
    found = [path for part in ("pictures", "kept", "share") for path in folder.glob(f"{part}/**/*") if path.is_file()]
    return [path for path in found if path.read_bytes() == content]


def is_whole(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
            return image.size == (32, 24)
    except OSError:
        return False


def check(folder: Path, name: str, before: bytes) -> None:
    """The original is where it was, or somewhere else together with a whole result."""
    source = folder / "pictures" / name
    assert where(folder, before), "the original is nowhere"
    if not source.exists() or source.read_bytes() != before:
        assert any(is_whole(path) for path in source.parent.iterdir()), "neither original nor result"


@pytest.fixture(params=["photo.png", "scan.bmp"])
def steps(request, context, tmp_path, monkeypatch):
    """Kill at step after step, in a folder each, until one is not met.

    Yields (step, folder, original, its bytes); ``arguments`` are ``replace_in_place``'s after the step, ``ready`` is
    called with the folder beforehand.
    """

    def run(backup, *arguments, ready=lambda folder, name: None):
        for step in itertools.count(1):
            folder, name = tmp_path / str(step), request.param
            before = original_in(folder, name)
            ready(str(folder), name)
            dead = killed(context, str(folder), name, backup, step, *arguments)
            check(folder, name, before)
            monkeypatch.setenv("XDG_DATA_HOME", str(folder / "share"))
            source = folder / "pictures" / name
            yield step, folder, source, before
            assert source.read_bytes() == before and source.stat().st_mtime_ns == TAKEN
            if not dead:
                return

    return run


@pytest.mark.timeout(900)
@pytest.mark.parametrize("backup", [False, True], ids=["trash", "folder"])
def test_killed_at_every_step_of_a_replacement(context, steps, backup):
    for step, folder, source, before in steps(backup):  # noqa: B007
        assert not killed(context, str(folder), what=killable.resume)
        check(folder, source.name, before)
        hidden = [path for path in source.parent.iterdir() if path.suffix != ".part" and path.name.startswith(".")]
        assert hidden == [], "half replaced still"
        if not source.exists() or source.read_bytes() != before:
            assert undo(folder / "data").problems == ()
    assert step > 8, "hardly any step was met"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("backup", [False, True], ids=["trash", "folder"])
def test_killed_at_every_step_of_the_way_back(context, steps, backup):
    def replaced(folder, name):
        assert not killed(context, folder, name, backup, 0)

    for step, folder, source, _ in steps(backup, True, ready=replaced):  # noqa: B007
        journal = folder / "data" / FOLDER / "one.jsonl"
        if any(one.state == "placed" for one in read_replacements(journal)):
            assert undo(folder / "data").problems == ()
        assert sorted(path.name for path in source.parent.iterdir()) == [source.name]
    assert step > 2


@pytest.mark.timeout(1800)
def test_a_batch_in_place_that_is_killed_again_and_again_is_resumed(context, tmp_path):
    """No original is lost or enhanced twice; one run, undone by one command."""
    source, target, data = tmp_path / "in", tmp_path / "out", tmp_path / "data"
    (source / "inner").mkdir(parents=True)
    chance = random.Random(11)
    originals = {}
    for index in range(10):
        path = source / ("inner" if index % 2 else "") / f"{index:02}.{'bmp' if index % 3 == 0 else 'png'}"
        Image.fromarray(np.random.default_rng(index).integers(0, 256, (120, 160, 3), np.uint8)).save(path)
        originals[path] = path.read_bytes()

    def run(after: int) -> bool:
        """Kill it at the picture ``after`` of this run; whether there were so many left."""
        held = tmp_path / "held"
        held.unlink(missing_ok=True)
        process = context.Process(
            target=killable.replace_batch, args=(str(source), str(target), str(data), str(held), after)
        )
        process.start()
        until(lambda: held.exists() or not process.is_alive())
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        return held.exists()

    kills = 0
    for _ in range(4 * KILLS):
        kills += run(chance.randint(1, 3))
        kept = {path.read_bytes() for path in target.glob("kept/**/*") if path.is_file()}
        for path, content in originals.items():
            assert content in kept or path.read_bytes() == content
        if kills >= KILLS:
            break
    run(after=100)
    assert kills >= 4
    results = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    assert results == sorted(path.relative_to(source).with_suffix(".png") for path in originals)
    for path in results:
        with Image.open(source / path) as image:
            assert image.size == (320, 240), "enhanced once, not twice"
    kept = [path for path in target.glob("kept/**/*") if path.is_file()]
    assert {path.read_bytes() for path in kept} == set(originals.values())
    report = undo(data)
    assert set(report.restored) == set(originals) and report.problems == ()
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == originals
