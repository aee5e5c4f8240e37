"""Uploads that a film keeps: there as long as it needs them, and no longer."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ui.handlers.films import _identity
from ui.upload_cache import CachedUpload, sweep_kept, unfinished
from utils.errors import InvalidVideoError

DAY = 86400


@pytest.fixture
def upload(tmp_path) -> Path:
    path = tmp_path / "upload.mp4"
    path.write_bytes(b"pixels")
    return path


def age(kept: CachedUpload, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(kept.path.parent, (then, then))


def test_an_upload_outlives_its_original_and_is_gone_when_it_is_released(upload, tmp_path):
    kept = CachedUpload.keep(upload, tmp_path / "session-a")
    upload.unlink()
    assert kept.path.read_bytes() == b"pixels" and kept.path.name == "upload.mp4"
    kept.release()
    assert list((tmp_path / "session-a" / "video-input").iterdir()) == []


def test_one_that_is_gone_already_is_said_and_leaves_nothing(upload, tmp_path):
    with pytest.raises(InvalidVideoError, match="Choose the file again"):
        CachedUpload.keep(tmp_path / "gone.mp4", tmp_path / "session-a")
    assert list((tmp_path / "session-a" / "video-input").iterdir()) == []


def test_what_a_killed_program_left_is_swept_and_what_a_film_of_three_days_uses_is_not(upload, tmp_path):
    left, running, fresh = (CachedUpload.keep(upload, tmp_path / f"session-{name}") for name in "abc")
    left._lock.release()  # the end of a process unlocks what it held
    fresh._lock.release()
    age(left, 3)
    age(running, 3)
    assert sweep_kept(tmp_path, DAY) == 1
    assert not left.path.exists() and running.path.exists() and fresh.path.exists()
    assert list((tmp_path / "session-a" / "video-input").iterdir()) == []
    running.release()


def test_what_a_killed_program_was_to_do_is_found_once_and_stays_for_a_week(upload, tmp_path):
    folder = tmp_path / "session-a"
    running = CachedUpload.keep(upload, folder, {"kind": "mp4"})
    killed = CachedUpload.keep(upload, folder, {"kind": "mkv"})
    killed._lock.release()
    (found,) = unfinished(folder)
    assert found.path == killed.path and found.request == {"kind": "mkv"}
    assert unfinished(folder) == [], "it is taken"
    found.leave()
    age(killed, 3)
    assert sweep_kept(tmp_path, DAY) == 0 and killed.path.exists()
    age(killed, 8)
    assert sweep_kept(tmp_path, DAY) == 1 and unfinished(folder) == []
    running.release()
    assert list((folder / "video-input").iterdir()) == []


def test_a_damaged_record_is_passed_over(upload, tmp_path):
    folder = tmp_path / "session-a"
    kept = CachedUpload.keep(upload, folder, {"kind": "mp4"})
    kept.leave()
    record = kept.path.parent.with_name(f"{kept.path.parent.name}.json")
    record.write_text("{")
    assert unfinished(folder) == []
    record.write_text("[1]")
    (found,) = unfinished(folder)
    assert found.request == {}
    found.release()


def test_numbered_pictures_are_kept_as_a_folder_and_offered_again_as_one(tmp_path):
    """Each upload of a browser lies in a folder of its own; together they are one film."""
    uploads = []
    for number in range(3):
        path = tmp_path / f"upload-{number}" / f"shot_{number}.png"
        path.parent.mkdir()
        path.write_bytes(b"%d" % number)
        uploads.append(path)
    folder = tmp_path / "session-a"
    kept = CachedUpload.keep(Path("shot"), folder, {"kind": "mp4"}, uploads)
    identity = _identity(kept.path)
    assert sorted(path.name for path in kept.path.iterdir()) == ["shot_0.png", "shot_1.png", "shot_2.png"]
    kept.leave()
    (found,) = unfinished(folder)
    assert found.path == kept.path and found.request == {"kind": "mp4"} and _identity(found.path) == identity
    os.utime(found.path / "shot_1.png", (0, 0))
    assert _identity(found.path) != identity
    found.release()
    assert not kept.path.exists() and all(path.exists() for path in uploads)
