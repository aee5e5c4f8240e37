"""The page's blocks: Gradio's, whose answers in several parts arrive whole, and each part once."""

from __future__ import annotations

from typing import Any

import gradio as gr


class Page(gr.Blocks):
    """Gradio's blocks, which send of a later part what is new as a whole, in place of edits of the part before.

    Gradio's client applies edits to the very object that it handed on for the part before. Where two parts arrive
    together, that one was not looked at yet: a button that the first makes visible, and of which the second says
    nothing, would stay hidden.

    And Gradio says the last part again as the answer ends. Whatever was drawn in between, by another answer, would be
    covered by it, so here the end of an answer in parts draws nothing.
    """

    def handle_streaming_diffs(
        self,
        block_fn: Any,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list[Any]:
        """The values of a part as Gradio's client takes them; its arguments are Gradio's."""
        before = list(self.pending_diff_streams.get(session_hash, {}).get(run, ())) if session_hash and run else []
        whole: list[Any] = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format=True)
        if final and before and not simple_format:
            return [gr.skip() for _ in whole]
        if simple_format or not before:
            return whole
        return [[] if new == old else [["replace", [], new]] for old, new in zip(before, whole, strict=True)]
