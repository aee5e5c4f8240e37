"""Video: films in, enhanced films out, one after the other; one frame can be looked at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.types import EnhanceResult
from ui.components import FileLine, SettingsForm, file_line, original_file, way_back
from ui.handlers import video as handlers
from ui.job_table import job_table
from ui.strings import t
from ui.tabs.memory import FormMemory
from ui.tabs.video_events import CHANGING, VideoEvents
from ui.tabs.video_form import OF_ONE_FILM, PICTURE_KINDS, film_form
from ui.tabs.video_stage import NO_FILM, TAKES
from ui.viewer import stage
from ui.visitors import Visitors
from utils.video_files import SUFFIXES

_SECONDS = 1.0
_TAKES_ITS_PLACE = "(chosen, other) => [chosen && chosen.length !== 0 && other ? null : other]"
_FILM_KINDS = ("video", *sorted(SUFFIXES))


@dataclass(frozen=True)
class VideoTab:
    """What others use: films from outside go into ``file``; ``show`` lets the tab look at them then, after an event."""

    file: Any
    show: Callable[[Any], Any]


def build(
    config: Any, manager: Any, visitors: Visitors, blocks: gr.Blocks, enhance: Callable[..., EnhanceResult]
) -> VideoTab:
    """The tab. ``blocks``: the whole page, for what happens when it is opened."""
    gr.Markdown(t("video_intro"), elem_classes="quiet")
    shown: dict[str, Any] = {}
    with gr.Row(elem_id="video-tab", elem_classes="two", equal_height=False):
        with gr.Column(scale=2, min_width=300, elem_classes="two-side"):
            file, line = _film()
            looked = {"line": line.row, "name": line.name}
            looked["facts"] = gr.Markdown("", elem_classes="quiet", elem_id="video-facts")

            def under_mode() -> None:
                looked["named"] = way_back("video-named", "named")

            form = film_form(manager, under_mode)
            shown |= _bar()
        with gr.Column(scale=3, min_width=300, elem_classes="two-main"):
            looked |= _bench()
            shown |= _offer() | _films()
            shown["guide"], more = _guide()
    looked |= more
    events = VideoEvents(config, manager, visitors, form, enhance)
    _connect_choice(events, file, form, line, looked)
    _connect_films(events, file, form, shown, blocks)
    show = _connect_stage(events, file, form, shown, looked, blocks)
    _connect_settings(events, file, form, shown, looked, blocks)
    return VideoTab(file, show)


def _film() -> tuple[Any, FileLine]:
    """The field, which the stage fills, and the line of what is open."""
    ids = ("video-line", "video-name", "video-another", "video-take-away")
    line = file_line(t("video_another"), _FILM_KINDS, ids)
    file = gr.File(
        label=t("video_file"),
        file_types=list(_FILM_KINDS),
        height=110,
        elem_id="video-file",
        elem_classes="unseen-file",
    )
    return original_file(file), line


def _bar() -> dict[str, Any]:
    """What stays in sight: what it will take, how far it is, and the buttons for it."""
    with gr.Column(min_width=0, elem_classes="action-bar", elem_id="video-bar"):
        made = {
            "estimate": gr.HTML("", elem_classes="slot", elem_id="video-estimate"),
            "progress": gr.HTML("", elem_classes="slot", elem_id="video-progress"),
            "status": gr.Markdown("", elem_id="video-status"),
        }
        with gr.Row(elem_classes="snug"):
            made["start"] = gr.Button(t("video_start"), variant="primary", size="lg", elem_id="video-start", scale=3)
            made["cancel"] = gr.Button(
                t("cancel"), variant="stop", size="lg", visible=False, elem_id="video-cancel", min_width=90
            )
    return made


def _bench() -> dict[str, Any]:
    """The stage, and what can be put on it."""
    made: dict[str, Any] = {"stage": stage(empty=NO_FILM, **TAKES, elem_id="video-stage", elem_classes="drop-zone")}
    with gr.Column(visible=False, min_width=0, elem_classes="bench", elem_id="video-bench") as made["bench"]:
        made["moment"] = gr.Slider(0, 1, value=0, step=0.01, label=t("video_moment"), elem_id="video-moment")
        with gr.Row(elem_classes="buttons"):
            made["preview"] = gr.Button(t("video_preview"), elem_id="video-preview")
            made["loop"] = gr.Button(t("video_loop"), elem_id="video-loop")
            made["stop"] = gr.Button(t("cancel"), variant="stop", visible=False, elem_id="video-preview-cancel")
        made["seen"] = gr.Markdown("", elem_id="video-preview-status")
    return made


def _guide() -> tuple[Any, dict[str, Any]]:
    """How to begin, while there is nothing: what is around it is shown while no film ran, ``steps`` while none is
    chosen."""
    with gr.Column(min_width=0, elem_classes="guide", elem_id="video-guide") as guide:
        with gr.Column(min_width=0, elem_classes="guide-steps") as steps:
            gr.Markdown(t("video_steps"), elem_classes="steps")
            with gr.Row(elem_classes="snug"):
                sample = gr.Button(t("video_sample"), size="md", elem_id="video-sample")
                pictures = gr.UploadButton(
                    t("video_pictures"),
                    size="md",
                    file_count="multiple",
                    file_types=list(PICTURE_KINDS),
                    elem_id="video-choose-pictures",
                )
        earlier = gr.HTML("", elem_id="video-earlier", elem_classes="slot")
    return guide, {"steps": steps, "sample": sample, "pictures": original_file(pictures), "earlier": earlier}


def _connect_choice(events: VideoEvents, file: Any, form: SettingsForm, line: FileLine, looked: dict[str, Any]) -> None:
    """One film, or pictures: what is chosen takes the place of what was."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "queue": False}
    pictures = form.component("pictures")
    # In the browser: an answer of the server that comes late would take away what was chosen meanwhile.
    for one, other in ((file, pictures), (pictures, file)):
        one.change(None, [one, other], other, js=_TAKES_ITS_PLACE, **quiet)
    line.another.upload(lambda path: path, line.another, file, **quiet)
    looked["pictures"].upload(lambda paths: paths, looked["pictures"], pictures, **quiet)
    line.clear.click(lambda: [None, None], None, [file, pictures], **quiet)
    looked["sample"].click(events.sample, None, file, show_progress="hidden")


