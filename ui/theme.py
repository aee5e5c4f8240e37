"""Colours and shapes: enough contrast for small text, in light and in dark."""

from __future__ import annotations

from typing import Any

import gradio as gr

SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
"""Fonts that every machine has: the page asks nothing of the network."""

_ALIKE = {
    "color_accent": "*primary_700",
    "input_border_width": "1px",
    "button_primary_text_color": "white",
    "button_border_width": "1px",
    "checkbox_label_border_width": "1px",
}
"""Gradio's theme variables that are the same in light and in dark."""

_LIGHT_AND_DARK = {
    "body_background_fill": ("*neutral_50", "*neutral_950"),
    "body_text_color_subdued": ("*neutral_600", "*neutral_300"),
    "background_fill_primary": ("white", "*neutral_900"),
    "background_fill_secondary": ("*neutral_100", "*neutral_800"),
    "block_background_fill": ("white", "*neutral_900"),
    "block_border_color": ("*neutral_200", "*neutral_700"),
    "border_color_primary": ("*neutral_300", "*neutral_600"),
    "block_label_text_color": ("*neutral_700", "*neutral_200"),
    "block_title_text_color": ("*neutral_700", "*neutral_200"),
    "block_info_text_color": ("*neutral_600", "*neutral_300"),
    "input_background_fill": ("white", "*neutral_800"),
    "input_border_color": ("*neutral_400", "*neutral_500"),
    "input_placeholder_color": ("*neutral_500", "*neutral_400"),
    "button_primary_background_fill": ("*primary_700", "*primary_700"),
    "button_primary_background_fill_hover": ("*primary_800", "*primary_600"),
    "button_secondary_background_fill": ("white", "*neutral_800"),
    "button_secondary_background_fill_hover": ("*neutral_100", "*neutral_700"),
    "button_secondary_border_color": ("*neutral_300", "*neutral_600"),
    "button_secondary_text_color": ("*neutral_800", "*neutral_100"),
    "button_cancel_background_fill": ("white", "*neutral_800"),
    "button_cancel_text_color": ("#b91c1c", "#fca5a5"),
    "button_cancel_border_color": ("#b91c1c", "#fca5a5"),
    "slider_color": ("*primary_700", "*primary_500"),
    "link_text_color": ("*primary_800", "*primary_300"),
    "checkbox_background_color_selected": ("*primary_700", "*primary_600"),
    "checkbox_label_background_fill": ("white", "*neutral_800"),
    "checkbox_border_color": ("*neutral_500", "*neutral_400"),
    "checkbox_label_border_color": ("*neutral_300", "*neutral_600"),
    "table_even_background_fill": ("white", "*neutral_900"),
    "table_odd_background_fill": ("*neutral_50", "*neutral_800"),
}
"""Theme variables with their value in light and their value in dark."""


def theme() -> Any:
    """The interface's theme."""
    base = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="sm",
        font=SYSTEM_FONTS,
        font_mono=("ui-monospace", "Consolas", "monospace"),
    )
    dark = {f"{name}_dark": value for name, (_, value) in _LIGHT_AND_DARK.items()}
    return base.set(**_ALIKE, **{name: value for name, (value, _) in _LIGHT_AND_DARK.items()}, **dark)
