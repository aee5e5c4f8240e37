"""The description of the ready-made program, evaluated for each system without PyInstaller: every name and path in it is
there, and each system gets the programs, icons and facts that it knows how to use."""

from __future__ import annotations

import os
import pkgutil
import plistlib
import sys
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from cli.app import files_to_open
from desktop.words import NAME as SHOWN_NAME
from freeze import contents, platforms
from freeze.__main__ import command_line
from freeze.arguments import arguments
from tests.conftest import REPOSITORY
from utils.version import VERSION

PLATFORMS = ("linux", "darwin", "win32")
ELSEWHERE = {"webview.platforms.winforms", "webview.platforms.edgechromium", "webview.platforms.cocoa"}
"""Modules that import what only their own system has; here their files count."""


@dataclass
class Described:
    """What the description asked PyInstaller for."""

    analysis: dict[str, Any] = field(default_factory=dict)
    programs: dict[str, dict[str, Any]] = field(default_factory=dict)
    collected: tuple[Any, ...] = ()
    bundle: dict[str, Any] | None = None


def modules_of(name, filter=lambda one: True):
    """As PyInstaller's ``collect_submodules``, by files alone: nothing is imported but the package itself."""
    found = find_spec(name)
    assert found is not None, name
    inner = [one.name for one in pkgutil.iter_modules(found.submodule_search_locations, f"{name}.")]
    below = [
        one for each in inner if filter(each) for one in ([each] if not is_package(each) else modules_of(each, filter))
    ]
    return [name, *below] if filter(name) else []


def is_package(name):
    outer, _, last = name.rpartition(".")
    folders = find_spec(outer).submodule_search_locations
    return any((Path(folder) / last / "__init__.py").is_file() for folder in folders)


def files_of(name, includes):
    """As ``collect_data_files``."""
    (folder,) = find_spec(name).submodule_search_locations
    files = {path for pattern in includes for path in Path(folder).glob(pattern) if path.is_file()}
    return [
        (str(path), str(Path(name) / path.parent.relative_to(folder)))
        for path in files
        if path.suffix not in (".py", ".pyc")
    ]


def facts_of(name):
    """As ``copy_metadata``; what is installed without windows there is installed with them here."""
    try:
        return [(str(distribution(name)._path), f"{name}.dist-info")]
    except PackageNotFoundError:
        return [(str(distribution(name.removesuffix("-headless"))._path), f"{name}.dist-info")]


@pytest.fixture(params=PLATFORMS)
def platform(request, monkeypatch):
    monkeypatch.setattr(sys, "platform", request.param)
    return request.param


