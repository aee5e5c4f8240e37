"""What a person learns of a long job while looking elsewhere: the page's title, and a notification at its end.

The page itself sees it all: what shows a job carries ``data-job`` (running, done, failed or stopped), the bar of a
running one its share in ``aria-valuenow``; a place with several jobs lists those that have ended in ``data-ended``. In
a window of the program's own the notification is the desktop's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ui.scripted import spoken_html
from ui.strings import Words

_WORDS = (
    "off",
    "on",
    "blocked",
    "hint",
    "hint_blocked",
    "done",
    "failed",
    "image",
    "video",
    "batch",
    "image_failed",
    "video_failed",
    "batch_failed",
)
STATUS_LINES = {"image": "status", "video": "video-progress", "batch": "batch-status"}
"""Tab -> elem_id of what shows its job."""
LONG_SECONDS = 30
"""A picture that is expected to take longer is a long job; films and batches always are."""


def ended_mark(state: str) -> str:
    """Tells the page how a job ended, where nothing is shown any more that could. ``state``: done, failed, stopped."""
    return f'<span data-job="{state}" hidden></span>'


def ended_list(ended: Sequence[tuple[str, str, str]]) -> str:
    """Jobs of a place that has several, each with a key of its own, how it ended, and its name: what the page has not
    seen yet is announced. An empty list is told too, for the first one that a page sees is what it knows from then on.
    """
    return f'<span data-ended="{escape(json.dumps(ended), quote=True)}" hidden></span>'


def notices(title: str, blocks: gr.Blocks) -> Any:
    """The switch; makes the component where it is called. ``title``: the page's, when nothing runs."""
    return spoken_html(
        Path(__file__).parent, blocks, _words, elem_id="notices", title=title, places=STATUS_LINES, long=LONG_SECONDS
    )


def _words(words: Words) -> dict[str, str]:
    return {"language": words.language} | {key: words(f"notices_{key}") for key in _WORDS}


__all__ = ["LONG_SECONDS", "STATUS_LINES", "ended_mark", "notices"]
