"""Image Enhancement: one picture, looked at, enhanced, compared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.faces.needs import face_needs
from engine.history import Run
from engine.region import REGION_SIDE
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from ui import previews
from ui.components import SettingsForm, settings_form
from ui.handlers import common
from ui.handlers import image_html as html
from ui.handlers.image import ImageWork, desk_base
from ui.jobs import UiJob
from ui.samples import SAMPLES, sample_file
from ui.sessions import Session, Sessions
from ui.strings import Words, t, words_for
from ui.viewer import EMPTY, stage, stage_words
from utils import image_io
from utils.errors import EngineError
from utils.gpu import available_host_memory

TAB = "image"
Updates = dict[Any, Any]

_PICK_RUN = """element.addEventListener('click', (event) => {
  const hit = event.target.closest('[data-run]');
  if (hit) trigger('open', { run: Number(hit.dataset.run) });
});"""
_PICK_MODEL = """element.addEventListener('click', (event) => {
  const hit = event.target.closest('[data-model]');
  if (hit) trigger('take', { model: hit.dataset.model });
});"""


@dataclass(frozen=True)
class ImageTab:
    """What other tabs use: presets fill ``form`` and read it."""

    form: SettingsForm


@dataclass(frozen=True)
class _Parts:
    """The tab's components."""

    picture: Any
    samples: dict[str, Any]
    advice: Any
    advice_box: Any
    apply: Any
    form: SettingsForm
    note: Any
    fetch: Any
    estimate: Any
    enhance: Any
    cancel: Any
    stage: Any
    status: Any
    try_part: Any
    whole: Any
    result: Any
    verdict: Any
    download: Any
    fidelity: Any
    metrics: Any
    compare_models: Any
    compare_start: Any
    compare_grid: Any
    history: Any
    settings_wanted: Any
    find_faces: Any
    face_note: Any
    fetch_face: Any
    face_strength: Any


def build(
    config: Any, manager: Any, sessions: Sessions, blocks: gr.Blocks, enhance: Callable[..., EnhanceResult]
) -> ImageTab:
    """The tab. ``blocks``: the whole page, for what happens when it is opened."""
    parts = _layout(config, manager)
    tab = _Tab(parts, ImageWork(config, manager, enhance), sessions, config)
    tab.connect(blocks)
    return ImageTab(parts.form)


# -- layout ----------------------------------------------------------------------------------------------------------


def _layout(config: Any, manager: Any) -> _Parts:
    made: dict[str, Any] = {}
    with gr.Row(elem_id="image-tab", equal_height=False):
        with gr.Column(scale=2, min_width=300, elem_id="side"):
            _side(made, manager)
        with gr.Column(scale=5, min_width=300, elem_id="main"):
            _main(made, manager)
    return _Parts(**made)


def _side(made: dict[str, Any], manager: Any) -> None:
    made["picture"] = gr.File(
        label=t("picture"),
        file_types=sorted(image_io.READABLE_SUFFIXES),
        type="filepath",
        height=110,
        elem_id="picture",
    )
    with gr.Row(elem_id="samples", elem_classes="snug"):
        gr.Markdown(t("samples"), elem_classes="quiet", elem_id="samples-title")
        made["samples"] = {
            name: gr.Button(t(f"sample_{name}"), size="sm", min_width=70, elem_id=f"sample-{name}") for name in SAMPLES
        }
    with gr.Column(visible=False, elem_id="advice", min_width=0) as made["advice_box"]:
        made["advice"] = gr.HTML("", padding=False, elem_id="facts")
        made["apply"] = gr.Button(t("advice_apply"), size="sm", elem_id="apply")

    def under_model() -> None:
        made["note"] = gr.HTML("", padding=False, elem_classes="model-note", elem_id="model-note")
        made["fetch"] = gr.Button(t("model_download"), size="sm", visible=False, elem_id="model-download")

    def in_faces() -> None:
        made["find_faces"] = gr.Button(t("face_find"), size="sm", elem_id="find-faces")
        made["face_note"] = gr.HTML("", padding=False, elem_classes="model-note", elem_id="face-note")
        made["fetch_face"] = gr.Button(t("model_download"), size="sm", visible=False, elem_id="face-download")

    made["form"] = settings_form(manager, under_model, in_faces)
    made["settings_wanted"] = gr.State(None)
    with gr.Column(elem_id="go", min_width=0):
        made["estimate"] = gr.HTML("", padding=False, elem_id="estimate")
        with gr.Row(elem_classes="snug"):
            made["enhance"] = gr.Button(t("enhance"), variant="primary", size="lg", elem_id="enhance", scale=3)
            made["cancel"] = gr.Button(t("cancel"), variant="stop", size="lg", visible=False, elem_id="cancel", scale=1)


