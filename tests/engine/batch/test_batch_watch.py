"""A watched folder: files are enhanced as they arrive, once they are whole."""

from __future__ import annotations

import threading
import zipfile

import pytest

from engine.batch import BatchControl, BatchOptions, ItemState
from engine.batch.planner import Planner
from engine.batch.spec import BatchSpec
from engine.batch.watch import Watcher, known
from engine.types import EnhanceSettings
from tests.waiting import LONG, until

OPTIONS = BatchOptions(watch=True, watch_interval=0.05)


@pytest.fixture
def watching(run):
    """A batch that watches a folder in a thread; ``wait(n)`` until that many pictures have ended."""
    control, ended, threads, results = BatchControl(), [], [], []

    def note(status):
        if status.state in (ItemState.DONE, ItemState.FAILED):
            ended.append(status.name)

    def start(*inputs, **how):
        def body():
            results.append(run(*inputs, options=OPTIONS, control=control, on_item=note, **how))

        threads.append(threading.Thread(target=body))
        threads[0].start()

    def wait(count):
        until(lambda: len(ended) >= count or not threads[0].is_alive())
        return ended

    def stop():
        control.cancel()
        threads[0].join(LONG)
        return results[0]

    start.wait, start.stop = wait, stop
    yield start
    control.cancel()


def test_new_files_are_enhanced_as_they_arrive(watching, pictures, tmp_path):
    folder = pictures("a.png")
    watching(folder)
    assert watching.wait(1) == ["a.png"]
    pictures("sub/b.png")
    assert watching.wait(2) == ["a.png", "sub/b.png"]
    result = watching.stop()
    assert result.summary == "2 successful, 0 failed" and result.exit_code == 0
    assert (tmp_path / "out" / "sub" / "b_x2.png").is_file()


def test_what_arrives_goes_to_the_folder_of_what_was_there(watching, pictures, tmp_path):
    folder, archive = pictures("a.png"), tmp_path / "album.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(folder / "a.png", "b.png")
    watching(folder, archive)
    assert sorted(watching.wait(2)) == ["album/b.png", "in/a.png"]
    pictures("c.png")
    assert watching.wait(3)[-1] == "in/c.png"
    watching.stop()
    assert (tmp_path / "out" / "in" / "c_x2.png").is_file()


def test_a_file_is_given_out_once_it_stops_growing(pictures, config, tmp_path):
    data = (pictures("whole.png") / "whole.png").read_bytes()
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings, options = EnhanceSettings.create(model="lanczos"), BatchOptions(watch=True)
    planner = Planner(BatchSpec(tmp_path / "out", settings, options, config))
    watcher = Watcher(lambda: planner.find([folder], tmp_path), planner, {}, interval=1)
    assert watcher.look() == []
    for end in (0, 10, 60, len(data)):
        (folder / "slow.png").write_bytes(data[:end])
        assert watcher.look() == [], "it has changed since the last look, or is empty"
    assert [item.name for item in watcher.look()] == ["slow.png"]
    assert watcher.look() == [], "given out once"


def test_a_file_that_was_being_written_at_the_start_is_given_out_again_when_it_is_whole(pictures, config, tmp_path):
    folder = pictures("a.png", "half.png")
    data = (folder / "half.png").read_bytes()
    (folder / "half.png").write_bytes(data[:60])
    planner = Planner(BatchSpec(tmp_path / "out", EnhanceSettings(model="lanczos"), BatchOptions(watch=True), config))
    seen = known(planner.find([folder], tmp_path))
    (folder / "half.png").write_bytes(data)
    watcher = Watcher(lambda: planner.find([folder], tmp_path), planner, seen, interval=1)
    assert watcher.look() == []
    assert [item.name for item in watcher.look()] == ["half.png"]


def test_a_broken_file_that_is_replaced_is_tried_again(watching, pictures, tmp_path):
    folder = pictures("a.png")
    (folder / "b.png").write_text("no picture")
    watching(folder)
    watching.wait(2)
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes())
    assert sorted(watching.wait(3)) == ["a.png", "b.png", "b.png"]
    watching.stop()
    assert (tmp_path / "out" / "b_x2.png").is_file()
