"""Batch: several pictures, one after the other, with the Image tab's settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import gradio as gr

from engine.types import EnhanceResult
from ui.handlers import batch as work
from ui.handlers import common
from ui.previews import preview
from ui.sessions import Sessions
from ui.strings import words_for
from ui.tabs.image_tab import ImageTab
from utils.errors import EngineError


def build(
    config: Any, manager: Any, sessions: Sessions, image: ImageTab, enhance: Callable[..., EnhanceResult]
) -> None:
    form = image.form
    gr.Markdown("Uses the settings of the Image Enhancement tab. A file that fails never stops the others.")
    files = gr.File(label="Pictures", file_count="multiple", type="filepath", elem_id="batch-files")
    with gr.Row():
        start = gr.Button("Enhance all", variant="primary")
        cancel = gr.Button("Cancel", variant="stop")
    status = gr.Markdown("", elem_id="batch-status")
    table = gr.Dataframe(
        headers=["File", "State", "Size", "Time", "Notes"], value=[], label="Results", interactive=False, wrap=True
    )
    gallery = gr.Gallery(label="Results", columns=4, height=320)
    archive = gr.DownloadButton("Download all as ZIP", interactive=False)

    async def run(request: gr.Request, paths: list[str] | None, *given: Any) -> AsyncIterator[list[Any]]:
        words = words_for(request)
        same = [gr.skip(), gr.skip(), gr.skip()]
        if not paths:
            yield ["Choose pictures first.", *same]
            return
        session = sessions.of(request)
        try:
            settings = common.make_settings(form.values(given))
            job = sessions.start(
                request,
                "batch",
                lambda control: work.enhance_many(
                    paths, settings, enhance=enhance, folder=session.folder, control=control
                ),
            )
            async for step in job.watch():
                if step.position:
                    yield [words("queue_waiting", position=step.position), *same]
                elif step.progress:
                    yield [common.progress_words(words, step.progress), *same]
            rows, done, sentence = job.result()
        except EngineError as error:
            yield [f"**Not started.** {error}", *same]
            return
        zipped = work.zip_of(done, session.folder)
        previews = [str(preview(Path(path), session.folder)) for path in done]
        yield [sentence, rows, previews, gr.update(value=zipped, interactive=zipped is not None)]

    def stop(request: gr.Request) -> None:
        sessions.cancel(request, "batch")

    start.click(
        run,
        [files, *form.components],
        [status, table, gallery, archive],
        show_progress="hidden",
        concurrency_limit=None,
    )
    cancel.click(stop, None, None, queue=False, show_progress="hidden")