@pytest.fixture
def described(platform, tmp_path, monkeypatch):
    made = Described()
    hooks = ModuleType("PyInstaller.utils.hooks")
    vars(hooks).update(collect_data_files=files_of, collect_submodules=modules_of, copy_metadata=facts_of)
    for name in ("PyInstaller", "PyInstaller.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "PyInstaller.utils.hooks", hooks)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def analyse(scripts, **given):
        made.analysis = {"scripts": scripts, **given}
        return SimpleNamespace(pure="modules", scripts=scripts, datas=given["datas"], binaries=given["binaries"])

    def program(archive, scripts, *, name, **given):
        made.programs[name] = {"archive": archive, **given}
        return name

    def collect(*parts, **given):
        made.collected = (*parts, given)
        return "folder"

    def bundle(folder, **given):
        assert folder == "folder"
        made.bundle = given

    where = {"SPECPATH": str(REPOSITORY / "freeze"), "workpath": str(tmp_path / "work" / "program")}
    builders = {"Analysis": analyse, "PYZ": lambda pure: f"archive of {pure}", "EXE": program}
    source = (REPOSITORY / "freeze" / "program.spec").read_text("utf-8")
    exec(compile(source, "program.spec", "exec"), {**where, **builders, "COLLECT": collect, "BUNDLE": bundle})
    return made


def exists(name: str) -> bool:
    outer = name.rpartition(".")[0]
    if name in ELSEWHERE:
        return any(
            (Path(one) / f"{name.rpartition('.')[2]}.py").is_file()
            for one in find_spec(outer).submodule_search_locations
        )
    return find_spec(name) is not None


def test_every_module_and_every_file_is_there(described, platform):
    if platform != "linux" and find_spec("webview") is None:
        pytest.skip("pywebview is not installed")
    modules = described.analysis["hiddenimports"]
    assert {"config", "cli.app", "desktop.integration.macos", "ui.strings.batch"} <= set(modules)
    assert [name for name in modules if not exists(name)] == []
    data, binaries = described.analysis["datas"], described.analysis["binaries"]
    assert data and binaries and [path for path, _ in [*data, *binaries] if not os.path.exists(path)] == []
    assert all(not Path(folder).is_absolute() for _, folder in [*data, *binaries])
    assert all(Path(path).is_file() for path in described.analysis["scripts"])
    assert not {name.partition(".")[0] for name in modules} & set(described.analysis["excludes"])
    kept = [entry for kind in described.collected[-3:-1] for entry in kind]
    assert kept and all(contents.is_needed(path.replace("\\", "/")) for path, _ in kept)


def test_each_system_has_its_programs(described, platform):
    command, *window = described.programs.items()
    assert command[0] == contents.NAME and command[1]["console"] is True
    assert described.collected[: len(described.programs)] == tuple(described.programs)
    assert described.collected[-1]["name"] == contents.NAME
    if platform == "linux":
        assert window == [] and "icon" not in command[1]
        assert "webview" in described.analysis["excludes"]
        return
    ((name, given),) = window
    assert name == SHOWN_NAME and given["console"] is False and given["archive"] == command[1]["archive"]
    assert given.get("argv_emulation", False) is (platform == "darwin")
    assert "argv_emulation" not in command[1]
    assert "webview" not in described.analysis["excludes"]
    for one in described.programs.values():
        with Image.open(one["icon"]) as icon:
            assert icon.width == icon.height >= 256


def test_an_application_of_macos_opens_what_the_program_does(described, platform):
    assert (described.bundle is not None) is (platform == "darwin")
    if described.bundle is None:
        return
    assert described.bundle["name"] == f"{SHOWN_NAME}.app" and described.bundle["version"] == VERSION
    facts = plistlib.loads(plistlib.dumps(described.bundle["info_plist"]))
    assert facts["CFBundleExecutable"] in described.programs and not facts["LSBackgroundOnly"]
    (opened,) = facts["CFBundleDocumentTypes"]
    assert opened["LSItemContentTypes"] == ["public.image", "public.movie", "public.folder", "com.adobe.pdf"]
    assert opened["LSHandlerRank"] == "Alternate"  # it takes no file from the program that opened it before


NOTATION = (
    "VSVersionInfo",
    "FixedFileInfo",
    "StringFileInfo",
    "StringTable",
    "StringStruct",
    "VarFileInfo",
    "VarStruct",
)


def written(kind, *parts, **named):
    """A value of the notation: its kind, its parts, those with names."""
    return (kind, *parts, named)


def test_windows_knows_name_and_version_of_both(described, platform):
    for name, given in described.programs.items():
        assert ("version" in given) is (platform == "win32")
        if platform != "win32":
            continue
        notation = {one: partial(written, one) for one in NOTATION}
        _, resource = eval(Path(given["version"]).read_text("utf-8"), {"__builtins__": {}, **notation})
        fixed = resource["ffi"][1]
        assert fixed["filevers"] == fixed["prodvers"] == (*map(int, VERSION.split(".")), 0)
        strings, translation = resource["kids"]
        table = strings[1][0]
        said = {key: value for _, key, value, _ in table[2]}
        assert said["ProductName"] == SHOWN_NAME and said["ProductVersion"] == VERSION
        assert said["OriginalFilename"] == f"{name}.exe"
        assert table[1] == "{:04X}{:04X}".format(*translation[1][0][2])


def test_what_is_unpacked_is_started_by_its_name(platform, tmp_path):
    names = {
        "linux": "realesrgan-ultimate",
        "win32": "realesrgan-ultimate.exe",
        "darwin": "Contents/MacOS/realesrgan-ultimate",
    }
    assert command_line(tmp_path) == tmp_path / names[platform]


@pytest.mark.parametrize(
    ("given", "files"), [([], None), (["a b.png"], ["a b.png"]), (["info", "-x.png"], ["info", "-x.png"])]
)
def test_the_windows_program_takes_files_and_nothing_else(given, files):
    handed_on = arguments(platforms.WINDOW, given)
    assert "--window" in handed_on and files_to_open(handed_on) == files
    assert arguments(contents.NAME, given) == given
