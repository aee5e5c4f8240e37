"""Batch: many pictures, a folder or a ZIP file; watched while it runs, and found again after a refresh."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.batch import BatchOptions, BatchRequest, ItemState, Phase
from engine.settings_manager import SettingsManager
from engine.types import EnhanceResult
from ui.components import SettingsForm
from ui.downloads import MadeDownload
from ui.handlers import batch as work
from ui.handlers import batch_view as view
from ui.previews import before_and_after
from ui.sessions import Sessions
from ui.strings import choice, t, words_for
from ui.tabs.image_tab import ImageTab
from ui.thumbnails import Thumbnails
from utils.errors import EngineError

_SECONDS = 1.0
_CHANGING = (
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
    "seen",
    "numbers",
    "show",
)


@dataclass(frozen=True)
class _Fields:
    """What a person sets before the start, in the order in which handlers receive it."""

    files: Any
    folder: Any
    recursive: Any
    watch: Any
    template: Any
    output: Any
    skip_done: Any
    overwrite: Any
    how: Any
    preset: Any

    @property
    def all(self) -> list[Any]:
        return [getattr(self, name) for name in self.__dataclass_fields__]


@dataclass(frozen=True)
class _Shown:
    """What shows a batch."""

    status: Any
    table: Any
    gallery: Any
    page: Any
    start: Any
    pause: Any
    resume: Any
    cancel: Any
    retry: Any
    zip: Any
    offer: Any
    offered: Any
    timer: Any
    seen: Any
    numbers: Any
    show: Any
    go_on: Any
    forget: Any
    compare: Any
    archive: MadeDownload

    @property
    def outputs(self) -> list[Any]:
        """Those that a new look at the batch changes, in the order in which ``_Handlers.look`` answers."""
        return [getattr(self, name) for name in _CHANGING]


def build(
    config: Any,
    manager: Any,
    sessions: Sessions,
    image: ImageTab,
    enhance: Callable[..., EnhanceResult],
    blocks: gr.Blocks,
    tab: gr.Tab,
) -> None:
    """The tab. ``blocks``: the whole page, for what happens when it is opened; ``tab``: where this one stands."""
    presets = SettingsManager.from_config(config)
    gr.Markdown(t("batch_intro"), elem_classes="quiet")
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            fields = _fields(config, presets)
            plan = gr.HTML("", elem_id="batch-plan", elem_classes="slot")
            start = gr.Button(t("batch_start"), variant="primary", elem_id="batch-start")
        with gr.Column(scale=3, min_width=300):
            shown = _results(start)
    handlers = _Handlers(config, manager, sessions, image.form, presets, enhance)
    _connect_choice(handlers, fields, image.form, plan, tab)
    _connect_run(handlers, fields, image.form, shown, blocks)


def _fields(config: Any, presets: SettingsManager) -> _Fields:
    files = gr.File(label=t("batch_files"), file_count="multiple", type="filepath", elem_id="batch-files", height=170)
    with gr.Accordion(t("batch_from_folder"), open=False, visible=work.may_name_folders(config)):
        folder = gr.Textbox("", label=t("batch_folder"), info=t("batch_folder_info"), elem_id="batch-folder")
        recursive = gr.Checkbox(True, label=t("batch_recursive"))
        watch = gr.Checkbox(False, label=t("batch_watch"), elem_id="batch-watch")
        output = gr.Textbox("", label=t("batch_output"), info=t("batch_output_info"), elem_id="batch-output")
    how = gr.Radio(
        [(choice(f"batch_how_{name}"), name) for name in ("image", "preset", "auto")],
        value="image",
        label=t("batch_how"),
        elem_id="batch-how",
    )
    names = [preset.name for preset in presets.presets()]
    preset = gr.Dropdown(names, value=names[0], label=t("batch_preset"), visible=False, elem_id="batch-preset")
    with gr.Accordion(t("batch_names"), open=False):
        template = gr.Textbox(
            BatchOptions().name_template,
            label=t("batch_template"),
            info=t("batch_template_info"),
            elem_id="batch-template",
        )
        skip_done = gr.Checkbox(True, label=t("batch_skip_done"))
        overwrite = gr.Checkbox(False, label=t("batch_overwrite"))
    how.change(lambda chosen: gr.update(visible=chosen == "preset"), how, preset, show_progress="hidden")
    return _Fields(files, folder, recursive, watch, template, output, skip_done, overwrite, how, preset)


def _results(start: Any) -> _Shown:
    with gr.Group(visible=False, elem_id="batch-offer") as offer:
        offered = gr.HTML("", padding=True)
        with gr.Row():
            go_on = gr.Button(t("batch_go_on"), variant="primary", size="sm", elem_id="batch-go-on")
            forget = gr.Button(t("batch_forget"), size="sm", elem_id="batch-forget")
    status = gr.HTML("", elem_id="batch-status", elem_classes="slot")
    with gr.Row(elem_classes="buttons"):
        pause = gr.Button(t("batch_pause"), visible=False, size="sm", elem_id="batch-pause")
        resume = gr.Button(t("batch_resume"), visible=False, size="sm", variant="primary", elem_id="batch-resume")
        cancel = gr.Button(t("cancel"), visible=False, size="sm", variant="stop", elem_id="batch-cancel")
        retry = gr.Button(t("batch_retry"), visible=False, size="sm", elem_id="batch-retry")
        archive = MadeDownload(t("batch_zip"), "batch-zip", visible=False, size="sm")
    with gr.Row():
        show = gr.Radio(
            [(choice(f"batch_show_{name}"), name) for name in view.SHOWS],
            value="all",
            label=t("batch_show"),
            visible=False,
            elem_id="batch-show",
            scale=3,
        )
        page = gr.Number(1, label=t("batch_page"), minimum=1, precision=0, visible=False, elem_id="batch-page", scale=1)
    table = gr.HTML("", elem_id="batch-table", elem_classes="slot")
    gallery = gr.Gallery(
        label=t("batch_gallery"),
        columns=4,
        height="auto",
        allow_preview=False,
        object_fit="cover",
        visible=False,
        interactive=False,
        buttons=[],
        elem_id="batch-gallery",
    )
    compare = gr.ImageSlider(
        label=t("batch_compare"), type="filepath", visible=False, interactive=False, height=420, elem_id="batch-compare"
    )
    timer = gr.Timer(_SECONDS, active=False)
    seen, numbers = gr.State(None), gr.State([])
    return _Shown(
        status=status,
        table=table,
        gallery=gallery,
        page=page,
        start=start,
        pause=pause,
        resume=resume,
        cancel=cancel,
        retry=retry,
        zip=archive.button,
        offer=offer,
        offered=offered,
        timer=timer,
        seen=seen,
        numbers=numbers,
        show=show,
        go_on=go_on,
        forget=forget,
        compare=compare,
        archive=archive,
    )


class _Handlers:
    """What happens at each event, for whoever is named by its ``gr.Request``."""

    def __init__(
        self,
        config: Any,
        manager: Any,
        sessions: Sessions,
        form: SettingsForm,
        presets: SettingsManager,
        enhance: Callable[..., EnhanceResult],
    ) -> None:
        self._config, self._manager, self._sessions = config, manager, sessions
        self._form, self._presets = form, presets
        self._desk = work.BatchDesk(manager, config, enhance)

    # -- before the start --------------------------------------------------------------------------------------------

    def _request(self, place: Path, given: tuple[Any, ...]) -> BatchRequest:
        """The batch that the fields describe. Raises ``EngineError``."""
        count = len(_Fields.__dataclass_fields__)
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
        )
        settings, per_picture = work.settings_of(
            how, self._form.values(given[count:]), preset, self._presets, self._manager
        )
        return work.make_request(wanted, settings, per_picture, place, self._config)

    def plan(self, request: gr.Request, *given: Any) -> str:
        """What would be done, in words."""
        words = words_for(request)
        if not given[0] and not (given[1] or "").strip():
            return f'<p class="quiet">{words("batch_plan_none")}</p>'
        place = work.new_place(self._sessions.of(request))
        try:
            with tempfile.TemporaryDirectory(prefix="realesrgan-plan-") as workspace:
                return view.plan_html(self._request(place, given).plan(self._config, workspace), words)
        except EngineError as error:
            return view.trouble_html(str(error))

    def preset_names(self) -> Any:
        return gr.update(choices=[preset.name for preset in self._presets.presets()])

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, request: gr.Request, show: str, *given: Any) -> list[Any]:
        session = self._sessions.of(request)
        place = work.new_place(session)
        return self._after(request, show, lambda: self._desk.begin(session, self._request(place, given), place))

    def retry(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._desk.retry_failed(self._sessions.of(request)))

    def go_on(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._desk.go_on(self._sessions.of(request)))

    def forget(self, request: gr.Request, show: str) -> list[Any]:
        return self._after(request, show, lambda: self._desk.forget(self._sessions.of(request)))

    def pause(self, request: gr.Request, show: str, page: float) -> list[Any]:
        batch = self._desk.current(self._sessions.of(request))
        if batch is not None:
            batch.pause()
        return self.look(request, show, page, None)

    def resume(self, request: gr.Request, show: str, page: float) -> list[Any]:
        batch = self._desk.current(self._sessions.of(request))
        if batch is not None:
            batch.resume()
        return self.look(request, show, page, None)

    def cancel(self, request: gr.Request, show: str, page: float) -> list[Any]:
        batch = self._desk.current(self._sessions.of(request))
        if batch is not None:
            batch.cancel()
        return self.look(request, show, page, None)

    def _after(self, request: gr.Request, show: str, action: Callable[[], Any]) -> list[Any]:
        """The tab after ``action``, or why it was not done."""
        trouble = ""
        try:
            action()
        except EngineError as error:
            trouble = view.trouble_html(str(error))
        answer = self.look(request, show, 1, None)
        if trouble:
            answer[_CHANGING.index("status")] = trouble
        return answer

    def look(self, request: gr.Request, show: str, page: float, seen: Any) -> list[Any]:
        """The tab's present state; nothing changes where ``seen`` says that this window shows it already."""
        session, words = self._sessions.of(request), words_for(request)
        batch = self._desk.current(session)
        snapshot = batch.snapshot() if batch is not None else None
        last = view.pages(snapshot, show)
        page = min(max(1, int(page or 1)), last)
        thumbnails = session.memory.setdefault("batch_thumbnails", Thumbnails(session.folder))
        items = view.page_of(snapshot, show, page) if snapshot is not None else []
        small, numbers, missing = thumbnails.of(items)
        now = [id(batch), snapshot.version if snapshot else 0, show, page, len(small)]
        if now == seen:
            return [gr.skip()] * len(_CHANGING)
        active = snapshot is not None and snapshot.active
        request_left = None if active else self._desk.unfinished(session)
        phase = snapshot.phase if snapshot is not None else None
        failed = snapshot.count(ItemState.FAILED) if snapshot is not None else 0
        return [
            view.status_html(snapshot, words),
            view.table_html(snapshot, words, show, page),
            gr.update(value=small, visible=bool(small)),
            gr.update(value=page, maximum=last, visible=last > 1),
            gr.update(interactive=not active),
            gr.update(visible=phase in (Phase.RUNNING, Phase.PLANNING)),
            gr.update(visible=phase is Phase.PAUSED),
            gr.update(visible=active),
            gr.update(visible=bool(failed) and not active),
            gr.update(visible=snapshot is not None and any(work.finished(snapshot))),
            gr.update(visible=request_left is not None),
            view.unfinished_html(request_left, words) if request_left is not None else "",
            gr.update(active=active or missing),
            now,
            numbers,
            gr.update(visible=bool(items) or show != "all"),
        ]

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
            raise gr.Error(str(error), print_exception=False) from error
        return gr.update(value=pair, visible=True, label=f"{item.name} → {item.target.name}")

    def archive(self, request: gr.Request) -> tuple[str | None, Any]:
        words, session = words_for(request), self._sessions.of(request)
        batch = self._desk.current(session)
        if batch is None:
            return None, gr.skip()
        try:
            path = work.zip_all(batch, session)
        except EngineError as error:
            return None, view.trouble_html(str(error))
        size = view.size_words(path.stat().st_size)
        return str(path), view.note_html(words("batch_zip_ready", size=size), [], words)


