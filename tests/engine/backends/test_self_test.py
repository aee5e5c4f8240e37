"""What the self-test remembers: verdicts about runtimes, not about an hour in which the memory was taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from engine.backends import get_backend
from engine.backends.base import Backend
from engine.backends.self_test import BackendChooser
from engine.model_manager import ModelManager
from engine.pixels.tiling import TileOutOfMemory
from engine.storage.json_store import JsonStore
from utils.errors import BackendError


class Troubled(Backend):
    """A real backend that fails to open with ``error`` while there is one, and whose output is off by ``shift``."""

    def __init__(self, name: str, error: Exception | None = None, shift: float = 0.0) -> None:
        self.name, self.error, self.shift = name, error, shift
        self.opened = 0

    def devices(self):
        return ["cpu"]

    def precisions(self, device):
        return ["fp32"]

    def open(self, source, device, precision, cache_dir):
        self.opened += 1
        if self.error is not None:
            raise self.error
        session = get_backend(self.name).open(source, device, precision, cache_dir)
        infer = session.infer
        session.infer = lambda batch: infer(batch) + self.shift
        return session


@pytest.fixture
def source(weights):
    manager = ModelManager({}, weights, bundled_dir=None, device="cpu")
    yield manager.source("tiny-x4")
    manager.close()


@pytest.fixture
def choose(source, tmp_path):
    """The choice of a program that starts anew each time, for a network that only torch can vouch for."""
    source = replace(source, arrays=lambda: None)

    def start(*backends: Troubled):
        known = {backend.name: backend for backend in backends}
        return BackendChooser(JsonStore(tmp_path / "s.json"), None).choose(source, "cpu", find=known.__getitem__)

    return start


@pytest.fixture
def choose_known(source, tmp_path):
    """The same for an architecture that is computed plainly in numpy as well."""

    def start(*backends: Troubled):
        known = {backend.name: backend for backend in backends}
        return BackendChooser(JsonStore(tmp_path / "k.json"), None).choose(source, "cpu", find=known.__getitem__)

    return start


def test_of_a_known_network_the_first_right_candidate_is_taken_and_no_other_is_opened(choose_known):
    fine, other = Troubled("openvino"), Troubled("torch")
    for _ in range(2):
        choice = choose_known(fine, other)
        assert (choice.backend, len(choice.trials)) == ("openvino", 1) and choice.trials[0].psnr > 80
    assert (fine.opened, other.opened) == (1, 0)


@pytest.mark.parametrize("name", ["spanx2_ch48", "RealESRGAN_x4plus_anime_6B", "realesr-animevideov3"])
def test_published_networks_are_found_right_in_bf16(name, tmp_path):
    if "bf16" not in get_backend("openvino").precisions("cpu"):
        pytest.skip("this CPU has no bf16 units")
    manager = ModelManager(weights_dir=tmp_path, cache_dir=tmp_path, device="cpu")
    session = manager.load_model(name).session
    assert (session.backend, session.precision) == ("openvino", "bf16")
    (record,) = manager.self_tests.all().values()
    assert record["trials"][0]["psnr"] > 48
    manager.close()


def test_a_wrong_candidate_of_a_known_network_is_passed_by_without_torch_as_the_judge(choose_known):
    wrong, other = Troubled("openvino", shift=0.3), Troubled("torch")
    for _ in range(2):
        assert choose_known(wrong, other).backend == "torch"
    assert (wrong.opened, other.opened) == (1, 1)


def test_where_every_candidate_of_a_known_network_is_wrong_it_is_said(choose_known):
    with pytest.raises(BackendError, match="wrong output"):
        choose_known(Troubled("openvino", shift=0.3), Troubled("torch", shift=0.3))


def test_memory_that_another_program_held_is_not_held_against_a_backend_for_ever(choose):
    full = TileOutOfMemory("CUDA out of memory")
    with pytest.raises(BackendError, match="out of memory"):
        choose(Troubled("openvino", full), Troubled("torch", full))
    choice = choose(Troubled("openvino"), Troubled("torch"))
    assert all(trial.problem is None for trial in choice.trials)


def test_without_a_reference_nothing_is_found_right_for_ever(choose):
    wrong = Troubled("openvino", shift=0.3)
    assert choose(wrong, Troubled("torch", MemoryError())).backend == "openvino"
    assert choose(wrong, Troubled("torch")).backend == "torch"


def test_what_a_runtime_cannot_do_is_tried_once(choose):
    hopeless = Troubled("openvino", RuntimeError("no kernel for this operation"))
    for _ in range(2):
        assert choose(hopeless, Troubled("torch")).backend == "torch"
    assert hopeless.opened == 1


def test_short_memory_counts_for_a_day_where_another_candidate_ran(choose, monkeypatch):
    short = Troubled("openvino", MemoryError())
    for _ in range(2):
        assert choose(short, Troubled("torch")).backend == "torch"
    assert short.opened == 1, "every start tries all candidates again"
    monkeypatch.setattr("engine.backends.self_test._today", lambda: date(2040, 1, 1).isoformat())
    choose(short, Troubled("torch"))
    assert short.opened == 2
