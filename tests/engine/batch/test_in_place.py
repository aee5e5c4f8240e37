"""A batch in place: a folder of folders is replaced, goes on where it was, and is undone as one."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine.batch import BatchOptions, BatchRequest, ItemState, plan_batch, process_batch
from engine.storage.undo import undo, undoable
from engine.types import EnhanceSettings
from utils.errors import InvalidSettingsError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="read in place, with POSIX rights")
TWICE = EnhanceSettings.create(model="lanczos", scale=2)


@pytest.fixture
def config(config, tmp_path):
    return replace(config, data_dir=tmp_path / "data")


@pytest.fixture
def tree(tmp_path):
    """Two pictures and one in a sub-folder, whose format is not written."""
    folder = tmp_path / "in"
    (folder / "inner").mkdir(parents=True)
    for index, name in enumerate(("a.png", "b.jpg", "inner/c.bmp")):
        Image.fromarray(np.random.default_rng(index).integers(0, 256, (20, 30, 3), np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def run(tmp_path, manager, config):
    def started(*inputs, settings=TWICE, backup=True, enhance=None, **options):
        kept = str(tmp_path / "kept") if backup else None
        chosen = BatchOptions(in_place=True, backup=kept, lanes=1, **options)
        return process_batch(
            inputs, tmp_path / "journal", settings, manager=manager, config=config, options=chosen, enhance=enhance
        )

    return started


def names(folder) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def sizes(folder) -> set[tuple[int, int]]:
    found = set()
    for name in names(folder):
        with Image.open(folder / name) as image:
            found.add(image.size)
    return found


def test_a_folder_of_folders(run, tree, tmp_path, config):
    before = {name: (tree / name).read_bytes() for name in names(tree)}
    result = run(tree)
    assert result.exit_code == 0 and result.count(ItemState.DONE) == 3
    assert names(tree) == ["a.png", "b.jpg", "inner/c.png"] and sizes(tree) == {(60, 40)}
    assert {name: (tmp_path / "kept" / name).read_bytes() for name in names(tmp_path / "kept")} == before
    report = undo(config.data_dir)
    assert len(report.restored) == 3
    assert {name: (tree / name).read_bytes() for name in names(tree)} == before


def test_once_more_does_nothing_twice(run, tree, tmp_path):
    run(tree)
    after = {name: (tree / name).read_bytes() for name in names(tree)}
    Image.new("RGB", (10, 10), "red").resize((30, 20)).save(tree / "new.png")
    again = run(tree)
    states = {item.name: item.state for item in again.items}
    assert states == {"a.png": ItemState.SKIPPED, "b.jpg": ItemState.SKIPPED, "new.png": ItemState.DONE}
    assert {name: (tree / name).read_bytes() for name in after} == after
    run(tree, resume=False)
    assert (120, 80) in sizes(tree), "asked for: the results are enlarged"


def test_after_an_undo_the_pictures_are_new_again(run, tree, config):
    run(tree)
    undo(config.data_dir)
    assert run(tree).count(ItemState.DONE) == 3


def test_one_run_and_one_undo_however_often_it_was_stopped(run, tree, config):
    def fails(source, target, how, one, again):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tree, enhance=fails)
    assert sizes(tree) == {(30, 20)}
    run(tree / "a.png")
    run(tree)
    assert [found.count for found in undoable(config.data_dir)] == [3]


def test_a_backup_inside_the_folder_is_no_input(run, tree, tmp_path, manager, config):
    options = BatchOptions(in_place=True, backup=str(tree / "kept"))
    for _ in range(2):
        process_batch([tree], tmp_path / "j", TWICE, manager=manager, config=config, options=options)
    assert names(tree / "kept") == ["a.png", "b.jpg", "inner/c.bmp"] and sizes(tree / "kept") == {(30, 20)}


def test_a_name_that_is_taken_is_numbered(run, tree):
    Image.new("L", (8, 8), 9).save(tree / "inner" / "c.png")
    settings = TWICE.but(format="png")
    result = run(tree / "inner", settings=settings)
    assert result.exit_code == 0
    assert names(tree / "inner") == ["c-2.png", "c.png"]
    assert sizes(tree / "inner") == {(60, 40), (16, 16)}


def test_one_that_fails_stays_and_stops_no_other(run, tree, config):
    (tree / "bad.png").write_bytes(b"no picture")
    link = tree / "link.png"
    link.symlink_to(tree / "a.png")
    result = run(tree)
    assert {item.name for item in result.failures} == {"bad.png", "link.png"}
    assert "is a link" in next(item.error for item in result.failures if item.name == "link.png")
    assert (tree / "bad.png").read_bytes() == b"no picture" and link.is_symlink()
    assert result.count(ItemState.DONE) == 3
    calls = []
    again = run(tree, enhance=lambda *given: calls.append(given))
    assert {item.name for item in again.failures} == {"bad.png", "link.png"} and calls == []


def test_what_cannot_be_replaced_is_refused_before_anything_is_done(run, tree, tmp_path, config):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(tree / "a.png", "a.png")
    with pytest.raises(InvalidSettingsError, match=r"Pictures in '.*some.zip' cannot be replaced"):
        run(tmp_path / "some.zip")
    with pytest.raises(InvalidSettingsError, match="watched"):
        run(tree, watch=True)
    with pytest.raises(InvalidSettingsError, match="only used where they are replaced"):
        plan_batch([tree], tmp_path, TWICE, config=config, workspace=tmp_path, options=BatchOptions(backup="x"))
    assert sizes(tree) == {(30, 20)}


def test_the_plan_and_the_request_know_of_it(tree, tmp_path, config):
    options = BatchOptions(in_place=True, backup=str(tmp_path / "kept"))
    request = BatchRequest((tree,), tmp_path / "journal", TWICE, options)
    plan = request.plan(config, tmp_path / "work")
    assert [item.target for item in plan.items] == [tree / "a.png", tree / "b.jpg", tree / "inner" / "c.png"]
    request.save()
    from engine.batch import load_request

    assert load_request(tmp_path / "journal") == request
