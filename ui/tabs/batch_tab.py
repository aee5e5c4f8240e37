"""Batch: many pictures, a folder or a ZIP file; watched while it runs, and found again after a refresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.batch import BatchOptions
from engine.settings_manager import SettingsManager
from engine.types import EnhanceResult
from ui.components import SettingsForm, original_file
from ui.downloads import MadeDownload
from ui.handlers import batch as work
from ui.handlers import batch_view as view
from ui.sessions import Sessions
from ui.strings import choice, t
from ui.tabs.batch_events import CHANGING, FIELDS, BatchEvents
from ui.tabs.image_tab import ImageTab

_SECONDS = 1.0


@dataclass(frozen=True)
class _Fields:
    """What a person sets before the start."""

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
        """In the order in which events bring them."""
        return [getattr(self, name) for name in FIELDS]


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
    numbers: Any
    show: Any
    go_on: Any
    forget: Any
    compare: Any
    archive: MadeDownload

    @property
    def outputs(self) -> list[Any]:
        """Those that a new look at the batch changes, in the order in which ``BatchEvents.look`` answers."""
        return [getattr(self, name) for name in CHANGING]


def build(
    config: Any,
    manager: Any,
    sessions: Sessions,
    image: ImageTab,
    enhance: Callable[..., EnhanceResult],
    blocks: gr.Blocks,
    tab: gr.Tab,
    lanes: int = 3,
) -> None:
    """The tab.

    Args:
        enhance: does one picture.
        blocks: the whole page, for what happens when it is opened; ``tab``: where this one stands.
        lanes: pictures of one batch in flight at a time.
    """
    presets = SettingsManager.from_config(config)
    gr.Markdown(t("batch_intro"), elem_classes="quiet")
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            fields = _fields(config, presets)
            plan = gr.HTML("", elem_id="batch-plan", elem_classes="slot")
            start = gr.Button(t("batch_start"), variant="primary", elem_id="batch-start")
        with gr.Column(scale=3, min_width=300):
            shown = _results(start)
    events = BatchEvents(config, manager, sessions, image.form, presets, enhance, lanes)
    _connect_choice(events, fields, image.form, plan, tab)
    _connect_run(events, fields, image.form, shown, blocks)


def _fields(config: Any, presets: SettingsManager) -> _Fields:
    files = original_file(gr.File(label=t("batch_files"), file_count="multiple", elem_id="batch-files", height=170))
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
    table, gallery, compare = _pictures()
    timer = gr.Timer(_SECONDS, active=False)
    numbers = gr.State([])
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
        numbers=numbers,
        show=show,
        go_on=go_on,
        forget=forget,
        compare=compare,
        archive=archive,
    )


def _pictures() -> tuple[Any, Any, Any]:
    """The results: as a table, as a gallery, and one of them before and after."""
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
    return table, gallery, compare


def _connect_choice(events: BatchEvents, fields: _Fields, form: SettingsForm, plan: Any, tab: gr.Tab) -> None:
    """The plan follows what is chosen, before anything is started."""
    given = [*fields.all, *form.components]
    changes = [fields.files.change, *(one.change for one in (fields.recursive, fields.how, fields.preset))]
    changes += [one.change for one in (fields.watch, fields.skip_done, fields.overwrite)]
    for box in (fields.folder, fields.output, fields.template):
        changes += [box.blur, box.submit]
    gr.on(changes, events.plan, given, plan, show_progress="hidden", trigger_mode="always_last")
    # First the list: the plan would be refused with a preset that is gone.
    tab.select(events.preset_names, fields.preset, fields.preset, show_progress="hidden").then(
        events.plan, given, plan, show_progress="hidden"
    )


def _connect_run(events: BatchEvents, fields: _Fields, form: SettingsForm, shown: _Shown, blocks: gr.Blocks) -> None:
    outputs, place = shown.outputs, [shown.show, shown.page]
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    shown.start.click(events.start, [shown.show, *fields.all, *form.components], outputs, **quiet)
    for button, act in ((shown.retry, events.retry), (shown.go_on, events.go_on), (shown.forget, events.forget)):
        button.click(act, [shown.show], outputs, **quiet)
    for button, order in (
        (shown.pause, events.pause),
        (shown.resume, events.resume),
        (shown.cancel, events.cancel),
    ):
        button.click(order, place, outputs, **quiet)
    # The timer only begins the watch, again after a reload or a lost connection. While there is one, a tick is answered
    # by nothing, but it is asked: a request opens the stream of answers, which Gradio may just have closed as a watch
    # began, and what the watch has said meanwhile arrives.
    shown.timer.tick(events.watch, place, outputs, **quiet, trigger_mode="multiple")
    shown.show.change(events.look, place, outputs, **quiet)
    shown.page.change(events.look, place, outputs, **quiet)
    blocks.load(events.look, place, outputs, **quiet)
    shown.gallery.select(events.compare, shown.numbers, shown.compare, show_progress_on=shown.compare)
    shown.archive.connect(events.archive, None, shown.status)
