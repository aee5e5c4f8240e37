"""Image Enhancement: one picture, looked at, enhanced, compared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.choice import PATIENCE_SECONDS
from engine.history import Run
from engine.types import EnhanceResult
from ui.components import SettingsForm
from ui.handlers import common
from ui.handlers import image_html as html
from ui.handlers.desk import same_file
from ui.handlers.image import ImageWork
from ui.jobs import UiJob
from ui.samples import sample_file
from ui.sessions import Session, Sessions
from ui.strings import Words, words_for
from ui.tabs.image_events import TAB, Events, Updates
from ui.tabs.image_layout import lay_out
from ui.tabs.image_parts import PartEvents
from ui.viewer import EMPTY, stage_words
from utils.errors import EngineError
from utils.gpu import available_host_memory


@dataclass(frozen=True)
class ImageTab:
    """What other tabs use: presets fill ``form`` and read it."""

    form: SettingsForm


def build(
    config: Any,
    manager: Any,
    sessions: Sessions,
    blocks: gr.Blocks,
    enhance: Callable[..., EnhanceResult],
    tab: gr.Tab,
) -> ImageTab:
    """The tab. ``blocks``: the whole page, for what happens when it is opened; ``tab``: where this one stands."""
    parts = lay_out(manager)
    _Tab(parts, ImageWork(config, manager, enhance), sessions, config).connect(blocks, tab)
    return ImageTab(parts.form)


# -- what happens ------------------------------------------------------------------------------------------------------


class _Tab(Events):
    """Connects components with the work. Methods are events; each answers with the components that change."""

    def connect(self, blocks: gr.Blocks, tab: gr.Tab) -> None:
        p, form = self.parts, list(self.parts.form.components)
        shown = [p.stage, p.status, p.whole, p.result, p.verdict, p.download, p.metrics, p.history]
        shown += [p.fidelity, p.face_strength]
        running = [*shown, p.enhance, p.cancel]
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        long: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
        mode, model = (p.form.component(name) for name in ("mode", "model"))
        counted = [p.estimate, mode, p.quicker]
        p.picture.change(
            self.opened, p.picture, [*running, p.try_part, p.advice, p.advice_box, p.apply, p.settings_wanted], **quiet
        ).then(self.count, [p.picture, *form], counted, **quiet)
        for name, button in p.samples.items():
            button.click(self.sample(name), None, p.picture, **quiet)
        p.apply.click(self.applied, [p.settings_wanted, *form], [p.apply, *form], **quiet)
        gr.on(
            [part.change for part in form],
            self.count,
            [p.picture, *form],
            counted,
            trigger_mode="always_last",
            **quiet,
        )
        watched = [p.form.component(name) for name in ("model", "scale", "goal", "mode")]
        denoise = p.form.component("denoise_strength")
        gr.on(
            [p.picture.change, *(part.change for part in watched)],
            self.noted,
            [p.picture, *form],
            [p.note, p.fetch, denoise],
            trigger_mode="always_last",
            **quiet,
        )
        known = [watched[0], p.compare_models]
        p.fetch.click(self.fetch, known, [p.note, p.fetch, *known], **long)
        p.enhance.click(self.enhance, [p.picture, *form], running, **long).then(
            self.count, [p.picture, *form], counted, **quiet
        )
        p.cancel.click(self.stop, None, None, queue=False, **quiet)
        p.history.open(self.reopen, None, shown, **quiet)
        p.stage.adjust(self.readjust, None, shown, trigger_mode="always_last", **quiet)
        blocks.load(self.restore, None, [*running, p.picture, *known], **long)
        tab.select(self.models, p.compare_models, known, **quiet)
        blocks.load(self.noted, [p.picture, *form], [p.note, p.fetch, denoise], **quiet)
        p.quicker.click(lambda: ["quick", "auto"], None, [mode, model], **quiet)
        PartEvents(p, self.work, self.sessions, self.config).connect(shown)

    # -- the picture -------------------------------------------------------------------------------------------------

    def sample(self, name: str) -> Callable[[gr.Request], str]:
        def choose(request: gr.Request) -> str:
            return str(sample_file(name, self.sessions.of(request).folder / "samples"))

        return choose

    def opened(self, request: gr.Request, path: str | None) -> Updates:
        """A picture was chosen, or taken away: look at it, say what it needs."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        self.sessions.note(request, "picture", path)
        nothing = {p.advice_box: gr.update(visible=False), p.settings_wanted: None}
        if not path:
            return {**nothing, **self._cleared(session)}
        try:
            info = self.work.probe(path)
            view = self.work.open(session, Path(path))
            advice = self.work.recommend(path)
        except EngineError as error:
            return {
                **nothing,
                **self._cleared(session),
                p.status: common.trouble_html(words, error, "unusable_file"),
            }
        updates: Updates = {
            p.advice: html.advice_html(info, advice, words),
            p.advice_box: gr.update(visible=True),
            p.apply: gr.update(value=words("advice_apply"), interactive=True),
            p.settings_wanted: advice.settings,
            p.try_part: gr.update(visible=True),
        }
        if view is not None:  # a new picture, not the one that a refreshed page shows again
            hidden = gr.update(visible=False)
            updates |= {p.stage: view.to_json(), p.status: "", p.result: hidden, p.whole: hidden}
        return updates

    def _cleared(self, session: Session) -> Updates:
        p, desk = self.parts, self.work.desk(session)
        with desk.lock:
            desk.upload = desk.current = None
        return {
            p.stage: EMPTY.to_json(),
            p.status: "",
            p.result: gr.update(visible=False),
            p.whole: gr.update(visible=False),
            p.try_part: gr.update(visible=False),
        }

    def applied(self, request: gr.Request, wanted: dict[str, Any] | None, *given: Any) -> list[Any]:
        """The recommended settings go into the form; what the person set beside them stays."""
        form, words = self.parts.form, words_for(request)
        if not wanted:
            return [gr.skip(), *[gr.skip()] * len(form.names)]
        values = form.values(given)
        face = "auto" if wanted.get("face_enhance") else "off"
        known: dict[str, Any] = {
            name: wanted[name] for name in ("model", "scale", "tile", "denoise_strength") if name in wanted
        }
        values.update(known, goal="scale", face_enhance=face)
        return [
            gr.update(value=words("advice_applied"), interactive=False),
            *form.showing(values),
        ]

    # -- settings ----------------------------------------------------------------------------------------------------

    def count(self, request: gr.Request, path: str | None, *given: Any) -> list[Any]:
        """The estimate, live: of the settings, and of every quality; the quicker one is offered where it takes long."""
        words, named = words_for(request), self.parts.form.values(given)["model"] != "auto"
        mode, hidden = gr.update(visible=not named), gr.update(visible=False)
        if not path:
            return ["", mode, hidden]
        try:
            settings = self.settings(given)
            size, expected = self.work.estimate(path, settings)
            seconds = self.work.seconds_by_mode(path, settings)
        except EngineError as error:
            return [f'<p class="warn">{html.escape(words.said(error))}</p>', mode, hidden]
        if not named:
            mode = gr.update(visible=True, choices=html.mode_labels(seconds, words))
        slow = expected.seconds > PATIENCE_SECONDS and seconds["quick"] < expected.seconds / 2
        offer = words("mode_quicker_takes", time=common.time_words(words, max(0.1, seconds["quick"])))
        told = html.estimate_html(size, expected, available_host_memory(), words)
        return [told, mode, gr.update(visible=slow, value=offer)]

    def noted(self, request: gr.Request, path: str | None, *given: Any) -> list[Any]:
        """What the chosen model is for; the button that brings it; whether it has a denoise strength."""
        words, values = words_for(request), self.parts.form.values(given)
        automatic = None
        if path and values["model"] == "auto":
            with suppress(EngineError):  # what is wrong with the picture or the settings is said elsewhere
                automatic = self.work.automatic(path, self.settings(given))
        scale = values["scale"] if values["goal"] == "scale" else None
        note = common.model_note(self.work.manager, values["model"], scale, words, automatic)
        allowed = note.download and self.config.enable_downloads
        denoise = gr.update(visible=True) if note.denoise else gr.update(visible=False, value=None)
        return [f"<p>{html.escape(note.text)}</p>", gr.update(visible=allowed, interactive=True), denoise]

    async def fetch(self, request: gr.Request, name: str, compared: list[str]) -> AsyncIterator[Updates]:
        """Bring the chosen model."""
        p = self.parts
        async for updates in self.bring(request, name, p.note, p.fetch):
            yield updates
        yield self.models(compared)

    # -- running -----------------------------------------------------------------------------------------------------

    async def enhance(self, request: gr.Request, path: str | None, *given: Any) -> AsyncIterator[Updates]:
        """The main button."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        if not path:
            yield {p.status: f'<p class="trouble">{html.escape(words("choose_picture"))}</p>'}
            return
        try:
            settings = self.work.with_faces(session, Path(path), self.settings(given))
            self.sessions.note(request, "picture", path)
            job = self.sessions.start(
                request, TAB, lambda control: self.work.enhance(session, Path(path), settings, control)
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
            yield {self.parts.status: common.trouble_html(words, error), **self.idle()}
            return
        session, opened = self.sessions.of(request), self.sessions.noted(request, "picture", run.input_path)
        if opened and same_file(Path(opened), Path(run.input_path)):
            yield {**self.shown(session, run, words), **self.idle()}
        else:  # the window has gone on to another picture
            done = html.escape(words("done_elsewhere", name=run.input_name))
            yield {
                self.parts.status: f'<p class="done">{done}</p>',
                self.parts.history: self.strip(session, words),
                **self.idle(),
            }

    def stop(self, request: gr.Request) -> None:
        for tab in (TAB, "part"):
            self.sessions.cancel(request, tab)

    # -- results -----------------------------------------------------------------------------------------------------

    def reopen(self, request: gr.Request, event: gr.EventData) -> Updates:
        """A result of the strip goes back on the stage."""
        session, desk = self.sessions.of(request), self.work.desk(self.sessions.of(request))
        run = desk.get(int(event.run))
        if run is None:
            return {}
        with desk.lock:
            desk.current = run
        return self.shown(session, run, words_for(request))

    def readjust(self, request: gr.Request, event: gr.EventData) -> Updates:
        """Fidelity or the strength of faces was moved after the run."""
        words, session = words_for(request), self.sessions.of(request)
        try:
            shown = self.work.desk(session).get(int(event._data.get("run", 0)))
            moved = {
                name: min(1.0, max(0.0, float(event._data[name])))
                for name in ("fidelity", "faces")
                if name in event._data
            }
            run = self.work.readjust(session, shown, **moved)
        except EngineError as error:
            return {self.parts.status: common.trouble_html(words, error)}
        if run is None:
            return {}
        updates = self.shown(session, run, words)
        for slider in (self.parts.fidelity, self.parts.face_strength):
            del updates[slider]  # it may have been moved on meanwhile
        return updates

    async def restore(self, request: gr.Request) -> AsyncIterator[Updates]:
        """The page was opened, perhaps again: what was there is there, and what runs is watched."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        desk = self.work.desk(session)
        updates: Updates = {p.history: self.strip(session, words), **self.models()}
        view = EMPTY.to_json()
        if desk.current is not None and Path(desk.current.output_path).exists():
            updates |= self.shown(session, desk.current, words)
            view = updates[p.stage]
        elif desk.upload is not None and desk.upload.exists():
            view = self.work.view_of_input(session, desk.upload).to_json()
        updates[p.stage] = gr.update(value=view, words=stage_words(words))
        there = desk.upload is not None and desk.upload.exists()
        self.sessions.note(request, "picture", str(desk.upload) if there else None)
        if there:
            updates[p.picture] = str(desk.upload)
        yield updates
        job = self.sessions.resume(request, TAB)
        if job is not None:
            async for more in self._follow(job, request, words):
                yield more
