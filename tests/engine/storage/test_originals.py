"""Results take the place of originals: these are in the trash or the backup folder, whole, and come back."""

from __future__ import annotations

import errno
import os
import stat
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.processor import enhance_file
from engine.storage import trash
from engine.storage.in_place_journal import FOLDER, new_run
from engine.storage.originals import Originals, recover, replaced_path
from engine.storage.output_names import reserved
from engine.storage.undo import undo, undoable
from engine.types import EnhanceSettings
from utils.errors import EngineError, InvalidSettingsError, OutputError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the trash of other systems is not a test's to fill")
TAKEN = 1_500_000_000_123_456_789
"""When the original was changed last, in nanoseconds."""


@pytest.fixture
def bin_of_mine(tmp_path, monkeypatch) -> Path:
    """A trash of the test's own. send2trash reads where it is when it is imported."""
    from send2trash import plat_other

    data = tmp_path / "home" / "share"
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.setattr(plat_other, "XDG_DATA_HOME", os.fsencode(data))
    monkeypatch.setattr(plat_other, "HOMETRASH_B", os.fsencode(data / "Trash"))
    monkeypatch.setattr("send2trash.send2trash", plat_other.send2trash)
    monkeypatch.setattr(plat_other, "get_dev", lambda path: 1)
    return data / "Trash"


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def new_photo(tmp_path):
    def make(name: str = "photo.png", seed: int = 0, mode: int = 0o640) -> Path:
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)).save(path)
        path.chmod(mode)
        os.utime(path, ns=(TAKEN, TAKEN))
        return path

    return make


@pytest.fixture
def twice(manager, config):
    """(source, staged) -> the picture twice as large."""
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    return partial(enhance_file, settings=settings, manager=manager, config=config)


def replace(data: Path, source: Path, twice, *, backup: Path | None = None, target: Path | None = None):
    with Originals(data, new_run(), backup) as originals:
        return originals.replace(source, target or source, lambda staged: twice(source, staged))


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kept_in", ["trash", "folder"])
@pytest.mark.parametrize("name", ["photo.png", "scan.bmp"])
def test_replaced_and_brought_back(data, new_photo, twice, tmp_path, bin_of_mine, kept_in, name):
    """Same name or another ending; the dates and rights are the original's, on the result and after the way back."""
    source = new_photo(name)
    before = source.read_bytes()
    target = replaced_path(source, EnhanceSettings())
    assert target.name == ("photo.png" if name == "photo.png" else "scan.png")
    backup = tmp_path / "originals" if kept_in == "folder" else None
    result = replace(data, source, twice, backup=backup, target=target)

    assert visible(source.parent) == [target.name] and size_of(target) == (60, 40)
    assert result.output_path == target
    facts = target.stat()
    assert (facts.st_mtime_ns, stat.S_IMODE(facts.st_mode)) == (TAKEN, 0o640)
    kept = (backup or bin_of_mine / "files") / name
    assert kept.read_bytes() == before
    assert result.metrics["original"] == ("trash" if backup is None else str(kept))

    report = undo(data)
    assert report.restored == (source,) and not report.problems
    assert visible(source.parent) == [name] and source.read_bytes() == before
    facts = source.stat()
    assert (facts.st_mtime_ns, stat.S_IMODE(facts.st_mode)) == (TAKEN, 0o640)
    assert not kept.exists() and not list(bin_of_mine.glob("info/*"))
    with pytest.raises(InvalidSettingsError, match="No run"):
        undo(data)
    assert not list((data / FOLDER).glob("*.jsonl"))


@pytest.mark.parametrize("name", ["photo.png", "scan.bmp"])
def test_results_can_be_kept_beside_the_originals(data, new_photo, twice, tmp_path, name):
    source = new_photo(name)
    before = source.read_bytes()
    replace(data, source, twice, backup=tmp_path / "kept", target=source.with_suffix(".png"))
    report = undo(data, keep_results=True)
    stem = source.stem
    assert report.kept_results == (source.with_name(f"{stem}_enhanced.png"),)
    assert visible(source.parent) == [name, f"{stem}_enhanced.png"]
    assert source.read_bytes() == before and size_of(report.kept_results[0]) == (60, 40)


@pytest.mark.parametrize("name", ["photo.png", "scan.bmp"])
def test_a_name_that_somebody_else_is_about_to_use_is_left_to_them(data, new_photo, twice, tmp_path, name):
    """Whether the result is copied from under the original's name, or renamed."""
    source = new_photo(name)
    replace(data, source, twice, backup=tmp_path / "kept", target=source.with_suffix(".png"))
    with reserved(source.with_name(f"{source.stem}_enhanced.png")) as theirs:
        report = undo(data, keep_results=True)
        assert not theirs.exists()
    assert report.kept_results == (source.with_name(f"{source.stem}_enhanced-2.png"),)
    assert visible(source.parent) == [name, f"{source.stem}_enhanced-2.png"]


