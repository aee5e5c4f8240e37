"""Notifications say what happened in whole, whatever a file is called, and their absence harms nothing."""

from __future__ import annotations

import json
import re
import sys
from html import unescape

import pytest

from desktop import notices
from desktop.words import TEXTS, system_language, text
from ui.strings.languages import LANGUAGES, folders, words_of

ODD = 'it\'s <b>"odd"</b> & $HOME `id`\nü 漢字 100%'


@pytest.fixture
def recorder(tmp_path, monkeypatch):
    """A ``notify-send`` or ``gdbus`` that writes its arguments down; only it can be found."""

    def make(name):
        file = tmp_path / "said.json"
        program = tmp_path / "bin" / name
        program.parent.mkdir()
        program.write_text(f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open({str(file)!r}, 'w'))\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        return lambda: json.loads(file.read_text())

    return make


linux = pytest.mark.skipif(sys.platform != "linux", reason="how Linux shows notifications")


@linux
def test_notify_send_is_told_title_and_text(recorder):
    said = recorder("notify-send")
    assert notices.notify(ODD, ODD)
    *options, title, body = said()
    assert options[-1] == "--" and title == ODD
    assert "<b>" not in body and unescape(body) == ODD  # the desktop reads it as markup
    assert f"--icon={notices.ICON}" in options and notices.ICON.is_file()


@linux
def test_without_it_the_desktop_is_asked_over_its_bus(recorder):
    said = recorder("gdbus")
    assert notices.notify(ODD, "done")
    arguments = said()
    assert arguments[:3] == ["call", "--session", "--dest"]
    assert json.loads(arguments[-5]) == ODD and json.loads(arguments[-4]) == "done"
    assert arguments[-3:] == ["[]", "{}", "-1"]


@linux
def test_a_desktop_without_notifications_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not notices.notify("title", "text")


@linux
def test_one_that_fails_raises_nothing(tmp_path, monkeypatch):
    (tmp_path / "notify-send").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "notify-send").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not notices.notify("title\0", "\udcff" * 10_000)


def test_macos_and_windows_get_the_text_beside_the_script():
    command, _ = notices.command_for(ODD, "x", "darwin")
    assert command[-2:] == [ODD, "x"] and not any(ODD in part for part in command[:-2])
    command, variables = notices.command_for(ODD, "x", "win32")
    assert variables == {"NOTICE_TITLE": ODD, "NOTICE_TEXT": "x"} and not any(ODD in part for part in command)


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "de:en"}, "de"),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "fr:de"}, "de"),
        ({"LANG": "es_MX.UTF-8"}, "es"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_the_desktops_language(variables, language):
    assert system_language(variables, "linux") == language


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_language_says_everything_outside_the_page(language):
    said = words_of("desktop", language) if language in folders() else TEXTS[language]
    assert set(said) == set(TEXTS["en"])
    fields = {key: set(re.findall(r"{\w+}", text)) for key, text in TEXTS["en"].items()}
    assert {key: set(re.findall(r"{\w+}", text)) for key, text in said.items()} == fields


def test_words_can_be_filled_in():
    assert text("menu_scale", "de", scale=4) == "Vergrößern ×4"
