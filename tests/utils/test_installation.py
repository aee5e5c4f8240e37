"""What a person is told to type follows how the program lies on the machine."""

from __future__ import annotations

import sys

import pytest

from utils import installation


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """As pip leaves it."""
    (tmp_path / "realesrgan_ultimate-1.0.dist-info").mkdir()
    monkeypatch.setattr(installation, "ROOT", tmp_path / "realesrgan_ultimate")


def test_a_checkout_is_run_by_its_script():
    assert not installation.is_installed()
    assert installation.command() == "python main.py"
    assert installation.how_to_add("ray") == "pip install -r requirements-ray.txt"


def test_an_installed_program_has_commands_and_extras(installed):
    assert installation.is_installed() and not installation.is_ready_made()
    assert installation.command() == "rsu"
    assert installation.how_to_add("torch") == 'pip install ".[torch]"'


def test_a_ready_made_one_is_its_own_command(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/program/realesrgan-ultimate")
    assert installation.is_installed() and installation.command() == "realesrgan-ultimate"
