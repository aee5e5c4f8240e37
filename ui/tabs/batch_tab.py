"""Batch: several pictures, one after the other, with the Image tab's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from ui import handlers
from ui.components import SettingsForm
from ui.previews import preview
from ui.sessions import Sessions
from utils.errors import EngineError


def build(config: Any, manager: Any, sessions: Sessions, form: SettingsForm) -> None:
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

    def run(
        request: gr.Request,
        progress: Any = gr.Progress(),  # noqa: B008  (Gradio finds it by its default)
        paths: list[str] | None = None,
        *given: Any,
    ) -> list[Any]:
        if not paths:
            return ["Choose pictures first.", gr.skip(), gr.skip(), gr.skip()]
        session = sessions.begin(request.session_hash)
        try:
            settings = handlers.make_settings(form.values(given))
        except EngineError as error:
            return [f"**Not started.** {error}", gr.skip(), gr.skip(), gr.skip()]
        rows, done, sentence = handlers.enhance_many(
            paths,
            settings,
            manager=manager,
            config=config,
            folder=session.folder,
            control=session.control,
            on_step=lambda index, name: progress((index, len(paths)), desc=name),
        )
        zipped = handlers.zip_of(done, session.folder)
        previews = [str(preview(Path(path), session.folder)) for path in done]
        return [sentence, rows, previews, gr.update(value=zipped, interactive=zipped is not None)]

    def stop(request: gr.Request) -> None:
        sessions.cancel(request.session_hash)

    start.click(
        run,
        [files, *form.components],
        [status, table, gallery, archive],
        concurrency_id="enhance",
        show_progress_on=status,
    )
    cancel.click(stop, None, None, queue=False, show_progress="hidden")
