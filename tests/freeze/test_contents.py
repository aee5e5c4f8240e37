"""What the ready-made program is made of: the program's own files, the set-up's networks, OpenVINO for the processor."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from engine.models.wheel_pairs import PAIRS
from freeze import contents
from freeze.__main__ import pack, requirements
from tests.conftest import REPOSITORY


def test_its_data_is_what_is_installed():
    tree = ast.parse((REPOSITORY / "setup.py").read_text("utf-8"))
    (given,) = (node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "package_data")
    assert isinstance(given, ast.Dict)
    installed = {}
    for key, value in zip(given.keys, given.values, strict=True):
        assert isinstance(key, ast.JoinedStr) and isinstance(key.values[-1], ast.Constant)
        installed[str(key.values[-1].value).strip(".").replace(".", "/")] = tuple(ast.literal_eval(value))
    assert installed == contents.DATA
    assert all(Path(file).is_file() for file, _ in contents.own_data())


def test_every_network_of_the_set_up_is_in_it_with_the_facts_of_its_distribution():
    files = {f"{folder}/{Path(file).name}" for file, folder in contents.networks()}
    wanted = {name for pair in PAIRS.values() if pair.wheel.with_setup for name, _ in pair.members}
    assert wanted <= files
    assert {name.rpartition("/")[2] for name in files if ".dist-info/" in name} >= {"METADATA", "RECORD"}
    assert not [name for name in files if name.endswith((".so", ".py"))]


def test_openvino_brings_the_processors_plugin_and_the_reader_of_its_own_files():
    names = [Path(file).name for file, _ in contents.runtime()]
    for wanted in ("openvino_intel_cpu_plugin", "openvino_ir_frontend", "tbb"):
        assert [name for name in names if wanted in name], wanted
    assert not [name for name in names if "gpu" in name or "npu" in name or "tensorflow" in name]


PLATFORMS = {
    "linux": ["lib{}.so", "lib{}.so.2641"],
    "macOS": ["lib{}.so", "lib{}.2641.dylib", "lib{}.dylib"],
    "windows": ["{}.dll"],
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_same_is_left_out_on_every_platform(platform):
    for form in PLATFORMS[platform]:
        for name in ("openvino", "openvino_intel_cpu_plugin", "openvino_ir_frontend", "tbb12"):
            assert contents.is_needed(f"openvino/libs/{form.format(name)}")
        for name in ("openvino_intel_gpu_plugin", "openvino_onnx_frontend", "openvino_c", "openvino_auto_batch_plugin"):
            assert not contents.is_needed(f"openvino/libs/{form.format(name)}")


def test_it_is_built_from_the_list_without_torch():
    run, data = requirements((REPOSITORY / "requirements-cpu.txt").read_text("utf-8"))
    assert any(line.startswith("opencv-python-headless==") for line in run)
    assert not any(line.startswith(("opencv-python==", "torch", "spandrel", "#")) for line in run)
    assert {line.split("==")[0] for line in data} == {
        pair.wheel.distribution for pair in PAIRS.values() if pair.wheel.with_setup
    }


@pytest.mark.parametrize(("platform", "suffix"), [("linux", ".tar.gz"), ("darwin", ".tar.gz"), ("win32", ".zip")])
def test_an_archive_is_what_the_platform_unpacks_by_itself(tmp_path, monkeypatch, platform, suffix):
    import shutil

    folder = tmp_path / "dist" / contents.NAME
    (folder / "_internal").mkdir(parents=True)
    (folder / contents.NAME).write_text("program")
    (folder / contents.NAME).chmod(0o755)
    (folder / "_internal" / "part").write_text("part")
    monkeypatch.setattr("sys.platform", platform)
    path = pack(folder)
    assert path.name.startswith(f"{contents.NAME}-") and path.name.endswith(suffix)
    monkeypatch.undo()
    shutil.unpack_archive(path, tmp_path / "out")
    unpacked = tmp_path / "out" / contents.NAME
    assert (unpacked / "_internal" / "part").read_text() == "part"
    assert suffix == ".zip" or (unpacked / contents.NAME).stat().st_mode & 0o100
