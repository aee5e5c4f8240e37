"""Components that more than one tab uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.types import EnhanceSettings, Progress
from ui.handlers.common import form_values, model_choices

FORMATS = [
    ("Same as the input", "auto"),
    ("PNG (lossless)", "png"),
    ("JPEG", "jpeg"),
    ("WebP", "webp"),
    ("AVIF", "avif"),
    ("TIFF (lossless)", "tiff"),
]
EXIF = [("Keep all", "keep"), ("Keep, without location", "no-location"), ("Remove all", "drop")]


@dataclass(frozen=True)
class SettingsForm:
    """The settings' components, in the order of ``names``."""

    names: tuple[str, ...]
    components: tuple[Any, ...]

    def values(self, given: tuple[Any, ...]) -> dict[str, Any]:
        """Component values as keyword arguments of ``handlers.make_settings``."""
        return dict(zip(self.names, given, strict=True))

    def updates(self, settings: EnhanceSettings) -> list[Any]:
        """What the components must show for settings, in their order."""
        values = form_values(settings, self.names)
        return [gr.update(value=values[name]) for name in self.names]

    def component(self, name: str) -> Any:
        return self.components[self.names.index(name)]


def original_file(component: Any) -> Any:
    """Make an upload component hand over the user's own file: bit for bit, and unread, so that bad ones reach us."""
    component.preprocess = lambda payload: None if payload is None else payload.path
    return component


def settings_form(manager: Any) -> SettingsForm:
    """Model, size, output and the advanced settings."""
    parts: dict[str, Any] = {}
    parts["model"] = gr.Dropdown(model_choices(manager), value="auto", label="Model", filterable=True)
    parts["goal"] = gr.Radio(
        [("Scale", "scale"), ("Long edge", "long_edge"), ("Exact size", "exact")], value="scale", label="Size by"
    )
    parts["scale"] = gr.Slider(1, 8, value=4, step=0.5, label="Scale")
    parts["long_edge"] = gr.Dropdown(
        [("2K: 2048", 2048), ("4K: 3840", 3840), ("8K: 7680", 7680)],
        value=3840,
        label="Long edge (pixels)",
        allow_custom_value=True,
        visible=False,
    )
    with gr.Row(visible=False) as exact:
        parts["width"] = gr.Number(value=None, label="Width (pixels)", precision=0, minimum=1, min_width=120)
        parts["height"] = gr.Number(value=None, label="Height (pixels)", precision=0, minimum=1, min_width=120)
    with gr.Row():
        parts["format"] = gr.Dropdown(FORMATS, value="auto", label="Output format", min_width=140)
        parts["quality"] = gr.Slider(1, 100, value=95, step=1, label="Quality (JPEG, WebP, AVIF)", min_width=140)
    with gr.Accordion("Advanced", open=False):
        parts["fidelity"] = gr.Slider(
            0, 1, value=0, step=0.05, label="Fidelity", info="Share of the plainly enlarged original in the result"
        )
        parts["color_match"] = gr.Checkbox(value=True, label="Match colours to the original")
        parts["denoise_strength"] = gr.Number(
            value=None,
            label="Denoise strength (0 to 1)",
            info="Only for realesr-general-x4v3; empty = its own",
            step=0.05,
        )
        parts["tile"] = gr.Number(value=0, label="Tile (pixels)", info="0 = automatic", precision=0, minimum=0)
        parts["precision"] = gr.Dropdown(["auto", "fp32", "fp16", "bf16"], value="auto", label="Precision")
        parts["fit"] = gr.Dropdown(
            ["fit", "fill", "pad", "stretch"], value="fit", label="Other aspect ratio (exact size)"
        )
        parts["exif"] = gr.Dropdown(EXIF, value="keep", label="EXIF and XMP")

    def show_goal(goal: str) -> list[Any]:
        return [
            gr.update(visible=goal == "scale"),
            gr.update(visible=goal == "long_edge"),
            gr.update(visible=goal == "exact"),
        ]

    parts["goal"].change(
        show_goal, parts["goal"], [parts["scale"], parts["long_edge"], exact], queue=False, show_progress="hidden"
    )
    return SettingsForm(tuple(parts), tuple(parts.values()))


def progress_listener(progress: Any) -> Any:
    """Feeds ``JobControl`` reports to Gradio's progress bar."""

    def listen(step: Progress) -> None:
        left = "" if step.eta_seconds is None else f", about {max(0, round(step.eta_seconds))} s left"
        progress(step.fraction, desc=f"{step.stage}: {step.done} of {step.total}{left}")

    return listen
