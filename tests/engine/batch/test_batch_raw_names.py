"""File names that are not UTF-8, as old disks and archives leave them on Linux: pictures like all others."""

from __future__ import annotations

import json
import os
import sys
import zipfile

import pytest

from engine.batch import BatchRequest, ItemState, load_request, zip_results
from engine.batch.names import output_name
from engine.types import EnhanceSettings
from utils.names import as_text

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")

RAW = os.fsdecode(b"caf\xe9")
SHOWN = "caf\ufffd"
TWICE = EnhanceSettings.create(model="lanczos", scale=2)


def test_they_are_enhanced_under_their_own_names_and_known_next_time(run, pictures, tmp_path):
    folder = pictures("a.png", f"{RAW}/{RAW}.png")
    (folder / f"{RAW}-bad.png").write_text("no picture")
    result = run(folder, output=tmp_path / RAW)
    assert result.summary == "2 successful, 1 failed"
    assert b"caf\xe9/caf\xe9_x2.png" in [os.fsencode(path.relative_to(tmp_path / RAW)) for path in result.outputs]
    again = run(folder, output=tmp_path / RAW)
    assert again.summary == "0 successful, 1 failed, 2 skipped (done before)"
    assert [item.target for item in again.items] == [item.target for item in result.items]
    for item in again.items:
        item.name.encode("utf-8")
        assert json.loads(json.dumps(item.to_json()))["name"] == item.name


def test_collisions_and_lengths(run, pictures, tmp_path):
    folder = pictures(f"{RAW}.png", f"{RAW}.bmp")
    made = run(folder, settings=TWICE.but(format="png"))
    assert {os.fsencode(item.target.name) for item in made.items} == {b"caf\xe9_x2.png", b"caf\xe9_x2-2.png"}
    assert f"{SHOWN}_x2.png" in made.warnings[0]
    name = output_name("{stem}", tmp_path / (RAW * 60 + ".png"), 1, TWICE)
    assert len(os.fsencode(name)) <= 255 and name.startswith(RAW)


def test_they_are_found_in_zip_files_of_such_names_and_go_into_one(run, pictures, tmp_path):
    folder = pictures("a.png")
    with zipfile.ZipFile(tmp_path / f"{RAW}.zip", "w") as opened:
        opened.write(folder / "a.png", "a.png")
    result = run(folder, tmp_path / f"{RAW}.zip")
    assert result.count(ItemState.DONE) == 2
    with zipfile.ZipFile(zip_results(result.outputs, tmp_path / "all.zip", tmp_path / "out")) as opened:
        assert sorted(opened.namelist()) == [f"{SHOWN}/a_x2.png", "in/a_x2.png"]


def test_the_request_keeps_them(tmp_path):
    request = BatchRequest((tmp_path / RAW / "in",), tmp_path / RAW, TWICE, workspace=tmp_path / f"{RAW}-zip")
    request.save()
    assert load_request(tmp_path / RAW) == request


def test_as_text_leaves_every_other_name_alone():
    assert as_text("Ünïcødé 日本 🙂.png") == "Ünïcødé 日本 🙂.png" and as_text(f"{RAW}.png") == f"{SHOWN}.png"
