"""Every language says everything, with the same values to fill in; a folder is all that one more needs."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from string import Formatter
from types import SimpleNamespace

import pytest

from tests.conftest import REPOSITORY
from tests.waiting import LONG
from ui.strings import LANGUAGES, MODULES, i18n, texts, words_for
from ui.strings.languages import words_of

OTHERS = [language for language in LANGUAGES if language != "en"]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def said_by(language: str) -> dict[str, str]:
    """``module: key`` -> text, of what the language says itself."""
    return {f"{module}: {key}": text for module in MODULES for key, text in words_of(module, language).items()}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_string_with_the_same_values(language):
    english, other = said_by("en"), said_by(language)
    assert not set(english) - set(other), f"{language} lacks these; ui/strings/languages.py says where they belong"
    assert not set(other) - set(english), f"{language} has these, which English lacks or has in another module"
    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in other.items()}
    assert not [key for key, text in other.items() if not text.strip()]


def test_a_key_belongs_to_one_module():
    keys = [key for name in MODULES for key in words_of(name, "en")]
    assert len(keys) == len(set(keys))


def test_the_page_gets_every_language():
    assert set(i18n().translations) == set(LANGUAGES)


NEW = """
import json, sys, ui
ui.__path__.insert(0, sys.argv[1])
from desktop.words import system_language, text
from ui.strings import LANGUAGES, words_in
words = words_in("qq")
said = [words("cancel"), words("refresh"), words("jobs_none"), words.said("There is no picture."), words.said("Sharp already.")]
print(json.dumps([LANGUAGES, said, text("menu_scale", "qq", scale=2), text("enlarged_one", "qq", name="a"),
                  system_language({"LANG": "qq_QQ.UTF-8"}, "linux"), "gradio" in sys.modules]))
"""


def test_a_copied_folder_is_a_language_and_english_where_it_says_nothing(tmp_path):
    """In a copy of the strings, to which nothing but the folder is added."""
    strings = tmp_path / "strings"
    shutil.copytree(REPOSITORY / "ui" / "strings", strings, ignore=shutil.ignore_patterns("__pycache__"))
    model = next(language for language in LANGUAGES if (strings / language).is_dir())
    shutil.copytree(strings / model, strings / "qq")
    (strings / "qq" / "common.py").write_text('TEXTS = {"cancel": "Qancel"}\n')
    (strings / "qq" / "desktop.py").write_text('TEXTS = {"menu_scale": "Qenlarge ×{scale}"}\n')
    (strings / "qq" / "engine" / "files.py").write_text('TEXTS = {"There is no picture.": "Qui a no qicture."}\n')
    (strings / "qq" / "engine" / "pictures.py").unlink()
    (strings / "qq" / "jobs.py").unlink()
    run = subprocess.run(
        [sys.executable, "-c", NEW, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, timeout=LONG
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [
        [*LANGUAGES, "qq"],
        ["Qancel", "Refresh", "Nothing runs or waits.", "Qui a no qicture.", "Sharp already."],
        "Qenlarge ×2",
        "a is there.",
        "qq",
        False,
    ]


def test_a_module_that_cannot_be_imported_is_no_missing_one(tmp_path, monkeypatch):
    import ui.strings

    (tmp_path / "zz").mkdir()
    (tmp_path / "zz" / "__init__.py").touch()
    (tmp_path / "zz" / "image.py").write_text("import nothing_of_that_name\n")
    monkeypatch.setattr(ui.strings, "__path__", [*ui.strings.__path__, str(tmp_path)])
    assert words_of("batch", "zz") == {}
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        words_of("image", "zz")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,en;q=0.5", "de"),
        ("es-MX,en;q=0.5", "es"),
        ("fr, es;q=0.6, de;q=0.4", "es"),
        ("fr, de;q=0.4", "de"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_sentences_come_in_the_browsers_language(accepted, language):
    assert words_for(SimpleNamespace(headers={"accept-language": accepted})).language == language


def stages() -> set[str]:
    """Every stage that the engine reports: what ``Progress(...)`` and the functions that pass one on are called with."""
    found = set()
    for path in (REPOSITORY / "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Progress", "_tell")):
                given = [*node.args, *(word.value for word in node.keywords)]
                found |= {one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_of_the_engine_has_a_word_and_every_word_a_stage(language):
    words = {key.removeprefix("stage_") for key in texts(language) if key.startswith("stage_")}
    assert words == stages()
