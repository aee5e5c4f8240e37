"""The Image tab's card: what was seen, what will be done and why, what a person changed by hand; and the models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from engine.types import RESAMPLERS
from ui.handlers import automatic as auto
from ui.handlers import common
from ui.handlers import image_html as html
from ui.handlers.automatic import Automatic
from ui.strings import Words, words_for
from ui.tabs.image_events import Events, Updates
from utils.errors import EngineError

GROUPS = {
    "faces": ("face_enhance", "face_strength", "face_min_height"),
    "file": ("format", "quality", "exif", "pages", "pdf_dpi"),
    "fine": (
        *("model", "fidelity", "denoise_strength", "color_match", "seamless", "normal_map", "salvage"),
        *("tile", "precision"),
    ),
}
"""elem_id of a folded group -> its fields."""
_DENOISE = "denoise strength shown"


class CardEvents(Events):
    """Events of the card and of the model's note."""

    @property
    def given(self) -> list[Any]:
        """What ``planned`` takes."""
        return [self.parts.picture, self.parts.automatic, self.parts.kept, *self.parts.form.components]

    @property
    def told(self) -> list[Any]:
        """What ``planned`` changes."""
        p = self.parts
        return [p.plan, p.changes, p.marks, p.named, p.kept]

    def connect(self, blocks: gr.Blocks) -> None:
        p, form = self.parts, list(self.parts.form.components)
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        gr.on([part.change for part in form], self.planned, self.given, self.told, trigger_mode="always_last", **quiet)
        for place in (p.changes, p.named):
            place.back(self.back, [p.automatic, p.kept, *form], [p.kept, *form], **quiet)
        watched = [p.form.component(name) for name in ("model", "scale", "goal", "mode")]
        noted = [p.note, p.fetch, p.form.component("denoise_strength")]
        gr.on(
            [p.picture.change, *(part.change for part in watched)],
            self.noted,
            [p.picture, *form],
            noted,
            trigger_mode="always_last",
            **quiet,
        )
        blocks.load(self.noted, [p.picture, *form], noted, **quiet)
        known = [watched[0], p.compare_models]
        p.fetch.click(self.fetch, known, [p.note, p.fetch, *known], show_progress="hidden", concurrency_limit=None)

    # -- the card ----------------------------------------------------------------------------------------------------

    def looked(self, advice: Any, kept: dict[str, Any] | None) -> Updates:
        """A picture was looked at: the form follows it, except where a person has chosen."""
        form, automatic = self.parts.form, auto.automatic_settings(advice, self.parts.form.defaults)
        shown = dict(zip(form.names, form.showing(automatic.values), strict=True))
        follows = ("scale", "face_enhance", "denoise_strength")
        return {
            self.parts.automatic: automatic,
            **{form.component(name): shown[name] for name in follows if name not in (kept or {})},
        }

    def planned(
        self, request: gr.Request, path: str | None, automatic: Automatic | None, kept: dict[str, Any], *given: Any
    ) -> list[Any]:
        """What will be done by the form as it is; what of it was changed by hand."""
        words, form = words_for(request), self.parts.form
        values = form.values(given)
        now = auto.by_hand(kept, values, automatic.values if automatic else form.defaults)
        names = auto.changed_names(now, values)
        told = [(name, auto.label_of(name, words), auto.value_words(name, values, words)) for name in names]
        marked = [name for name in now if name in names or (name in auto.SIZE and "size" in names)]
        groups = [group for group, fields in GROUPS.items() if set(fields) & set(names)]
        ids = [str(form.component(name).elem_id) for name in marked]
        named = values["model"] if values["model"] != "auto" else ""
        return [
            self._plan(path, automatic, values, words) if path else "",
            html.changes_html(told, words),
            html.marks_html(ids, groups, words),
            html.named_html(named, str(form.component("mode").elem_id), words) if named else "",
            now,
        ]

    def _plan(self, path: str, automatic: Automatic | None, values: dict[str, Any], words: Words) -> str:
        model, reasons = values["model"], []
        try:
            if model == "auto":
                chosen = self.service.chosen(path, common.make_settings(values))
                # What is done because of a doubt is not for behind a click.
                model, reasons = chosen.model, sorted(chosen.reasons, key=lambda one: one != chosen.doubt)
            elif model in RESAMPLERS:
                reasons = [words("model_plain")]
            else:
                status = self.service.manager.status_of(model)
                reasons = [status.purpose] if status is not None and status.purpose else []
        except EngineError:  # what is wrong with the picture or the settings is said in the foot
            return ""
        every = dict.fromkeys([*reasons, *(automatic.reasons if automatic else ())])
        size = auto.value_words("size", values, words)
        done = words("plan_quality", size=size, quality=words(f"mode_{values['mode']}"))
        if values["model"] != "auto":
            done = words("plan_model", size=size, name=model)
        return html.plan_html(done, [words.said(reason) for reason in every], words)

    def back(self, event: gr.EventData, automatic: Automatic | None, kept: dict[str, Any], *given: Any) -> list[Any]:
        """One field, or every one, is automatic again."""
        form = self.parts.form
        wanted = automatic.values if automatic else form.defaults
        fields = auto.fields_of(str(event._data.get("name", "")), form.names)
        shown = dict(zip(form.names, form.showing(wanted), strict=True))
        left = {name: value for name, value in kept.items() if name not in fields}
        return [left, *(shown[name] if name in fields else gr.skip() for name in form.names)]

    # -- the model ---------------------------------------------------------------------------------------------------

    def noted(self, request: gr.Request, path: str | None, *given: Any) -> list[Any]:
        """What the chosen model is; the button that brings it; whether it has a denoise strength."""
        words, values = words_for(request), self.parts.form.values(given)
        automatic = None
        if path and values["model"] == "auto":
            with suppress(EngineError):  # what is wrong with the picture or the settings is said elsewhere
                automatic = self.service.chosen(path, self.settings(given)).model
        scale = values["scale"] if values["goal"] == "scale" else None
        note = common.model_note(self.service.manager, values["model"], scale, words, automatic)
        allowed = note.download and self.config.enable_downloads
        # Only where it changes: a field that comes or goes in a group that was never open is made anew, with all its
        # neighbours, and each of them says that it has changed, which asks for this again.
        before = self.visitors.noted(request, _DENOISE, False)
        self.visitors.note(request, _DENOISE, note.denoise)
        denoise: dict[str, Any] = {} if note.denoise == before else {"visible": note.denoise}
        if not note.denoise and values["denoise_strength"] is not None:
            denoise["value"] = None
        return [
            f"<p>{html.escape(note.text)}</p>",
            gr.update(visible=allowed, interactive=True),
            gr.update(**denoise),
        ]

    async def fetch(self, request: gr.Request, name: str, compared: list[str]) -> AsyncIterator[Updates]:
        """Bring the chosen model."""
        p = self.parts
        async for updates in self.bring(request, name, p.note, p.fetch):
            yield updates
        yield self.models(compared)

    def line(self, path: str | None, words: Words) -> Updates:
        """The open picture in one line; gone where none is open."""
        p = self.parts
        if not path:
            return {p.line: gr.update(visible=False), p.name: ""}
        return {p.line: gr.update(visible=True), p.name: html.name_html(Path(path).name)}