def test_where_the_original_cannot_be_brought_back_no_copy_of_the_result_stays(
    data, new_photo, twice, tmp_path, monkeypatch
):
    source = new_photo()
    replace(data, source, twice, backup=tmp_path / "kept")

    def refused(*_):
        raise OSError(errno.EIO, "The disk is broken")

    monkeypatch.setattr("engine.storage.undo._brought", refused)
    report = undo(data, keep_results=True)
    assert report.problems and visible(source.parent) == ["photo.png"] and size_of(source) == (60, 40)
    monkeypatch.undo()
    assert undo(data, keep_results=True).kept_results == (source.with_name("photo_enhanced.png"),)


def test_the_last_run_is_undone_first(data, new_photo, twice, tmp_path):
    source = new_photo()
    first = source.read_bytes()
    replace(data, source, twice, backup=tmp_path / "kept")
    second = source.read_bytes()
    replace(data, source, twice, backup=tmp_path / "kept")
    assert size_of(source) == (120, 80) and visible(tmp_path / "kept") == ["photo-2.png", "photo.png"]
    newest, oldest = undoable(data)
    assert newest.count == 1 and newest.first == source and newest.backup == tmp_path / "kept"
    undo(data)
    assert source.read_bytes() == second
    undo(data, run=oldest.name)
    assert source.read_bytes() == first and visible(tmp_path / "kept") == []


