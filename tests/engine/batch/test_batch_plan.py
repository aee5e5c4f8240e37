"""What a batch finds, how it names results, and what it says before it starts."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from engine.batch import BatchOptions, plan_batch
from engine.batch.archive import ArchiveLimits, extract_pictures
from engine.types import EnhanceSettings
from utils.errors import ImageTooLargeError, InvalidImageError, InvalidSettingsError

TWICE = EnhanceSettings.create(model="lanczos", scale=2)


@pytest.fixture
def plan(config, tmp_path):
    def make(*inputs, settings=TWICE, **options):
        return plan_batch(
            inputs, tmp_path / "out", settings, config=config, workspace=tmp_path / "work", options=BatchOptions(**options)
        )  # fmt: skip

    return make


def targets(plan, tmp_path):
    return [item.target.relative_to(tmp_path / "out").as_posix() for item in plan.items]


def test_folders_are_searched_in_natural_order_and_keep_their_structure(plan, pictures, tmp_path):
    folder = pictures("page 10.png", "page 2.png", "sub/deep/c.jpg", ".hidden/d.png", ".e.png")
    (folder / "notes.txt").write_text("no picture")
    assert targets(plan(folder), tmp_path) == ["page 2_x2.png", "page 10_x2.png", "sub/deep/c_x2.jpg"]
    assert targets(plan(folder, recursive=False), tmp_path) == ["page 2_x2.png", "page 10_x2.png"]


def test_an_output_folder_inside_the_input_is_not_searched(config, pictures, tmp_path):
    folder = pictures("a.png", "results/old.png")
    made = plan_batch([folder], folder / "results", TWICE, config=config, workspace=tmp_path / "work")
    assert [item.name for item in made.items] == ["a.png"]


def test_an_output_folder_inside_the_input_is_known_however_it_is_written(config, pictures, tmp_path):
    folder = pictures("a.png", "results/old.png")
    (tmp_path / "link").symlink_to(folder)
    for output in (folder / "results" / ".." / "results", tmp_path / "link" / "results"):
        made = plan_batch([folder], output, TWICE, config=config, workspace=tmp_path / "work")
        assert [item.name for item in made.items] == ["a.png"]


def test_a_folder_of_several_that_is_written_with_dots_stays_in_the_output(plan, pictures, tmp_path):
    folder = pictures("one/a.png", "two/a.png")
    made = plan(folder / "two" / ".." / "one", folder / "one" / ".." / "two" / "..")
    assert targets(made, tmp_path)[:2] == ["one/a_x2.png", "in/one/a_x2.png"]


def test_two_folders_do_not_mix(plan, pictures, tmp_path):
    folder = pictures("one/a.png", "two/a.png")
    assert targets(plan(folder / "one", folder / "two"), tmp_path) == ["one/a_x2.png", "two/a_x2.png"]


def test_a_name_template_is_filled_in(plan, pictures, tmp_path):
    folder = pictures("a.png", "b.jpg")
    assert targets(plan(folder, name_template="{number:03d} {stem} {model} {folder}"), tmp_path) == [
        "001 a lanczos in.png",
        "002 b lanczos in.jpg",
    ]
    assert targets(plan(folder, settings=TWICE.but(format="webp")), tmp_path) == ["a_x2.webp", "b_x2.webp"]


@pytest.mark.parametrize("template", ["{nope}", "{stem", "same", "../{stem}", "a/{stem}", "{stem.__class__}"])
def test_a_wrong_template_is_refused(plan, pictures, template):
    with pytest.raises(InvalidSettingsError):
        plan(pictures("a.png"), name_template=template)


def test_colliding_names_are_numbered_and_said_or_refused(plan, pictures, tmp_path):
    folder = pictures("a.png", "a.bmp", "b.png", "B.tif")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a_x2.png").write_text("precious")
    made = plan(folder, settings=TWICE.but(format="png"))
    assert targets(made, tmp_path) == ["a_x2-2.png", "a_x2-3.png", "b_x2.png", "B_x2-2.png"]
    assert len(made.collisions) == 3 and "exists" in made.collisions[0]
    with pytest.raises(InvalidSettingsError, match="a_x2"):
        plan(folder, settings=TWICE.but(format="png"), collisions="refuse")


def test_an_input_is_never_overwritten(config, pictures, tmp_path):
    folder = pictures("a.png", "a_x2.png")
    made = plan_batch(
        [folder], folder, TWICE, config=config, workspace=tmp_path / "work", options=BatchOptions(overwrite=True)
    )
    assert not {item.target for item in made.items} & {item.source.path for item in made.items}


def test_the_disk_space_is_estimated_and_a_full_disk_is_said(plan, pictures, monkeypatch):
    folder = pictures("a.png", "b.png", size=(100, 100))
    made = plan(folder)
    assert 2 * 200 * 200 < made.estimated_bytes < 2 * 200 * 200 * 4
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    assert "free" in plan(folder).warnings[-1]


def test_a_zip_is_read_with_its_structure(plan, pictures, tmp_path):
    folder = pictures("a.png", "sub/b.png")
    archive = tmp_path / "album.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("a.png", "sub/b.png"):
            opened.write(folder / name, name)
        opened.writestr("readme.txt", "text")
        opened.writestr("__MACOSX/a.png", "rubbish")
    assert targets(plan(archive), tmp_path) == ["a_x2.png", "sub/b_x2.png"]


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "C:\\evil.png", "a/../../evil.png"])
def test_a_zip_that_would_write_outside_is_refused(plan, tmp_path, name):
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(name, b"x")
    with pytest.raises(InvalidImageError, match="outside"):
        plan(archive)


def test_a_zip_bomb_is_refused_by_what_comes_out(tmp_path):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(3_000_000))
        opened.writestr("b.png", bytes(3_000_000))
    for limits in (ArchiveLimits(max_member_bytes=10**6), ArchiveLimits(max_total_bytes=4 * 10**6), ArchiveLimits(1)):
        with pytest.raises(ImageTooLargeError):
            extract_pictures(archive, tmp_path / "work", limits)
        assert not any((tmp_path / "work").glob("*")) if (tmp_path / "work").exists() else True


def test_what_is_no_zip_is_said(plan, tmp_path):
    archive = tmp_path / "broken.zip"
    archive.write_bytes(b"PK no")
    with pytest.raises(InvalidImageError, match="broken.zip"):
        plan(archive)


def with_fault(archive, kind, fault):
    """A ZIP of two good members whose second is then damaged, or declared to be encrypted."""
    noise = np.random.default_rng(1).integers(0, 200, 50_000, dtype=np.uint8).tobytes()
    with zipfile.ZipFile(archive, "w", kind) as opened:
        opened.writestr("a.png", noise)
        opened.writestr("b.png", noise)
        second = opened.getinfo("b.png")
    data = bytearray(archive.read_bytes())
    if fault == "encrypted":
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
        data[second.header_offset + 6] |= 1
    else:
        middle = second.header_offset + 20_000
        data[middle : middle + 2000] = bytes(2000)
    archive.write_bytes(data)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (zipfile.ZIP_STORED, "damaged"),
        (zipfile.ZIP_DEFLATED, "damaged"),
        (zipfile.ZIP_BZIP2, "damaged"),
        (zipfile.ZIP_LZMA, "damaged"),
        (zipfile.ZIP_DEFLATED, "encrypted"),
    ],
)
def test_a_damaged_or_locked_zip_is_said_and_nothing_of_it_is_left(tmp_path, kind, fault):
    with_fault(tmp_path / "album.zip", kind, fault)
    with pytest.raises(InvalidImageError, match="album.zip"):
        extract_pictures(tmp_path / "album.zip", tmp_path / "work", ArchiveLimits())
    assert list((tmp_path / "work").iterdir()) == []


def test_an_empty_folder_is_said(plan, tmp_path):
    with pytest.raises(InvalidImageError, match="No picture"):
        plan(tmp_path)
