"""The Image tab's components: settings at the side, the picture large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.components import SettingsForm, file_line, original_file, settings_form, way_back
from ui.handlers import common
from ui.samples import SAMPLES
from ui.strings import t
from ui.viewer import stage
from utils import image_io

_PICK_RUN = """element.addEventListener('click', (event) => {
  const hit = event.target.closest('[data-run]');
  if (hit) trigger('open', { run: Number(hit.dataset.run) });
});"""
_PICK_MODEL = """element.addEventListener('click', (event) => {
  const hit = event.target.closest('[data-model]');
  if (hit) trigger('take', { model: hit.dataset.model });
});"""


@dataclass(frozen=True)
class Parts:
    """The tab's components."""

    picture: Any
    line: Any
    name: Any
    another: Any
    clear: Any
    samples: dict[str, Any]
    facts: Any
    plan: Any
    changes: Any
    marks: Any
    named: Any
    automatic: Any
    kept: Any
    memory: Any
    form: SettingsForm
    note: Any
    fetch: Any
    estimate: Any
    quicker: Any
    enhance: Any
    cancel: Any
    stage: Any
    status: Any
    salvage: Any
    try_part: Any
    whole: Any
    result: Any
    verdict: Any
    differences: Any
    heat: Any
    legend: Any
    notes: Any
    download: Any
    fidelity: Any
    metrics: Any
    compare_models: Any
    compare_start: Any
    compare_grid: Any
    history: Any
    find_faces: Any
    face_note: Any
    fetch_face: Any
    face_strength: Any


def lay_out(manager: Any) -> Parts:
    """Make the components, in the place where it is called."""
    made: dict[str, Any] = {}
    with gr.Row(elem_id="image-tab", equal_height=False):
        with gr.Column(scale=2, min_width=300, elem_id="side"):
            _side(made, manager)
        with gr.Column(scale=5, min_width=300, elem_id="main"):
            _main(made, manager)
    return Parts(**made)


def _side(made: dict[str, Any], manager: Any) -> None:
    _picture(made)
    with gr.Column(elem_id="advice", min_width=0):
        made["facts"] = gr.HTML("", padding=False, elem_id="facts")
        made["plan"] = gr.HTML("", padding=False, elem_id="plan")
        made["changes"] = way_back("changes")
    made["marks"] = gr.HTML("", padding=False, elem_id="marks")
    made["automatic"], made["kept"] = gr.State(None), gr.State({})
    made["memory"] = gr.Textbox(visible=False)

    def under_mode() -> None:
        made["named"] = way_back("named", "named")

    def under_model() -> None:
        made["note"] = gr.HTML("", padding=False, elem_classes="model-note", elem_id="model-note")
        made["fetch"] = gr.Button(t("model_download"), size="sm", visible=False, elem_id="model-download")

    def in_faces() -> None:
        made["find_faces"] = gr.Button(t("face_find"), size="sm", elem_id="find-faces")
        made["face_note"] = gr.HTML("", padding=False, elem_classes="model-note", elem_id="face-note")
        made["fetch_face"] = gr.Button(t("model_download"), size="sm", visible=False, elem_id="face-download")

    made["form"] = settings_form(manager, under_mode, under_model, in_faces)
    _foot(made)


def _picture(made: dict[str, Any]) -> None:
    """The open picture in one line; the stage takes the first."""
    kinds = sorted(image_io.READABLE_SUFFIXES)
    line = file_line(t("another"), kinds, ("picture-line", "picture-name", "another", "take-away"))
    made |= {"line": line.row, "name": line.name, "another": line.another, "clear": line.clear}
    made["picture"] = original_file(
        gr.File(label=t("picture"), file_types=kinds, height=110, elem_id="picture", elem_classes="unseen-file")
    )


def _foot(made: dict[str, Any]) -> None:
    """What stays in sight however far the settings are scrolled."""
    with gr.Column(elem_id="go", min_width=0):
        made["status"] = gr.HTML("", padding=False, elem_id="status")
        made["salvage"] = gr.Button(t("salvage_now"), size="sm", visible=False, elem_id="salvage-now")
        made["estimate"] = gr.HTML("", padding=False, elem_id="estimate")
        made["quicker"] = gr.Button(t("mode_quicker"), size="sm", visible=False, elem_id="quicker")
        with gr.Row(elem_classes="snug"):
            made["enhance"] = gr.Button(t("enhance"), variant="primary", size="lg", elem_id="enhance", scale=3)
            made["cancel"] = gr.Button(t("cancel"), variant="stop", size="lg", visible=False, elem_id="cancel", scale=1)


def _main(made: dict[str, Any], manager: Any) -> None:
    made["stage"] = stage(elem_id="stage", elem_classes="drop-zone")
    with gr.Row(elem_id="samples", elem_classes="snug"):
        gr.Markdown(t("samples"), elem_classes="quiet", elem_id="samples-title")
        made["samples"] = {
            name: gr.Button(t(f"sample_{name}"), size="sm", min_width=70, elem_id=f"sample-{name}") for name in SAMPLES
        }
    with gr.Row(elem_classes="snug", elem_id="tools"):
        made["try_part"] = gr.Button(t("try_part"), size="sm", visible=False, min_width=120, elem_id="try-part")
        made["whole"] = gr.Button(t("try_back"), size="sm", visible=False, min_width=120, elem_id="whole")
    _result(made)
    _further(made, manager)


def _result(made: dict[str, Any]) -> None:
    with gr.Column(visible=False, elem_id="result", min_width=0) as made["result"]:
        with gr.Row(elem_classes="snug", elem_id="result-row"):
            made["verdict"] = gr.HTML("", padding=False, elem_id="verdict")
            made["download"] = gr.DownloadButton(t("download"), variant="primary", elem_id="download", min_width=140)
        made["differences"] = gr.HTML("", padding=False, elem_id="differences")
        with gr.Row(elem_classes="snug"):
            made["heat"] = gr.Button(t("heat_show"), size="sm", min_width=180, elem_id="heat")
        made["legend"] = gr.HTML("", padding=False, elem_id="legend")
        made["notes"] = gr.HTML("", padding=False, elem_id="notes")
        made["fidelity"] = gr.Slider(
            0, 1, value=0, step=0.01, label=t("adjust_fidelity"), interactive=True, elem_id="adjust-fidelity"
        )
        made["face_strength"] = gr.Slider(
            0, 1, value=0.8, step=0.01, label=t("adjust_faces"), interactive=True, visible=False, elem_id="adjust-faces"
        )
        with gr.Accordion(t("details"), open=False, elem_id="details"):
            made["metrics"] = gr.HTML("", padding=False, elem_id="metrics")


def _further(made: dict[str, Any], manager: Any) -> None:
    with gr.Accordion(t("compare"), open=False, elem_id="compare"):
        installed = common.installed_models(manager)
        made["compare_models"] = gr.CheckboxGroup(
            installed, value=installed[:2], label=t("compare_models"), elem_id="compare-models"
        )
        made["compare_start"] = gr.Button(t("compare_start"), size="sm", elem_id="compare-start")
        made["compare_grid"] = gr.HTML("", padding=False, js_on_load=_PICK_MODEL, elem_id="compare-grid")
    gr.Markdown(t("history"), elem_classes="heading", elem_id="history-title")
    made["history"] = gr.HTML("", padding=False, js_on_load=_PICK_RUN, elem_id="history")