def _main(made: dict[str, Any], manager: Any) -> None:
    made["stage"] = stage(elem_id="stage")
    made["status"] = gr.HTML("", padding=False, elem_id="status")
    with gr.Row(elem_classes="snug", elem_id="tools"):
        made["try_part"] = gr.Button(t("try_part"), size="sm", visible=False, min_width=120, elem_id="try-part")
        made["whole"] = gr.Button(t("try_back"), size="sm", visible=False, min_width=120, elem_id="whole")
    with gr.Column(visible=False, elem_id="result", min_width=0) as made["result"]:
        with gr.Row(elem_classes="snug", elem_id="result-row"):
            made["verdict"] = gr.HTML("", padding=False, elem_id="verdict")
            made["download"] = gr.DownloadButton(t("download"), variant="primary", elem_id="download", min_width=140)
        made["fidelity"] = gr.Slider(
            0, 1, value=0, step=0.01, label=t("adjust_fidelity"), interactive=True, elem_id="adjust-fidelity"
        )
        made["face_strength"] = gr.Slider(
            0, 1, value=0.8, step=0.01, label=t("adjust_faces"), interactive=True, visible=False, elem_id="adjust-faces"
        )
        with gr.Accordion(t("details"), open=False, elem_id="details"):
            made["metrics"] = gr.HTML("", padding=False, elem_id="metrics")
    with gr.Accordion(t("compare"), open=False, elem_id="compare"):
        installed = [name for _, name in common.model_choices(manager, installed_only=True) if name != "auto"]
        made["compare_models"] = gr.CheckboxGroup(
            installed, value=installed[:2], label=t("compare_models"), elem_id="compare-models"
        )
        made["compare_start"] = gr.Button(t("compare_start"), size="sm", elem_id="compare-start")
        made["compare_grid"] = gr.HTML("", padding=False, js_on_load=_PICK_MODEL, elem_id="compare-grid")
    gr.Markdown(t("history"), elem_classes="heading", elem_id="history-title")
    made["history"] = gr.HTML("", padding=False, js_on_load=_PICK_RUN, elem_id="history")


# -- what happens ------------------------------------------------------------------------------------------------------


