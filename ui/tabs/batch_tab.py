"""Batch: many pictures, a folder or a ZIP file; watched while it runs, and found again after a refresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.batch import BatchOptions
from engine.settings_manager import SettingsManager
from engine.types import EnhanceFile
from ui.components import SettingsForm, original_file
from ui.downloads import MadeDownload
from ui.handlers import batch as handlers
from ui.handlers import batch_view as view
from ui.strings import choice, t
from ui.tabs.batch_events import CHANGING, FORM_FIELDS, BatchEvents
from ui.tabs.image_tab import ImageTab
from ui.tabs.memory import FormMemory
from ui.viewer import stage
from ui.visitors import Visitors

_SECONDS = 1.0
_CHOSEN_EACH_TIME = ("files", "folder", "watch", "overwrite", "originals", "backup")
"""Fields that belong to one batch, and those that let files be replaced: never of their own at the next visit."""
_LOOK = "() => document.querySelector('#batch-compare')?.scrollIntoView({block: 'nearest', behavior: 'smooth'})"
"""What was asked for comes into sight."""
_ONE_BUTTON = """() => setTimeout(() => {
  for (const outer of document.querySelectorAll('#batch-files .icon-button')) {
    if (!outer.querySelector('button, input, [tabindex]')) continue;
    outer.setAttribute('role', 'group');
    outer.tabIndex = -1;
  }
}, 100)"""
"""Gradio puts the button that adds files into another one, which screen readers cannot tell apart."""


@dataclass(frozen=True)
class BatchTab:
    """What others use: files from outside go into ``files``, a folder into ``folder``, which lies folded in
    ``folder_box``; ``show_plan`` says then what would be done."""

    files: Any
    folder: Any
    folder_box: Any
    show_plan: Callable[[Any], Any]


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
    originals: Any
    backup: Any
    undo: Any
    folder_box: Any

    @property
    def all(self) -> list[Any]:
        """In the order in which events bring them."""
        return [getattr(self, name) for name in FORM_FIELDS]


@dataclass(frozen=True)
class _Prospect:
    """What will come: how to begin, with something to try it on, or what is planned; and what was left of before.

    ``guide`` is shown while there is no batch, ``steps`` inside it while nothing is chosen.
    """

    plan: Any
    planned: Any
    guide: Any
    steps: Any
    sample: Any
    earlier: Any

    @property
    def outputs(self) -> list[Any]:
        """In the order in which ``BatchEvents.plan`` answers."""
        return [self.plan, self.planned, self.steps]


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
    compare: tuple[Any, Any, Any]
    guide: Any
    archive: MadeDownload

    @property
    def outputs(self) -> list[Any]:
        """Those that a new look at the batch changes, in the order in which ``BatchEvents.look`` answers."""
        return [getattr(self, name) for name in CHANGING]


def build(
    config: Any,
    manager: Any,
    visitors: Visitors,
    image: ImageTab,
    enhance: EnhanceFile,
    blocks: gr.Blocks,
    tab: gr.Tab,
    in_flight: int = 3,
) -> BatchTab:
    """The tab.

    Args:
        enhance: does one picture.
        blocks: the whole page, for what happens when it is opened; ``tab``: where this one stands.
        in_flight: pictures of one batch in flight at a time.
    """
    presets = SettingsManager.from_config(config)
    gr.Markdown(t("batch_intro"), elem_classes="quiet")
    with gr.Row(elem_id="batch-tab", elem_classes="two", equal_height=False):
        with gr.Column(scale=2, min_width=300, elem_classes="two-side"):
            fields = _fields(config, presets)
            bar = _bar()
        with gr.Column(scale=3, min_width=300, elem_classes="two-main"):
            prospect = _prospect(bar["plan"])
            shown = _results(bar, prospect.guide)
    events = BatchEvents(config, manager, visitors, image.form, presets, enhance, in_flight)
    _connect_choice(events, fields, image.form, prospect, tab, blocks)
    _connect_run(events, fields, image.form, shown, prospect, blocks)
    given = [*fields.all, *image.form.components]
    return BatchTab(
        fields.files,
        fields.folder,
        fields.folder_box,
        lambda after: after.then(events.plan, given, prospect.outputs, show_progress="hidden"),
    )


def _fields(config: Any, presets: SettingsManager) -> _Fields:
    files = original_file(gr.File(label=t("batch_files"), file_count="multiple", elem_id="batch-files", height=170))
    with gr.Accordion(t("batch_from_folder"), open=False, visible=handlers.may_name_folders(config)) as box:
        folder = gr.Textbox("", label=t("batch_folder"), info=t("batch_folder_info"), elem_id="batch-folder")
        recursive = gr.Checkbox(True, label=t("batch_recursive"))
        watch = gr.Checkbox(False, label=t("batch_watch"), elem_id="batch-watch")
        output = gr.Textbox("", label=t("batch_output"), info=t("batch_output_info"), elem_id="batch-output")
        originals = gr.Radio(
            [(choice(f"batch_originals_{name}"), name) for name in ("keep", "trash", "backup")],
            value="keep",
            label=t("batch_originals"),
            info=t("batch_originals_info"),
            elem_id="batch-originals",
        )
        backup = gr.Textbox(
            "", label=t("batch_backup"), info=t("batch_backup_info"), visible=False, elem_id="batch-backup"
        )
        undo = gr.Button(t("batch_undo"), size="sm", elem_id="batch-undo")
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
    how.change(_show_preset, how, preset, show_progress="hidden")
    originals.change(
        lambda chosen: [gr.update(visible=chosen == "keep"), gr.update(visible=chosen == "backup")],
        originals,
        [output, backup],
        show_progress="hidden",
    )
    return _Fields(
        files,
        folder,
        recursive,
        watch,
        template,
        output,
        skip_done,
        overwrite,
        how,
        preset,
        originals,
        backup,
        undo,
        box,
    )


def _memory(form: SettingsForm, events: BatchEvents) -> FormMemory:
    """Of the tab's own fields."""
    return FormMemory("batch", form, forgotten=_CHOSEN_EACH_TIME, lists=lambda: {"preset": events.presets})


