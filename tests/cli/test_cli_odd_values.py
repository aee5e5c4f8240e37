"""Values that nobody means, and names with signs of their own: answered by a sentence, printed as they are."""

from __future__ import annotations

import builtins
import json

import numpy as np
import pytest
from PIL import Image

from cli.app import main
from tests import clips


@pytest.fixture
def run(own_environment):
    """The command line with the tiny models and folders of the test's own."""
    return lambda *arguments: main([str(one) for one in arguments])


@pytest.mark.parametrize(
    "command",
    [
        ("history", "list", "--days", "1e9"),
        ("history", "show", "99999999999999999999"),
        ("history", "list", "--outcome", "perhaps"),
        ("bench", "--runs", "0"),
        ("video", "film.mp4", "--from", "inf"),
        ("video", "film.mp4", "--preview", "nan"),
        ("enhance", "photo.png", "--max-megabytes", "inf"),
        ("enhance", "photo.png", "--whole", "--tile", "128"),
        ("info", "--log", "--json"),
    ],
    ids=" ".join,
)
def test_what_nobody_can_mean_is_refused_in_a_sentence(run, capsys, command):
    assert run(*command) in (2, 10)
    assert "Traceback" not in capsys.readouterr().err


def test_names_are_printed_as_they_are(run, photo, tmp_path, capsys):
    odd = photo.with_name("photo [final].png")
    photo.rename(odd)
    assert run("enhance", odd, "-o", tmp_path / "out.png", "--model", "lanczos", "--quiet") == 0
    assert run("presets", "save", "[bold] x2", "scale=2") == 0
    capsys.readouterr()
    assert run("history", "list") == 0 and run("presets", "list") == 0
    told = "".join(capsys.readouterr().out.split())
    assert "[final]" in told and "[bold]x2" in told
    assert run("models", "download", "[/no] such model") == 5


def test_a_frame_and_numbered_faces_are_pictures_by_their_names(run, photo, tmp_path, capsys):
    film = clips.make_clip(tmp_path / "film.mp4", frames=3)
    assert run("video", film, "--preview", "0", "-o", tmp_path / "frame.mp4", "--model", "tiny-x4") == 2
    assert run("faces", "list", photo, "--preview", tmp_path / "faces.bmp") == 2
    assert "pictures are saved as" in capsys.readouterr().err
    assert not (tmp_path / "frame.mp4").exists() and not (tmp_path / "faces.bmp").exists()


def test_films_know_what_an_automatic_model_is_chosen_for(run, tmp_path, capsys):
    film = clips.make_clip(tmp_path / "film.mp4", frames=3)
    how = ("--preview", "0", "--scale", "2", "--json")
    assert run("video", film, "-o", tmp_path / "frame.png", "--mode", "faithful", *how) == 0
    assert json.loads(capsys.readouterr().out)["model"]
    assert run("video", film, "-o", tmp_path / "other.png", "--mode", "prettiest", *how) == 2


def test_presets_are_handed_on_into_no_file_that_is_there(run, tmp_path, capsys):
    target = tmp_path / "presets.json"
    target.write_text("mine")
    run("presets", "save", "Web", "scale=2")
    assert run("presets", "export", target) == 4
    assert "exists already" in capsys.readouterr().err and target.read_text() == "mine"
    assert run("presets", "export", target, "--force") == 0 and "Web" in target.read_text()


def test_an_adjusted_normal_map_stays_one(run, tmp_path):
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(24, 32, 3)) * (0.4, 0.4, 0) + (0, 0, 1)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    source = tmp_path / "normals.png"
    Image.fromarray(np.uint8(np.rint((vectors + 1) * 127.5))).save(source)
    how = ("--model", "tiny-x4", "--quiet", "--normal-map")
    assert run("enhance", source, "-o", tmp_path / "a.png", *how) == 0
    assert run("adjust", tmp_path / "a.png", source, "-o", tmp_path / "b.png", "--to", "0.5", "--normal-map") == 0
    lengths = np.linalg.norm(np.asarray(Image.open(tmp_path / "b.png")) / 127.5 - 1, axis=2)
    assert np.abs(lengths - 1).max() < 0.02


def test_the_benchmarks_of_the_source_are_named_where_there_is_none(run, monkeypatch, capsys):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("benchmarks"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert run("bench") == 6
    assert "bench --quick" in capsys.readouterr().err
