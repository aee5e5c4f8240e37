"""Assembles the five tabs.

How a tab is added: a module in ``ui/tabs`` with ``build(config, manager, sessions, ...)``, which makes the components,
connects them, and returns a frozen dataclass of those that other tabs use; its functions in ``ui/handlers`` (plain
ones, tested without a browser); its words in ``ui/strings``; a line in ``build`` below. Long work goes through
``sessions.start``, so that it waits for its turn, can be watched and cancelled, and survives a refresh of the page.
Pictures are enhanced by the function ``enhance`` that is handed down, never in this process by hand: it usually goes to
a worker process, so a network that crashes or runs out of memory takes no page with it.
Results belong into ``sessions.of(request).folder``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from engine.executors.base import Executor
from engine.processor import enhance_file
from engine.types import EnhanceResult
from ui.sessions import SessionCookie, Sessions
from ui.strings import i18n, t
from ui.theme import theme

logger = logging.getLogger(__name__)

Enhance = Callable[..., EnhanceResult]
TITLE = "Real-ESRGAN Ultimate"
CSS = [Path(__file__).with_name(name) for name in ("style.css", "tables.css", "video.css")]
KEEP_SECONDS = 86400
"""Uploads and previews are removed after a day; results stay."""
_SWEEP_SECONDS = 3600


def build(
    config: Any,
    manager: Any,
    sessions: Sessions | None = None,
    enhance: Enhance | None = None,
    executor: Executor | None = None,
) -> Any:
    """The whole interface as a ``gr.Blocks``.

    Args:
        enhance: ``(input_path, output_path, settings, *, control, overwrite) -> EnhanceResult``, for instance an
            executor's ``enhance_file``; by default the engine's own, in this process.
        executor: whose workers, memory and loaded models are shown, and rest when asked to.
    """
    from ui.tabs import batch_tab, image_tab, presets_tab, system_tab, video_tab

    sessions = sessions or Sessions(config.output_dir)
    enhance = enhance or partial(enhance_file, manager=manager, config=config)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(_SWEEP_SECONDS, KEEP_SECONDS)) as blocks:
        with gr.Row(elem_id="title"):
            gr.HTML(f"<h1>{TITLE}</h1>", padding=False)
            gr.Markdown(t("app_tagline"), elem_classes="quiet")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(t("tab_image"), id="image") as picture:
                image = image_tab.build(config, manager, sessions, blocks, enhance, picture)
            with gr.Tab(t("tab_video"), id="video", visible=config.enable_video):
                video_tab.build(config, manager, sessions, blocks, enhance)
            with gr.Tab(t("tab_batch"), id="batch", visible=config.enable_batch) as batch:
                lanes = max(3, executor.enough) if executor is not None else 3
                batch_tab.build(config, manager, sessions, image, enhance, blocks, batch, lanes)
            with gr.Tab(t("tab_presets"), id="presets") as presets:
                presets_tab.build(config, manager, sessions, image.form, blocks, presets)
            with gr.Tab(t("tab_system"), id="system") as system:
                system_tab.build(config, manager, sessions, executor, system)

        def window_closed(request: gr.Request) -> None:  # Gradio hands the request to what is annotated for it
            sessions.end(request)

        blocks.unload(window_closed)
    # Long work waits in ``sessions.turns``; here only the events themselves are counted.
    blocks.queue(max_size=128, default_concurrency_limit=8)
    return blocks


def _page_arguments(config: Any) -> dict[str, Any]:
    """What the page is like: only the output folder can be read through the server."""
    return {
        "allowed_paths": [str(config.output_dir)],
        "max_file_size": int(max(config.max_image_mb, config.max_video_mb) * 10**6),
        "theme": theme(),
        "css_paths": CSS,
        "i18n": i18n(),
        "show_error": True,
        "footer_links": [],
        "enable_monitoring": False,
        "ssr_mode": False,
    }


def mount(app: Any, config: Any, manager: Any, enhance: Enhance | None = None, executor: Executor | None = None) -> Any:
    """The interface at ``/`` of a FastAPI application whose own routes stay. Returns the application."""
    sessions = Sessions(config.output_dir)
    _sweep_for_ever(sessions, config.output_dir)
    app.add_middleware(SessionCookie)
    blocks = build(config, manager, sessions, enhance, executor)
    return gr.mount_gradio_app(app, blocks, path="/", server_name=config.server_name, **_page_arguments(config))


def launch(config: Any, manager: Any, enhance: Enhance | None = None, executor: Executor | None = None) -> None:
    """The interface alone, as Gradio serves it (through its tunnel where ``config.share`` is set), until Ctrl-C."""
    sessions = Sessions(config.output_dir)
    _sweep_for_ever(sessions, config.output_dir)
    build(config, manager, sessions, enhance, executor).launch(
        server_name=config.server_name,
        server_port=config.server_port,
        share=config.share,
        app_kwargs={"middleware": [Middleware(SessionCookie)]},
        **_page_arguments(config),
    )


def _sweep_for_ever(sessions: Sessions, folder: Path) -> None:
    """Remove old previews, uploads and parts of films now and every hour."""
    from ui.handlers.batch import sweep_uploads
    from ui.handlers.video import sweep_parts
    from ui.kept_uploads import sweep_kept

    waiting = threading.Event()
    sweeps = (
        lambda: sessions.sweep(KEEP_SECONDS),
        lambda: sweep_uploads(folder, KEEP_SECONDS),
        lambda: sweep_kept(folder, KEEP_SECONDS),
        lambda: sweep_parts(folder),
    )

    def sweep() -> None:
        while True:
            for one in sweeps:
                try:
                    one()
                except OSError as error:  # a file that goes while it is looked at must not end all sweeping
                    logger.info("Not everything could be swept: %s", error)
            waiting.wait(_SWEEP_SECONDS)

    threading.Thread(target=sweep, name="sweep-previews", daemon=True).start()
