"""Every word of the interface, in every language; one module a tab, one dict a language (see ``languages``).

Components take ``t("image_enhance")``: the page shows it in the browser's language. Handlers, which answer with whole
sentences, take ``words = words_for(request)`` and say ``words("image_done", width=800)``. Sentences of the engine
(errors, reasons, warnings) come in English and go through ``words.said(sentence)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ui.strings.engine import translator
from ui.strings.languages import LANGUAGES, words_of
from utils.names import as_text

if TYPE_CHECKING:
    import gradio as gr

MODULES = ("common", "image", "batch", "presets", "system", "video", "jobs", "outside", "menu", "differences")
COOKIE = "upscaler_language"
"""Holds the language that a person chose; without it the browser's counts."""
_PREFIX = "app_"
"""Keeps our keys apart from Gradio's own."""


def texts(language: str) -> dict[str, str]:
    """All strings of a language: key -> text, in English what it does not say. A key belongs to one module."""
    merged: dict[str, str] = {}
    for name in MODULES:
        merged |= {**words_of(name, LANGUAGES[0]), **words_of(name, language)}
    return merged


def i18n() -> gr.I18n:
    """The strings as ``Blocks.launch`` takes them."""
    import gradio as gr  # seconds, which those who only want words need not wait

    return gr.I18n(
        **{language: {_PREFIX + key: text for key, text in texts(language).items()} for language in LANGUAGES}
    )


def t(key: str) -> Any:
    """A string that the page translates. For labels, buttons, tabs, Markdown; not for headers of tables."""
    import gradio as gr

    return gr.I18n()(_PREFIX + key)


def choice(key: str) -> str:
    """As ``t``, for the labels of choices, which must be ``str``."""
    return str(t(key))


@dataclass(frozen=True)
class Words:
    """One language's strings, for sentences that a handler makes. Call it with a key and the values to fill in."""

    language: str
    table: Mapping[str, str]

    def __call__(self, key: str, **values: Any) -> str:
        return self.table[key].format(**values) if values else self.table[key]

    def said(self, sentence: object) -> str:
        """What the engine said (a sentence, several, or an error) in this language."""
        text = as_text(str(sentence))
        return text if self.language == LANGUAGES[0] else translator(self.language)(text)


def words_in(language: str) -> Words:
    """The words of a language; English for one that is not here."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    return Words(known, texts(known))


def words_for(request: Any) -> Words:
    """The words that the person chose, else those the browser asks for (its ``Accept-Language``).

    English without a request.
    """
    chosen = (getattr(request, "cookies", None) or {}).get(COOKIE)
    if chosen in LANGUAGES:
        return words_in(chosen)
    accepted = request.headers.get("accept-language", "") if request is not None else ""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().split("-")[0].lower()
        if language in LANGUAGES:
            return words_in(language)
    return words_in(LANGUAGES[0])