def test_nothing_of_somebody_elses_is_overwritten(data, new_photo, twice, tmp_path):
    """Neither in the backup folder, nor by a result, nor on the way back."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "photo.png").write_text("mine")
    source = new_photo()
    replace(data, source, twice, backup=tmp_path / "kept")
    assert (tmp_path / "kept" / "photo.png").read_text() == "mine"
    Image.new("RGB", (5, 5)).save(source)
    edited = source.read_bytes()
    ((path, text),) = undo(data).problems
    assert path == source and "changed since" in text and source.read_bytes() == edited

    scan, there = new_photo("scan.bmp"), new_photo("scan.png")
    with pytest.raises(OutputError, match="exists already"):
        replace(data, scan, twice, backup=tmp_path / "kept", target=there)
    assert size_of(scan) == size_of(there) == (30, 20)


def test_links_are_refused_and_what_they_point_to_is_named(data, new_photo, twice, tmp_path):
    source = new_photo()
    link = tmp_path / "link.png"
    link.symlink_to(source)
    with pytest.raises(OutputError, match=f"is a link; name the file that it points to, '{source}'"):
        replace(data, link, twice, backup=tmp_path / "kept")
    assert link.is_symlink() and size_of(source) == (30, 20) and not (tmp_path / "kept").exists()


def test_read_only_originals_stay_read_only(data, new_photo, twice, tmp_path, bin_of_mine):
    source = new_photo(mode=0o444)
    replace(data, source, twice)
    assert stat.S_IMODE(source.stat().st_mode) == 0o444 and size_of(source) == (60, 40)
    undo(data)
    assert stat.S_IMODE(source.stat().st_mode) == 0o444 and size_of(source) == (30, 20)


def test_a_trash_that_refuses_protected_files_gets_them_all_the_same(data, new_photo, twice, bin_of_mine, monkeypatch):
    """For a person who is not root. The right to write is lent to the original only until it has moved."""
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, how, **more: access(path, how, **more) and bool(os.stat(path).st_mode & 0o200)
    )
    source = new_photo(mode=0o444)
    replace(data, source, twice)
    assert size_of(source) == (60, 40) and stat.S_IMODE(source.stat().st_mode) == 0o444


@pytest.mark.parametrize("name", ["photo.png", "scan.bmp"])
def test_a_disk_without_a_trash_keeps_the_original(data, new_photo, twice, bin_of_mine, monkeypatch, name):
    """The trash of another disk cannot be made, say: nothing is replaced, and the sentence says what to do."""

    def refuse(path):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("send2trash.send2trash", refuse)
    source = new_photo(name)
    before = source.read_bytes()
    with pytest.raises(OutputError, match=r"cannot be moved to the trash: Invalid cross-device link.*--backup"):
        replace(data, source, twice, target=source.with_suffix(".png"))
    assert source.read_bytes() == before and visible(source.parent) == [name]
    assert undoable(data) == []


def test_a_backup_folder_that_cannot_be_made_keeps_the_original(data, new_photo, twice, tmp_path):
    (tmp_path / "kept").write_text("a file")
    source = new_photo()
    before = source.read_bytes()
    with pytest.raises(OutputError, match="cannot be kept in"):
        replace(data, source, twice, backup=tmp_path / "kept" / "inside")
    assert source.read_bytes() == before and visible(source.parent) == ["photo.png"]


def test_a_backup_on_another_disk_is_a_whole_copy(data, new_photo, twice, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    source = new_photo()
    before = source.read_bytes()
    replace(data, source, twice, backup=tmp_path / "kept")
    kept = tmp_path / "kept" / "photo.png"
    assert kept.read_bytes() == before and kept.stat().st_mtime_ns == TAKEN and visible(kept.parent) == ["photo.png"]
    rename = os.replace

    def elsewhere(one, other):
        refuse() if Path(one).parent != Path(other).parent else rename(one, other)

    monkeypatch.setattr(os, "replace", elsewhere)
    assert undo(data).restored == (source,)
    assert source.read_bytes() == before and source.stat().st_mtime_ns == TAKEN and visible(kept.parent) == []


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(data, new_photo, twice, tmp_path):
    source = new_photo()
    source.parent.chmod(0o555)
    with pytest.raises(OutputError, match="its folder may not be written"):
        replace(data, source, twice, backup=tmp_path / "kept")
    source.parent.chmod(0o755)
    assert size_of(source) == (30, 20)


def test_a_folder_is_asked_whether_it_may_be_written_before_anything_is_done(data, new_photo, tmp_path, monkeypatch):
    source, asked = new_photo(), []
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, how: path != source.parent and access(path, how))
    with pytest.raises(OutputError, match="its folder may not be written"):
        replace(data, source, lambda *paths: asked.append(paths), backup=tmp_path / "kept")
    assert asked == []


def test_a_picture_that_fails_is_as_it_was(data, tmp_path, twice):
    source = tmp_path / "bad.png"
    source.write_bytes(b"no picture")
    with pytest.raises(EngineError):
        replace(data, source, twice, backup=tmp_path / "kept")
    assert source.read_bytes() == b"no picture" and undoable(data) == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_original_that_is_changed_meanwhile_is_left_alone(data, new_photo, twice, tmp_path):
    source = new_photo()

    def slowly(one, staged):
        result = twice(one, staged)
        Image.new("RGB", (7, 7)).save(source)
        return result

    with pytest.raises(OutputError, match="was changed while it was enhanced"):
        replace(data, source, slowly, backup=tmp_path / "kept")
    assert size_of(source) == (7, 7) and visible(source.parent) == ["photo.png"]


def test_what_is_gone_from_its_place_is_said(data, new_photo, twice, tmp_path, bin_of_mine):
    source = new_photo()
    replace(data, source, twice, backup=tmp_path / "kept")
    (tmp_path / "kept" / "photo.png").unlink()
    ((_, text),) = undo(data).problems
    assert "is not in" in text and size_of(source) == (60, 40)
    other = new_photo("other.png")
    replace(data, other, twice)
    for path in bin_of_mine.glob("files/*"):
        path.unlink()
    ((_, text),) = undo(data).problems
    assert "is not in the trash any more" in text and size_of(other) == (60, 40)


def test_a_trash_that_no_program_can_read_is_named(data, new_photo, twice, bin_of_mine, monkeypatch):
    source = new_photo()
    replace(data, source, twice)
    monkeypatch.setattr(trash.sys, "platform", "darwin")
    ((_, text),) = undo(data).problems
    assert "lies in the system's trash; put it back from there" in text and size_of(source) == (60, 40)


def test_of_several_files_of_one_name_the_right_one_comes_out_of_the_trash(data, new_photo, twice, bin_of_mine):
    source = new_photo("grüße 100%.png", seed=1)
    before = source.read_bytes()
    for seed in (2, 4):
        trash.to_trash(new_photo("grüße 100%.png", seed=seed))
    source = new_photo("grüße 100%.png", seed=1)
    replace(data, source, twice)
    trash.to_trash(new_photo("grüße 100%.png", seed=3))
    assert not source.exists()
    assert undo(data).restored == (source,)
    assert source.read_bytes() == before


def test_a_run_is_not_undone_while_it_goes_on(data, new_photo, twice, tmp_path):
    source = new_photo()
    with Originals(data, "now", tmp_path / "kept") as originals:
        originals.replace(source, source, lambda staged: twice(source, staged))
        with pytest.raises(OutputError, match="Another program is replacing"):
            undo(data)
    recover(data)
    assert undo(data).restored == (source,)


def test_a_result_that_is_the_original_itself_moves_nothing(data, new_photo, manager, config, tmp_path, bin_of_mine):
    """Large enough already: it was copied."""
    source = new_photo()
    settings = EnhanceSettings.create(model="lanczos", scale=1, skip_if_large_enough=True)
    copy = partial(enhance_file, settings=settings, manager=manager, config=config)
    result = replace(data, source, copy)
    assert result.metrics["original"] == "unchanged"
    assert visible(source.parent) == ["photo.png"] and not bin_of_mine.exists()
