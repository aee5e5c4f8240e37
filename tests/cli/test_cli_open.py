"""Files in place of a command open in the app; commands stay commands; the file managers' entries do what they say."""

from __future__ import annotations

import json
import sys

import pytest
from PIL import Image

from cli.app import files_to_open
from cli.interface import as_path, existing
from tests.command_line import CommandLine
from utils.errors import InvalidImageError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder where files are called as commands are."""
    monkeypatch.chdir(tmp_path)
    for name in ("info", "batch", "photo.png", "words", "-x.png"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["photo.png"], ["photo.png"]),
        (["photo.png", "film.mkv", "folder"], ["photo.png", "film.mkv", "folder"]),
        (["folder"], ["folder"]),
        (["words"], ["words"]),
        (["./info"], ["./info"]),
        (["--", "info", "--help"], ["info", "--help"]),
        (["--window", "--", "-x.png"], ["-x.png"]),
        (["--window", "photo.png"], ["photo.png"]),
        (["photo.png", "--window"], ["photo.png"]),
        (["not-there.png"], ["not-there.png"]),
        (["file:///tmp/a%20b.png"], ["file:///tmp/a%20b.png"]),
        (["info"], None),
        (["info", "photo.png"], None),
        (["batch", "--", "photo.png"], None),
        (["integrate", "enlarge", "--scale", "2", "--", "photo.png"], None),
        (["infoo"], None),
        (["--help"], None),
        (["--window"], None),
        (["--window", "--"], None),
        (["--"], None),
        ([], None),
    ],
)
def test_what_is_a_command_and_what_a_file(here, arguments, files):
    assert files_to_open(arguments) == files


def test_paths_come_as_people_and_as_file_managers_write_them(here):
    assert as_path("photo.png") == here / "photo.png"
    assert as_path((here / 'a b\'s "ü" 100%\nx.png').as_uri()) == here / 'a b\'s "ü" 100%\nx.png'
    assert as_path("file://localhost/tmp/a.png") == as_path("/tmp/a.png")


def test_what_is_not_there_is_named(here):
    assert existing(["photo.png", "folder"]) == [here / "photo.png", here / "folder"]
    with pytest.raises(InvalidImageError, match="'gone.png' is not there"):
        existing(["photo.png", "gone.png"])


@pytest.fixture
def main(cli_environment, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in cli_environment.items() if not name.startswith("XDG_")}
    with CommandLine({**environment, "HOME": str(home), "LANGUAGE": "en"}, tmp_path) as made:
        yield made


def test_a_file_that_is_not_there_ends_with_its_name(main):
    code, _, errors = main("gone.png")
    assert code == 3 and "'gone.png' is not there" in errors


def test_a_mistyped_command_is_told_so(main):
    code, _, errors = main("enhanec", "photo.png")
    assert code == 2 and "No such command" in errors


def test_a_command_takes_no_window(main):
    code, _, errors = main("--window", "info")
    assert code == 2 and "--window" in errors


@pytest.fixture
def notified(main, tmp_path):
    """What the desktop was told."""
    file, program = tmp_path / "said.json", tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[-2:], open({str(file)!r}, 'w'))\n")
    program.chmod(0o755)
    main.environment["PATH"] = str(program.parent)
    return lambda: json.loads(file.read_text())


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux shows notifications")
def test_pictures_are_enlarged_beside_themselves_and_said_so(main, notified, scene, tmp_path):
    folder = tmp_path / 'it\'s "here"'
    folder.mkdir()
    Image.fromarray(scene).save(folder / "zwei ü.png")
    Image.fromarray(scene).save(folder / "new\nline.png")
    (folder / "zwei ü_x2.png").write_bytes(b"somebody's own")
    command = ("integrate", "enlarge", "--scale", "2", "--")
    code, output, errors = main(*command, folder / "zwei ü.png", (folder / "new\nline.png").as_uri())
    assert code == 0, errors
    assert (folder / "zwei ü_x2.png").read_bytes() == b"somebody's own"
    for name in ("zwei ü_x2-2.png", "new\nline_x2.png"):
        assert Image.open(folder / name).size == (240, 180)
    assert notified() == ["Enlarged", "2 pictures were enlarged."]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux shows notifications")
def test_one_that_fails_is_named_and_stops_no_other(main, notified, scene, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    Image.fromarray(scene).save(tmp_path / "good.png")
    main.environment["LANGUAGE"] = "de"
    code, output, errors = main("integrate", "enlarge", "--", "broken.png", "good.png", "gone.png")
    assert code == 3 and "broken.png" in errors
    assert output.strip() == str(tmp_path / "good_x2.png")
    title, body = notified()
    assert title == "Nicht vergrößert"
    assert "good_x2.png ist da." in body and "broken.png" in body and "gone.png" in body


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux keeps entries")
def test_entries_are_written_and_removed_by_the_command(main, tmp_path):
    home = tmp_path / "home"
    code, output, errors = main("integrate", "install")
    assert code == 0, errors
    written = output.splitlines()
    assert str(home / ".local/share/applications/realesrgan-ultimate.desktop") in written
    entry = (home / ".local/share/applications/realesrgan-ultimate.desktop").read_text("utf-8")
    assert "main.py --window -- %F" in entry and sys.executable in entry
    code, output, errors = main("integrate", "remove")
    assert code == 0 and f"{len(written)} files removed" in output, errors
    assert list(home.iterdir()) == []
    assert "nothing to remove" in main("integrate", "remove")[1]
