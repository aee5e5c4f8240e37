"""Both languages say everything, with the same values to fill in."""

from __future__ import annotations

import ast
from string import Formatter
from types import SimpleNamespace

import pytest

from tests.conftest import REPOSITORY
from ui.strings import LANGUAGES, MODULES, texts, words_for

OTHERS = [language for language in LANGUAGES if language != "en"]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_string_with_the_same_values(language):
    english, other = texts("en"), texts(language)
    assert set(english) == set(other)
    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in other.items()}
    assert not [key for key, text in other.items() if not text.strip()]


def test_a_key_belongs_to_one_module():
    from importlib import import_module

    keys = [key for name in MODULES for key in import_module(f"ui.strings.{name}").EN]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("accepted", "language"), [("de-AT,en;q=0.5", "de"), ("fr, de;q=0.4", "de"), ("fr", "en"), ("", "en")]
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
