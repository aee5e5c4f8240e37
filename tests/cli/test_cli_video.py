"""``main.py video`` as a process: output, exit codes, Ctrl-C that keeps what is done, and going on from there."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest
from PIL import Image

from engine.video.options import seconds_of
from tests import clips
from tests.command_line import wait_until
from utils.errors import InvalidSettingsError

COMMAND = ("video",)


@pytest.fixture
def source(tmp_path):
    return clips.make_clip(tmp_path / "in.mp4", frames=20)


def test_a_video_is_enhanced_and_the_result_is_told_as_json(cli, source, tmp_path):
    code, output, errors = cli(source, "-o", "out.mkv", "--model", "tiny-x4", "--codec", "h265", "--json")
    assert code == 0, errors
    told = json.loads(output)
    made = clips.read_clip(tmp_path / "out.mkv")
    assert (told["frames"], told["codec"], told["width"], told["complete"]) == (20, "h265", 256, True)
    assert made.numbers == list(range(20)) and made.size == (256, 192)
    assert [data for _, data in made.audio] == [data for _, data in clips.read_clip(source).audio]


def test_by_default_the_result_lies_beside_the_input(cli, source, tmp_path):
    code, output, _ = cli(source, "--model", "lanczos", "--scale", "2", "--from", "0:00.2", "--to", "0.4")
    assert code == 0 and "in_x2.mp4: 5 frames, 64x48 -> 128x96, h264, lanczos" in output
    assert clips.read_clip(tmp_path / "in_x2.mp4").numbers == list(range(5, 10))
    code, _, errors = cli(source, "--model", "lanczos", "--scale", "2")
    assert code == 4 and "exists already" in errors


def test_one_frame_as_a_preview(cli, source, tmp_path):
    code, output, errors = cli(source, "--preview", "0.4", "-o", "frame.png", "--model", "tiny-x4")
    assert code == 0 and "0.40 s" in output, errors
    with Image.open(tmp_path / "frame.png") as image:
        assert image.size == (256, 192)
    code, output, errors = cli(source, "--preview", "0.4", "-o", "frame.png", "--json", "--model", "tiny-x4")
    assert code == 4 and "exists already" in json.loads(output)["error"]["message"]
    code, output, errors = cli(source, "--preview", "0.4", "-o", "frame.png", "--json", "--force", "--model", "tiny-x4")
    told = json.loads(output)
    assert code == 0, errors
    assert (told["width"], told["height"], told["frame_seconds"], told["model"]) == (256, 192, 0.4, "tiny-x4")


@pytest.mark.parametrize(
    ("name", "content", "words"), [("empty.mp4", b"", "is empty"), ("words.mp4", b"only words " * 90, "not a video")]
)
def test_a_file_that_is_no_video_ends_with_its_own_code(cli, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    code, output, errors = cli(name, "-o", "out.mp4", "--json")
    assert code == 3 and words in errors and "Traceback" not in errors
    assert words in json.loads(output)["error"]["message"]


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(cli, tmp_path, gate):
    source = clips.make_clip(tmp_path / "long.mp4", frames=400, size=(160, 120))
    command = (source, "-o", "out.mp4", "--model", "tiny-x4", "--json")
    gate.close(after=300)
    process = cli.start(*command, gate=gate)
    gate.wait_for_windows()
    wait_until(lambda: any(tmp_path.glob(".realesrgan-video-*/000001.part.mp4")), process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=200)
    first = json.loads(output)
    assert process.returncode == 130 and not first["complete"] and 240 <= first["frames"] <= 300
    assert len(clips.read_clip(tmp_path / "out.mp4").times) == first["frames"]

    code, output, errors = cli(*command)
    told = json.loads(output)
    assert code == 0 and told["resumed_frames"] == first["frames"] and told["frames"] == 400, errors
    assert clips.read_clip(tmp_path / "out.mp4").numbers == [number % 256 for number in range(400)]


def test_frames_to_frames_go_on_after_a_kill(cli, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(120):
        Image.fromarray(clips.numbered_frame(number)).save(folder / f"{number}.png")
    command = ("frames/%d.png", "-o", "out/%04d.png", "--model", "lanczos", "--scale", "2", "--json")
    process = cli.start(*command)
    wait_until(lambda: len(list((tmp_path / "out").glob("*.png"))) >= 5, process)
    process.kill()
    process.communicate(timeout=200)
    made = sorted((tmp_path / "out").glob("*.png"))
    assert 5 <= len(made) < 120

    code, output, errors = cli(*command)
    told = json.loads(output)
    assert code == 0 and len(made) - 1 <= told["resumed_frames"] <= len(made) and told["frames"] == 120, errors
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{number:04d}.png" for number in range(120)], "nothing but the frames is left"
    for name in names[::10]:
        with Image.open(tmp_path / "out" / name) as image:
            assert clips.number_of(np.asarray(image)) == int(name[:4])
    code, output, _ = cli(*command)
    assert code == 4 and "exists already" in output


def test_a_timelapse_with_its_rate_and_its_preview(cli, tmp_path):
    folder = tmp_path / "walk"
    folder.mkdir()
    for number in (1, 2, 4):
        Image.fromarray(clips.numbered_frame(number)).save(folder / f"{number}.png")
    code, output, errors = cli("walk", "--rate", "12", "--model", "lanczos", "--scale", "2")
    assert code == 0 and "walk_x2.mp4: 3 frames" in output and "missing among the pictures: 3." in errors
    assert clips.read_clip(tmp_path / "walk_x2.mp4").numbers == [1, 2, 4]
    code, output, _ = cli("walk/%d.png", "--preview", "0.2", "--rate", "12", "--model", "lanczos", "--scale", "2")
    assert code == 0 and "walk.png: the frame at 0.17 s" in output


@pytest.mark.parametrize(
    ("text", "seconds"), [("12.5", 12.5), ("1:30", 90.0), ("1:00:00.5", 3600.5), (None, None), ("0", 0.0)]
)
def test_times_are_written_as_people_do(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["soon", "1:2:3:4", "-5", "1:", ""])
def test_other_times_are_refused(text):
    with pytest.raises(InvalidSettingsError, match="not a time"):
        seconds_of(text)
