"""What happens at each event of the Batch tab, for whoever is named by its ``gr.Request``."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from engine.batch import BackgroundBatch, BatchRequest, ItemState, ItemStatus, Phase
from engine.settings_manager import SettingsManager
from engine.storage.undo import undo
from engine.types import EnhanceFile
from ui.components import SettingsForm
from ui.handlers import batch as handlers
from ui.handlers import batch_facts
from ui.handlers import batch_view as view
from ui.handlers.picture_facts import PictureFacts
from ui.previews import shown, thumbnail
from ui.samples import sample_folder
from ui.strings import words_for
from ui.tabs.watching import Watching
from ui.thumbnails import Thumbnails
from ui.viewer import View, stage_words
from ui.visitors import Visitor, Visitors
from utils.errors import EngineError
from utils.names import as_text

logger = logging.getLogger(__name__)

FORM_FIELDS = (
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
    "originals",
    "backup",
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
    "guide",
)
"""Components that a new look at the batch changes, in the order in which ``BatchEvents.look`` answers."""

_BEGUN = "batch begun with"


class BatchEvents:
    """The handlers; ``form`` is the Image tab's, ``enhance`` does one picture."""

    def __init__(
        self,
        config: Any,
        manager: Any,
        visitors: Visitors,
        form: SettingsForm,
        presets: SettingsManager,
        enhance: EnhanceFile,
        in_flight: int,
    ) -> None:
        self._config, self._manager, self._visitors = config, manager, visitors
        self._form, self._presets = form, presets
        self._in_flight = in_flight
        self._facts = PictureFacts(config, manager)
        self._batches = handlers.BatchService(manager, config, enhance, visitors.job_list)
        watching = Watching(visitors, "batch", CHANGING, self._mark, self._state)
        self.look, self.watch = watching.look, watching.watch

    # -- before the start --------------------------------------------------------------------------------------------

    def _request(self, request: gr.Request, place: Path, given: tuple[Any, ...]) -> BatchRequest:
        """The batch that the fields describe. Raises ``EngineError``."""
        count = len(FORM_FIELDS)
        files, folder, recursive, watch, template, output, skip_done, overwrite, how, preset, originals, backup = given[
            :count
        ]
        wanted = handlers.Wanted(
            tuple(Path(path) for path in files or ()),
            folder or "",
            recursive,
            watch,
            template or "",
            output or "",
            skip_done,
            overwrite,
            from_here=handlers.is_from_here(request),
            originals=originals,
            backup=backup or "",
        )
        settings, per_picture = handlers.settings_of(
            how, self._form.values(given[count:]), preset, self._presets, self._manager
        )
        return handlers.make_request(wanted, settings, per_picture, place, self._config).but(lanes=self._in_flight)

    def plan(self, request: gr.Request, *given: Any) -> list[Any]:
        """What would be done: in words, picture by picture, and whether the way to begin is still to be shown."""
        words = words_for(request)
        if not given[0] and not (given[1] or "").strip():
            return ["", "", gr.update(visible=True)]
        hidden = gr.update(visible=False)
        place = handlers.new_place(self._visitors.of(request))
        try:
            with tempfile.TemporaryDirectory(prefix="realesrgan-plan-") as workspace:
                wanted = self._request(request, place, given)
                plan = wanted.plan(self._config, workspace)
                told = view.plan_html(plan, words, batch_facts.expected(plan, wanted, self._facts))
        except EngineError as error:
            return [view.trouble_html(error, words), "", hidden]
        begun = self._visitors.noted(request, _BEGUN) == given[:2]
        return [told, "" if begun else view.planned_html(plan, words), hidden]

    def begun(self, request: gr.Request, *given: Any) -> list[Any]:
        """The start was pressed: what was planned is no news any more, unless it was refused."""
        if self._visitors.noted(request, _BEGUN) != given[:2]:
            return [gr.skip(), gr.skip()]
        return ["", ""]

    def sample(self, request: gr.Request) -> list[str]:
        """Pictures that come with the program."""
        return [str(path) for path in sample_folder(self._visitors.of(request).folder / "samples")]

    def earlier(self, request: gr.Request) -> str:
        """What is left of a batch before this run of the program."""
        visitor = self._visitors.of(request)
        if self._batches.current(visitor) is not None:
            return ""
        found = batch_facts.earlier_results(visitor)
        small = []
        for path in found.paths:
            try:
                small.append((path, thumbnail(path, visitor.folder)))
            except EngineError as error:
                logger.info("No thumbnail of '%s': %s", path, error)
        return view.earlier_html(small, found.count, words_for(request))

    @property
    def presets(self) -> list[str]:
        """Names of all presets."""
        return [preset.name for preset in self._presets.presets()]

    def preset_names(self, chosen: str | None) -> Any:
        """The list as it is now; the first where the chosen one is gone."""
        names = self.presets
        return gr.update(choices=names, value=chosen if chosen in names else names[0])

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, request: gr.Request, show: str, *given: Any) -> list[Any]:
        visitor = self._visitors.of(request)
        place = handlers.new_place(visitor)

        def begin() -> None:
            self._batches.begin(visitor, self._request(request, place, given), place)
            self._visitors.note(request, _BEGUN, given[:2])

        return self._after(request, show, begin)

    def retry(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._batches.retry_failed(self._visitors.of(request)))

    def go_on(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._batches.go_on(self._visitors.of(request)))

    def forget(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._batches.forget(self._visitors.of(request)))

    def pause(self, request: gr.Request, show: str, page: float) -> list[Any]:
        return self._order(request, show, page, BackgroundBatch.pause)

    def resume(self, request: gr.Request, show: str, page: float) -> list[Any]:
        return self._order(request, show, page, BackgroundBatch.resume)

    def cancel(self, request: gr.Request, show: str, page: float) -> list[Any]:
        return self._order(request, show, page, BackgroundBatch.cancel)

    def _order(
        self, request: gr.Request, show: str, page: float, order: Callable[[BackgroundBatch], None]
    ) -> list[Any]:
        batch = self._batches.current(self._visitors.of(request))
        if batch is not None:
            order(batch)
        return self.look(request, show, page)

    def _after(self, request: gr.Request, show: str, action: Callable[[], Any]) -> list[Any]:
        """The tab after ``action``, or why it was not done."""
        trouble, words = "", words_for(request)
        try:
            action()
        except EngineError as error:
            trouble = view.trouble_html(error, words)
            if self._runs(request):  # whose next step takes the place of the sentence
                gr.Warning(words.said(error), title=words("toast_trouble"))
        answer = self.look(request, show, 1)
        if trouble:
            answer[CHANGING.index("status")] = trouble
        return answer

    def _runs(self, request: gr.Request) -> bool:
        batch = self._batches.current(self._visitors.of(request))
        return batch is not None and batch.snapshot(with_items=False).active

    def _mark(self, request: gr.Request) -> tuple[Any, ...]:
        """Differs whenever what is shown does; costs nothing."""
        visitor = self._visitors.of(request)
        batch = self._batches.current(visitor)
        return (id(batch), batch.mark, self._thumbnails(visitor).count) if batch is not None else ()

    @staticmethod
    def _thumbnails(visitor: Visitor) -> Thumbnails:
        made: Thumbnails = visitor.memory.setdefault("batch_thumbnails", Thumbnails(visitor.folder))
        return made

    def _state(self, request: gr.Request, show: str, page: float) -> dict[str, Any]:
        """What each of ``CHANGING`` shows."""
        visitor, words = self._visitors.of(request), words_for(request)
        batch = self._batches.current(visitor)
        snapshot = batch.snapshot() if batch is not None else None
        last = view.pages(snapshot, show)
        page = min(max(1, int(page or 1)), last)
        items = view.page_of(snapshot, show, page) if snapshot is not None else []
        small, numbers, missing = self._thumbnails(visitor).of(items)
        active = snapshot is not None and snapshot.active
        left = None if active else self._batches.unfinished(visitor)
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
            "zip": gr.update(visible=snapshot is not None and any(handlers.finished(snapshot))),
            "offer": gr.update(visible=left is not None),
            "offered": view.unfinished_html(left, words) if left is not None else "",
            "timer": gr.update(active=active or missing),
            "numbers": numbers,
            "show": gr.update(visible=bool(items) or show != "all"),
            "guide": gr.update(visible=snapshot is None),
        }

    # -- results -----------------------------------------------------------------------------------------------------

    def compare(self, request: gr.Request, numbers: list[int], event: gr.SelectData) -> list[Any]:
        """Before and after of the thumbnail that was chosen."""
        visitor, words = self._visitors.of(request), words_for(request)
        batch = self._batches.current(visitor)
        items = {item.number: item for item in batch.snapshot().items} if batch is not None else {}
        item = items.get(numbers[event.index]) if event.index < len(numbers) else None
        if item is None or batch is None or batch.request.options.in_place:  # then the result is all that lies there
            return [gr.skip()] * 3
        try:
            pair = view_of(item, visitor.folder)
        except EngineError as error:
            raise gr.Error(words.said(error), title=words("toast_trouble"), print_exception=False) from error
        title = f"<h3>{escape(item.name)} → {escape(as_text(item.target.name))}</h3>"
        return [gr.update(visible=True), title, gr.update(value=pair.to_json(), words=stage_words(words))]

    def undo(self, request: gr.Request) -> str:
        """Put the originals of the last run in place back; its results stay beside them."""
        words = words_for(request)
        if not handlers.may_undo(self._config, request):  # a hidden button keeps nobody from calling its event
            return ""
        try:
            report = undo(self._config.data_dir, keep_results=True)
        except EngineError as error:
            return view.trouble_html(error, words)
        notes = [escape(words.said(text)) for _, text in report.problems]
        told = words("batch_undone", count=len(report.restored))
        return view.note_html(told, notes, words, warning=bool(notes))

    def archive(self, request: gr.Request) -> tuple[str | None, Any]:
        words, visitor = words_for(request), self._visitors.of(request)
        batch = self._batches.current(visitor)
        if batch is None:
            return None, gr.skip()
        try:
            path = handlers.zip_all(batch, visitor)
        except EngineError as error:
            return None, view.trouble_html(error, words)
        size = view.size_words(path.stat().st_size)
        return str(path), view.note_html(words("batch_zip_ready", size=size), [], words)


def view_of(item: ItemStatus, folder: Path) -> View:
    """A finished picture before and after. Raises ``EngineError``."""
    pair = shown(item.source, folder), shown(item.target, folder)
    width, height = item.output_size or (0, 0)
    return View(*pair, width, height, (item.input_size or (width, height))[0], key=f"{item.number} {item.target}")
