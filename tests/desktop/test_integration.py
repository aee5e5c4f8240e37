"""Entries in menus: each starts the right program with the very files that were chosen, and all go without a trace."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import plistlib
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.integration import Places, entries, install, program_command, remove
from desktop.integration import linux as linux_entries
from desktop.integration.entries import ACTIONS
from desktop.words import TEXTS
from utils.errors import OutputError

NAMES = [
    "plain.png",
    "two words.png",
    'it\'s "odd".png',
    "new\nline.png",
    "ünï 漢字.png",
    "-x.png",
    "100% $HOME `id`.png",
]
COMMANDS = [
    ("/opt/python", "/home/someone/program/main.py"),
    ("/opt/my python/bin/python", '/home/it\'s "me"/100%/$HOME/back\\slash/`id`/main.py'),
]
posix = pytest.mark.skipif(os.name != "posix", reason="scripts of a POSIX shell")


def linux(tmp_path, **environment):
    return Places.of_this_person("linux", environment, tmp_path / "home")


def tree(folder):
    """Every file with its content and mode, every folder."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def recorder(tmp_path):
    """A program in a folder with an odd name that writes its arguments down; and what it wrote."""
    folder = tmp_path / 'it\'s a "program" 100% $HOME `id`'
    folder.mkdir()
    program, file = folder / "main.py", tmp_path / "arguments.json"
    program.write_text(f"import json, sys\njson.dump(sys.argv[1:], open({str(file)!r}, 'w'))\n")
    return (sys.executable, str(program)), file


