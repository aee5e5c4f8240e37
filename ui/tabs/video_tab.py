"""Video: not built yet; says so."""

from __future__ import annotations

from typing import Any

import gradio as gr


def build(config: Any) -> None:
    gr.Markdown(
        "### Video is not available in this version\n"
        "Animated GIF, WebP and PNG files are enhanced frame by frame in the Image Enhancement tab, with their timing "
        "kept. Films (MP4, MKV, WebM) will be opened here."
    )
