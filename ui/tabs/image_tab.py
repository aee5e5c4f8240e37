"""Image Enhancement: one picture, before and after."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import gradio as gr

from ui import handlers
from ui.components import SettingsForm, original_file, progress_listener, settings_form
from ui.previews import before_and_after
from ui.sessions import Sessions
from utils.errors import EngineError

logger = logging.getLogger(__name__)


def build(config: Any, manager: Any, sessions: Sessions) -> SettingsForm:
    """The tab; returns its form, which presets fill and the batch shares."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            picture = original_file(
                gr.Image(
                    label="Picture",
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard"],
                    height=260,
                    elem_id="picture",
                )
            )
            facts = gr.Markdown("", elem_classes="quiet", elem_id="facts")
            form = settings_form(manager)
            note = gr.Markdown(handlers.model_note(manager, "auto", 4), elem_classes="quiet")
            with gr.Row():
                enhance = gr.Button("Enhance", variant="primary", elem_id="enhance")
                cancel = gr.Button("Cancel", variant="stop", elem_id="cancel")
        with gr.Column(scale=3, min_width=300):
            slider = gr.ImageSlider(
                label="Before and after", type="filepath", height=520, elem_id="slider", interactive=False
            )
            status = gr.Markdown("Drop in a picture and press Enhance.", elem_id="status")
            download = gr.DownloadButton("Download the result", interactive=False, elem_id="download")
            metrics = gr.Dataframe(
                headers=["Measure", "Value"], value=[], label="Metrics", interactive=False, wrap=True, elem_id="metrics"
            )

    def run(
        request: gr.Request,
        progress: Any = gr.Progress(),  # noqa: B008  (Gradio finds it by its default)
        path: str | None = None,
        *given: Any,
    ) -> list[Any]:
        nothing = [gr.skip(), gr.update(interactive=False, value=None), gr.skip()]
        if not path:
            return ["Choose a picture first.", *nothing]
        session = sessions.begin(request.session_hash)
        session.control.on_progress = progress_listener(progress)
        try:
            settings = handlers.make_settings(form.values(given))
            shown = handlers.enhance_one(
                path, settings, manager=manager, config=config, folder=session.folder, control=session.control
            )
            progress(1.0, desc="Preparing the preview")
            pair = before_and_after(Path(path), Path(shown.result.output_path or path), session.folder)
        except EngineError as error:
            logger.info("Not enhanced: %s", error)
            return [f"**Not enhanced.** {error}", *nothing]
        button = gr.update(value=str(shown.result.output_path), interactive=True)
        return [shown.sentence, pair, button, shown.rows]

    def stop(request: gr.Request) -> None:
        sessions.cancel(request.session_hash)

    def note_for(model: str, scale: float, goal: str) -> str:
        return handlers.model_note(manager, model, scale if goal == "Scale" else None)

    picture.change(lambda path: handlers.describe_upload(path, config), picture, facts, show_progress="hidden")
    watched = [form.component("model"), form.component("scale"), form.component("goal")]
    for component in watched:
        component.change(note_for, watched, note, show_progress="hidden")
    enhance.click(
        run,
        [picture, *form.components],
        [status, slider, download, metrics],
        concurrency_id="enhance",
        show_progress_on=status,
    )
    cancel.click(stop, None, None, queue=False, show_progress="hidden")
    return form
