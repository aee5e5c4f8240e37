"""Components that more than one tab uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import gradio as gr

from engine.types import EnhanceSettings, Seamless
from ui.handlers.common import DEFAULTS, GOAL_KINDS, MODES, form_values, model_choices, typed_number
from ui.strings import choice, t
from utils.page_numbers import PDF_DPI

FORMATS = ("auto", "png", "jpeg", "webp", "avif", "jxl", "tiff", "pdf")
_FORMAT_NAMES = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF", "jxl": "JPEG XL", "pdf": "PDF"}
_EDGES = (("2K: 2048", 2048), ("4K: 3840", 3840), ("8K: 7680", 7680))
_BACK = """element.addEventListener('click', (event) => {
  const hit = event.target.closest('[data-back]');
  if (hit) trigger('back', { name: hit.dataset.back });
});"""


def original_file(component: Any) -> Any:
    """Make an upload component hand over the person's own files: bit for bit, and unread, so that bad ones reach us.

    Gradio itself would leave an empty file behind for each of them at every event that takes the component.
    """

    def paths(payload: Any) -> Any:
        if payload is None:
            return None
        return [file.path for file in payload] if component.file_count != "single" else payload.path

    component.preprocess = paths
    return component


@dataclass(frozen=True)
class FileLine:
    """What is open, in one line, with the ways to another and to none. ``row`` is shown while there is something."""

    row: Any
    name: Any
    another: Any
    clear: Any


def file_line(another: Any, kinds: Sequence[str], ids: tuple[str, str, str, str]) -> FileLine:
    """Make it, hidden. The field itself (of the class ``unseen-file``) shows only how far a file is on its way.

    Args:
        another: label of the button for another one, which takes files of ``kinds``.
        ids: elem_ids of the row, the name, that button, and the one that takes it away.
    """
    with gr.Row(elem_id=ids[0], elem_classes=["snug", "file-line"], visible=False) as row:
        name = gr.HTML("", padding=False, elem_id=ids[1], elem_classes="file-name")
        upload = original_file(gr.UploadButton(another, size="sm", min_width=0, file_types=list(kinds), elem_id=ids[2]))
        clear = gr.Button(t("take_away"), size="sm", min_width=0, elem_id=ids[3])
    return FileLine(row, name, upload, clear)


def way_back(elem_id: str, elem_classes: str = "") -> Any:
    """HTML whose buttons with ``data-back`` trigger ``back`` with that name."""
    return gr.HTML("", padding=False, js_on_load=_BACK, elem_id=elem_id, elem_classes=elem_classes)


@dataclass(frozen=True)
class SettingsForm:
    """The settings' components, in the order of ``names``.

    Attributes:
        numbers: fields for a number that may be empty. They are text, since of nothing Gradio's own makes 0 as soon as
            it is shown.
    """

    names: tuple[str, ...]
    components: tuple[Any, ...]
    numbers: tuple[str, ...] = ()

    def values(self, given: tuple[Any, ...]) -> dict[str, Any]:
        """Component values by the names of their fields."""
        values = dict(zip(self.names, given, strict=True))
        return {name: typed_number(value) if name in self.numbers else value for name, value in values.items()}

    def updates(self, settings: EnhanceSettings) -> list[Any]:
        """What the components must show for settings, in their order."""
        return self.showing(form_values(settings, self.names))

    def showing(self, values: Mapping[str, Any]) -> list[Any]:
        """Updates after which the components hold ``values``, in their order."""
        typed = {name: _text(value) if name in self.numbers else value for name, value in values.items()}
        return [_holding(part, typed[name]) for name, part in zip(self.names, self.components, strict=True)]

    def component(self, name: str) -> Any:
        return self.components[self.names.index(name)]

    @property
    def defaults(self) -> dict[str, Any]:
        """What the components hold when the page is opened."""
        return self.values(tuple(part.value for part in self.components))


def _text(number: Any) -> str:
    """The inverse of ``typed_number``."""
    if number is None:
        return ""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _holding(component: Any, value: Any) -> Any:
    """The update for one value. Settings allow more than a slider or a list offers, and Gradio refuses every event
    with a value that its component does not know: the slider is lengthened then, the list gets one more choice.
    """
    if isinstance(component, gr.Slider) and value is not None:
        return gr.update(value=value, minimum=min(component.minimum, value), maximum=max(component.maximum, value))
    listed = isinstance(component, gr.Dropdown) and not component.allow_custom_value
    if listed and value not in [known for _, known in component.choices]:
        return gr.update(value=value, choices=[*component.choices, (str(value), value)])
    return gr.update(value=value)


def mode_choices() -> list[tuple[Any, str]]:
    """(label, value) of what an automatic model may be chosen for."""
    return [(choice(f"mode_{mode}"), mode) for mode in MODES]


def settings_form(
    manager: Any, under_mode: Callable[[], None], under_model: Callable[[], None], in_faces: Callable[[], None]
) -> SettingsForm:
    """Quality and size in sight, the rest folded away.

    Args:
        under_mode, under_model, in_faces: make further components at those places.
    """
    parts: dict[str, Any] = {}
    parts["mode"] = gr.Radio(mode_choices(), value="auto", label=t("mode"), elem_id="mode", elem_classes="qualities")
    under_mode()
    _size(parts)
    with gr.Column(elem_classes="folded", min_width=0):
        _faces(parts, in_faces)
        _file(parts)
        _fine(parts, manager, under_model)
    return SettingsForm(tuple(parts), tuple(parts.values()), numbers=("width", "height", "denoise_strength"))


def _size(parts: dict[str, Any]) -> None:
    parts["goal"] = gr.Radio(
        [(choice(f"goal_{goal}"), goal) for goal in GOAL_KINDS], value="scale", label=t("goal"), elem_id="goal"
    )
    parts["scale"] = gr.Slider(1, 8, value=DEFAULTS["scale"], step=0.5, label=t("scale"), elem_id="scale")
    parts["long_edge"] = gr.Dropdown(
        list(_EDGES),
        value=DEFAULTS["long_edge"],
        label=t("long_edge"),
        allow_custom_value=True,
        visible=False,
        elem_id="long-edge",
    )
    with gr.Row(visible=False, elem_classes="snug") as exact:
        for side in ("width", "height"):
            parts[side] = gr.Textbox("", label=t(side), max_length=8, min_width=110, elem_id=f"set-{side}")
        parts["fit"] = gr.Dropdown(
            [(choice(f"fit_{fit}"), fit) for fit in ("fit", "fill", "pad", "stretch")],
            value="fit",
            label=t("fit"),
            min_width=150,
            elem_id="set-fit",
        )

    def show_goal(goal: str) -> list[Any]:
        return [gr.update(visible=goal == one) for one in GOAL_KINDS]

    parts["goal"].change(
        show_goal, parts["goal"], [parts["scale"], parts["long_edge"], exact], queue=False, show_progress="hidden"
    )


def _faces(parts: dict[str, Any], more: Callable[[], None]) -> None:
    with gr.Accordion(t("faces"), open=False, elem_id="faces"):
        parts["face_enhance"] = gr.Radio(
            [(choice(f"face_{word}"), word) for word in ("off", "auto", "on")],
            value="off",
            label=t("face_enhance"),
            elem_id="face-enhance",
        )
        parts["face_strength"] = gr.Slider(
            0, 1, value=0.8, step=0.05, label=t("face_strength"), elem_id="set-face-strength"
        )
        parts["face_min_height"] = gr.Slider(
            16, 256, value=24, step=1, label=t("face_min_height"), elem_id="set-face-min-height"
        )
        more()


def _file(parts: dict[str, Any]) -> None:
    with gr.Accordion(t("file"), open=False, elem_id="file"):
        parts["format"] = gr.Dropdown(
            [(_FORMAT_NAMES.get(name) or choice(f"format_{name}"), name) for name in FORMATS],
            value="auto",
            label=t("format"),
            elem_id="format",
        )
        parts["quality"] = gr.Slider(1, 100, value=95, step=1, label=t("quality"), elem_id="set-quality")
        parts["exif"] = gr.Dropdown(
            [(choice(f"exif_{policy}"), policy) for policy in ("keep", "no-location", "drop")],
            value="keep",
            label=t("exif"),
            elem_id="set-exif",
        )
        parts["pages"] = gr.Textbox(value="", label=t("pages"), info=t("pages_info"), max_length=500, elem_id="pages")
        parts["pdf_dpi"] = gr.Number(
            value=PDF_DPI, label=t("pdf_dpi"), info=t("pdf_dpi_info"), minimum=36, maximum=1200, elem_id="pdf-dpi"
        )


def _fine(parts: dict[str, Any], manager: Any, under_model: Callable[[], None]) -> None:
    with gr.Accordion(t("fine"), open=False, elem_id="fine"):
        parts["model"] = gr.Dropdown(
            model_choices(manager), value="auto", label=t("model"), filterable=True, elem_id="model"
        )
        under_model()
        parts["fidelity"] = gr.Slider(
            0, 1, value=0, step=0.05, label=t("fidelity"), info=t("fidelity_info"), elem_id="set-fidelity"
        )
        parts["denoise_strength"] = gr.Textbox(
            "",
            label=t("denoise_strength"),
            info=t("denoise_info"),
            max_length=8,
            visible=False,
            elem_id="set-denoise-strength",
        )
        parts["color_match"] = gr.Checkbox(value=True, label=t("color_match"), elem_id="set-color-match")
        parts["seamless"] = gr.Dropdown(
            [(choice(f"seamless_{axes}"), axes) for axes in get_args(Seamless)],
            value="off",
            label=t("seamless"),
            elem_id="seamless",
        )
        parts["normal_map"] = gr.Checkbox(value=False, label=t("normal_map"), elem_id="normal-map")
        parts["salvage"] = gr.Checkbox(value=False, label=t("salvage"), info=t("salvage_info"), elem_id="salvage")
        parts["tile"] = gr.Number(
            value=0, label=t("tile"), info=t("tile_info"), precision=0, minimum=0, elem_id="set-tile"
        )
        parts["precision"] = gr.Dropdown(
            [(choice("precision_auto"), "auto"), "fp32", "fp16", "bf16", "int8"],
            value="auto",
            label=t("precision"),
            elem_id="set-precision",
        )
