"""Uploads that a film keeps: there as long as it needs them, and no longer."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ui.kept_uploads import KeptUpload, sweep_kept
from utils.errors import InvalidVideoError

DAY = 86400


@pytest.fixture
def upload(tmp_path) -> Path:
    path = tmp_path / "upload.mp4"
    path.write_bytes(b"pixels")
    return path


def age(kept: KeptUpload, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(kept.path.parent, (then, then))


def test_an_upload_outlives_its_original_and_is_gone_when_it_is_released(upload, tmp_path):
    kept = KeptUpload(upload, tmp_path / "session-a")
    upload.unlink()
    assert kept.path.read_bytes() == b"pixels" and kept.path.name == "upload.mp4"
    kept.release()
    assert list((tmp_path / "session-a" / "video-input").iterdir()) == []


def test_one_that_is_gone_already_is_said_and_leaves_nothing(upload, tmp_path):
    with pytest.raises(InvalidVideoError, match="Choose the file again"):
        KeptUpload(tmp_path / "gone.mp4", tmp_path / "session-a")
    assert list((tmp_path / "session-a" / "video-input").iterdir()) == []


def test_what_a_killed_program_left_is_swept_and_what_a_film_of_three_days_uses_is_not(upload, tmp_path):
    left, running, fresh = (KeptUpload(upload, tmp_path / f"session-{name}") for name in "abc")
    left._lock.release()  # the end of a process unlocks what it held
    fresh._lock.release()
    age(left, 3)
    age(running, 3)
    assert sweep_kept(tmp_path, DAY) == 1
    assert not left.path.exists() and running.path.exists() and fresh.path.exists()
    assert list((tmp_path / "session-a" / "video-input").iterdir()) == []
    running.release()
