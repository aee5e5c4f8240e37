"""What others do meanwhile: they fill the queue, take results away, make pictures unreadable, edit them."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import enhance_file
from engine.batch import BatchControl, ItemState
from engine.batch.run import through
from engine.executors.base import Executor
from engine.executors.in_process import InProcessRunner
from tests.waiting import LONG
from utils.errors import QueueFullError


def test_a_full_queue_is_waited_for(run, pictures, manager, config):
    refused = threading.Event()

    class Slow(InProcessRunner):
        def run(self, job, control):
            assert refused.wait(LONG)
            return super().run(job, control)

    with Executor("test", [Slow(config, manager)], queue_limit=1) as executor:

        def enhance(*arguments):
            try:
                return through(executor)(*arguments)
            except QueueFullError:
                refused.set()
                raise

        assert run(pictures("a.png", "b.png", "c.png"), enhance=enhance).summary == "3 successful, 0 failed"


def test_cancelling_ends_the_wait_for_the_queue(run, pictures):
    control = BatchControl()

    def full(*_):
        control.cancel()
        raise QueueFullError("64 jobs are waiting already", retry_after=60)

    result = run(pictures("a.png", "b.png"), enhance=full, control=control)
    assert result.cancelled and result.count(ItemState.FAILED) == 0


def test_a_result_that_is_taken_away_at_once_is_done(run, pictures, manager, config, tmp_path):
    (tmp_path / "taken").mkdir()

    def enhance(source, target, settings, control, overwrite):
        result = enhance_file(source, target, settings, manager=manager, config=config, control=control)
        target.rename(tmp_path / "taken" / target.name)
        return result

    result = run(pictures("a.png", "b.png"), enhance=enhance)
    assert result.summary == "2 successful, 0 failed"
    sizes = [(tmp_path / "taken" / item.target.name).stat().st_size for item in result.items]
    assert [item.output_bytes for item in result.items] == sizes


@pytest.mark.skipif(sys.platform == "win32", reason="a file that root cannot read either: a socket")
def test_a_known_picture_that_can_no_longer_be_read_fails_alone(run, pictures, monkeypatch):
    folder = pictures("a.png")
    (folder / "b.png").write_bytes(b"")
    assert run(folder).summary == "1 successful, 1 failed"
    (folder / "b.png").unlink()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as unreadable:
        unreadable.bind("b.png")
        result = run(folder)
    assert result.summary == "0 successful, 1 failed, 1 skipped (done before)"
    assert "cannot be read" in result.failures[0].error


def edit(path: Path, value: int) -> None:
    Image.fromarray(np.full((16, 24, 3), value, np.uint8)).save(path)


def test_results_beside_their_inputs_stay_results_when_a_picture_is_edited(run, pictures):
    folder = pictures("a.png")
    for value in (1, 2, 3):
        run(folder, output=folder)
        edit(folder / "a.png", value)
    assert run(folder, output=folder).summary == "1 successful, 0 failed"
    assert sorted(path.name for path in folder.glob("*.png")) == [
        "a.png",
        *(f"a_x2{n}.png" for n in ("-2", "-3", "-4", "")),
    ]


def test_results_are_known_by_whatever_way_their_folder_is_named(run, pictures, tmp_path):
    folder = pictures("a.png", "sub/b.png")
    (tmp_path / "link").symlink_to(folder)
    run(folder, output=tmp_path / "link")
    again = run(folder, output=folder / "sub" / "..")
    assert again.count(ItemState.SKIPPED) == len(again.items) == 2
