"""Components that more than one tab uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import gradio as gr

from engine.types import EnhanceSettings, Seamless
from ui.handlers.common import DEFAULTS, GOALS, MODES, form_values, model_choices
from ui.strings import choice, t

FORMATS = ("auto", "png", "jpeg", "webp", "avif", "tiff")
_FORMAT_NAMES = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}
_EDGES = (("2K: 2048", 2048), ("4K: 3840", 3840), ("8K: 7680", 7680))


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
class SettingsForm:
    """The settings' components, in the order of ``names``."""

    names: tuple[str, ...]
    components: tuple[Any, ...]

    def values(self, given: tuple[Any, ...]) -> dict[str, Any]:
        """Component values as ``handlers.common.make_settings`` takes them."""
        return dict(zip(self.names, given, strict=True))

    def updates(self, settings: EnhanceSettings) -> list[Any]:
        """What the components must show for settings, in their order."""
        return self.showing(form_values(settings, self.names))

    def showing(self, values: Mapping[str, Any]) -> list[Any]:
        """Updates after which the components hold ``values``, in their order."""
        return [_holding(part, values[name]) for name, part in zip(self.names, self.components, strict=True)]

    def component(self, name: str) -> Any:
        return self.components[self.names.index(name)]


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


def settings_form(manager: Any, under_model: Callable[[], None], in_faces: Callable[[], None]) -> SettingsForm:
    """Model and size in sight, the rest folded away.

    Args:
        under_model, in_faces: make further components at those places.
    """
    parts: dict[str, Any] = {}
    parts["mode"] = gr.Radio(mode_choices(), value="auto", label=t("mode"), info=t("mode_info"), elem_id="mode")
    parts["model"] = gr.Dropdown(
        model_choices(manager), value="auto", label=t("model"), filterable=True, elem_id="model"
    )
    under_model()
    _size(parts)
    _faces(parts, in_faces)
    _file(parts)
    _fine(parts)
    return SettingsForm(tuple(parts), tuple(parts.values()))


def _size(parts: dict[str, Any]) -> None:
    parts["goal"] = gr.Radio(
        [(choice(f"goal_{goal}"), goal) for goal in GOALS], value="scale", label=t("goal"), elem_id="goal"
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
        parts["width"] = gr.Number(value=None, label=t("width"), precision=0, minimum=1, min_width=110)
        parts["height"] = gr.Number(value=None, label=t("height"), precision=0, minimum=1, min_width=110)
        parts["fit"] = gr.Dropdown(
            [(choice(f"fit_{fit}"), fit) for fit in ("fit", "fill", "pad", "stretch")],
            value="fit",
            label=t("fit"),
            min_width=150,
        )

    def show_goal(goal: str) -> list[Any]:
        return [gr.update(visible=goal == one) for one in GOALS]

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
        parts["face_strength"] = gr.Slider(0, 1, value=0.8, step=0.05, label=t("face_strength"))
        parts["face_min_height"] = gr.Slider(16, 256, value=24, step=1, label=t("face_min_height"))
        more()


def _file(parts: dict[str, Any]) -> None:
    with gr.Accordion(t("file"), open=False, elem_id="file"):
        parts["format"] = gr.Dropdown(
            [(_FORMAT_NAMES.get(name) or choice(f"format_{name}"), name) for name in FORMATS],
            value="auto",
            label=t("format"),
            elem_id="format",
        )
        parts["quality"] = gr.Slider(1, 100, value=95, step=1, label=t("quality"))
        parts["exif"] = gr.Dropdown(
            [(choice(f"exif_{policy}"), policy) for policy in ("keep", "no-location", "drop")],
            value="keep",
            label=t("exif"),
        )


def _fine(parts: dict[str, Any]) -> None:
    with gr.Accordion(t("fine"), open=False, elem_id="fine"):
        parts["fidelity"] = gr.Slider(0, 1, value=0, step=0.05, label=t("fidelity"), info=t("fidelity_info"))
        parts["denoise_strength"] = gr.Number(
            value=None, label=t("denoise_strength"), info=t("denoise_info"), step=0.05, visible=False
        )
        parts["color_match"] = gr.Checkbox(value=True, label=t("color_match"))
        parts["seamless"] = gr.Dropdown(
            [(choice(f"seamless_{axes}"), axes) for axes in get_args(Seamless)],
            value="off",
            label=t("seamless"),
            elem_id="seamless",
        )
        parts["tile"] = gr.Number(value=0, label=t("tile"), info=t("tile_info"), precision=0, minimum=0)
        parts["precision"] = gr.Dropdown(
            [(choice("precision_auto"), "auto"), "fp32", "fp16", "bf16"], value="auto", label=t("precision")
        )