@pytest.fixture
def chosen(tmp_path):
    """Files with all kinds of names."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in NAMES:
        (folder / name).touch()
    return [folder / name for name in NAMES]


# -- written and taken away ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_what_is_removed_leaves_no_trace(tmp_path, platform):
    home = tmp_path / "home"
    (home / ".local" / "share" / "applications").mkdir(parents=True)
    (home / ".local" / "share" / "applications" / "other.desktop").write_text("[Desktop Entry]\nType=Application\n")
    (home / "Applications").mkdir()
    before = tree(home)
    places = Places.of_this_person(platform, {}, home)
    written = install(places, COMMANDS[1], "en")
    assert all(path.is_file() and path.is_relative_to(home) for path in written)
    assert len(tree(home)) > len(before) + len(written) - 1
    assert set(remove(places).gone) == set(written)
    assert tree(home) == before
    assert remove(places).gone == ()


def test_a_home_that_does_not_exist_yet_goes_as_well(tmp_path):
    before = tree(tmp_path)
    install(linux(tmp_path), COMMANDS[0], "de")
    remove(linux(tmp_path))
    assert tree(tmp_path) == before


def test_installing_again_replaces_and_one_removal_is_enough(tmp_path):
    places = linux(tmp_path)
    install(places, COMMANDS[0], "en")
    install(places, COMMANDS[1], "de")  # other names of the scripts
    assert not list((tmp_path / "home").rglob("Enlarge*"))
    remove(places)
    assert tree(tmp_path) == {}


def test_what_a_person_has_changed_or_added_stays(tmp_path):
    places = linux(tmp_path)
    written = install(places, COMMANDS[0], "en")
    script = next(path for path in written if path.name == "Enlarge ×2")
    script.write_text("#!/bin/sh\nmy own\n")
    (script.parent / "mine").write_text("mine")
    with pytest.raises(OutputError, match="Enlarge ×2"):
        install(places, COMMANDS[0], "en")
    outcome = remove(places)
    assert outcome.kept == (script,)
    assert {path.name for path in script.parent.iterdir()} == {"Enlarge ×2", "mine"}
    assert not places.record.exists()


def test_a_file_of_somebody_else_is_not_overwritten_and_nothing_is_written(tmp_path):
    places = linux(tmp_path)
    theirs = places.data / "nautilus" / "scripts" / "Real-ESRGAN Ultimate" / "Enlarge ×4"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="Enlarge ×4"):
        install(places, COMMANDS[0], "en")
    assert tree(tmp_path) == before


def test_a_folder_that_is_a_file_leaves_nothing_behind(tmp_path):
    places = linux(tmp_path)
    (places.data / "nemo").mkdir(parents=True)
    (places.data / "nemo" / "actions").write_text("a file")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        install(places, COMMANDS[0], "en")
    assert tree(tmp_path) == before


def test_folders_are_those_that_the_environment_names(tmp_path):
    assert linux(tmp_path, XDG_DATA_HOME="/data").data == Path("/data")
    assert linux(tmp_path, XDG_DATA_HOME="relative").data == tmp_path / "home" / ".local" / "share"
    windows = Places.of_this_person("win32", {"APPDATA": "/roaming", "LOCALAPPDATA": "/local"}, tmp_path)
    assert (windows.data, windows.roaming) == (Path("/local"), Path("/roaming"))


# -- Linux ---------------------------------------------------------------------------------------------------------------


def keyfile(content):
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str
    parser.read_string(content.decode())
    return parser


def entry_named(found, name):
    return next(entry for entry in found if entry.path.name == name)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_applications_entry_is_valid(tmp_path, command):
    validator = shutil.which("desktop-file-validate")
    if validator is None:
        pytest.skip("desktop-file-validate is not installed")
    install(linux(tmp_path), command, "en")
    path = tmp_path / "home" / ".local" / "share" / "applications" / "realesrgan-ultimate.desktop"
    done = subprocess.run([validator, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_kinds_of_files_are_known_by_their_real_names():
    import mimetypes

    from utils.image_files import READABLE_SUFFIXES
    from utils.video_files import SUFFIXES

    types = mimetypes.MimeTypes()
    known = {*linux_entries.PICTURES, *linux_entries.FILMS}
    for suffix in (".png", ".jpg", ".webp", ".tiff", ".gif", ".bmp", ".mp4", ".mov", ".webm", ".avi"):
        assert suffix in READABLE_SUFFIXES | SUFFIXES
        kind = types.guess_type(f"x{suffix}")[0]
        assert kind is None or kind.replace("x-ms-bmp", "bmp") in known


def launched_with_gio(path, files, environment):
    """By the library that GNOME's file manager, menu and desktop use."""
    code = (
        "import sys\nfrom gi.repository import Gio\n"
        "info = Gio.DesktopAppInfo.new_from_filename(sys.argv[1])\n"
        "assert info is not None\n"
        "info.launch([Gio.File.new_for_path(one) for one in sys.argv[2:]], None)\n"
    )
    python = shutil.which("python3", path="/usr/bin")
    known = python and subprocess.run([python, "-c", "from gi.repository import Gio"], capture_output=True, check=False)
    if not known or known.returncode:
        pytest.skip("GLib's Python binding is not installed")
    subprocess.run([python, "-c", code, str(path), *map(str, files)], check=True, env=environment)


@pytest.mark.skipif(sys.platform != "linux", reason="desktop entries are Linux's")
def test_a_desktop_starts_the_program_with_the_very_files(tmp_path, recorder, chosen):
    from tests.waiting import until

    command, file = recorder
    install(linux(tmp_path), command, "en")
    path = tmp_path / "home" / ".local" / "share" / "applications" / "realesrgan-ultimate.desktop"
    launched_with_gio(path, chosen, {**os.environ, "HOME": str(tmp_path / "home")})
    until(lambda: file.exists() and file.read_text().endswith("]"))
    assert json.loads(file.read_text()) == ["--window", "--", *map(str, chosen)]


@posix
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_nautilus_scripts_hand_on_every_name(tmp_path, recorder, chosen, action):
    """Nautilus starts them in the folder, with the names as arguments."""
    command, file = recorder
    install(linux(tmp_path), command, "de")
    scripts = tmp_path / "home" / ".local" / "share" / "nautilus" / "scripts" / "Real-ESRGAN Ultimate"
    subprocess.run([str(scripts / action.label("de")), *NAMES], check=True, cwd=chosen[0].parent)
    assert json.loads(file.read_text()) == [*action.arguments, *NAMES]


