"""System Info: this machine, the models, and a report to copy."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.handlers.system import downloadable, model_rows, report_text
from utils.errors import EngineError


def build(config: Any, manager: Any) -> None:
    models = gr.Dataframe(
        headers=["Model", "State", "Scale", "Size", "Licence", "Purpose"],
        value=lambda: model_rows(manager),
        label="Models",
        interactive=False,
        wrap=True,
    )
    with gr.Row(visible=config.enable_downloads):
        wanted = gr.Dropdown(downloadable(manager), label="Download a model (size shown)", scale=3)
        fetch = gr.Button("Download", scale=1)
    told = gr.Markdown("")
    with gr.Row():
        refresh = gr.Button("Refresh")
        unload = gr.Button("Unload models")
    report = gr.Code(value="", language="json", label="Report (copy it into a bug report)", interactive=False)

    def download(name: str | None, progress: Any = gr.Progress()) -> list[Any]:  # noqa: B008
        if not name:
            return ["Choose a model first.", gr.skip()]
        try:
            file = manager.download(
                name, lambda done, total: progress(done / total if total else 0.0, desc=f"{done / 1e6:.0f} MB")
            )
        except EngineError as error:
            return [f"**Not downloaded.** {error}", gr.skip()]
        return [f"{file.name} is installed ({file.verified}).", model_rows(manager)]

    def drop() -> list[Any]:
        return [f"{manager.unload_all()} models unloaded.", report_text(manager, config)]

    fetch.click(download, wanted, [told, models], show_progress_on=told)
    refresh.click(lambda: [model_rows(manager), report_text(manager, config)], None, [models, report])
    unload.click(drop, None, [told, report])
