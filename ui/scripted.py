"""Parts of the page that files of their own draw and move: ``<folder>/<folder>.html``, ``.css`` and ``.js``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from ui.strings import Words, words_for, words_in


def scripted_html(folder: Path, value: Any = "", **more: Any) -> gr.HTML:
    """The component, made where it is called. ``more``: its props, which the script reads, and Gradio's arguments."""
    template, style, script = (
        (folder / f"{folder.name}.{ending}").read_text(encoding="utf-8") for ending in ("html", "css", "js")
    )
    return gr.HTML(
        value, html_template=template, css_template=style, js_on_load=script, apply_default_css=False, **more
    )


def spoken_html(
    folder: Path, blocks: gr.Blocks, words_of: Callable[[Words], Mapping[str, Any]], **more: Any
) -> gr.HTML:
    """The same with a prop ``words`` in each visitor's language. ``blocks``: the whole page."""
    made = scripted_html(folder, padding=False, words=words_of(words_in("en")), **more)

    def in_language(request: gr.Request) -> Any:
        return gr.update(words=words_of(words_for(request)))

    blocks.load(in_language, None, made, show_progress="hidden")
    return made


__all__ = ["scripted_html", "spoken_html"]
