"""Image Enhancement: one picture, before and after."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.types import EnhanceResult, JobControl
from ui.components import SettingsForm, original_file, settings_form
from ui.handlers import common
from ui.handlers import image as work
from ui.previews import before_and_after
from ui.sessions import Sessions
from ui.strings import words_for
from utils.errors import EngineError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImageTab:
    """What other tabs use: presets fill ``form``."""

    form: SettingsForm


def build(
    config: Any, manager: Any, sessions: Sessions, blocks: gr.Blocks, enhance: Callable[..., EnhanceResult]
) -> ImageTab:
    """The tab. ``blocks``: the whole page, for what happens when it is opened."""
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
            note = gr.Markdown(common.model_note(manager, "auto", 4), elem_classes="quiet")
            with gr.Row():
                enhance_button = gr.Button("Enhance", variant="primary", elem_id="enhance")
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

    async def run(request: gr.Request, path: str | None, *given: Any) -> AsyncIterator[list[Any]]:
        words = words_for(request)
        nothing = [gr.skip(), gr.update(interactive=False, value=None), gr.skip()]
        same = [gr.skip(), gr.skip(), gr.skip()]
        if not path:
            yield ["Choose a picture first.", *nothing]
            return
        session = sessions.of(request)
        try:
            settings = common.make_settings(form.values(given))

            def enhance_it(control: JobControl) -> tuple[work.Shown, tuple[str, str]]:
                shown = work.enhance_one(path, settings, enhance=enhance, folder=session.folder, control=control)
                return shown, before_and_after(Path(path), Path(shown.result.output_path or path), session.folder)

            job = sessions.start(request, "image", enhance_it)
            async for step in job.watch():
                if step.position:
                    yield [words("queue_waiting", position=step.position), *same]
                elif step.progress:
                    yield [common.progress_words(words, step.progress), *same]
            shown, pair = job.result()
        except EngineError as error:
            logger.info("Not enhanced: %s", error)
            yield [f"**Not enhanced.** {error}", *nothing]
            return
        button = gr.update(value=str(shown.result.output_path), interactive=True)
        yield [shown.sentence, pair, button, shown.rows]

    def stop(request: gr.Request) -> None:
        sessions.cancel(request, "image")

    def note_for(model: str, scale: float, goal: str) -> str:
        return common.model_note(manager, model, scale if goal == "scale" else None)

    picture.change(lambda path: work.describe_upload(path, config), picture, facts, show_progress="hidden")
    watched = [form.component("model"), form.component("scale"), form.component("goal")]
    for component in watched:
        component.change(note_for, watched, note, show_progress="hidden")
    enhance_button.click(
        run,
        [picture, *form.components],
        [status, slider, download, metrics],
        show_progress="hidden",
        concurrency_limit=None,
    )
    cancel.click(stop, None, None, queue=False, show_progress="hidden")
    return ImageTab(form)
