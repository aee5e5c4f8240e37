"""The benchmark of films: every network gets the film, and the table compares them with the first."""

from __future__ import annotations

import re

import pytest

from benchmarks import films
from tests import clips

MODELS = ["quick-x2@fp32", "lanczos"]


@pytest.mark.usefixtures("own_environment")
def test_a_film_goes_through_every_network_and_the_first_is_what_others_are_compared_with(
    tmp_path, monkeypatch, capsys
):
    film = clips.make_clip(tmp_path / "in.mp4", frames=3)
    monkeypatch.setattr("sys.argv", ["films", str(film), "--rounds", "1", "--models", *MODELS])
    films.main()
    told = capsys.readouterr().out
    width, height = films.size_of(film)
    assert f"in.mp4, {width}x{height}, x2" in told
    rows = re.findall(r"^\| ([\w-]+) \| (\w+) \| ([\d.]+) \| ([\d.]+)x \| (\d+)% \|$", told, re.MULTILINE)
    assert [row[:2] for row in rows] == [("quick-x2", "fp32"), ("lanczos", "fp32")] and rows[0][3] == "1.0"
    assert all(float(row[2]) > 0 for row in rows) and 0 < int(rows[0][4]) <= 100
