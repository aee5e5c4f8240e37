"""Assembles the five tabs and starts the server.

How a tab is added: a module in ``ui/tabs`` with ``build(config, manager, sessions, ...)``, which makes the components,
connects them, and returns a frozen dataclass of those that other tabs use; its functions in ``ui/handlers`` (plain
ones, tested without a browser); its words in ``ui/strings``; a line in ``build`` below. Long work goes through
``sessions.start``, so that it waits for its turn, can be watched and cancelled, and survives a refresh of the page.
Results belong into ``sessions.of(request).folder``.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from ui.sessions import SessionCookie, Sessions
from ui.strings import i18n, t

TITLE = "Real-ESRGAN Ultimate"
CSS = Path(__file__).with_name("style.css")
SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
"""Fonts that every machine has: the page asks nothing of the network."""
KEEP_SECONDS = 86400
"""Uploads and previews are removed after a day; results stay."""
_SWEEP_SECONDS = 3600


def build(config: Any, manager: Any, sessions: Sessions | None = None) -> Any:
    """The whole interface as a ``gr.Blocks``."""
    from ui.tabs import batch_tab, image_tab, presets_tab, system_tab, video_tab

    sessions = sessions or Sessions(config.output_dir)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(_SWEEP_SECONDS, KEEP_SECONDS)) as blocks:
        with gr.Row(elem_id="title"):
            gr.HTML(f"<h1>{TITLE}</h1>", padding=False)
            gr.Markdown(t("app_tagline"), elem_classes="quiet")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(t("tab_image"), id="image"):
                image = image_tab.build(config, manager, sessions, blocks)
            with gr.Tab(t("tab_video"), id="video", visible=config.enable_video):
                video_tab.build(config)
            with gr.Tab(t("tab_batch"), id="batch", visible=config.enable_batch):
                batch_tab.build(config, manager, sessions, image)
            with gr.Tab(t("tab_presets"), id="presets"):
                presets_tab.build(image.form)
            with gr.Tab(t("tab_system"), id="system"):
                system_tab.build(config, manager)
        blocks.unload(sessions.end)
    # Long work waits in ``sessions.turns``; here only the events themselves are counted.
    blocks.queue(max_size=128, default_concurrency_limit=8)
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
        "max_file_size": int(max(config.max_image_mb, config.max_video_mb) * 10**6),
        "theme": theme,
        "css_paths": [CSS],
        "i18n": i18n(),
        "app_kwargs": {"middleware": [Middleware(SessionCookie)]},
        "show_error": True,
        "footer_links": [],
        "enable_monitoring": False,
        "ssr_mode": False,
    }


def launch(config: Any) -> None:
    """Open the interface and serve until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from engine.model_manager import ModelManager
    from utils.logger import setup_logging

    config.ensure_directories()
    setup_logging(config.log_dir, config.log_level, as_json=config.log_json)
    manager = ModelManager.from_config(config)
    sessions = Sessions(config.output_dir)
    _sweep_for_ever(sessions)
    print(f"{TITLE}: http://{config.server_name}:{config.server_port} (Ctrl-C stops it)", flush=True)
    try:
        build(config, manager, sessions).launch(**launch_arguments(config))
    finally:
        manager.close()


def _sweep_for_ever(sessions: Sessions) -> None:
    """Remove old previews now and every hour."""
    waiting = threading.Event()

    def sweep() -> None:
        while True:
            sessions.sweep(KEEP_SECONDS)
            waiting.wait(_SWEEP_SECONDS)

    threading.Thread(target=sweep, name="sweep-previews", daemon=True).start()
