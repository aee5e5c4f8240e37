"""What the Image tab's events share: settings, progress, showing a result, bringing a model."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr

from engine.jobs.job_list import JobKind
from engine.storage.history import Run
from engine.types import EnhanceSettings
from ui import previews
from ui.handlers import common
from ui.handlers import image_html as html
from ui.handlers.differences import differences_html
from ui.handlers.image import ImageService
from ui.handlers.workspace import workspace_base
from ui.jobs import UiJob
from ui.strings import Words, words_for
from ui.tabs.image_layout import Parts
from ui.visitors import Visitor, Visitors
from utils.errors import EngineError

logger = logging.getLogger(__name__)

TAB = "image"
Updates = dict[Any, Any]


class Events:
    """What several of the tab's events share. Events answer with the components that change."""

    def __init__(self, parts: Parts, service: ImageService, visitors: Visitors, config: Any) -> None:
        self.parts, self.service, self.visitors, self.config = parts, service, visitors, config

    def settings(self, given: tuple[Any, ...]) -> EnhanceSettings:
        return common.make_settings(self.parts.form.values(given))

    async def progress(self, job: UiJob[Any], words: Words) -> AsyncIterator[Updates]:
        p = self.parts
        yield {p.enhance: gr.update(interactive=False), p.cancel: gr.update(visible=True)}
        async for step in job.watch():
            yield {p.status: common.progress_html(words, step)}

    def idle(self, request: gr.Request) -> Updates:
        """The buttons after a job; another one of this window may still go on."""
        enhancing, trying = (self.visitors.goes_on(request, tab) for tab in (TAB, "part"))
        return {
            self.parts.enhance: gr.update(interactive=not enhancing),
            self.parts.cancel: gr.update(visible=enhancing or trying),
        }

    def shown(self, visitor: Visitor, run: Run, words: Words) -> Updates:
        """Everything that a result changes on the page."""
        p = self.parts
        can = self.service.can_readjust(run)
        base = EnhanceSettings.create(**workspace_base(run)["settings"]) if can else None
        there = Path(run.output_path).exists()
        return {
            p.stage: self.service.view(visitor, run).to_json(),
            p.status: html.done_html(run, words) if there else f"<p>{html.escape(words('history_gone'))}</p>",
            p.whole: gr.update(visible=False),
            p.result: gr.update(visible=there),
            p.verdict: html.verdict_html(run, words),
            p.differences: differences_html(run.metrics, words),
            p.heat: gr.update(value=words("heat_show")),
            p.legend: "",
            p.notes: html.notes_html(run, words),
            p.download: gr.update(value=run.output_path if there else None),
            p.fidelity: gr.update(value=run.settings.get("fidelity", 0.0), visible=base is not None),
            p.face_strength: gr.update(
                value=run.settings.get("face_strength", 0.8), visible=there and self.service.can_adjust_faces(run)
            ),
            p.metrics: html.metrics_html(run, words),
            p.history: self.strip(visitor, words),
        }

    def models(self, chosen: list[str] | None = None) -> Updates:
        """The models as they are now: one may have come or gone since the page was made."""
        p = self.parts
        installed = common.installed_models(self.service.manager)
        kept = installed[:2] if chosen is None else [name for name in chosen if name in installed]
        return {
            p.form.component("model"): gr.update(choices=common.model_choices(self.service.manager)),
            p.compare_models: gr.update(choices=installed, value=kept),
        }

    def strip(self, visitor: Visitor, words: Words) -> str:
        workspace = self.service.workspace(visitor)
        with workspace.lock:
            runs, current = [run for run in workspace.runs if Path(run.output_path).exists()], workspace.current
        small = {}
        for run in runs:
            try:
                small[run.id] = previews.thumbnail(Path(run.output_path), visitor.folder)
            except (EngineError, OSError) as error:  # one that cannot be read any more costs only its own place
                logger.info("No thumbnail of '%s': %s", run.output_path, error)
        runs = [run for run in runs if run.id in small]
        return html.history_html(runs, current, small, words)

    async def bring(self, request: gr.Request, name: str, note: Any, button: Any) -> AsyncIterator[Updates]:
        """Bring a model where that is allowed; its progress in ``note``."""
        if not self.config.enable_downloads:  # a hidden button keeps nobody from calling its event
            yield {note: gr.skip()}
            return
        words = words_for(request)
        try:
            job = self.visitors.start(
                request,
                f"download {name}",  # of its own: another model may be on its way
                lambda control: self.service.manager.download(name, common.download_progress(name, control), control),
                kind=JobKind.DOWNLOAD,
                name=name,
                queue=self.visitors.downloads,
            )
            yield {button: gr.update(interactive=False)}
            async for step in job.watch():
                yield {note: common.progress_html(words, step)}
            job.result()
        except EngineError as error:
            yield {note: common.trouble_html(words, error, "not_brought"), button: gr.update(interactive=True)}
            return
        yield {note: f"<p>{html.escape(words('model_downloaded', name=name))}</p>", button: gr.update(visible=False)}
