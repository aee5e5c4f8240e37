"""A button that makes a file when it is pressed, and hands it over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

_PRESS = "(file) => { if (file) setTimeout(() => document.querySelector('#ID').click(), 150); }"
"""The page needs a moment to give the hidden button its new file."""


class MadeDownload:
    """Two components that act as one: the button that people see, and a hidden one that holds the file.

    Args:
        elem_id: of the visible button; the hidden one's ends in ``-file``.
    """

    def __init__(self, label: Any, elem_id: str, **how: Any) -> None:
        self.button = gr.Button(label, elem_id=elem_id, **how)
        self._id = f"{elem_id}-file"
        self._file = gr.DownloadButton(label, visible="hidden", elem_id=self._id)

    def connect(
        self, make: Callable[..., tuple[str | None, Any]], inputs: Sequence[Any] | None, told: gr.components.Component
    ) -> None:
        """``make`` returns the file's path, or None, and what ``told`` then shows."""

        def work(request: gr.Request, *given: Any) -> list[Any]:
            path, text = make(request, *given)
            return [gr.update(value=path), text]

        self.button.click(
            work, list(inputs or ()), [self._file, told], show_progress="minimal", show_progress_on=self.button
        ).then(None, self._file, None, js=_PRESS.replace("ID", self._id))
