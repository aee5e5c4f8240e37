"""The ready-made program, started as where no Python is: with an empty environment, from its archive.

Building takes minutes, so this runs when it is asked for: ``REALESRGAN_TEST_FROZEN=build``, or the path of an archive
that ``python -m freeze`` made.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from freeze.__main__ import command_line
from freeze.contents import NAME
from freeze.platforms import WINDOW
from tests.clips import make_clip
from tests.conftest import REPOSITORY
from tests.ports import free_port
from tests.waiting import LONG, until
from utils.version import VERSION

ASKED = os.environ.get("REALESRGAN_TEST_FROZEN", "")
pytestmark = [
    pytest.mark.skipif(not ASKED, reason="set REALESRGAN_TEST_FROZEN=build: it takes minutes"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """The program, unpacked from its archive."""
    folder = tmp_path_factory.mktemp("frozen")
    archive = Path(ASKED)
    if ASKED == "build":
        subprocess.run([sys.executable, "-m", "freeze", "--out", str(folder / "built")], check=True, cwd=REPOSITORY)
        (archive,) = (path for path in (folder / "built").iterdir() if path.is_file())
        for made in (path for path in (folder / "built").iterdir() if path.is_dir()):
            shutil.rmtree(made)
    shutil.unpack_archive(archive, folder)
    return command_line(next(path for path in folder.iterdir() if path.name in (NAME, f"{WINDOW}.app")))


@pytest.fixture
def run(program, tmp_path):
    """Starts the program with nothing in its environment but a home folder, and returns what it printed."""

    def started(*arguments: object) -> str:
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            cwd=tmp_path,
            env={"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return started


@pytest.fixture
def picture(scene, tmp_path) -> Path:
    Image.fromarray(scene[10:42, 20:60]).save(tmp_path / "in.png")
    return tmp_path / "in.png"


def test_it_says_its_version_and_what_it_finds(run, program, tmp_path):
    assert run("--version") == f"Real-ESRGAN Ultimate {VERSION}\n"
    told = json.loads(run("info", "--json"))
    assert {"RealESRGAN_x4plus", "quick-x4", "spanx4_ch48", "embedded-compact-x4"} <= set(told["models installed"])
    assert not [line for line in told["models installed"].values() if "problem" in line]
    assert told["versions"]["torch"] == "not installed" and told["versions"]["opencv-python"] != "not installed"
    assert all(str(tmp_path) in line for line in told["folders"].values()), "files are the person's"
    assert not [path for path in program.parent.rglob("*") if "torch" in path.name and path.is_dir()]


@pytest.mark.parametrize("name", ["RealESRGAN_x4plus", "quick-x4", "spanx4_ch48"])
def test_a_picture_is_what_it_is_from_the_source(run, picture, tmp_path, name):
    told = json.loads(run("enhance", picture, "-o", tmp_path / "out.png", "--model", name, "--json"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("REALESRGAN_")}
    folders = {f"REALESRGAN_{one}_DIR": str(tmp_path / "source" / one) for one in ("CACHE", "DATA", "LOG", "OUTPUT")}
    command = [sys.executable, str(REPOSITORY / "main.py"), "enhance", str(picture), "-o", str(tmp_path / "same.png")]
    done = subprocess.run(
        [*command, "--model", name, "--device", "cpu", "--json"],
        env={**kept, **folders},
        capture_output=True,
        text=True,
        check=True,
    )
    same = json.loads(done.stdout)
    assert [told[key] for key in ("backend", "precision")] == [same[key] for key in ("backend", "precision")]
    a, b = (np.asarray(Image.open(tmp_path / one), int) for one in ("out.png", "same.png"))
    assert a.shape == b.shape and np.abs(a - b).max() <= 1


def test_pictures_are_judged_and_films_enlarged(run, picture, tmp_path):
    assert "settings:" in run("analyze", picture)
    make_clip(tmp_path / "in.mp4", frames=3)
    run("video", tmp_path / "in.mp4", "-o", tmp_path / "out.mp4", "--model", "quick-x4")
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_other_formats_have_their_readers_with_them(run, picture, tmp_path):
    for suffix in ("jpg", "webp", "avif", "tif", "heic", "jp2"):
        source = Image.open(picture)
        if suffix == "heic":
            import pillow_heif

            pillow_heif.from_pillow(source).save(tmp_path / "a.heic")
        else:
            source.save(tmp_path / f"a.{suffix}")
        run("enhance", tmp_path / f"a.{suffix}", "-o", tmp_path / f"{suffix}.png", "--model", "lanczos", "--scale", "2")
        assert Image.open(tmp_path / f"{suffix}.png").size == (80, 64)


def test_a_batch_runs_through_a_worker_process_of_its_own(run, picture, tmp_path):
    run("batch", picture, "-o", tmp_path / "done", "--model", "quick-x4", "--executor", "worker")
    (result,) = (tmp_path / "done").glob("*.png")
    assert Image.open(result).size == (160, 128)


def test_interface_and_api_answer(program, picture, tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (tmp_path / "said.txt").open("w") as said:
        environment = {"HOME": str(tmp_path), "REALESRGAN_SERVER_PORT": str(port)}
        app = subprocess.Popen([str(program)], cwd=tmp_path, env=environment, stdout=said, stderr=subprocess.STDOUT)
    try:
        until(lambda: app.poll() is not None or answers(address), LONG)
        assert app.poll() is None, (tmp_path / "said.txt").read_text()
        assert b"gradio" in urllib.request.urlopen(address, timeout=60).read().lower()
        body = {"image_b64": base64.b64encode(picture.read_bytes()).decode(), "scale": 4, "model": "quick-x4"}
        headers = {"Content-Type": "application/json", "Accept": "image/png"}
        asked = urllib.request.Request(f"{address}/upscale", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(asked, timeout=LONG) as answer:
            assert Image.open(io.BytesIO(answer.read())).size == (160, 128)
    finally:
        app.send_signal(signal.SIGTERM)
        app.wait(60)


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/health", timeout=5).close()
    except OSError:
        time.sleep(0.3)
        return False
    return True