def _connect_stage(
    events: VideoEvents, file: Any, form: SettingsForm, shown: dict[str, Any], looked: dict[str, Any], blocks: gr.Blocks
) -> Callable[[Any], Any]:
    """Returns what makes the tab look at its film after an event."""
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    long: dict[str, Any] = {**quiet, "concurrency_limit": None}
    moment, given = looked["moment"], [file, *form.components]
    seen = [looked[name] for name in ("facts", "moment", "stage", "bench", "steps", "seen", "line", "name")]
    seen.append(form.component("rate"))
    at_moment, counted = [file, moment, *form.components], _counted(form, shown, looked)

    def show(after: Any) -> Any:
        looking = after.then(events.look_at, given, seen, **quiet)
        return looking.then(events.count, at_moment, counted, **quiet)

    # One after the other: the last look is that at what is there.
    looks = [file.change, *(form.component(name).change for name in ("pictures", "rate", "deinterlace"))]
    gr.on(looks, events.look_at, given, seen, trigger_mode="always_last", **quiet).then(
        events.count, at_moment, counted, **quiet
    )
    moment.input(events.scrub, at_moment, looked["stage"], trigger_mode="always_last", **quiet)
    made = [looked[name] for name in ("seen", "stage", "stop")]
    for name, act in (("preview", events.preview), ("loop", events.loop)):
        looked[name].click(act, at_moment, made, **long).then(events.count, at_moment, counted, **quiet)
    looked["stop"].click(events.cancel_preview, None, None, queue=False, **quiet)
    blocks.load(events.opened, None, [looked["stage"], looked["earlier"]], **quiet)
    return show


def _connect_settings(
    events: VideoEvents, file: Any, form: SettingsForm, shown: dict[str, Any], looked: dict[str, Any], blocks: gr.Blocks
) -> None:
    """What the film will take follows the settings, and these come back at the next visit."""
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    at_moment, counted = [file, looked["moment"], *form.components], _counted(form, shown, looked)
    unnamed = looked["named"].back(lambda: "auto", None, form.component("model"), queue=False, **quiet)
    memory = FormMemory("video", form, handlers.make_values, forgotten=OF_ONE_FILM)
    restored = memory.connect(blocks, [unnamed.then])
    changes = [*(part.change for part in form.components), shown["result"].change]
    gr.on(changes, events.count, at_moment, counted, trigger_mode="always_last", **quiet)
    for after in (unnamed, restored):  # fields that lie folded and were never shown say nothing of a change
        after.then(events.count, at_moment, counted, **quiet)


def _counted(form: SettingsForm, shown: dict[str, Any], looked: dict[str, Any]) -> list[Any]:
    """What ``VideoEvents.count`` answers with, in its order."""
    return [shown["estimate"], looked["loop"], form.component("mode"), looked["named"]]


def _connect_films(
    events: VideoEvents, file: Any, form: SettingsForm, shown: dict[str, Any], blocks: gr.Blocks
) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    outputs = [shown[name] for name in CHANGING]
    shown["start"].click(events.start, [file, *form.components], outputs, **quiet)
    for name, act in (("cancel", events.cancel), ("go_on", events.go_on), ("forget", events.forget)):
        shown[name].click(act, None, outputs, **quiet)
    shown["waiting"].act(events.act, None, outputs, **quiet)
    # As in the Batch tab: the timer only begins the watch.
    shown["timer"].tick(events.watch, None, outputs, **quiet, trigger_mode="multiple")
    blocks.load(events.look, None, outputs, **quiet)


def _films() -> dict[str, Any]:
    """The film that runs, those that wait, and those that have ended."""
    return {
        "waiting": job_table(elem_classes="slot", elem_id="video-waiting"),
        "result": gr.HTML("", elem_classes="slot", elem_id="video-result"),
        "ended": gr.HTML("", elem_classes="slot", elem_id="video-ended"),
        "timer": gr.Timer(_SECONDS, active=False),
    }


def _offer() -> dict[str, Any]:
    """What an earlier run of the program left undone."""
    with gr.Group(visible=False, elem_id="video-offer") as offer:
        offered = gr.HTML("", padding=True)
        with gr.Row():
            go_on = gr.Button(t("video_go_on"), variant="primary", size="sm", elem_id="video-go-on")
            forget = gr.Button(t("video_forget"), size="sm", elem_id="video-forget")
    return {"offer": offer, "offered": offered, "go_on": go_on, "forget": forget}
