"""Assembles the five tabs and starts the server."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.sessions import Sessions

TITLE = "Real-ESRGAN Ultimate"
CSS = """
.gradio-container { max-width: 1280px !important; margin: 0 auto; }
#title h1 { margin-bottom: 0; font-size: 1.6rem; }
#title p { margin-top: .2rem; opacity: .75; }
.tabs { max-width: calc(100vw - 4rem) !important; }
.quiet { opacity: .85; font-size: .92rem; }
"""
SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
"""Fonts that every machine has: the page asks nothing of the network."""


def build(config: Any, manager: Any) -> Any:
    """The whole interface as a ``gr.Blocks``."""
    from ui.tabs import batch_tab, image_tab, presets_tab, system_tab, video_tab

    sessions = Sessions(config.output_dir)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400)) as blocks:
        gr.Markdown(f"# {TITLE}\nEnlarge and restore pictures, on this machine.", elem_id="title")
        with gr.Tab("Image Enhancement"):
            image = image_tab.build(config, manager, sessions)
        with gr.Tab("Video", visible=config.enable_video):
            video_tab.build(config)
        with gr.Tab("Batch", visible=config.enable_batch):
            batch_tab.build(config, manager, sessions, image)
        with gr.Tab("Presets"):
            presets_tab.build(image)
        with gr.Tab("System Info"):
            system_tab.build(config, manager)
    blocks.queue(max_size=32, default_concurrency_limit=1)
    return blocks


def launch_arguments(config: Any) -> dict[str, Any]:
    """Arguments of ``Blocks.launch``: only the output folder can be read through the server."""
    theme = gr.themes.Base(
        primary_hue="teal", neutral_hue="slate", font=SYSTEM_FONTS, font_mono=("ui-monospace", "Consolas", "monospace")
    )
    return {
        "server_name": config.server_name,
        "server_port": config.server_port,
        "share": config.share,
        "allowed_paths": [str(config.output_dir)],
        "max_file_size": int(config.max_image_mb * 10**6),
        "theme": theme,
        "css": CSS,
        "show_error": True,
        "footer_links": [],
        "enable_monitoring": False,
        "ssr_mode": False,
    }


def launch(config: Any) -> None:
    """Open the interface and serve until Ctrl-C."""
    import os

    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from engine.model_manager import ModelManager
    from utils.logger import setup_logging

    config.ensure_directories()
    setup_logging(config.log_dir, config.log_level, as_json=config.log_json)
    manager = ModelManager.from_config(config)
    print(f"{TITLE}: http://{config.server_name}:{config.server_port} (Ctrl-C stops it)", flush=True)
    try:
        build(config, manager).launch(**launch_arguments(config))
    finally:
        manager.close()
