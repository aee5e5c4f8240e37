"""Looking closer in the Image tab: faces to choose, a part to try, models to compare."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from engine.faces.missing_models import missing_face_models
from engine.imaging.region import REGION_SIDE
from engine.jobs.job_list import JobKind
from engine.types import JobControl
from ui.handlers import common
from ui.handlers import image_html as html
from ui.strings import Words, words_for
from ui.tabs.image_events import Events, Updates
from ui.viewer import EMPTY, Box
from ui.visitors import Visitor
from utils.errors import EngineError


class PartEvents(Events):
    """Events of faces, parts and the comparison."""

    def connect(self, shown: list[Any]) -> None:
        """``shown``: what a result changes on the page."""
        p, form = self.parts, list(self.parts.form.components)
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        long: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
        faces = [p.stage, p.status, p.whole, p.face_note, p.fetch_face, p.form.component("face_enhance")]
        p.find_faces.click(self.find_faces, [p.picture, *form], faces, **long)
        # Every click counts, in its order: with "once" those that come while one is at work would be lost.
        p.stage.face(
            self.turn_face,
            [p.picture, *form],
            [p.stage, p.face_note, p.fetch_face],
            trigger_mode="multiple",
            concurrency_limit=1,
            **quiet,
        )
        p.fetch_face.click(self.fetch_face, None, [p.face_note, p.fetch_face], **long)
        p.try_part.click(self.pick_part, p.picture, [p.stage, p.status, p.whole], **quiet)
        p.stage.pick(self.part, [p.picture, *form], [p.stage, p.status, p.whole, p.enhance, p.cancel], **long)
        p.whole.click(self.show_whole, p.picture, shown, **quiet)
        p.compare_start.click(
            self.compare,
            [p.picture, p.compare_models, *form],
            [p.compare_grid, p.status, p.enhance, p.cancel],
            **long,
        )
        p.compare_grid.take(self.take_model, None, p.form.component("model"), **quiet)

    # -- faces ---------------------------------------------------------------------------------------------------------

    def find_faces(self, request: gr.Request, path: str | None, *given: Any) -> Updates:
        """Numbered boxes on the stage."""
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        if not path:
            return {p.face_note: f'<p class="trouble">{html.escape(words("choose_picture"))}</p>'}
        values = p.form.values(given)
        if values["face_enhance"] == "off":
            values["face_enhance"] = "auto"
        try:
            updates = self._boxes(
                self.service.find_faces(visitor, Path(path), common.make_settings(values)), visitor, Path(path), words
            )
        except EngineError as error:
            return {p.face_note: common.trouble_html(words, error, "face_trouble")}
        return {
            **updates,
            p.status: "",
            p.whole: gr.update(visible=True),
            p.form.component("face_enhance"): values["face_enhance"],
        }

    def _boxes(self, found: tuple[Box, ...], visitor: Visitor, path: Path, words: Words) -> Updates:
        boxes = tuple(replace(box, why=words.said(box.why)) for box in found)
        on = sum(box.on for box in boxes)
        note = words("face_found", count=len(boxes), restored=on) if boxes else words("face_none")
        absent = missing_face_models(self.service.manager)
        if absent is not None:
            note += " " + words("face_model_missing", names=", ".join(map(str, absent.missing)))
        return {
            self.parts.stage: self.service.view_of_input(visitor, path, boxes=boxes).to_json(),
            self.parts.face_note: f"<p>{html.escape(note)}</p>",
            self.parts.fetch_face: gr.update(visible=absent is not None and self.config.enable_downloads),
        }

    def turn_face(self, request: gr.Request, event: gr.EventData, path: str | None = None, *given: Any) -> Updates:
        """A face was clicked: keep or skip it."""
        words, visitor = words_for(request), self.visitors.of(request)
        if not path:
            return gr.skip()
        try:
            found = self.service.turn_face(visitor, Path(path), int(event.number), self.settings(given))
            return self._boxes(found, visitor, Path(path), words)
        except EngineError as error:
            return {self.parts.face_note: common.trouble_html(words, error, "face_trouble")}

    async def fetch_face(self, request: gr.Request) -> AsyncIterator[Updates]:
        """Bring what face restoration needs."""
        yield {self.parts.face_note: gr.skip()}
        absent = missing_face_models(self.service.manager)
        for missing in absent.missing if absent is not None else ():
            async for updates in self.bring(request, missing.name, self.parts.face_note, self.parts.fetch_face):
                yield updates

    # -- parts and models ----------------------------------------------------------------------------------------------

    def pick_part(self, request: gr.Request, path: str | None) -> Updates:
        """The stage asks for a part."""
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        if not path:
            return {p.status: f'<p class="trouble">{html.escape(words("choose_picture"))}</p>'}
        return {
            p.stage: self.service.view_of_input(visitor, Path(path), picking=REGION_SIDE).to_json(),
            p.whole: gr.update(visible=True),
        }

    async def part(
        self, request: gr.Request, event: gr.EventData, path: str | None = None, *given: Any
    ) -> AsyncIterator[Updates]:
        """A part was chosen: enhance it at full quality."""
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        if not path:
            yield {p.status: gr.skip()}
            return
        center = float(event.x), float(event.y)
        try:
            settings = self.settings(given)
            job = self.visitors.start(
                request,
                "part",
                lambda control: self.service.region(visitor, Path(path), center, settings, control),
                kind=JobKind.PART,
                name=Path(path).name,
            )
            async for updates in self.progress(job, words):
                yield updates
            part, view = job.result()
        except EngineError as error:
            yield {p.status: common.trouble_html(words, error), **self.idle(request)}
            return
        seconds = common.time_words(words, part.seconds)
        line = words("try_done", model=part.model, time=seconds)
        yield {
            p.stage: view.to_json(),
            p.status: f'<p class="done">{html.escape(line)}</p>',
            p.whole: gr.update(visible=True),
            **self.idle(request),
        }

    def show_whole(self, request: gr.Request, path: str | None) -> Updates:
        """Back from a part to the whole picture, or its result."""
        words, visitor = words_for(request), self.visitors.of(request)
        current = self.service.workspace(visitor).current
        if current is not None:
            return self.shown(visitor, current, words)
        view = self.service.view_of_input(visitor, Path(path)) if path else EMPTY
        return {self.parts.stage: view.to_json(), self.parts.status: "", self.parts.whole: gr.update(visible=False)}

    async def compare(
        self, request: gr.Request, path: str | None, models: list[str], *given: Any
    ) -> AsyncIterator[Updates]:
        """The same part through several models."""
        p, words, visitor = self.parts, words_for(request), self.visitors.of(request)
        if not path or not models:
            problem = words("compare_none" if path else "choose_picture")
            yield {p.compare_grid: f'<p class="trouble">{html.escape(problem)}</p>'}
            return
        try:
            settings = self.settings(given)

            def work(control: JobControl) -> Any:
                return self.service.compare(visitor, Path(path), models, settings, control)

            job = self.visitors.start(request, "part", work, kind=JobKind.PART, name=Path(path).name)
            yield {p.enhance: gr.update(interactive=False), p.cancel: gr.update(visible=True)}
            async for step in job.watch():
                yield {p.compare_grid: common.progress_html(words, step)}
            made = job.result()
        except EngineError as error:
            yield {p.compare_grid: common.trouble_html(words, error), **self.idle(request)}
            return
        yield {p.compare_grid: html.compare_html(made, words), **self.idle(request)}

    def take_model(self, event: gr.EventData) -> Any:
        return gr.update(value=event.model)
