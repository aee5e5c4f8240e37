"""Models as files: checked anew when asked, removed, and never brought from nowhere."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.model_manager import ModelManager
from engine.models.checkpoints import PassingFault, inspect_checkpoints
from engine.models.isolated import inspect_isolated
from engine.models.registry import ModelSpec
from engine.models.store import ModelStore
from utils.errors import ChecksumMismatchError, ModelNotFoundError, WorkerLostError
from utils.files import sha256_of


@pytest.fixture
def folder(weights, tmp_path):
    """A weights folder with a model of known hash and a person's own."""
    made = tmp_path / "weights"
    made.mkdir()
    shutil.copy(weights / "tiny-x4.pth", made / "known.pth")
    shutil.copy(weights / "tiny-x4.pth", made / "mine.pth")
    return made


@pytest.fixture
def manager(folder, tmp_path):
    def spec(name, sha256):
        return ModelSpec(name, "upscale", "compact", 4, "A test.", "any", "CC0", (), f"{name}.pth", sha256=sha256)

    specs = {name: spec(name, sha256_of(folder / "known.pth")) for name in ("known", "elsewhere")}
    made = ModelManager(specs, folder, cache_dir=tmp_path / "cache", bundled_dir=None, optimize=False, device="cpu")
    yield made
    made.close()


def test_a_file_that_changed_unnoticed_is_found_by_verifying(manager, folder):
    path = folder / "known.pth"
    assert manager.verify("known").verified == "verified" and manager.verify("mine").verified == "unverified"
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ChecksumMismatchError, match="models download known"):
        manager.verify("known")
    assert not path.exists() and (folder / "rejected" / "known.pth").exists()


def test_a_deleted_model_is_gone_and_a_missing_one_is_named(manager, folder):
    manager.delete("mine")
    assert not (folder / "mine.pth").exists() and "mine" not in [status.name for status in manager.list()]
    for act in (manager.delete, manager.verify, manager.file):
        with pytest.raises(ModelNotFoundError, match="mine"):
            act("mine")


def test_without_an_address_nothing_is_downloaded_and_the_place_is_told(manager, folder):
    with pytest.raises(ModelNotFoundError) as caught:
        manager.download("elsewhere")
    assert str(folder / "elsewhere.pth") in str(caught.value)
    with pytest.raises(ModelNotFoundError):
        manager.download("nobody-knows-it")
    assert manager.download("known").path == folder / "known.pth", "it is here already"


# -- what is remembered of a file ------------------------------------------------------------------------------------


@pytest.fixture
def start(folder, tmp_path):
    """A store over a person's own file, as a program that starts anew has it; answers with what it says of the file."""
    (folder / "known.pth").unlink()

    def make(inspect=inspect_checkpoints) -> ModelStore:
        return ModelStore({}, folder, None, tmp_path / "cache", inspect=inspect)

    return make


def says(answer):
    return lambda paths: [answer] * len(paths)


def never(paths):
    raise AssertionError("it was looked at again")


def problem(store: ModelStore) -> str | None:
    (status,) = store.list()
    return status.problem


def test_a_good_model_is_usable_again_after_its_inspection_was_killed(start):
    store = start(says(PassingFault("killed")))
    assert problem(store) == problem(store) == "killed"
    store.find("mine")  # remembers the hash
    assert problem(start()) is None


def test_what_one_version_of_spandrel_does_not_know_another_may(start, monkeypatch):
    assert problem(start(says("unknown architecture"))) == "unknown architecture"
    assert problem(start(never)) == "unknown architecture"
    monkeypatch.setattr("engine.models.facts._spandrel_version", lambda: "99")
    assert problem(start()) is None and problem(start(never)) is None


def test_verifying_looks_at_the_file_again(start):
    assert problem(start(says("damaged"))) == "damaged"
    assert start().verify("mine").problem is None
    assert problem(start(never)) is None


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")]
)
@pytest.mark.parametrize("where", ["torch.load", "spandrel.ModelLoader.load_from_state_dict"])
def test_short_memory_is_no_fault_of_the_file(folder, monkeypatch, error, where):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(where, fail)
    (found,) = inspect_checkpoints([folder / "mine.pth"])
    assert isinstance(found, PassingFault) and "mine.pth" in found


def test_a_killed_child_is_no_fault_of_the_file(folder, monkeypatch):
    def killed(*_):
        raise WorkerLostError("killed")

    monkeypatch.setattr("engine.models.isolated.run_isolated", killed)
    (found,) = inspect_isolated([folder / "mine.pth"])
    assert isinstance(found, PassingFault) and "mine.pth" in found


# -- files of unknown hash -------------------------------------------------------------------------------------------


@pytest.fixture
def unmeasured(weights, tmp_path):
    """(store, path of its only model): a known model whose hash and size are not; a server has the whole file."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(weights))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/tiny-x4.pth"
    spec = ModelSpec("tiny-x4", "upscale", "compact", 4, "A test.", "any", "CC0", (url,), "tiny-x4.pth")
    folder = tmp_path / "own"
    folder.mkdir()
    yield ModelStore({"tiny-x4": spec}, folder, None, None), folder / "tiny-x4.pth"
    server.shutdown()


@pytest.mark.parametrize("gone", ["deleted", "removed by hand"])
def test_a_truncated_file_does_not_keep_the_whole_one_out(unmeasured, weights, gone):
    store, path = unmeasured
    whole = (weights / "tiny-x4.pth").read_bytes()
    path.write_bytes(whole[:1000])
    assert store.find("tiny-x4").verified == "pinned"
    store.delete("tiny-x4") if gone == "deleted" else path.unlink()
    assert store.download("tiny-x4").sha256 == sha256_of(weights / "tiny-x4.pth")
    assert store.find("tiny-x4").verified == "pinned"


def test_after_deleting_another_file_may_be_copied_in(unmeasured, weights):
    store, path = unmeasured
    path.write_bytes(b"cut off")
    store.find("tiny-x4")
    store.delete("tiny-x4")
    shutil.copy(weights / "tiny-x4.pth", path)
    assert store.find("tiny-x4").verified == "pinned"