def _connect_choice(handlers: _Handlers, fields: _Fields, form: SettingsForm, plan: Any, tab: gr.Tab) -> None:
    """The plan follows what is chosen, before anything is started."""
    given = [*fields.all, *form.components]
    changes = [fields.files.change, *(one.change for one in (fields.recursive, fields.how, fields.preset))]
    changes += [one.change for one in (fields.watch, fields.skip_done, fields.overwrite)]
    for box in (fields.folder, fields.output, fields.template):
        changes += [box.blur, box.submit]
    gr.on([*changes, tab.select], handlers.plan, given, plan, show_progress="hidden", trigger_mode="always_last")
    tab.select(handlers.preset_names, None, fields.preset, show_progress="hidden")


def _connect_run(handlers: _Handlers, fields: _Fields, form: SettingsForm, shown: _Shown, blocks: gr.Blocks) -> None:
    outputs, place = shown.outputs, [shown.show, shown.page]
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    shown.start.click(handlers.start, [shown.show, *fields.all, *form.components], outputs, **quiet)
    for button, act in ((shown.retry, handlers.retry), (shown.go_on, handlers.go_on), (shown.forget, handlers.forget)):
        button.click(act, [shown.show], outputs, **quiet)
    for button, order in (
        (shown.pause, handlers.pause),
        (shown.resume, handlers.resume),
        (shown.cancel, handlers.cancel),
    ):
        button.click(order, place, outputs, **quiet)
    look = [*place, shown.seen]
    shown.timer.tick(handlers.look, look, outputs, **quiet)
    shown.show.change(handlers.look, look, outputs, **quiet)
    shown.page.change(handlers.look, look, outputs, **quiet)
    blocks.load(handlers.look, look, outputs, **quiet)
    shown.gallery.select(handlers.compare, shown.numbers, shown.compare, show_progress_on=shown.compare)
    shown.archive.connect(handlers.archive, None, shown.status)
