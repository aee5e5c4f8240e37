"""Checkpoints read as numpy arrays: the same facts and the same values as torch and spandrel give."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models import checkpoints as opened
from engine.models.architectures import load_network
from engine.models.array_info import info_of
from tests import checkpoints
from utils import pytorch
from utils.errors import MissingPackageError, UnsupportedModelError


def known() -> dict[str, dict]:
    """State dicts of every architecture that runs without torch, in the shapes that are published."""
    return {
        "compact x4": checkpoints.compact_state(),
        "compact x2": checkpoints.compact_state(scale=2, convs=5, features=8),
        "compact x1": checkpoints.compact_state(scale=1),
        "quick": checkpoints.quick_state(),
        "rrdb x4": checkpoints.rrdb_state(),
        "rrdb x2": checkpoints.rrdb_state(scale=2, blocks=3),
        "rrdb x8": checkpoints.rrdb_state(scale=8, blocks=1),
        "rrdb x1": checkpoints.rrdb_state(scale=1, blocks=1),
        "span x4": checkpoints.span_state(),
        "span x2": checkpoints.span_state(scale=2, features=16),
    }


def arrays_of(state) -> dict[str, np.ndarray]:
    return {key: value.float().numpy() for key, value in state.items()}


@pytest.fixture
def without_torch(monkeypatch):
    """As where torch is not installed; what is imported already stays for the test's own use."""
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)


@pytest.mark.parametrize("name", known())
def test_facts_are_those_of_spandrel(name):
    state = known()[name]
    assert info_of(arrays_of(state)) == load_network(state)[1]


def official(state: dict) -> dict:
    """An RRDBNet under Real-ESRGAN's names."""
    from engine.models.state_dicts import official_names

    return official_names(state)


def test_facts_do_not_depend_on_how_rrdbnets_weights_are_named():
    state = checkpoints.rrdb_state(scale=2)
    assert info_of(arrays_of(official(state))) == info_of(arrays_of(state)) is not None


@pytest.mark.parametrize("name", known())
def test_one_key_or_one_shape_that_does_not_fit_is_left_to_spandrel(name):
    arrays = arrays_of(known()[name])
    for key in arrays:
        assert info_of({other: value for other, value in arrays.items() if other != key}) is None
        assert info_of({**arrays, key: np.zeros((*arrays[key].shape, 2), np.float32)}) is None
    assert info_of({**arrays, "more": np.zeros(1, np.float32)}) is None
    assert info_of({}) is None


@pytest.mark.parametrize("name", known())
@pytest.mark.parametrize("nested_in", [None, "params_ema", "state_dict"])
def test_a_pth_has_the_same_facts_and_values(without_torch, tmp_path, name, nested_in):
    state = known()[name]
    path = checkpoints.save_pth(state, tmp_path / "a.pth", nested_in)
    assert opened.inspect_checkpoint(path) == info_of(arrays_of(state))
    read = opened.load_arrays(path)
    assert read is not None and read.keys() == state.keys()
    for key, value in state.items():
        np.testing.assert_array_equal(read[key], value.numpy())


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_every_number_type_is_read(without_torch, tmp_path, kind, suffix):
    import torch

    state = {key: value.to(getattr(torch, kind)) for key, value in checkpoints.compact_state().items()}
    save = checkpoints.save_pth if suffix == "pth" else checkpoints.save_safetensors
    read = opened.load_arrays(save(state, tmp_path / f"a.{suffix}"))
    assert read is not None
    for key, value in state.items():
        np.testing.assert_array_equal(read[key], value.float().numpy())


def test_views_and_parameters_and_prefixes_are_read_as_torch_does(without_torch, tmp_path):
    import torch

    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    state = {
        "module.a": base.t(),
        "module.b": base[1:3, ::2],
        "module.c": torch.nn.Parameter(base[0]),
        "module.d": torch.tensor(3.5),
        "module.e": torch.zeros(0, 3),
    }
    read = opened.load_arrays(checkpoints.save_pth(state, tmp_path / "a.pth", None))
    assert read is not None and list(read) == ["a", "b", "c", "d", "e"]
    for key, value in read.items():
        np.testing.assert_array_equal(value, state[f"module.{key}"].detach().numpy())


def test_what_needs_torch_says_so_and_how_to_get_it(without_torch, tmp_path):
    face = checkpoints.save_pth(checkpoints.face_state(), tmp_path / "face.pth")
    for action in (opened.inspect_checkpoint, opened.load_state_dict, opened.open_network):
        with pytest.raises(MissingPackageError, match=r"PyTorch.*pip install -r requirements-torch\.txt"):
            action(face)
    with pytest.raises(MissingPackageError, match=r"face\.pth"):
        opened.inspect_checkpoint(face)


def test_a_ready_made_program_names_no_pip(without_torch, monkeypatch):
    monkeypatch.setattr("sys.frozen", True, raising=False)
    with pytest.raises(MissingPackageError, match="ready-made program") as raised:
        pytorch.require("This network")
    assert "pip" not in str(raised.value)


def test_torchs_older_format_needs_torch(without_torch, tmp_path):
    import torch

    torch.save(checkpoints.compact_state(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(MissingPackageError, match=r"old\.pth"):
        opened.inspect_checkpoint(tmp_path / "old.pth")


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_damage_is_named_whether_torch_is_there_or_not(without_torch, tmp_path, suffix):
    state = checkpoints.compact_state()
    state["body.0.bias"][0] = float("nan")
    save = checkpoints.save_pth if suffix == "pth" else checkpoints.save_safetensors
    with pytest.raises(UnsupportedModelError, match=r"damaged: 'body\.0\.bias'"):
        opened.inspect_checkpoint(save(state, tmp_path / f"a.{suffix}"))
    content = save(checkpoints.compact_state(), tmp_path / f"b.{suffix}").read_bytes()
    (tmp_path / f"b.{suffix}").write_bytes(content[: len(content) // 2])
    with pytest.raises((UnsupportedModelError, MissingPackageError), match=rf"b\.{suffix}"):
        opened.inspect_checkpoint(tmp_path / f"b.{suffix}")
