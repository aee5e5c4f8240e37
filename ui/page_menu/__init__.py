"""At the end of the page's title: the language, and "?" for the keys that do something, which are pressed here too.

A single key does nothing while a person types, and those of the Image tab nothing in another tab.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from ui.scripted import spoken_html
from ui.strings import COOKIE, LANGUAGES, Words

KEYS = (
    ("Ctrl + Enter", "enhance"),
    ("Esc", "cancel"),
    ("B", "before"),
    ("H", "heat"),
    ("1", "one"),
    ("0", "fit"),
    ("+ −", "zoom"),
    ("F", "full"),
    ("?", "help"),
)
"""What is pressed, and the word for what it does."""


def page_menu(blocks: gr.Blocks) -> Any:
    """Makes the component where it is called; ``blocks``: the whole page."""
    return spoken_html(Path(__file__).parent, blocks, _words, elem_id="page-menu", cookie=COOKIE)


def _words(words: Words) -> dict[str, Any]:
    return {
        **{name: words(f"menu_{name}") for name in ("language", "auto", "keys", "close")},
        "languages": list(LANGUAGES),
        "rows": [[key, words(f"key_{name}")] for key, name in KEYS],
    }


__all__ = ["KEYS", "page_menu"]
