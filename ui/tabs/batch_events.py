"""What happens at each event of the Batch tab, for whoever is named by its ``gr.Request``."""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.batch import BackgroundBatch, BatchRequest, ItemState, Phase
from engine.settings_manager import SettingsManager
from engine.types import EnhanceResult
from ui.components import SettingsForm
from ui.handlers import batch as work
from ui.handlers import batch_view as view
from ui.previews import before_and_after
from ui.sessions import Session, Sessions
from ui.strings import words_for
from ui.thumbnails import Thumbnails
from utils.errors import EngineError
from utils.names import as_text

FIELDS = (
    "files",
    "folder",
    "recursive",
    "watch",
    "template",
    "output",
    "skip_done",
    "overwrite",
    "how",
    "preset",
)
"""What a person sets before the start, in the order in which events bring it."""

CHANGING = (
    "status",
    "table",
    "gallery",
    "page",
    "start",
    "pause",
    "resume",
    "cancel",
    "retry",
    "zip",
    "offer",
    "offered",
    "timer",
    "numbers",
    "show",
)
"""Components that a new look at the batch changes, in the order in which ``BatchEvents.look`` answers."""

_PLACE, _WATCHED = "batch", "batch watched"
_PAUSE = 0.1
"""Seconds between two questions whether a batch has changed."""
_ALIVE = 3.0
"""Seconds since its last question for which a watch is taken to go on."""


@dataclass(frozen=True, eq=False)
class _Place:
    """Which part of the table a window shows, since its last look."""

    show: str
    page: float


