"""Temporary files carry their owner's name, so that what a killed process left can be told from what is being written."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from utils.errors import OutputError
from utils.files import replaced, sweep_temporaries, temporary_for


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
