"""Both languages say everything, with the same values to fill in."""

from __future__ import annotations

from string import Formatter
from types import SimpleNamespace

import pytest

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
