"""Compiled networks on disk: one for every size of window, within a limit."""

from __future__ import annotations

import os

import numpy as np
import pytest
from filelock import FileLock

from engine.model_manager import ModelManager

SIDES = (32, 40, 48, 56)


@pytest.fixture
def start(weights, tmp_path):
    """A session of a program that starts anew."""
    managers = []

    def make():
        how = {"cache_dir": tmp_path, "bundled_dir": None, "optimize": False, "device": "cpu", "backend": "openvino"}
        managers.append(ModelManager({}, weights, **how))
        return managers[-1].load_model("tiny-x4", precision="fp32").session

    yield make
    for manager in managers:
        manager.close()


@pytest.fixture
def compiled(tmp_path):
    """The compiled networks on disk: name -> bytes."""
    folder = tmp_path / "openvino" / "compiled"
    return lambda: {path.name: path.stat().st_size for path in folder.glob("*.blob")}


def kept_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.suffix in (".bin", ".blob"))


def test_pictures_of_many_sizes_do_not_fill_the_disk(start, compiled, tmp_path, monkeypatch):
    session = start()
    session.prepare(32, 32)
    (first,) = compiled()
    limit = kept_bytes(tmp_path) + 3 * compiled()[first] // 2
    monkeypatch.setattr("engine.backends.openvino_backend.KEPT_BYTES", limit)
    for side in SIDES[1:]:
        session.prepare(side, side)
        os.utime(next((tmp_path / "openvino").glob("*.bin")))  # as a start does
    assert len(compiled()) == 2 and first not in compiled() and kept_bytes(tmp_path) <= limit


def test_converted_networks_that_were_not_used_for_long_go_with_both_files(start, tmp_path, monkeypatch):
    start()
    folder = tmp_path / "openvino"
    assert {path.suffix for path in folder.iterdir() if path.is_file()} == {".xml", ".bin"}
    monkeypatch.setattr("engine.backends.openvino_backend.KEPT_BYTES", 1000)
    start().prepare(32, 32)
    assert [path.name for path in folder.iterdir()] == ["compiled"]
    assert start().infer(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 128, 128, 3)


def test_the_compiled_form_of_a_window_that_only_the_self_test_runs_is_not_kept(start, compiled):
    start().prepare(8, 8)
    assert compiled() == {}


def test_a_network_whose_compiled_form_was_removed_or_damaged_is_compiled_again(start, compiled, tmp_path):
    window = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    expected = start().infer(window)
    (name,) = compiled()
    blob = tmp_path / "openvino" / "compiled" / name
    for damage in (lambda: blob.write_bytes(b"cut off"), blob.unlink):
        os.chmod(blob, 0o600)
        damage()
        np.testing.assert_allclose(start().infer(window), expected, atol=1e-5)
        assert compiled()[name] > 1000


def test_who_waits_too_long_for_another_process_compiles_without_the_disk(start, compiled, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.backends.openvino_backend._PATIENCE", 0.05)
    session = start()
    folder = tmp_path / "openvino" / "compiled"
    folder.mkdir()
    with FileLock(folder / ".lock"):
        assert session.infer(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 128, 128, 3)
    assert compiled() == {}


def test_a_disk_that_takes_no_more_costs_the_cache_and_nothing_else(start, compiled):
    class FullDisk:
        def __init__(self, core):
            self._core = core

        def compile_model(self, model, target, properties):
            if "CACHE_DIR" in properties:
                raise RuntimeError("No space left on device")
            return self._core.compile_model(model, target, properties)

    session = start()
    session._core = FullDisk(session._core)
    assert session.infer(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 128, 128, 3)
    assert compiled() == {}
