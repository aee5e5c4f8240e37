"""Faces on the command line, from the list to the adjusted file: a real detector, a face network of random weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from cli.app import main
from tests import checkpoints
from tests.conftest import shared
from utils import image_io


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A weights folder with YuNet and a narrow face network."""
    folder = tmp_path_factory.mktemp("cli-faces")
    shutil.copy(shared("weights", "face_detection_yunet_2026may.onnx"), folder)
    checkpoints.save_pth(checkpoints.face_state(), folder / "narrow-face.pth", "params_ema")
    return folder


@pytest.fixture
def in_process(tmp_path, monkeypatch, capsys):
    """Run a command in this process; returns (exit code, its JSON objects, what it told the person)."""
    for name in ("CACHE", "OUTPUT", "DATA", "LOG"):
        monkeypatch.setenv(f"REALESRGAN_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("REALESRGAN_OPTIMIZE", "false")
    monkeypatch.setenv("REALESRGAN_DEVICE", "cpu")

    def run(*arguments, weights):
        monkeypatch.setenv("REALESRGAN_WEIGHTS_DIR", str(weights))
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return code, rows, out + err

    return run


@pytest.fixture
def portrait():
    return shared("samples", "Blake_Lively.jpg")


def test_the_list_gives_numbers_boxes_and_decisions(in_process, installed, portrait, tmp_path):
    preview = tmp_path / "preview.png"
    arguments = ("faces", "list", portrait, "--central-face", "--preview", preview, "--json")
    code, (row,), _ = in_process(*arguments, weights=installed)
    assert code == 0 and row["detector"] == "yunet" and row["need"] is None
    assert [face["number"] for face in row["faces"]] == [1, 2]
    assert sorted(face["restore"] for face in row["faces"]) == [False, True]
    assert image_io.load(preview).size == image_io.load(portrait).size


def test_enhancing_reports_the_faces_and_adjusting_changes_them(in_process, installed, portrait, tmp_path):
    out, less = tmp_path / "out.png", tmp_path / "less.png"
    common = ("enhance", portrait, "--model", "lanczos", "--scale", 1, "--json")
    options = ("--faces", "on", "--face-strength", 1, "--skip-faces", 2, "--no-face-guard", "--backend", "torch")
    code, (row,), _ = in_process(*common, "-o", out, *options, weights=installed)
    assert code == 0
    first, second = row["metrics"]["faces"]
    assert first["decision"] == "restored" and first["strength"] == 1 and "likeness" in first
    assert second["decision"] == "left alone" and second["reason"] == "Skipped by choice."
    assert set(row["metrics"]["face_seconds"]) == {"find", "load", "restore", "guard"}

    code, (row,), _ = in_process("faces", "adjust", out, "-o", less, "--face", "1=0.25", "--json", weights=installed)
    assert code == 0 and row["faces"][0]["strength"] == 0.25
    original, full, quarter = (image_io.load(path).pixels.astype(int) for path in (portrait, out, less))
    changed = np.abs(full - original).max(axis=2) > 60
    assert changed.any()
    share = np.abs(quarter - original)[changed].sum() / np.abs(full - original)[changed].sum()
    assert share == pytest.approx(0.25, abs=0.03)


def test_without_a_face_model_the_picture_is_made_and_the_person_is_told(in_process, portrait, tmp_path):
    (tmp_path / "none").mkdir()
    arguments = ("enhance", portrait, "-o", tmp_path / "out.png", "--model", "lanczos", "--scale", 1, "--faces", "on")
    code, _, text = in_process(*arguments, weights=tmp_path / "none")
    assert code == 0 and (tmp_path / "out.png").exists()
    assert "models download GFPGANv1.4" in text and "348.6 MB" in text
    assert ", 0 of " in text and " restored, " in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("enhance", "x.png", "--faces", "maybe"), "face_enhance"),
        (("enhance", "x.png", "--faces", "on", "--keep-faces", "a"), "--keep-faces"),
        (("faces", "adjust", "x.png", "-o", "y.png", "--face", "two"), "--face"),
    ],
)
def test_wrong_options_are_named(in_process, tmp_path, arguments, words):
    code, _, text = in_process(*arguments, weights=tmp_path)
    assert code == 2 and words in text


def test_a_file_without_remembered_faces_cannot_be_adjusted(in_process, portrait, tmp_path):
    arguments = ("faces", "adjust", portrait, "-o", tmp_path / "y.png", "--strength", 0.5)
    code, _, text = in_process(*arguments, weights=tmp_path)
    assert code == 2 and "--faces on" in text
