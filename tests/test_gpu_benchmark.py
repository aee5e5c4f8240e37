"""``python -m benchmarks.gpu``: its jobs run without a card too, and what failed stands where its figures would be."""

from __future__ import annotations

import pytest

from benchmarks import gpu

CARD = [
    {"name": "A card", "memory_gb": 24.0, "torch": "2.14"},
    {"precision": "fp16", "tflops": 100.0},
]


def test_a_jobs_lines_come_back_from_its_process():
    about, ceiling = gpu.run_job("machine", "cpu", True, 120)
    assert about["name"] == "the processor"
    assert ceiling["precision"] == "fp32" and ceiling["tflops"] > 0


def test_a_job_that_takes_too_long_is_stopped_and_says_so():
    assert gpu.run_job("machine", "cpu", True, 0.0)[-1] == {"problem": "stopped after 0 s"}


def test_a_device_that_is_not_there_ends_its_job_with_a_reason():
    lines = gpu.run_job("machine", "cuda:77", True, 120)
    assert len(lines) == 1 and "Error: " in lines[0]["problem"]


def test_speeds_are_held_against_the_original_and_the_ceiling():
    row = {"network": "x4plus", "precision": "fp16", "side": 512, "gflop": 9000.0}
    row |= {"ours": 0.2, "raw": 0.16, "original": 0.6}
    left = {"network": "x4plus", "precision": "fp16", "side": 2048, "gflop": 1.0, "left_out": "more than 25 s expected"}
    text = gpu.report({"machine": CARD, "speeds": [row, left]})
    assert "| x4plus | fp16 | 512x512 | 0.600 | 0.200 | 3.0x | 0.160 | 25 % | 45.0 | 45 % |" in text
    assert "| x4plus | fp16 | 2048 | more than 25 s expected |" in text


def test_a_job_that_failed_says_so_where_its_figures_would_be():
    text = gpu.report(
        {"machine": CARD, "film": [{"problem": "no encoder"}], "face": [{"left_out": "no time was left"}]}
    )
    film = text[text.index("## Films") :]
    assert film.splitlines()[1:4] == ["", "", "no encoder"] and "no time was left" in film


def test_without_a_card_the_command_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "default_device", lambda: None)
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "no graphics card" in capsys.readouterr().err
