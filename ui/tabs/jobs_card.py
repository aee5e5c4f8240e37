"""The list of all jobs at the top of the System Info tab: what runs and waits, whose it is, and what may be done."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from ui.handlers import jobs_view
from ui.handlers.batch import is_from_here, only_local
from ui.handlers.batch_view import trouble_html
from ui.job_table import Action, job_table
from ui.strings import words_for
from ui.visitors import Visitors
from utils.errors import EngineError

_SECONDS = 1.0


def build(config: Any, visitors: Visitors, tab: gr.Tab) -> None:
    """The list, filled from when ``tab`` is first opened."""
    jobs = job_table(elem_id="system-jobs", elem_classes="slot")
    told = gr.HTML("", elem_id="system-jobs-told", elem_classes="slot")
    timer = gr.Timer(_SECONDS, active=False)
    events = JobsEvents(config, visitors)
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    tab.select(events.open, None, [jobs, told, timer], **quiet)
    timer.tick(events.look, None, jobs, **quiet)
    jobs.act(events.act, None, [jobs, told], **quiet)


class JobsEvents:
    """What happens at each event."""

    def __init__(self, config: Any, visitors: Visitors) -> None:
        self._config, self._visitors = config, visitors

    def open(self, request: gr.Request) -> list[Any]:
        """The list as it is now, and from now on every second."""
        return [self.look(request), "", gr.update(active=True)]

    def look(self, request: gr.Request) -> str:
        """Every job of the program, as this browser may see it."""
        jobs, key = self._visitors.job_list.jobs(), self._visitors.of(request).key
        return jobs_view.overview_html(jobs, key, self._may_all(request), words_for(request), time.time())

    def act(self, request: gr.Request, event: gr.EventData) -> list[Any]:
        """A button of the list: cancel a job, or let it run earlier."""
        action = Action.of(event)
        if action is None:
            return [gr.skip(), gr.skip()]
        owner = None if self._may_all(request) else self._visitors.of(request).key
        try:
            jobs_view.act(self._visitors.job_list, action, owner)
        except EngineError as error:
            return [self.look(request), trouble_html(error, words_for(request))]
        return [self.look(request), ""]

    def _may_all(self, request: gr.Request) -> bool:
        """Whether this browser may act on everybody's jobs: on a server for this machine alone, asked from here."""
        return only_local(self._config) and is_from_here(request)


__all__ = ["JobsEvents", "build"]