class BatchEvents:
    """The handlers; ``form`` is the Image tab's, ``enhance`` does one picture."""

    def __init__(
        self,
        config: Any,
        manager: Any,
        sessions: Sessions,
        form: SettingsForm,
        presets: SettingsManager,
        enhance: Callable[..., EnhanceResult],
        lanes: int,
    ) -> None:
        self._config, self._manager, self._sessions = config, manager, sessions
        self._form, self._presets = form, presets
        self._lanes = lanes
        self._desk = work.BatchDesk(manager, config, enhance)

    # -- before the start --------------------------------------------------------------------------------------------

    def _request(self, request: gr.Request, place: Path, given: tuple[Any, ...]) -> BatchRequest:
        """The batch that the fields describe. Raises ``EngineError``."""
        count = len(FIELDS)
        files, folder, recursive, watch, template, output, skip_done, overwrite, how, preset = given[:count]
        wanted = work.Wanted(
            tuple(Path(path) for path in files or ()),
            folder or "",
            recursive,
            watch,
            template or "",
            output or "",
            skip_done,
            overwrite,
            from_here=work.is_from_here(request),
        )
        settings, per_picture = work.settings_of(
            how, self._form.values(given[count:]), preset, self._presets, self._manager
        )
        return work.make_request(wanted, settings, per_picture, place, self._config).but(lanes=self._lanes)

    def plan(self, request: gr.Request, *given: Any) -> str:
        """What would be done, in words."""
        words = words_for(request)
        if not given[0] and not (given[1] or "").strip():
            return f'<p class="quiet">{words("batch_plan_none")}</p>'
        place = work.new_place(self._sessions.of(request))
        try:
            with tempfile.TemporaryDirectory(prefix="realesrgan-plan-") as workspace:
                return view.plan_html(self._request(request, place, given).plan(self._config, workspace), words)
        except EngineError as error:
            return view.trouble_html(error, words)

    def preset_names(self, chosen: str | None) -> Any:
        """The list as it is now; the first where the chosen one is gone."""
        names = [preset.name for preset in self._presets.presets()]
        return gr.update(choices=names, value=chosen if chosen in names else names[0])

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, request: gr.Request, show: str, *given: Any) -> list[Any]:
        session = self._sessions.of(request)
        place = work.new_place(session)
        return self._after(
            request, show, lambda: self._desk.begin(session, self._request(request, place, given), place)
        )

    def retry(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._desk.retry_failed(self._sessions.of(request)))

    def go_on(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._desk.go_on(self._sessions.of(request)))

    def forget(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._desk.forget(self._sessions.of(request)))

    def pause(self, request: gr.Request, show: str, page: float) -> list[Any]:
        return self._order(request, show, page, BackgroundBatch.pause)

    def resume(self, request: gr.Request, show: str, page: float) -> list[Any]:
        return self._order(request, show, page, BackgroundBatch.resume)

    def cancel(self, request: gr.Request, show: str, page: float) -> list[Any]:
        return self._order(request, show, page, BackgroundBatch.cancel)

    def _order(
        self, request: gr.Request, show: str, page: float, order: Callable[[BackgroundBatch], None]
    ) -> list[Any]:
        batch = self._desk.current(self._sessions.of(request))
        if batch is not None:
            order(batch)
        return self.look(request, show, page)

    def _after(self, request: gr.Request, show: str, action: Callable[[], Any]) -> list[Any]:
        """The tab after ``action``, or why it was not done."""
        trouble = ""
        try:
            action()
        except EngineError as error:
            trouble = view.trouble_html(error, words_for(request))
        answer = self.look(request, show, 1)
        if trouble:
            answer[CHANGING.index("status")] = trouble
        return answer

    def look(self, request: gr.Request, show: str, page: float) -> list[Any]:
        """The tab's present state, all of it, and from now on that filter and page.

        It never stops the timer: two looks may be answered in another order than they were asked for, and one from
        before the start would leave the page without a watch.
        """
        now = self._state(request, show, page)
        self._sessions.note(request, _PLACE, _Place(show, page))
        if not now["timer"]["active"]:
            now["timer"] = gr.skip()
        return [now[name] for name in CHANGING]

    async def watch(self, request: gr.Request, show: str, page: float) -> AsyncIterator[list[Any]]:
        """What changes, as soon as it does, until the batch has ended and its thumbnails are there.

        Where this window has a watch already, nothing: it was only asked whether there is one.
        """
        if time.monotonic() - self._sessions.noted(request, _WATCHED, -math.inf) < _ALIVE:
            yield [gr.skip()] * len(CHANGING)
            return
        first, seen = _Place(show, page), None
        before: dict[str, Any] = {}
        while True:
            self._sessions.note(request, _WATCHED, time.monotonic())
            place = self._sessions.noted(request, _PLACE, first)
            if (mark := (place, self._mark(request))) != seen:
                now = await asyncio.to_thread(self._state, request, place.show, place.page)
                if seen is None or place is not seen[0]:
                    before = {}  # a look has drawn everything since, perhaps before what was sent last
                yield [gr.skip() if before.get(name) == now[name] else now[name] for name in CHANGING]
                before, seen = now, mark
                if not now["timer"]["active"]:
                    self._sessions.note(request, _WATCHED, -math.inf)
                    return
            await asyncio.sleep(_PAUSE)

    def _mark(self, request: gr.Request) -> tuple[Any, ...]:
        """Differs whenever what is shown does; costs nothing."""
        session = self._sessions.of(request)
        batch = self._desk.current(session)
        return (id(batch), batch.mark, self._thumbnails(session).count) if batch is not None else ()

    @staticmethod
    def _thumbnails(session: Session) -> Thumbnails:
        made: Thumbnails = session.memory.setdefault("batch_thumbnails", Thumbnails(session.folder))
        return made

    def _state(self, request: gr.Request, show: str, page: float) -> dict[str, Any]:
        """What each of ``CHANGING`` shows."""
        session, words = self._sessions.of(request), words_for(request)
        batch = self._desk.current(session)
        snapshot = batch.snapshot() if batch is not None else None
        last = view.pages(snapshot, show)
        page = min(max(1, int(page or 1)), last)
        items = view.page_of(snapshot, show, page) if snapshot is not None else []
        small, numbers, missing = self._thumbnails(session).of(items)
        active = snapshot is not None and snapshot.active
        left = None if active else self._desk.unfinished(session)
        phase = snapshot.phase if snapshot is not None else None
        failed = snapshot.count(ItemState.FAILED) if snapshot is not None else 0
        return {
            "status": view.status_html(snapshot, words),
            "table": view.table_html(snapshot, words, show, page),
            "gallery": gr.update(value=small, visible=bool(small)),
            "page": gr.update(value=page, maximum=last, visible=last > 1),
            "start": gr.update(interactive=not active),
            "pause": gr.update(visible=phase in (Phase.RUNNING, Phase.PLANNING)),
            "resume": gr.update(visible=phase is Phase.PAUSED),
            "cancel": gr.update(visible=active),
            "retry": gr.update(visible=bool(failed) and not active),
            "zip": gr.update(visible=snapshot is not None and any(work.finished(snapshot))),
            "offer": gr.update(visible=left is not None),
            "offered": view.unfinished_html(left, words) if left is not None else "",
            "timer": gr.update(active=active or missing),
            "numbers": numbers,
            "show": gr.update(visible=bool(items) or show != "all"),
        }

    # -- results -----------------------------------------------------------------------------------------------------

    def compare(self, request: gr.Request, numbers: list[int], event: gr.SelectData) -> Any:
        """Before and after of the thumbnail that was chosen."""
        session = self._sessions.of(request)
        batch = self._desk.current(session)
        items = {item.number: item for item in batch.snapshot().items} if batch is not None else {}
        item = items.get(numbers[event.index]) if event.index < len(numbers) else None
        if item is None:
            return gr.skip()
        try:
            pair = before_and_after(item.source, item.target, session.folder)
        except EngineError as error:
            raise gr.Error(words_for(request).said(error), print_exception=False) from error
        return gr.update(value=pair, visible=True, label=f"{item.name} → {as_text(item.target.name)}")

    def archive(self, request: gr.Request) -> tuple[str | None, Any]:
        words, session = words_for(request), self._sessions.of(request)
        batch = self._desk.current(session)
        if batch is None:
            return None, gr.skip()
        try:
            path = work.zip_all(batch, session)
        except EngineError as error:
            return None, view.trouble_html(error, words)
        size = view.size_words(path.stat().st_size)
        return str(path), view.note_html(words("batch_zip_ready", size=size), [], words)
