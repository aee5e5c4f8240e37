"""``part`` and ``adjust`` on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cli.app import main


@pytest.fixture
def run(monkeypatch, weights, tmp_path):
    """The command line with the tiny models and folders of the test's own."""
    for name in ("cache", "data", "output", "log"):
        monkeypatch.setenv(f"REALESRGAN_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.setenv("REALESRGAN_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("REALESRGAN_DEVICE", "cpu")
    monkeypatch.setenv("REALESRGAN_OPTIMIZE", "false")
    return lambda *arguments: main([str(one) for one in arguments])


@pytest.fixture
def photo(tmp_path, scene):
    path = tmp_path / "photo.png"
    Image.fromarray(scene).save(path)
    return path


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
