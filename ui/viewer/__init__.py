"""The picture on the page: before and after on one stage, zoomed to the pixel, with regions and faces to choose.

Gradio's own slider cannot show one picture pixel as one of the screen and cannot be moved with the keyboard.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ui.strings import Words, words_in

_HERE = Path(__file__).parent
_WORDS = (
    "viewer_empty",
    "viewer_stage",
    "viewer_divider",
    "viewer_before",
    "viewer_after",
    "viewer_fit",
    "viewer_zoom_in",
    "viewer_zoom_out",
    "viewer_pick",
    "viewer_face",
    "viewer_full",
)


@dataclass(frozen=True)
class Box:
    """A face on the picture, in pixels of the input. ``on``: it will be restored; ``why`` is its tooltip."""

    number: int
    left: float
    top: float
    width: float
    height: float
    on: bool
    why: str = ""


@dataclass(frozen=True)
class View:
    """What the stage shows.

    Attributes:
        before, after: picture files that a browser can show, of whatever size; ``after`` None before a run.
        width, height: the true size of what is shown, in pixels: 100 % is that.
        input_width: of the picture before, for regions and boxes.
        key: the zoom stays while this stays the same.
        run: the desk's id of the result that is shown, 0 where none is.
    """

    before: str | None = None
    after: str | None = None
    width: int = 0
    height: int = 0
    input_width: int = 0
    fidelity: float = 0.0
    picking: int = 0
    """Side of the square that can be chosen, in pixels of the input; 0 = none is to be chosen."""
    boxes: tuple[Box, ...] = ()
    key: str = ""
    run: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


EMPTY = View()


def stage_words(words: Words) -> dict[str, str]:
    """The stage's labels in one language."""
    return {key.removeprefix("viewer_"): words(key) for key in _WORDS}


def stage(**more: Any) -> gr.HTML:
    """Shows a ``View`` (its value is ``View.to_json()``).

    Events: ``pick`` with x, y (pixels of the input), ``face`` with number,
    ``adjust`` with run (the result shown last) and fidelity or faces.
    """
    return gr.HTML(
        value=EMPTY.to_json(),
        html_template=(_HERE / "viewer.html").read_text(encoding="utf-8"),
        css_template=(_HERE / "viewer.css").read_text(encoding="utf-8"),
        js_on_load=(_HERE / "viewer.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        words=stage_words(words_in("en")),
        **more,
    )


__all__ = ["EMPTY", "Box", "View", "stage", "stage_words"]
