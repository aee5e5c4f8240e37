"""``--in-place``, ``undo`` and ``--salvage`` as a person uses them: processes, their output, their exit codes."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command_line import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the trash of other systems is not a test's to fill")
TWICE = ("--model", "lanczos", "--scale", "2")


@pytest.fixture
def cli_environment(cli_environment, tmp_path) -> dict[str, str]:
    """With a home, and so a trash, of the test's own."""
    home = {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "home" / "share")}
    (tmp_path / "home" / "share").mkdir(parents=True)
    return {**cli_environment, **home}


def picture(path: Path, seed: int = 0) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)).save(path)
    return path.read_bytes()


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def files(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_pictures_are_replaced_and_brought_back(cli, tmp_path):
    before = picture(tmp_path / "a" / "one.png"), picture(tmp_path / "a" / "two.bmp", 1)
    code, output, errors = cli("enhance", "a/one.png", "a/two.bmp", "--in-place", *TWICE, "--json")
    assert code == 0, errors
    one, two = [json.loads(line) for line in output.splitlines()]
    assert one["output"].endswith("a/one.png") and two["output"].endswith("a/two.png")
    assert one["metrics"]["original"] == "trash"
    assert size_of(tmp_path / "a" / "one.png") == size_of(tmp_path / "a" / "two.png") == (60, 40)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["one.png", "two.png"]

    code, output, _ = cli("history", "list", "--json")
    assert {Path(run["output_path"]).name for run in json.loads(output)} == {"one.png", "two.png"}, (
        "results, where they are"
    )

    code, output, errors = cli("undo", "--list")
    assert code == 0 and "2 replaced" in output and "originals in the trash" in output
    code, output, errors = cli("undo")
    assert code == 0 and "2 brought back, 0 not" in errors
    assert files(tmp_path / "a") == {"one.png": before[0], "two.bmp": before[1]}
    code, _, errors = cli("undo")
    assert code == 2 and "No run that replaced originals" in errors


def test_a_folder_of_folders_is_replaced_killed_and_gone_on_with(cli, tmp_path, gate):
    names = [f"{index}.png" if index % 2 else f"inner/{index}.png" for index in range(5)]
    before = {name: picture(tmp_path / "in" / name, index) for index, name in enumerate(names)}
    command = ("batch", "in", "--in-place", "--backup", "kept", "--model", "tiny-x4", "--scale", "4", "--lanes", 1)
    gate.close()
    process = cli.start(*command, gate=gate)
    gate.open()
    wait_until(lambda: len(files(tmp_path / "kept")) >= 2 if (tmp_path / "kept").exists() else False, process)
    process.kill()
    process.wait()
    code, output, errors = cli(*command)
    assert code == 0, errors
    assert {size_of(tmp_path / "in" / name) for name in names} == {(120, 80)}, "each enlarged once"
    assert set(files(tmp_path / "in")) == set(names)
    assert files(tmp_path / "kept") == before
    code, output, _ = cli("undo", "--json")
    report = json.loads(output)
    assert len(report["restored"]) == 5 and report["problems"] == [] and files(tmp_path / "in") == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("enhance", "a.png", "--backup", "kept"), "give --in-place as well"),
        (("enhance", "a.png", "--in-place", "-o", "b.png"), "leave --output out"),
        (("batch", "."), "Name a folder for the results"),
        (("batch", ".", "--in-place", "--watch"), "watched"),
        (("batch",), "Name the pictures to enhance"),
    ],
)
def test_what_does_not_go_together_is_said(cli, tmp_path, arguments, words):
    before = picture(tmp_path / "a.png")
    code, _, errors = cli(*arguments, *(() if arguments == ("batch",) else TWICE))
    assert code == 2 and words in errors and "Traceback" not in errors
    assert (tmp_path / "a.png").read_bytes() == before


def test_a_damaged_picture_is_refused_and_saved_where_that_is_asked(cli, tmp_path):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)).save(stream, "JPEG", quality=95)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cut.jpg").write_bytes(stream.getvalue()[:-10])
    code, _, errors = cli("enhance", "in/cut.jpg", *TWICE)
    assert code == 3 and "--salvage" in errors
    code, output, _ = cli("enhance", "in/cut.jpg", "-o", "one.png", *TWICE, "--salvage", "--json")
    found = json.loads(output)
    assert code == 0 and found["metrics"]["missing_percent"] > 0 and "is damaged" in found["warnings"][0]
    code, output, errors = cli("batch", "in", "-o", "out", *TWICE, "--salvage", "--json")
    assert code == 0, errors
    assert "is damaged" in json.loads(output)["warnings"][0]
