"""What a tab shows of its work: all of it at a look, and what changes while a window watches."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr

from ui.visitors import Visitors

_PAUSE = 0.1
"""Seconds between two questions whether anything has changed."""
_ALIVE = 3.0
"""Seconds since its last question for which a watch is taken to go on."""
_NOBODY = (None, -math.inf)
"""Who watches, and when it asked last."""


class Watching:
    """Looks and watches of one tab, for whichever window asks.

    Attributes:
        mark: differs whenever what is shown does; costs nothing.
        state: what each of ``changing`` shows at a place, as a filter and a page; its "timer" is active while work is.
    """

    def __init__(
        self,
        visitors: Visitors,
        tab: str,
        changing: tuple[str, ...],
        mark: Callable[[gr.Request], object],
        state: Callable[..., dict[str, Any]],
    ) -> None:
        self._visitors, self._changing, self._mark, self._state = visitors, changing, mark, state
        self._place, self._watched = f"{tab} place", f"{tab} watched"

    def look(self, request: gr.Request, *place: Any) -> list[Any]:
        """The tab's present state, all of it, and from now on that place.

        It never stops the timer: two looks may be answered in another order than they were asked for, and one from
        before the start would leave the page without a watch.
        """
        now = self._state(request, *place)
        self._visitors.note(request, self._place, list(place))  # a new one each time, so that a watch sees the look
        if not now["timer"]["active"]:
            now["timer"] = gr.skip()
        return [now[name] for name in self._changing]

    async def watch(self, request: gr.Request, *place: Any) -> AsyncIterator[list[Any]]:
        """What changes, as soon as it does, until the timer may stop.

        Where this window has a watch already, nothing: it was only asked whether there is one.
        """
        _, asked = self._visitors.noted(request, self._watched, _NOBODY)
        if time.monotonic() - asked < _ALIVE:
            yield [gr.skip()] * len(self._changing)
            return
        first, seen, looked, mine = list(place), None, None, object()
        before: dict[str, Any] = {}
        self._visitors.note(request, self._watched, (mine, time.monotonic()))
        while self._visitors.noted(request, self._watched, _NOBODY)[0] is mine:  # else another's, or the window is gone
            self._visitors.note(request, self._watched, (mine, time.monotonic()))
            last, mark = self._visitors.noted(request, self._place, first), self._mark(request)
            if last is not looked or mark != seen:
                now = await asyncio.to_thread(self._state, request, *last)
                ended = not now["timer"]["active"]
                if last is not looked or ended:
                    before = {}  # a look has drawn everything since, perhaps before what was sent last
                # Copies: Gradio takes the value out of what it is given.
                yield [gr.skip() if before.get(name) == now[name] else _copy(now[name]) for name in self._changing]
                before, seen, looked = now, mark, last
                if ended:
                    self._visitors.note(request, self._watched, _NOBODY)
                    return
            await asyncio.sleep(_PAUSE)


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value


__all__ = ["Watching"]