def unquoted(line):
    """The words of an ``Exec`` value, by the specification: the string's escapes first, then the quotes."""
    text = line.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
    words, word, inside, escaped = [], "", False, False
    for one in text:
        if escaped:
            word, escaped = word + one, False
        elif inside and one == "\\":
            escaped = True
        elif one == '"':
            inside = not inside
        elif one == " " and not inside:
            words.append(word)
            word = ""
        else:
            word += one
    return [one.replace("%%", "%") for one in [*words, word]]


@pytest.mark.parametrize("command", COMMANDS)
def test_dolphins_menus_name_the_program_and_leave_the_files_to_kde(tmp_path, command):
    found = entries(linux(tmp_path), command, "en")
    pictures = keyfile(entry_named(found, "realesrgan-ultimate-pictures.desktop").content)
    for action in ACTIONS[:2]:
        section = pictures[f"Desktop Action {action.name}"]
        assert unquoted(section["Exec"]) == [*command, *action.arguments, "%F"]
        assert section["Name"] == action.label("en") and section["Name[de]"] == action.label("de")
    assert pictures["Desktop Entry"]["Actions"] == "x2;x4;"
    (both,) = (
        entry for entry in found if entry.path.parent.name == "servicemenus" and "pictures" not in entry.path.name
    )
    assert both.executable
    menu = keyfile(both.content)
    assert unquoted(menu["Desktop Action with"]["Exec"]) == [*command, "--window", "--", "%F"]
    assert "inode/directory;" in menu["Desktop Entry"]["MimeType"]


@pytest.mark.parametrize("command", COMMANDS[:1])
def test_nemo_gets_addresses_which_hold_nothing_to_quote(tmp_path, command, chosen):
    found = entries(linux(tmp_path), command, "en")
    action = keyfile(entry_named(found, "realesrgan-ultimate-x4.nemo_action").content)["Nemo Action"]
    assert action["Quote"] == "double"
    line = action["Exec"].replace("%U", " ".join(f'"{path.as_uri()}"' for path in chosen))
    words = shlex.split(line)
    assert words[: -len(chosen)] == [*command, "integrate", "enlarge", "--scale", "4", "--"]
    from cli.interface import as_path

    assert [as_path(one) for one in words[-len(chosen) :]] == chosen


# -- Windows, macOS ------------------------------------------------------------------------------------------------------


@pytest.fixture
def windows(tmp_path):
    return Places("win32", tmp_path, tmp_path / "Local", tmp_path / "Roaming")


def registry(content):
    """Key -> values of a registry file."""
    assert content.startswith(b"\xff\xfe")
    lines = content[2:].decode("utf-16-le").split("\r\n")
    assert lines[0] == "Windows Registry Editor Version 5.00" and lines[-1] == ""
    found: dict[str, dict[str, str]] = {}
    for line in lines[1:]:
        if line.startswith("["):
            key = line[1:-1]
            found[key] = {}
        elif line:
            name, _, value = line.partition("=")
            found[key][name.strip('"')] = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return found


def test_explorers_menu_names_program_and_file(windows):
    command = ("C:\\Program Files\\Python\\pythonw.exe", "C:\\Users\\Jörg & Co\\main.py")
    found = entries(windows, command, "de")
    keys = registry(entry_named(found, "install.reg").content)
    image = "HKEY_CURRENT_USER\\Software\\Classes\\SystemFileAssociations\\image\\shell\\RealESRGANUltimate"
    assert keys[f"{image}.x2"]["@"] == "Vergrößern ×2"
    assert keys[f"{image}.x2\\command"]["@"] == (
        '"C:\\Program Files\\Python\\pythonw.exe" "C:\\Users\\Jörg & Co\\main.py" integrate enlarge --scale 2 -- "%1"'
    )
    assert keys[f"{image}.with\\command"]["@"].endswith('main.py" --window -- "%1"')
    folder = "HKEY_CURRENT_USER\\Software\\Classes\\Directory\\shell\\RealESRGANUltimate"
    assert f"{folder}.with" in keys and f"{folder}.x2" not in keys


def test_what_is_put_into_the_registry_is_what_is_taken_out(windows):
    found = entries(windows, COMMANDS[0], "en")
    put = registry(entry_named(found, "install.reg").content)
    taken = registry(entry_named(found, "remove.reg").content)
    assert {key.removesuffix("\\command") for key in put} == {key.removeprefix("-") for key in taken}
    assert all(key.startswith("-HKEY_CURRENT_USER\\Software\\Classes\\") for key in taken)