def _show_preset(how: str) -> Any:
    return gr.update(visible=how == "preset")


def _bar() -> dict[str, Any]:
    """What stays in sight: what it will take, how far it is, and the buttons for it."""
    with gr.Column(min_width=0, elem_classes="action-bar", elem_id="batch-bar"):
        plan = gr.HTML("", elem_id="batch-plan", elem_classes="slot")
        status = gr.HTML("", elem_id="batch-status", elem_classes="slot")
        with gr.Row(elem_classes="snug"):
            start = gr.Button(t("batch_start"), variant="primary", size="lg", elem_id="batch-start", scale=3)
            resume = gr.Button(
                t("batch_resume"), visible=False, size="lg", variant="primary", elem_id="batch-resume", min_width=90
            )
            pause = gr.Button(t("batch_pause"), visible=False, size="lg", elem_id="batch-pause", min_width=90)
            cancel = gr.Button(
                t("cancel"), visible=False, size="lg", variant="stop", elem_id="batch-cancel", min_width=90
            )
    return {"plan": plan, "status": status, "start": start, "pause": pause, "resume": resume, "cancel": cancel}


def _prospect(plan: Any) -> _Prospect:
    with gr.Column(min_width=0, elem_classes="guide", elem_id="batch-guide") as guide:
        with gr.Column(min_width=0, elem_classes="guide-steps") as steps:
            gr.Markdown(t("batch_steps"), elem_classes="steps")
            sample = gr.Button(t("batch_sample"), size="md", elem_id="batch-sample")
        earlier = gr.HTML("", elem_id="batch-earlier", elem_classes="slot")
    planned = gr.HTML("", elem_id="batch-planned", elem_classes="slot")
    return _Prospect(plan, planned, guide, steps, sample, earlier)


def _results(bar: dict[str, Any], guide: Any) -> _Shown:
    with gr.Group(visible=False, elem_id="batch-offer") as offer:
        offered = gr.HTML("", padding=True)
        with gr.Row():
            go_on = gr.Button(t("batch_go_on"), variant="primary", size="sm", elem_id="batch-go-on")
            forget = gr.Button(t("batch_forget"), size="sm", elem_id="batch-forget")
    with gr.Row(elem_classes="buttons"):
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
    return _Shown(
        status=bar["status"],
        table=table,
        gallery=gallery,
        page=page,
        start=bar["start"],
        pause=bar["pause"],
        resume=bar["resume"],
        cancel=bar["cancel"],
        retry=retry,
        zip=archive.button,
        offer=offer,
        offered=offered,
        timer=gr.Timer(_SECONDS, active=False),
        numbers=gr.State([]),
        show=show,
        go_on=go_on,
        forget=forget,
        compare=compare,
        guide=guide,
        archive=archive,
    )


def _pictures() -> tuple[Any, Any, tuple[Any, Any, Any]]:
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
    with gr.Column(visible=False, min_width=0, elem_id="batch-compare") as compare:
        compared = gr.HTML("", elem_classes="slot", elem_id="batch-compared")
        pair = stage(takes="", elem_id="batch-stage")
    return table, gallery, (compare, compared, pair)


def _connect_choice(
    events: BatchEvents, fields: _Fields, form: SettingsForm, prospect: _Prospect, tab: gr.Tab, blocks: gr.Blocks
) -> None:
    """The plan follows what is chosen, before anything is started."""
    given = [*fields.all, *form.components]
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    changes = [fields.files.change, *(one.change for one in (fields.recursive, fields.how, fields.preset))]
    changes += [one.change for one in (fields.watch, fields.skip_done, fields.overwrite, fields.originals)]
    for box in (fields.folder, fields.output, fields.template, fields.backup):
        changes += [box.blur, box.submit]
    gr.on(changes, events.plan, given, prospect.outputs, **quiet, trigger_mode="always_last")
    # First the list: the plan would be refused with a preset that is gone.
    tab.select(events.preset_names, fields.preset, fields.preset, **quiet).then(
        events.plan, given, prospect.outputs, **quiet
    )
    memory = _memory(SettingsForm(FORM_FIELDS, tuple(fields.all)), events)
    memory.connect(blocks).then(_show_preset, fields.how, fields.preset, **quiet)
    fields.files.change(None, None, None, js=_ONE_BUTTON)
    prospect.sample.click(events.sample, None, fields.files, **quiet)
    blocks.load(events.earlier, None, prospect.earlier, **quiet)


def _connect_run(
    events: BatchEvents,
    fields: _Fields,
    form: SettingsForm,
    shown: _Shown,
    prospect: _Prospect,
    blocks: gr.Blocks,
) -> None:
    outputs, place = shown.outputs, [shown.show, shown.page]
    # A page that is not there is that which is nearest; Gradio would refuse every event that brings it, Cancel too.
    shown.page.preprocess = lambda number: number
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    started = shown.start.click(events.start, [shown.show, *fields.all, *form.components], outputs, **quiet)
    started.then(events.begun, fields.all, [prospect.plan, prospect.planned], **quiet)
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
    shown.gallery.select(events.compare, shown.numbers, [*shown.compare], show_progress_on=shown.gallery).then(
        None, None, None, js=_LOOK
    )
    fields.undo.click(events.undo, None, shown.status, **quiet)
    shown.archive.connect(events.archive, None, shown.status)
