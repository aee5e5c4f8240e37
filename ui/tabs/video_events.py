"""What happens at each event of the Video tab, for whoever is named by its ``gr.Request``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from engine.types import EnhanceResult
from engine.video import enhance_video_isolated
from ui.components import SettingsForm
from ui.handlers import films_view as view
from ui.handlers import jobs_view, video_frames
from ui.handlers import video as handlers
from ui.handlers.films import FilmQueue, FilmRequest
from ui.job_table import Action
from ui.strings import words_for
from ui.tabs.video_stage import HIDDEN, SHOWN, StageEvents
from ui.tabs.watching import Watching
from ui.visitors import Visitors
from utils.errors import EngineError

CHANGING = ("progress", "status", "waiting", "result", "ended", "cancel", "offer", "offered", "timer", "guide")
"""Components that a new look at the films changes, in the order in which ``VideoEvents.look`` answers."""


class VideoEvents(StageEvents):
    """The handlers; ``enhance`` does one frame for the preview."""

    def __init__(
        self, config: Any, manager: Any, visitors: Visitors, form: SettingsForm, enhance: Callable[..., EnhanceResult]
    ) -> None:
        super().__init__(config, manager, visitors, form, enhance, FilmQueue(config, visitors, enhance_video_isolated))
        watching = Watching(visitors, "video", CHANGING, self._mark, self._state)
        self.look, self.watch = watching.look, watching.watch

    # -- films -------------------------------------------------------------------------------------------------------

    async def start(self, request: gr.Request, path: str | None, *given: Any) -> list[Any]:
        """The main button: the film runs, or waits behind the others."""
        values = self._form.values(given)

        def begin() -> None:
            dropped = video_frames.dropped(path, values)
            assert dropped is not None
            self.queue.begin(request, dropped[0], FilmRequest.of_form(values), dropped[1])

        if not path and not values["pictures"]:
            return self._after(request, words_for(request)("video_choose"))
        return await self._done(request, begin)

    async def go_on(self, request: gr.Request) -> list[Any]:
        """Queue what an earlier run of the program left undone."""
        return await self._done(request, lambda: self.queue.go_on(request))

    async def forget(self, request: gr.Request) -> list[Any]:
        """Offer it no more."""
        return await self._done(request, lambda: self.queue.forget(self._visitors.of(request)))

    async def act(self, request: gr.Request, event: gr.EventData) -> list[Any]:
        """A button of a waiting film: cancel it, or let it run before others of this browser."""
        action = Action.of(event)
        if action is None:
            return [gr.skip()] * len(CHANGING)
        owner = self._visitors.of(request).key
        return await self._done(request, lambda: jobs_view.act(self._visitors.job_list, action, owner))

    def cancel(self, request: gr.Request) -> list[Any]:
        """Cancel the film that is shown; those that wait go on."""
        self.queue.cancel(self._visitors.of(request))
        return self.look(request)

    async def _done(self, request: gr.Request, action: Callable[[], None]) -> list[Any]:
        """The tab after ``action``, or why it was not done. A large upload may have to be copied, and the pages wait
        for this thread."""
        try:
            await asyncio.to_thread(action)
        except EngineError as error:
            return self._after(request, handlers.sentence_of(error, words_for(request)))
        return self.look(request)

    def _after(self, request: gr.Request, trouble: str) -> list[Any]:
        """The tab with a sentence about what was not done; what runs keeps its bar, and its next step takes the
        sentence's place."""
        if self.queue.going(self._visitors.of(request)):
            gr.Warning(trouble, title=words_for(request)("toast_trouble"))
        answer = self.look(request)
        answer[CHANGING.index("status")] = trouble
        return answer

    # -- looking -----------------------------------------------------------------------------------------------------

    def _mark(self, request: gr.Request) -> object:
        """Differs whenever what is shown does; costs nothing."""
        visitor = self._visitors.of(request)
        steps = [
            (film.job.number, film.job.step, film.job.control.cancelled)
            for film in self.queue.going(visitor)
            if film.job is not None
        ]
        return self.queue.films(visitor).mark, steps

    def _state(self, request: gr.Request) -> dict[str, Any]:
        """What each of ``CHANGING`` shows."""
        visitor, words = self._visitors.of(request), words_for(request)
        films, going = self.queue.films(visitor), self.queue.going(visitor)
        shown, ended = (going[0] if going else None), list(films.ended)
        last = None if shown is not None or not ended else ended.pop()
        behind = {film.job.number for film in going[1:] if film.job is not None}
        waiting = [job for job in self._visitors.job_list.jobs() if job.number in behind]
        step = shown.job.step if shown is not None and shown.job is not None else None
        progress, status = view.film_status(shown, last, words, bool(waiting or ended))
        undone = self.queue.left_undone(visitor)
        return {
            "progress": progress + view.ended_films(films.ended),
            "status": status,
            "waiting": view.waiting_html(waiting, words, ahead=1 if step and step.position else 0),
            "result": view.player(last, words),
            "ended": view.ended_html(ended, words),
            "cancel": SHOWN if shown is not None else HIDDEN,
            "offer": gr.update(visible=bool(undone)),
            "offered": view.offer_html(undone, words) if undone else "",
            "timer": gr.update(active=shown is not None),
            "guide": gr.update(visible=not (films.ended or going or undone)),
        }


__all__ = ["CHANGING", "VideoEvents"]