def test_shortcuts_stand_in_send_to_and_the_start_menu(windows):
    import base64
    import re

    from desktop.integration import windows as system

    command = ("C:\\It's\\python.exe", "C:\\main.py")
    script = entry_named(entries(windows, command, "en"), "shortcuts.ps1").content.decode("utf-8-sig")
    texts = [base64.b64decode(one).decode() for one in re.findall(r"Read-Text '([^']*)'", script)]
    assert [one for one in texts if one.endswith(".lnk")] == [str(path) for path in system.made(windows)]
    assert texts.count("C:\\It's\\python.exe") == 2
    assert "C:\\main.py --window --" in texts and "C:\\main.py --window" in texts
    assert "It's" not in script  # nothing of a path stands in the script itself


def test_the_icon_holds_every_size_that_explorer_asks_for(windows, tmp_path):
    import io

    from PIL import Image

    with Image.open(io.BytesIO(entry_named(entries(windows, COMMANDS[0], "en"), "icon.ico").content)) as icon:
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48), (256, 256)}


@posix
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_a_quick_action_hands_on_every_name(tmp_path, recorder, chosen, action):
    """Automator runs the script with the files as its arguments."""
    command, file = recorder
    found = entries(Places.of_this_person("darwin", {}, tmp_path / "home"), command, "en")
    bundle = tmp_path / "home" / "Library" / "Services" / f"{action.label('en')}.workflow" / "Contents"
    service = plistlib.loads(next(one for one in found if one.path == bundle / "Info.plist").content)["NSServices"][0]
    assert service["NSMenuItem"]["default"] == action.label("en")
    assert ("public.movie" in service["NSSendFileTypes"]) is not action.pictures_only
    workflow = plistlib.loads(next(one for one in found if one.path == bundle / "document.wflow").content)
    step = workflow["actions"][0]["action"]["ActionParameters"]
    assert step["inputMethod"] == 1
    subprocess.run([step["shell"], "-c", step["COMMAND_STRING"], "sh", *map(str, chosen)], check=True)
    assert json.loads(file.read_text()) == [*action.arguments, *map(str, chosen)]


@posix
def test_the_application_of_macos_opens_the_window(tmp_path, recorder):
    command, file = recorder
    install(Places.of_this_person("darwin", {}, tmp_path / "home"), command, "en")
    bundle = tmp_path / "home" / "Applications" / "Real-ESRGAN Ultimate.app" / "Contents"
    facts = plistlib.loads((bundle / "Info.plist").read_bytes())
    subprocess.run([str(bundle / "MacOS" / facts["CFBundleExecutable"])], check=True)
    assert json.loads(file.read_text()) == ["--window"]
    assert (bundle / "Resources" / "icon.icns").read_bytes()[:4] == b"icns"


# -- which program -------------------------------------------------------------------------------------------------------


def test_a_checkout_is_started_by_its_python(tmp_path):
    assert program_command(tmp_path, "/venv/bin/python", "linux") == ("/venv/bin/python", str(tmp_path / "main.py"))


def test_an_installation_is_started_by_its_command(tmp_path):
    root = tmp_path / "site-packages" / "realesrgan_ultimate"
    (tmp_path / "site-packages" / "realesrgan_ultimate-1.dist-info").mkdir(parents=True)
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    assert program_command(root, str(python), "linux") == (str(python), str(root / "main.py"))
    (tmp_path / "bin" / "realesrgan-ultimate").touch()
    assert program_command(root, str(python), "linux") == (str(tmp_path / "bin" / "realesrgan-ultimate"),)


def test_on_windows_no_console_window_appears(tmp_path):
    (tmp_path / "pythonw.exe").touch()
    command = program_command(tmp_path, str(tmp_path / "python.exe"), "win32")
    assert command == (str(tmp_path / "pythonw.exe"), str(tmp_path / "main.py"))


def test_every_language_has_every_word():
    assert {language: set(words) for language, words in TEXTS.items()} == dict.fromkeys(TEXTS, set(TEXTS["en"]))
