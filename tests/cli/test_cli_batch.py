"""``main.py batch`` as a process: output, exit codes, Ctrl-C, and a kill in the middle that costs nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.batch import BatchOptions, BatchRequest
from engine.batch.request import REQUEST_NAME
from engine.types import EnhanceSettings
from tests.command_line import wait_until

COMMAND = ("batch",)
JOURNAL = ".realesrgan-batch.jsonl"


@pytest.fixture
def folder(tmp_path):
    def make(count, side=32) -> Path:
        path = tmp_path / "in"
        path.mkdir(exist_ok=True)
        for index in range(count):
            pixels = np.random.default_rng(index).integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path / f"{index:03d}.png")
        return path

    return make


def events(output: Path) -> list[dict]:
    path = output / JOURNAL
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def wait_for_done(process, output: Path, count: int) -> None:
    wait_until(lambda: sum(event["event"] == "done" for event in events(output)) >= count, process)


def test_summary_reasons_and_exit_code(cli, folder, tmp_path):
    path = folder(3)
    (path / "bad.png").write_text("no picture")
    code, output, errors = cli(path, "-o", tmp_path / "out", "--model", "lanczos", "--scale", 2)
    assert code == 3 and output.startswith("3 successful, 1 failed in")
    assert "Failed: bad.png:" in errors and "Traceback" not in errors
    code, output, _ = cli(path, "-o", tmp_path / "out", "--model", "lanczos", "--scale", 2)
    assert "0 successful, 1 failed, 3 skipped (done before)" in output and code == 3


def test_json_is_one_object_a_picture(cli, folder, tmp_path):
    code, output, _ = cli(folder(2), "-o", tmp_path / "out", "--model", "lanczos", "--scale", 2, "--json")
    rows = [json.loads(line) for line in output.splitlines()]
    assert code == 0 and [row["state"] for row in rows] == ["done", "done"]
    assert {Path(row["output"]).name for row in rows} == {"000_x2.png", "001_x2.png"}


def test_a_dry_run_writes_nothing(cli, folder, tmp_path):
    code, output, errors = cli(folder(2), "-o", tmp_path / "out", "--scale", 2, "--dry-run", "--name", "{number}")
    assert code == 0 and not (tmp_path / "out").exists()
    assert output.splitlines()[0].endswith("1.png") and "2 pictures" in errors and "free" in errors


def test_settings_per_picture(cli, folder, tmp_path):
    path = folder(1, side=64)
    code, output, _ = cli(path, "-o", tmp_path / "out", "--auto", "--scale", 2, "--format", "jpeg", "--json")
    row = json.loads(output)
    assert code == 0 and row["model"] and row["width"] == 128 and row["output"].endswith("000_x2.jpg")


@pytest.mark.parametrize("executor", ["worker", "ray"])
def test_the_same_pictures_come_from_workers_and_from_a_cluster(cli, folder, tmp_path, executor):
    if executor == "ray" and importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed (requirements-ray.txt)")
    path = folder(3)
    (path / "broken.png").write_bytes(b"no picture")
    arguments = (path, "--model", "tiny-x4", "--precision", "fp32")
    cli(*arguments, "-o", tmp_path / "here")
    code, output, errors = cli(*arguments, "-o", tmp_path / "there", "--executor", executor)
    assert code == 3 and "3 successful, 1 failed" in output, errors
    for made in (tmp_path / "here").glob("*.png"):
        assert np.array_equal(np.asarray(Image.open(made)), np.asarray(Image.open(tmp_path / "there" / made.name)))


def test_without_inputs_there_must_be_something_to_finish(cli, folder, tmp_path):
    code, _, errors = cli("-o", tmp_path / "out")
    assert code == 2 and "No unfinished batch" in errors
    cli(folder(1), "-o", tmp_path / "out", "--model", "lanczos")
    code, _, errors = cli("-o", tmp_path / "out")
    assert code == 2 and "No unfinished batch" in errors


def test_going_on_never_repeats_what_is_done(cli, folder, tmp_path):
    """What a killed ``--no-resume`` leaves is finished, not begun anew."""
    path, output = folder(3), tmp_path / "out"
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    cli(path, "-o", output, "--model", "lanczos", "--scale", 2)
    (output / "001_x2.png").unlink()
    BatchRequest((path,), output, settings, BatchOptions(resume=False)).save()
    code, said, errors = cli("-o", output)
    assert code == 0 and said.startswith("1 successful, 0 failed, 2 skipped"), errors
    assert len(list(output.glob("*.png"))) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_file_names_that_are_not_utf8(cli, folder, tmp_path):
    path, output = folder(1), tmp_path / os.fsdecode(b"out\xe9")
    raw = path / os.fsdecode(b"caf\xe9.png")
    (path / "000.png").rename(raw)
    (path / os.fsdecode(b"bad\xe9.png")).write_text("no picture")
    settings = ("--model", "lanczos", "--scale", 2)
    code, said, errors = cli(path, "-o", output, *settings, "--dry-run")
    assert code == 0 and "caf\ufffd.png -> " in said, errors
    code, said, errors = cli(path, "-o", output, *settings, "--json")
    rows = [json.loads(line) for line in said.splitlines()]
    assert code == 3 and "Failed: bad\ufffd.png" in errors and "Traceback" not in errors
    assert {row["state"] for row in rows} == {"done", "failed"} and str(raw) in {row["input"] for row in rows}
    BatchRequest((path,), output, EnhanceSettings.create(model="lanczos", scale=2)).save()
    code, said, errors = cli("-o", output)
    assert code == 3 and said.startswith("0 successful, 1 failed, 1 skipped"), errors
    assert [os.fsencode(made.name) for made in output.glob("*.png")] == [b"caf\xe9_x2.png"]


def test_wrong_use_is_one_sentence(cli, folder, tmp_path):
    for arguments, named in ((["--name", "{nope}"], "{nope}"), (["--scale", "99"], "scale")):
        code, _, errors = cli(folder(1), "-o", tmp_path / "out", *arguments)
        assert code == 2 and named in errors and "Traceback" not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are Unix")
def test_killed_in_the_middle_it_goes_on_with_nothing_done_twice_and_nothing_lost(cli, folder, tmp_path, gate):
    count, output = 12, tmp_path / "out"
    arguments = (folder(count, side=96), "-o", output, "--model", "tiny-x4", "--precision", "fp32")
    gate.close(after=3)
    process = cli.start(*arguments, gate=gate)
    wait_for_done(process, output, 3)
    gate.wait_for_windows()
    process.kill()
    process.communicate()
    finished = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in output.glob("*.png")}
    assert len(finished) == 3, "it was killed inside the fourth picture"
    for path in finished:
        Image.open(path).load()  # whatever has its name is whole

    code, said, errors = cli("-o", output)  # what was asked for is remembered beside the results
    assert code == 0, errors
    assert f"{count - len(finished)} successful, 0 failed, {len(finished)} skipped" in said
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in finished} == finished
    assert len(list(output.glob("*.png"))) == count
    done = Counter(event["input"] for event in events(output) if event["event"] == "done")
    assert max(done.values()) == 1

    code, said, _ = cli(*arguments)
    assert code == 0 and f"{count} skipped" in said


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are Unix")
def test_ctrl_c_ends_with_130_and_whole_files_only(cli, folder, tmp_path, gate):
    output = tmp_path / "out"
    gate.close(after=2)
    process = cli.start(folder(12, side=96), "-o", output, "--model", "tiny-x4", "--precision", "fp32", gate=gate)
    wait_for_done(process, output, 2)
    gate.wait_for_windows()
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=200)
    assert process.returncode == 130 and "cancelled with" in said, errors
    left = [path.name for path in output.iterdir() if path.suffix != ".png"]
    assert sorted(left) == [".realesrgan-batch.json", ".realesrgan-batch.jsonl", ".realesrgan-batch.lock"]


class TestGoingOn:
    """Without inputs the batch is the one that was begun: what was settled then stays."""

    @pytest.fixture
    def stopped(self, folder, tmp_path):
        """A batch of two pictures, the second broken and tried in vain, that was stopped; returns its folder."""
        path, output = folder(1), tmp_path / "out"
        (path / "bad.png").write_text("no picture")
        output.mkdir()
        settings = EnhanceSettings.create(model="lanczos", scale=2)
        BatchRequest((path,), output, settings, BatchOptions(lanes=2)).save()
        return output

    def test_what_may_change_is_heard(self, cli, stopped):
        request = (stopped / REQUEST_NAME).read_text("utf-8")
        (stopped / "000_x2.png").write_text("of another program")
        code, said, _ = cli("-o", stopped, "--force")
        assert code == 3 and "1 successful, 1 failed" in said
        assert Image.open(stopped / "000_x2.png").size == (64, 64) and not (stopped / "000_x2-2.png").exists()

        def tries() -> int:
            return sum(event["event"] == "failed" for event in events(stopped))

        (stopped / REQUEST_NAME).write_text(request, "utf-8")
        cli("-o", stopped)
        assert tries() == 1, "what failed because of itself is not tried again unasked"
        (stopped / REQUEST_NAME).write_text(request, "utf-8")
        cli("-o", stopped, "--retry-failed", "--lanes", 1, "--executor", "in-process", "--quiet", "--resume")
        assert tries() == 2

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--scale", "4"),
            ("--auto",),
            ("--name", "{number}"),
            ("--no-recursive",),
            ("--no-resume",),
            ("-f", "--dpi", "9"),
        ],
    )
    def test_what_was_settled_is_refused(self, cli, stopped, arguments):
        code, _, errors = cli("-o", stopped, *arguments)
        named = next(one for one in arguments if one.startswith("--"))
        assert code == 2 and f"{named} is settled" in errors and "name the pictures" in errors
        assert list(stopped.glob("*.png")) == []