class _Tab:
    """Connects components with the work. Methods are events; each answers with the components that change."""

    def __init__(self, parts: _Parts, work: ImageWork, sessions: Sessions, config: Any) -> None:
        self.parts, self.work, self.sessions, self.config = parts, work, sessions, config

    def connect(self, blocks: gr.Blocks) -> None:
        p, form = self.parts, list(self.parts.form.components)
        shown = [p.stage, p.status, p.whole, p.result, p.verdict, p.download, p.metrics, p.history]
        shown += [p.fidelity, p.face_strength]
        running = [*shown, p.enhance, p.cancel]
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        long: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
        p.picture.change(
            self.opened, p.picture, [*running, p.try_part, p.advice, p.advice_box, p.apply, p.settings_wanted], **quiet
        ).then(self.count, [p.picture, *form], p.estimate, **quiet)
        for name, button in p.samples.items():
            button.click(self.sample(name), None, p.picture, **quiet)
        p.apply.click(self.applied, [p.settings_wanted, *form], [p.apply, *form], **quiet)
        gr.on(
            [part.change for part in form],
            self.count,
            [p.picture, *form],
            p.estimate,
            trigger_mode="always_last",
            **quiet,
        )
        form_face = p.form.component("face_enhance")
        watched = [p.form.component(name) for name in ("model", "scale", "goal")]
        denoise = p.form.component("denoise_strength")
        gr.on(
            [part.change for part in watched],
            self.noted,
            watched,
            [p.note, p.fetch, denoise],
            trigger_mode="always_last",
            **quiet,
        )
        p.fetch.click(self.fetch, [watched[0]], [p.note, p.fetch, watched[0]], **long)
        p.find_faces.click(
            self.find_faces,
            [p.picture, *form],
            [p.stage, p.status, p.whole, p.face_note, p.fetch_face, form_face],
            **long,
        )
        p.stage.face(self.turn_face, [p.picture, *form], [p.stage, p.face_note], **quiet)
        p.fetch_face.click(self.fetch_face, None, [p.face_note, p.fetch_face], **long)
        p.enhance.click(self.enhance, [p.picture, *form], running, **long).then(
            self.count, [p.picture, *form], p.estimate, **quiet
        )
        p.cancel.click(self.stop, None, None, queue=False, **quiet)
        p.try_part.click(self.pick_part, p.picture, [p.stage, p.status, p.whole], **quiet)
        p.stage.pick(self.part, [p.picture, *form], [p.stage, p.status, p.whole, p.enhance, p.cancel], **long)
        p.whole.click(self.show_whole, p.picture, shown, **quiet)
        p.compare_start.click(
            self.compare, [p.picture, p.compare_models, *form], [p.compare_grid, p.status, p.enhance, p.cancel], **long
        )
        p.compare_grid.take(self.take_model, None, watched[0], **quiet)
        p.history.open(self.reopen, None, shown, **quiet)
        p.stage.adjust(self.readjust, None, shown, trigger_mode="always_last", **quiet)
        blocks.load(self.restore, None, [*running, p.picture], **long)
        blocks.load(self.noted, watched, [p.note, p.fetch, denoise], **quiet)

    # -- the picture -------------------------------------------------------------------------------------------------

    def sample(self, name: str) -> Callable[[gr.Request], str]:
        def choose(request: gr.Request) -> str:
            return str(sample_file(name, self.sessions.of(request).folder / "samples"))

        return choose

    def opened(self, request: gr.Request, path: str | None) -> Updates:
        """A picture was chosen, or taken away: look at it, say what it needs."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
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
        known = {name: wanted[name] for name in ("model", "scale", "tile", "denoise_strength") if name in wanted}
        values |= {**known, "goal": "scale", "face_enhance": face}
        return [
            gr.update(value=words("advice_applied"), interactive=False),
            *(gr.update(value=values[name]) for name in form.names),
        ]

    # -- settings ----------------------------------------------------------------------------------------------------

    def _settings(self, given: tuple[Any, ...]) -> EnhanceSettings:
        return common.make_settings(self.parts.form.values(given))

    def count(self, request: gr.Request, path: str | None, *given: Any) -> str:
        """The estimate, live."""
        words = words_for(request)
        if not path:
            return ""
        try:
            size, expected = self.work.estimate(path, self._settings(given))
        except EngineError as error:
            return f'<p class="warn">{html.escape(str(error))}</p>'
        return html.estimate_html(size, expected, available_host_memory(), words)

    def noted(self, request: gr.Request, model: str, scale: float, goal: str) -> list[Any]:
        """What the chosen model is for; the button that brings it; whether it has a denoise strength."""
        words = words_for(request)
        note = common.model_note(self.work.manager, model, scale if goal == "scale" else None, words)
        allowed = note.download and self.config.enable_downloads
        denoise = gr.update(visible=True) if note.denoise else gr.update(visible=False, value=None)
        return [f"<p>{html.escape(note.text)}</p>", gr.update(visible=allowed, interactive=True), denoise]

    async def fetch(self, request: gr.Request, name: str) -> AsyncIterator[Updates]:
        """Bring the chosen model."""
        p = self.parts
        async for updates in self._fetch(request, name, p.note, p.fetch):
            yield updates
        yield {p.form.component("model"): gr.update(choices=common.model_choices(self.work.manager))}

    async def _fetch(self, request: gr.Request, name: str, note: Any, button: Any) -> AsyncIterator[Updates]:
        """Bring a model; its progress in ``note``."""
        words = words_for(request)
        try:
            job = self.sessions.start(
                request,
                "download",
                lambda control: self.work.manager.download(name, common.download_progress(name, control), control),
                turns=self.sessions.downloads,
            )
            yield {button: gr.update(interactive=False)}
            async for step in job.watch():
                yield {note: common.progress_html(words, step)}
            job.result()
        except EngineError as error:
            yield {note: common.trouble_html(words, error, "not_brought"), button: gr.update(interactive=True)}
            return
        yield {note: f"<p>{html.escape(words('model_downloaded', name=name))}</p>", button: gr.update(visible=False)}

    # -- running -----------------------------------------------------------------------------------------------------

    async def enhance(self, request: gr.Request, path: str | None, *given: Any) -> AsyncIterator[Updates]:
        """The main button."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        if not path:
            yield {p.status: f'<p class="trouble">{html.escape(words("choose_picture"))}</p>'}
            return
        try:
            settings = self._settings(given)
            job = self.sessions.start(
                request, TAB, lambda control: self.work.enhance(session, Path(path), settings, control)
            )
        except EngineError as error:
            yield {p.status: common.trouble_html(words, error)}
            return
        async for updates in self._follow(job, session, words):
            yield updates

    async def _follow(self, job: UiJob[Run], session: Session, words: Words) -> AsyncIterator[Updates]:
        """Show a job until it ends, then its result."""
        async for updates in self._progress(job, words):
            yield updates
        try:
            run = job.result()
        except EngineError as error:
            yield {self.parts.status: common.trouble_html(words, error), **self._idle()}
            return
        yield {**self._shown(session, run, words), **self._idle()}

    async def _progress(self, job: UiJob[Any], words: Words) -> AsyncIterator[Updates]:
        p = self.parts
        yield {p.enhance: gr.update(interactive=False), p.cancel: gr.update(visible=True)}
        async for step in job.watch():
            yield {p.status: common.progress_html(words, step)}

    def _idle(self) -> Updates:
        return {self.parts.enhance: gr.update(interactive=True), self.parts.cancel: gr.update(visible=False)}

    def stop(self, request: gr.Request) -> None:
        for tab in (TAB, "part"):
            self.sessions.cancel(request, tab)

    # -- results -----------------------------------------------------------------------------------------------------

    def _shown(self, session: Session, run: Run, words: Words) -> Updates:
        """Everything that a result changes on the page."""
        p = self.parts
        can = self.work.can_readjust(run)
        base = EnhanceSettings.create(**desk_base(run)["settings"]) if can else None
        there = Path(run.output_path).exists()
        return {
            p.stage: self.work.view(session, run).to_json(),
            p.status: html.done_html(run, words) if there else f"<p>{html.escape(words('history_gone'))}</p>",
            p.whole: gr.update(visible=False),
            p.result: gr.update(visible=there),
            p.verdict: html.verdict_html(run, words),
            p.download: gr.update(value=run.output_path if there else None),
            p.fidelity: gr.update(value=run.settings.get("fidelity", 0.0), visible=base is not None),
            p.face_strength: gr.update(
                value=run.settings.get("face_strength", 0.8), visible=there and self.work.can_adjust_faces(run)
            ),
            p.metrics: html.metrics_html(run, words),
            p.history: self._strip(session, words),
        }

    def _strip(self, session: Session, words: Words) -> str:
        desk = self.work.desk(session)
        with desk.lock:
            runs, current = [run for run in desk.runs if Path(run.output_path).exists()], desk.current
        small = {run.id: previews.thumbnail(Path(run.output_path), session.folder) for run in runs}
        return html.history_html(runs, current, small, words)

    def reopen(self, request: gr.Request, event: gr.EventData) -> Updates:
        """A result of the strip goes back on the stage."""
        session, desk = self.sessions.of(request), self.work.desk(self.sessions.of(request))
        run = desk.get(int(event.run))
        if run is None:
            return {}
        with desk.lock:
            desk.current = run
        return self._shown(session, run, words_for(request))

    def readjust(self, request: gr.Request, event: gr.EventData) -> Updates:
        """Fidelity or the strength of faces was moved after the run."""
        words, session = words_for(request), self.sessions.of(request)
        try:
            moved = {name: min(1.0, max(0.0, float(value))) for name, value in event._data.items()}
            run = self.work.readjust(session, fidelity=moved.get("fidelity"), faces=moved.get("faces"))
        except EngineError as error:
            return {self.parts.status: common.trouble_html(words, error)}
        if run is None:
            return {}
        updates = self._shown(session, run, words)
        for slider in (self.parts.fidelity, self.parts.face_strength):
            del updates[slider]  # it may have been moved on meanwhile
        return updates

    async def restore(self, request: gr.Request) -> AsyncIterator[Updates]:
        """The page was opened, perhaps again: what was there is there, and what runs is watched."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        desk = self.work.desk(session)
        updates: Updates = {p.history: self._strip(session, words)}
        view = EMPTY.to_json()
        if desk.current is not None and Path(desk.current.output_path).exists():
            updates |= self._shown(session, desk.current, words)
            view = updates[p.stage]
        elif desk.upload is not None and desk.upload.exists():
            view = self.work.view_of_input(session, desk.upload).to_json()
        updates[p.stage] = gr.update(value=view, words=stage_words(words))
        if desk.upload is not None and desk.upload.exists():
            updates[p.picture] = str(desk.upload)
        yield updates
        job = self.sessions.resume(request, TAB)
        if job is not None:
            async for more in self._follow(job, session, words):
                yield more

    # -- faces ---------------------------------------------------------------------------------------------------------

    def find_faces(self, request: gr.Request, path: str | None, *given: Any) -> Updates:
        """Numbered boxes on the stage."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        if not path:
            return {p.face_note: f'<p class="trouble">{html.escape(words("choose_picture"))}</p>'}
        values = p.form.values(given)
        if values["face_enhance"] == "off":
            values["face_enhance"] = "auto"
        try:
            updates = self._boxes(session, Path(path), common.make_settings(values), words)
        except EngineError as error:
            return {p.face_note: common.trouble_html(words, error, "face_trouble")}
        needs = face_needs(self.work.manager)
        if needs is not None:
            names = ", ".join(map(str, needs.missing))
            updates[p.face_note] += f"<p>{html.escape(words('face_model_missing', names=names))}</p>"
            updates[p.fetch_face] = gr.update(visible=self.config.enable_downloads)
        return {
            **updates,
            p.status: "",
            p.whole: gr.update(visible=True),
            p.form.component("face_enhance"): values["face_enhance"],
        }

    def _boxes(self, session: Session, path: Path, settings: EnhanceSettings, words: Words) -> Updates:
        boxes = self.work.find_faces(session, path, settings)
        on = sum(box.on for box in boxes)
        note = words("face_found", count=len(boxes), restored=on) if boxes else words("face_none")
        return {
            self.parts.stage: self.work.view_of_input(session, path, boxes=boxes).to_json(),
            self.parts.face_note: f"<p>{html.escape(note)}</p>",
        }

    def turn_face(self, request: gr.Request, event: gr.EventData, path: str | None = None, *given: Any) -> Updates:
        """A face was clicked: keep or skip it."""
        words, session = words_for(request), self.sessions.of(request)
        if not path:
            return {}
        self.work.turn_face(session, int(event.number))
        try:
            return self._boxes(session, Path(path), self._settings(given), words)
        except EngineError as error:
            return {self.parts.face_note: common.trouble_html(words, error, "face_trouble")}

    async def fetch_face(self, request: gr.Request) -> AsyncIterator[Updates]:
        """Bring what face restoration needs."""
        needs = face_needs(self.work.manager)
        for missing in needs.missing if needs is not None else ():
            async for updates in self._fetch(request, missing.name, self.parts.face_note, self.parts.fetch_face):
                yield updates

    # -- parts and models ----------------------------------------------------------------------------------------------

    def pick_part(self, request: gr.Request, path: str | None) -> Updates:
        """The stage asks for a part."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        if not path:
            return {p.status: f'<p class="trouble">{html.escape(words("choose_picture"))}</p>'}
        return {
            p.stage: self.work.view_of_input(session, Path(path), picking=REGION_SIDE).to_json(),
            p.whole: gr.update(visible=True),
        }

    async def part(
        self, request: gr.Request, event: gr.EventData, path: str | None = None, *given: Any
    ) -> AsyncIterator[Updates]:
        """A part was chosen: enhance it at full quality."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        if not path:
            return
        center = float(event.x), float(event.y)
        try:
            settings = self._settings(given)
            job = self.sessions.start(
                request, "part", lambda control: self.work.region(session, Path(path), center, settings, control)
            )
            async for updates in self._progress(job, words):
                yield updates
            part, view = job.result()
        except EngineError as error:
            yield {p.status: common.trouble_html(words, error), **self._idle()}
            return
        seconds = common.time_words(words, part.seconds)
        line = words("try_done", model=part.model, time=seconds)
        yield {
            p.stage: view.to_json(),
            p.status: f'<p class="done">{html.escape(line)}</p>',
            p.whole: gr.update(visible=True),
            **self._idle(),
        }

    def show_whole(self, request: gr.Request, path: str | None) -> Updates:
        """Back from a part to the whole picture, or its result."""
        words, session = words_for(request), self.sessions.of(request)
        current = self.work.desk(session).current
        if current is not None:
            return self._shown(session, current, words)
        view = self.work.view_of_input(session, Path(path)) if path else EMPTY
        return {self.parts.stage: view.to_json(), self.parts.status: "", self.parts.whole: gr.update(visible=False)}

    async def compare(
        self, request: gr.Request, path: str | None, models: list[str], *given: Any
    ) -> AsyncIterator[Updates]:
        """The same part through several models."""
        p, words, session = self.parts, words_for(request), self.sessions.of(request)
        if not path or not models:
            problem = words("compare_none" if path else "choose_picture")
            yield {p.compare_grid: f'<p class="trouble">{html.escape(problem)}</p>'}
            return
        try:
            settings = self._settings(given)

            def work(control: JobControl) -> Any:
                return self.work.compare(session, Path(path), models, settings, control)

            job = self.sessions.start(request, "part", work)
            yield {p.enhance: gr.update(interactive=False), p.cancel: gr.update(visible=True)}
            async for step in job.watch():
                yield {p.compare_grid: common.progress_html(words, step)}
            made = job.result()
        except EngineError as error:
            yield {p.compare_grid: common.trouble_html(words, error), **self._idle()}
            return
        yield {p.compare_grid: html.compare_html(made, words), **self._idle()}

    def take_model(self, event: gr.EventData) -> Any:
        return gr.update(value=event.model)
