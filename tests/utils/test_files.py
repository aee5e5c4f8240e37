"""Temporary files carry their owner's name, so that what a killed process left can be told from what is being written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from utils.errors import OutputError
from utils.files import prune, replaced, sweep_temporaries, temporary_for


def test_what_dead_processes_left_is_swept_and_nothing_else(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = temporary_for(tmp_path / "a.png")
    dead = tmp_path / mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    machine = mine.name.split("-")[0]
    elsewhere = tmp_path / dead.name.replace(machine, ".00000000")
    kept = [mine, elsewhere, tmp_path / ".other.part", tmp_path / "result.png"]
    for path in (dead, *kept):
        path.write_bytes(b"x")
    assert sweep_temporaries(tmp_path) == 1
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    assert sweep_temporaries(tmp_path / "missing") == 0


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "file"
    with replaced(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    with pytest.raises(OutputError, match="file"), replaced(target) as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")
    assert target.read_text() == "new" and list(tmp_path.iterdir()) == [target]


class TestPruning:
    @pytest.fixture
    def folder(self, tmp_path):
        """Four files of 100 bytes, the first used longest ago."""
        for day in range(1, 5):
            path = tmp_path / f"{day}.blob"
            path.write_bytes(bytes(100))
            os.utime(path, (day * 86400, day * 86400))
        return tmp_path

    @staticmethod
    def names(folder):
        return sorted(path.name for path in folder.iterdir())

    def test_what_was_used_longest_ago_makes_room(self, folder):
        os.utime(folder / "1.blob", (9 * 86400, 86400))  # written first, read last
        (folder / "notes.txt").write_bytes(bytes(1000))
        prune(folder, "*.blob", 250)
        assert self.names(folder) == ["1.blob", "4.blob", "notes.txt"]

    def test_the_newest_stays_however_large_and_what_is_kept_on_purpose(self, folder):
        prune(folder, "*.blob", 50, keep=folder / "2.blob")
        assert self.names(folder) == ["2.blob", "4.blob"]

    def test_several_may_prune_at_once_and_what_cannot_go_stays(self, folder, monkeypatch):
        def stubborn(self, missing_ok=False):
            raise PermissionError("in use") if self.name == "1.blob" else FileNotFoundError("gone meanwhile")

        monkeypatch.setattr(Path, "unlink", stubborn)
        prune(folder, "*.blob", 150)
        assert len(self.names(folder)) == 4
        prune(folder / "none", "*.blob", 150)
