"""The Video tab's settings: quality and size in sight, the rest folded away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from engine.video import DEFAULT_RATE
from ui.components import SettingsForm, original_file
from ui.handlers import common
from ui.handlers import video as handlers
from ui.handlers.film_facts import MODES
from ui.strings import choice, t
from utils.image_io import READABLE_SUFFIXES

OF_ONE_FILM = ("pictures", "rate", "from", "to")
"""Fields that say nothing about the next film."""
PICTURE_KINDS = ("image", *sorted(READABLE_SUFFIXES))


def film_form(manager: Any, under_mode: Callable[[], None] = lambda: None) -> SettingsForm:
    """The fields, made where it is called. ``under_mode``: makes further components under the qualities."""
    parts: dict[str, Any] = {}
    _pictures(parts)
    modes = [(choice(f"video_mode_{mode}"), mode) for mode in MODES]
    parts["mode"] = gr.Radio(modes, value="auto", label=t("mode"), elem_id="video-mode", elem_classes="qualities")
    under_mode()
    parts["scale"] = gr.Slider(1, 8, value=2, step=0.5, label=t("video_scale"), elem_id="video-scale")
    with gr.Row(elem_classes="snug"):
        for name in ("from", "to"):
            parts[name] = gr.Textbox(
                "",
                label=t(f"video_{name}"),
                info=t("video_time_hint"),
                placeholder=t(f"video_{name}_empty"),
                min_width=120,
                elem_id=f"video-{name}",
            )
    with gr.Column(elem_classes="folded", min_width=0):
        _file(parts)
        _fine(parts, manager)
    return SettingsForm(tuple(parts), tuple(parts.values()))


def _pictures(parts: dict[str, Any]) -> None:
    """Numbered pictures in the place of a film: the stage takes them."""
    parts["pictures"] = original_file(
        gr.File(
            label=t("video_pictures_file"),
            file_count="multiple",
            file_types=list(PICTURE_KINDS),
            height=110,
            elem_id="video-pictures",
            elem_classes="unseen-file",
        )
    )
    parts["rate"] = gr.Number(
        value=DEFAULT_RATE, label=t("video_rate"), minimum=0.01, maximum=1000, visible=False, elem_id="video-rate"
    )


def _file(parts: dict[str, Any]) -> None:
    with gr.Accordion(t("file"), open=False, elem_id="video-output"):
        kinds = [
            (choice(f"video_kind_{kind}") if kind in handlers.NAMED_KINDS else kind.upper(), kind)
            for kind in handlers.KINDS
        ]
        parts["kind"] = gr.Dropdown(kinds, value="same", label=t("video_kind"), elem_id="video-kind")
        codecs = [(choice("video_codec_auto"), "auto"), ("H.264", "h264"), ("H.265", "h265"), ("AV1", "av1")]
        parts["codec"] = gr.Dropdown(codecs, value="auto", label=t("video_codec"), elem_id="video-codec")
        parts["quality"] = gr.Slider(
            1, 100, value=80, step=1, label=t("video_quality"), info=t("video_quality_hint"), elem_id="video-quality"
        )
        speeds = [(choice(f"video_speed_{speed}"), speed) for speed in ("fast", "medium", "slow")]
        parts["speed"] = gr.Dropdown(speeds, value="medium", label=t("video_speed"), elem_id="video-speed")
        parts["audio"] = gr.Checkbox(True, label=t("video_audio"))
        parts["subtitles"] = gr.Checkbox(True, label=t("video_subtitles"))


def _fine(parts: dict[str, Any], manager: Any) -> None:
    with gr.Accordion(t("fine"), open=False, elem_id="video-fine"):
        models = [(choice("video_model_auto"), "auto"), *common.model_choices(manager)[1:]]
        parts["model"] = gr.Dropdown(
            models, value="auto", label=t("video_model"), filterable=True, elem_id="video-model"
        )
        parts["smoothing"] = gr.Slider(
            0, 1, value=0, step=0.05, label=t("video_smoothing"), info=t("video_smoothing_hint")
        )
        ways = [(choice(f"video_deinterlace_{way}"), way) for way in ("auto", "off", "on", "double", "telecine")]
        parts["deinterlace"] = gr.Dropdown(
            ways, value="auto", label=t("video_deinterlace"), info=t("video_deinterlace_hint"), elem_id="video-fields"
        )
        parts["skip_duplicates"] = gr.Checkbox(True, label=t("video_duplicates"))
        parts["color_match"] = gr.Checkbox(True, label=t("video_colors"))
        # Of a number that is empty Gradio makes 0 as soon as it is shown.
        parts["denoise_strength"] = gr.Textbox(
            "", label=t("video_denoise"), info=t("video_denoise_hint"), max_length=8, elem_id="video-denoise"
        )
        parts["tile"] = gr.Number(value=0, label=t("video_tile"), info=t("video_tile_hint"), precision=0, minimum=0)


__all__ = ["OF_ONE_FILM", "PICTURE_KINDS", "film_form"]
