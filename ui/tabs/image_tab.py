"""Image Enhancement: one picture, looked at, enhanced, compared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.analysis.choice import PATIENCE_SECONDS
from engine.jobs.job_list import JobKind
from engine.storage.history import Run
from engine.types import EnhanceFile, EnhanceSettings
from ui import previews
from ui.arrivals import RESTORED
from ui.components import SettingsForm
from ui.handlers import common
from ui.handlers import image_html as html
from ui.handlers.differences import differences_html, legend_html
from ui.handlers.image import ImageService
from ui.handlers.workspace import same_file
from ui.jobs import UiJob
from ui.samples import sample_file
from ui.strings import Words, words_for
from ui.tabs.image_card import CardEvents
from ui.tabs.image_events import TAB, Events, Updates
from ui.tabs.image_layout import lay_out
from ui.tabs.image_memory import MemoryEvents
from ui.tabs.image_parts import PartEvents
from ui.viewer import EMPTY, stage_words
from ui.visitors import Visitor, Visitors
from utils.errors import DamagedImageError, EngineError
from utils.gpu import available_host_memory

_GOING_ON = "going on"
"""Under this name a window notes the job that went on as it was opened."""


@dataclass(frozen=True)
class ImageTab:
    """What others use: presets fill ``form`` and read it, files from outside go into ``picture``."""

    form: SettingsForm
    picture: Any


def build(
    config: Any,
    manager: Any,
    visitors: Visitors,
    blocks: gr.Blocks,
    enhance: EnhanceFile,
    tab: gr.Tab,
    prepare: Callable[[EnhanceSettings, int], None] | None = None,
) -> ImageTab:
    """The tab.

    Args:
        blocks: the whole page, for what happens when it is opened.
        tab: where this one stands.
        prepare: an executor's, called while a person still chooses.
    """
    parts = lay_out(manager)
    _Tab(parts, ImageService(config, manager, enhance, prepare=prepare), visitors, config).connect(blocks, tab)
    return ImageTab(parts.form, parts.picture)


# -- what happens ------------------------------------------------------------------------------------------------------


class _Tab(Events):
    """Connects components with the work. Methods are events; each answers with the components that change."""

    @property
    def card(self) -> CardEvents:
        return CardEvents(self.parts, self.service, self.visitors, self.config)

    def connect(self, blocks: gr.Blocks, tab: gr.Tab) -> None:
        p, form = self.parts, list(self.parts.form.components)
        shown = [p.stage, p.status, p.whole, p.result, p.verdict, p.notes, p.download, p.metrics, p.history]
        shown += [p.fidelity, p.face_strength, p.differences, p.heat, p.legend]
        running = [*shown, p.enhance, p.cancel]
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        long: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
        mode, model = (p.form.component(name) for name in ("mode", "model"))
        counted = [p.estimate, mode, p.quicker]
        salvage = p.form.component("salvage")
        follows = [p.form.component(name) for name in ("scale", "face_enhance", "denoise_strength")]
        seen = [*running, p.salvage, p.try_part, p.facts, p.automatic, p.line, p.name, *follows]
        salvaged = p.salvage.click(lambda: True, None, salvage, **quiet)
        for looks in (p.picture.change, salvaged.then):
            looked = looks(self.opened, [p.picture, salvage, p.kept], seen, **quiet)
            looked.then(self.count, [p.picture, *form], counted, **quiet)
            looked.then(self.card.planned, self.card.given, self.card.told, **quiet)
        for name, button in p.samples.items():
            button.click(self.sample(name), None, p.picture, **quiet)
        p.another.upload(lambda path: path, p.another, p.picture, **quiet)
        p.clear.click(lambda: None, None, p.picture, **quiet)
        gr.on(
            [part.change for part in form],
            self.count,
            [p.picture, *form],
            counted,
            trigger_mode="always_last",
            **quiet,
        )
        p.enhance.click(self.enhance, [p.picture, *form], running, **long).then(
            self.count, [p.picture, *form], counted, **quiet
        )
        p.cancel.click(self.stop, None, None, queue=False, **quiet)
        p.heat.click(self.heat, p.stage, [p.stage, p.heat, p.legend, p.differences], **long)
        p.history.open(self.reopen, None, shown, **quiet)
        gr.on(
            [p.form.component(name).change for name in ("pages", "pdf_dpi")],
            self.turned,
            [p.picture, *form],
            [p.stage, p.status, p.whole, p.result],
            trigger_mode="always_last",
            **quiet,
        )
        p.stage.adjust(self.readjust, None, shown, trigger_mode="always_last", **quiet)
        known = [model, p.compare_models]
        remembered = MemoryEvents(p, self.service, self.visitors, self.config).connect(blocks)
        restored = remembered.then(self.restore, None, [*running, p.picture, *known], **long)
        restored.then(None, None, None, js=RESTORED)
        restored.then(self.follow, None, running, **long)
        tab.select(self.models, p.compare_models, known, **quiet)
        p.quicker.click(lambda: ["quick", "auto"], None, [mode, model], **quiet)
        self.card.connect(blocks)
        PartEvents(p, self.service, self.visitors, self.config).connect(shown)

    # -- the picture -------------------------------------------------------------------------------------------------

    def sample(self, name: str) -> Callable[[gr.Request], str]:
        def choose(request: gr.Request) -> str:
            return str(sample_file(name, self.visitors.of(request).folder / "samples"))

        return choose

    def opened(
        self, request: gr.Request, path: str | None, salvage: bool = False, kept: dict[str, Any] | None = None
    ) -> Updates:
        """A picture was chosen, or taken away: look at it, say what was seen. A damaged one can be salvaged.

        The form follows the picture, except in what was ``kept`` as a person chose it.
        """
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        self.visitors.note(request, "picture", path)
        nothing = {p.facts: "", p.salvage: gr.update(visible=False), **self.card.line(path, words)}
        if not path:
            return {**nothing, **self._cleared(visitor)}
        try:
            info = self.service.probe(path, EnhanceSettings.create(salvage=salvage))
            damage = previews.damage(path) if salvage else ""
            view = self.service.open(visitor, Path(path))
            advice = self.service.recommend(path, salvage=salvage)
        except EngineError as error:
            return {
                **nothing,
                **self._cleared(visitor),
                p.status: common.trouble_html(words, error, "unusable_file"),
                p.salvage: gr.update(visible=isinstance(error, DamagedImageError)),
            }
        updates: Updates = {
            p.facts: html.advice_html(info, advice, words),
            p.try_part: gr.update(visible=True),
            p.salvage: gr.update(visible=False),
            **self.card.line(path, words),
            **self.card.looked(advice, kept),
        }
        if view is not None:  # a new picture, not the one that a refreshed page shows again
            hidden = gr.update(visible=False)
            updates |= {p.stage: view.to_json(), p.status: "", p.result: hidden, p.whole: hidden}
        if damage:
            updates[p.status] = f'<p class="warn">{html.escape(words.said(damage))}</p>'
        return updates

    def turned(self, request: gr.Request, path: str | None, *given: Any) -> Updates:
        """Other pages were chosen: the stage shows the first of them."""
        p, hidden = self.parts, gr.update(visible=False)
        view = None
        if path:
            with suppress(EngineError):  # what is wrong with the choice, the estimate says
                view = self.service.show_page(self.visitors.of(request), Path(path), self.settings(given))
        return gr.skip() if view is None else {p.stage: view.to_json(), p.status: "", p.whole: hidden, p.result: hidden}

    def _cleared(self, visitor: Visitor) -> Updates:
        p, workspace = self.parts, self.service.workspace(visitor)
        with workspace.lock:
            workspace.upload = workspace.current = None
        return {
            p.stage: EMPTY.to_json(),
            p.status: "",
            p.result: gr.update(visible=False),
            p.whole: gr.update(visible=False),
            p.try_part: gr.update(visible=False),
        }

    # -- settings ----------------------------------------------------------------------------------------------------

    def count(self, request: gr.Request, path: str | None, *given: Any) -> list[Any]:
        """The estimate, live: of the settings, and of every quality; the quicker one is offered where it takes long."""
        words, named = words_for(request), self.parts.form.values(given)["model"] != "auto"
        mode, hidden = gr.skip(), gr.update(visible=False)
        if not path:
            return ["", mode, hidden]
        try:
            settings = self.settings(given)
            size, expected = self.service.estimate(path, settings)
            seconds = self.service.seconds_by_mode(path, settings)
            self.service.prepare(path, settings)
        except EngineError as error:
            return [f'<p class="warn">{html.escape(words.said(error))}</p>', mode, hidden]
        if not named:
            mode = gr.update(choices=html.mode_labels(seconds, words))
        slow = expected.seconds > PATIENCE_SECONDS and seconds["quick"] < expected.seconds / 2
        offer = words("mode_quicker_takes", time=common.time_words(words, max(0.1, seconds["quick"])))
        told = html.estimate_html(size, expected, available_host_memory(), words)
        return [told, mode, gr.update(visible=slow, value=offer)]

    # -- running -----------------------------------------------------------------------------------------------------

    async def enhance(self, request: gr.Request, path: str | None, *given: Any) -> AsyncIterator[Updates]:
        """The main button."""
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        if not path:
            yield {p.status: f'<p class="trouble">{html.escape(words("choose_picture"))}</p>'}
            return
        try:
            settings = self.service.with_faces(visitor, Path(path), self.settings(given))
            self.visitors.note(request, "picture", path)
            job = self.visitors.start(
                request,
                TAB,
                lambda control: self.service.enhance(visitor, Path(path), settings, control),
                kind=JobKind.PICTURE,
                name=Path(path).name,
            )
        except EngineError as error:
            yield {p.status: common.trouble_html(words, error)}
            return
        async for updates in self._follow(job, request, words):
            yield updates

    async def _follow(self, job: UiJob[Run], request: gr.Request, words: Words) -> AsyncIterator[Updates]:
        """Show a job until it ends, then its result."""
        async for updates in self.progress(job, words):
            yield updates
        try:
            run = job.result()
        except EngineError as error:
            yield {self.parts.status: common.trouble_html(words, error), **self.idle(request)}
            return
        visitor, opened = self.visitors.of(request), self.visitors.noted(request, "picture", run.input_path)
        if opened and same_file(Path(opened), Path(run.input_path)):
            yield {**self.shown(visitor, run, words), **self.idle(request)}
        else:  # the window has gone on to another picture
            done = html.escape(words("done_elsewhere", name=run.input_name))
            yield {
                self.parts.status: f'<p class="done" data-job="done">{done}</p>',
                self.parts.history: self.strip(visitor, words),
                **self.idle(request),
            }

    def stop(self, request: gr.Request) -> None:
        for tab in (TAB, "part"):
            self.visitors.cancel(request, tab)

    # -- results -----------------------------------------------------------------------------------------------------

    def reopen(self, request: gr.Request, event: gr.EventData) -> Updates:
        """A result of the strip goes back on the stage."""
        visitor, workspace = self.visitors.of(request), self.service.workspace(self.visitors.of(request))
        run = workspace.get(int(event.run))
        if run is None:
            return gr.skip()
        with workspace.lock:
            workspace.current = run
        return self.shown(visitor, run, words_for(request))

    def heat(self, request: gr.Request, stage: dict[str, Any] | None) -> Updates:
        """A map of where the result differs is laid over it, or taken away again."""
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        workspace = self.service.workspace(visitor)
        run = workspace.get(int((stage or {}).get("run") or 0)) or workspace.current
        if run is None:
            return gr.skip()
        hidden = {p.heat: gr.update(value=words("heat_show")), p.legend: ""}
        if (stage or {}).get("heat"):
            return {**hidden, p.stage: self.service.view(visitor, run).to_json()}
        try:
            made = self.service.heat(visitor, run)
        except EngineError as error:
            return {**hidden, p.legend: common.trouble_html(words, error, "heat_none")}
        if made is None:
            return {**hidden, p.legend: f'<p class="calm">{html.escape(words("heat_none"))}</p>'}
        view, run = made
        return {
            p.stage: view.to_json(),
            p.heat: gr.update(value=words("heat_hide")),
            p.legend: legend_html(run.metrics, words),
            p.differences: differences_html(run.metrics, words),
        }

    def readjust(self, request: gr.Request, event: gr.EventData) -> Updates:
        """Fidelity or the strength of faces was moved after the run."""
        words, visitor = words_for(request), self.visitors.of(request)
        try:
            shown = self.service.workspace(visitor).get(int(event._data.get("run", 0)))
            moved = {
                name: min(1.0, max(0.0, float(event._data[name])))
                for name in ("fidelity", "faces")
                if name in event._data
            }
            run = self.service.readjust(visitor, shown, **moved)
        except EngineError as error:
            return {self.parts.status: common.trouble_html(words, error)}
        if run is None:
            return gr.skip()
        updates = self.shown(visitor, run, words)
        for slider in (self.parts.fidelity, self.parts.face_strength):
            del updates[slider]  # it may have been moved on meanwhile
        return updates

    def restore(self, request: gr.Request) -> Updates:
        """The page was opened, perhaps again: what was there is there."""
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        self.visitors.note(request, _GOING_ON, self.visitors.resume(request, TAB))
        workspace = self.service.workspace(visitor)
        updates: Updates = {p.history: self.strip(visitor, words), **self.models()}
        view = EMPTY.to_json()
        if workspace.current is not None and Path(workspace.current.output_path).exists():
            updates |= self.shown(visitor, workspace.current, words)
            view = updates[p.stage]
        elif workspace.upload is not None and workspace.upload.exists():
            view = self.service.view_of_input(visitor, workspace.upload).to_json()
        updates[p.stage] = gr.update(value=view, words=stage_words(words))
        there = workspace.upload is not None and workspace.upload.exists()
        self.visitors.note(request, "picture", str(workspace.upload) if there else None)
        if there:
            updates[p.picture] = str(workspace.upload)
        return updates

    async def follow(self, request: gr.Request) -> AsyncIterator[Updates]:
        """What ran as the page was opened is watched."""
        job = self.visitors.noted(request, _GOING_ON)
        if job is None:
            yield {self.parts.status: gr.skip()}  # Gradio empties everything where nothing is said
            return
        async for updates in self._follow(job, request, words_for(request)):
            yield updates
