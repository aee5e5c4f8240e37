"""``part`` and ``adjust`` on the command line, and what outputs are called."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cli.app import main
from tests import clips


@pytest.fixture
def run(own_environment):
    """The command line with the tiny models and folders of the test's own."""
    return lambda *arguments: main([str(one) for one in arguments])


def test_a_part_is_enhanced_at_its_place(run, photo, tmp_path, capsys):
    target = tmp_path / "part.png"
    assert run("part", photo, "-o", target, "--model", "tiny-x4", "--at", "60,45", "--side", "32") == 0
    assert Image.open(target).size == (128, 128)
    assert "32x32 at 44,29 -> 128x128, tiny-x4" in capsys.readouterr().out


@pytest.mark.parametrize(("at", "side"), [("here", 64), ("1,2", 4)])
def test_a_wrong_place_or_side_is_said(run, photo, tmp_path, at, side):
    assert run("part", photo, "-o", tmp_path / "p.png", "--at", at, "--side", side) == 2
    assert not (tmp_path / "p.png").exists()


def test_fidelity_is_moved_as_if_it_had_been_asked_for(run, photo, tmp_path):
    how = ("--model", "tiny-x4", "--quiet", "--again")
    assert run("enhance", photo, "-o", tmp_path / "a.png", *how) == 0
    assert run("enhance", photo, "-o", tmp_path / "b.png", "--fidelity", "0.4", *how) == 0
    assert run("adjust", tmp_path / "a.png", photo, "-o", tmp_path / "c.png", "--to", "0.4") == 0
    pictures = [np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in "bc"]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert run("adjust", tmp_path / "a.png", photo, "-o", tmp_path / "c.png", "--to", "0.4") == 4, "never overwrites"
    assert run("adjust", tmp_path / "a.png", photo, "-o", tmp_path / "d.png", "--to", "1.4") == 2


def test_a_part_is_saved_as_asked_for(run, photo, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Camera maker"
    Image.open(photo).save(photo, exif=exif)
    how = ("--model", "tiny-x4", "--at", "60,45", "--side", "32", "--force")
    target = tmp_path / "part"
    for extra, kind, maker in [
        ((), "PNG", "Camera maker"),
        (("--format", "jpeg"), "JPEG", "Camera maker"),
        (("--format", "webp", "--lossless", "--exif", "drop"), "WEBP", None),
    ]:
        assert run("part", photo, "-o", target, *how, *extra) == 0
        with Image.open(target) as image:
            assert image.format == kind and image.getexif().get(0x010F) == maker
            shown = np.asarray(image.convert("RGB"))
        if kind == "PNG":
            exact = shown
    assert np.array_equal(shown, exact), "lossless"
    assert run("part", photo, "-o", tmp_path / "part.jpg", *how) == 0
    assert Image.open(tmp_path / "part.jpg").format == "JPEG"


def test_what_makes_no_sense_for_a_part_is_no_option_of_it(run, photo, tmp_path, capsys):
    assert run("part", photo, "-o", tmp_path / "part.png", "--max-megabytes", "1") == 2
    assert "--max-megabytes" in capsys.readouterr().err
    assert run("part", photo, "-o", tmp_path / "part.png", "--seamless", "x") == 2


class TestFolders:
    """An output that ends in a slash is a folder, whether it is there already or not."""

    def test_enhance_makes_it(self, run, photo, tmp_path):
        assert run("enhance", photo, "-o", f"{tmp_path}/new/", "--model", "lanczos", "--scale", "2", "--quiet") == 0
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["photo_x2.png"]

    def test_video_makes_it(self, run, tmp_path):
        source = clips.make_clip(tmp_path / "film.mp4", frames=3, audio=None)
        how = ("--model", "lanczos", "--scale", "2", "--quiet")
        assert run("video", source, "-o", f"{tmp_path}/new/", *how) == 0
        assert run("video", source, "-o", f"{tmp_path}/frames/", "--preview", "0", *how) == 0
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["film_x2.mp4"]
        assert [path.name for path in (tmp_path / "frames").iterdir()] == ["film.png"]

    def test_commands_that_write_one_file_refuse_it(self, run, photo, tmp_path, capsys):
        folder = f"{tmp_path}/new/"
        for command in (
            ("part", photo, "-o", folder),
            ("adjust", photo, photo, "-o", folder, "--to", "0.5"),
            ("faces", "adjust", photo, "-o", folder, "--strength", "0.5"),
            ("faces", "list", photo, "--preview", folder),
            ("history", "rerun", "1", "-o", folder),
        ):
            assert run(*command) == 4
            assert "is a folder" in capsys.readouterr().err
        assert not (tmp_path / "new").exists()


def test_a_preview_of_faces_replaces_nothing_unasked(run, photo, tmp_path):
    before, other = photo.read_bytes(), tmp_path / "other.png"
    assert run("faces", "list", photo, "--preview", photo, "--force") == 4
    assert photo.read_bytes() == before
    assert run("faces", "list", photo, "--preview", other) == 0
    made = other.read_bytes()
    assert run("faces", "list", photo, "--preview", other) == 4
    assert run("faces", "list", photo, "--preview", other, "--force") == 0 and other.read_bytes() == made
