"""Models as files: checked anew when asked, removed, and never brought from nowhere."""

from __future__ import annotations

import os
import shutil

import pytest

from engine.downloader import sha256_of
from engine.model_manager import ModelManager
from engine.registry import ModelSpec
from utils.errors import ChecksumMismatchError, ModelNotFoundError


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
