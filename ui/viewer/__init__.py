"""The picture on the page: before and after on one stage, zoomed to the pixel, with regions and faces to choose.
Or two short films, in step under the same divider.

Gradio's own slider cannot show one picture pixel as one of the screen and cannot be moved with the keyboard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.faces.choose import FoundFace
from ui.scripted import scripted_html
from ui.strings import Words, words_in

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
    "viewer_play",
    "viewer_pause",
    "viewer_position",
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


def boxes_of(found: Sequence[FoundFace]) -> tuple[Box, ...]:
    """The boxes of faces that were found, each to be restored or not."""
    return tuple(
        Box(one.number, left, top, right - left, bottom - top, one.restore, one.reason)
        for one in found
        for left, top, right, bottom in [one.box]
    )


@dataclass(frozen=True)
class View:
    """What the stage shows.

    Attributes:
        before, after: picture files that a browser can show, of whatever size; ``after`` None before a run. Films of
            the same frames where ``frame_seconds`` is not 0: that is how long each of their frames is shown.
        width, height: the true size of what is shown, in pixels: 100 % is that.
        input_width: of the picture before, for regions and boxes.
        key: the zoom stays while this stays the same.
        run: the workspace's id of the result that is shown, 0 where none is.
        heat: a picture file with transparency that lies over the result, of whatever size.
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
    heat: str | None = None
    frame_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


EMPTY = View()


def stage_words(words: Words, empty: str = "viewer_empty") -> dict[str, str]:
    """The stage's labels in one language. ``empty``: the key of what it says while it shows nothing."""
    return {key.removeprefix("viewer_"): words(key) for key in _WORDS} | {"empty": words(empty)}


def stage(
    takes: str = "#picture, #picture-line",
    kind: str = "image/",
    empty: str = "viewer_empty",
    several: str = "",
    **more: Any,
) -> gr.HTML:
    """Shows a ``View`` (its value is ``View.to_json()``).

    Args:
        takes: selectors of the upload fields, with commas between them, the first of which that is there gets what is
            dropped on the stage, or pasted where its type begins with ``kind``; none where it is empty.
        empty: as in ``stage_words``.
        several: the selector of the field that gets pictures where more than one is dropped; "" = the first counts.

    Events: ``pick`` with x, y (pixels of the input), ``face`` with number,
    ``adjust`` with run (the result shown last) and fidelity or faces.
    """
    return scripted_html(
        Path(__file__).parent,
        EMPTY.to_json(),
        words=stage_words(words_in("en"), empty),
        takes=takes,
        kind=kind,
        several=several,
        **more,
    )


__all__ = ["EMPTY", "Box", "View", "stage", "stage_words"]
