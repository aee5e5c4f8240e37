"""Presets: settings that are known to serve a purpose, applied to the Image tab."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.components import SettingsForm
from ui.handlers.presets import PRESETS, describe, form_values


def build(form: SettingsForm) -> None:
    first = next(iter(PRESETS))
    gr.Markdown("Built-in presets. Applying one fills in the Image Enhancement tab; everything stays adjustable there.")
    choice = gr.Radio(list(PRESETS), value=first, label="Preset")
    text = gr.Markdown(describe(first))
    apply = gr.Button("Apply to the Image tab", variant="primary")
    told = gr.Markdown("")
    choice.change(describe, choice, text, show_progress="hidden")

    def fill(name: str) -> list[Any]:
        values = form_values(name, form)
        return [f"“{name}” applied.", *(gr.update(value=values[f]) if f in values else gr.skip() for f in form.names)]

    apply.click(fill, choice, [told, *form.components], show_progress="hidden")
