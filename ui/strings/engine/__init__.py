"""The engine's sentences (reasons, warnings, errors, purposes of models) in other languages.

The engine speaks English. A table holds each of its sentences as it stands in the source, ``{}`` for every value, and
the same in another language; ``{0}``, ``{1}`` ... put the values in another order. A sentence without a match stays
English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ui.strings.languages import words_of

MODULES = ("pictures", "models", "graphs", "video", "files", "documents", "originals", "reasons")
_FIELD = re.compile(r"\{(\d*)\}")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!]) (?=[^a-z])")


@dataclass(frozen=True)
class _Pattern:
    sentence: re.Pattern[str]
    translation: str


@dataclass(frozen=True)
class Translator:
    """One language. Call it with what the engine said."""

    exact: Mapping[str, str]
    patterns: tuple[_Pattern, ...]

    def __call__(self, text: str) -> str:
        """Whole, or sentence by sentence; what is not known stays as it is."""
        whole = self._one(text)
        if whole is not None:
            return whole
        ends = [found.start() for found in _BETWEEN_SENTENCES.finditer(text)]
        for end in reversed(ends):
            first = self._one(text[:end])
            if first is not None:
                return f"{first} {self(text[end + 1 :])}"
        return f"{text[: ends[0]]} {self(text[ends[0] + 1 :])}" if ends else text

    def _one(self, text: str) -> str | None:
        known = self.exact.get(text)
        if known is not None:
            return known
        for pattern in self.patterns:
            found = pattern.sentence.fullmatch(text)
            if found is not None:
                return _filled(pattern.translation, [self._value(value) for value in found.groups()])
        return None

    def _value(self, value: str) -> str:
        """A value may be a sentence or a list of words itself."""
        inner = value.strip()
        lead, tail = value[: len(value) - len(value.lstrip())], value[len(value.rstrip()) :]
        parts = inner.split(", ")
        if len(parts) > 1 and all(self._one(part) is not None for part in parts[1:]):
            return lead + ", ".join(self(part) for part in parts) + tail
        return lead + self(inner) + tail


def _filled(translation: str, values: list[str]) -> str:
    left = iter(range(len(values)))
    return _FIELD.sub(lambda field: values[int(field[1]) if field[1] else next(left)], translation)


def table(language: str) -> dict[str, str]:
    """Every sentence of a language: English -> its words."""
    merged: dict[str, str] = {}
    for name in MODULES:
        merged |= words_of(f"engine.{name}", language)
    return merged


@cache
def translator(language: str) -> Translator:
    """The engine's sentences in a language that is not English."""
    sentences = table(language)
    with_values = [text for text in sentences if _FIELD.search(text)]
    # The most specific first: what has more words of its own.
    with_values.sort(key=lambda text: len(_FIELD.sub("", text)), reverse=True)
    return Translator(
        {text: words for text, words in sentences.items() if text not in with_values},
        tuple(_Pattern(_expression(text), sentences[text]) for text in with_values),
    )


def _expression(sentence: str) -> re.Pattern[str]:
    literals = re.split(r"\{\}", sentence)
    return re.compile("(.*?)".join(re.escape(part) for part in literals), re.DOTALL)


__all__ = ["MODULES", "Translator", "table", "translator"]
