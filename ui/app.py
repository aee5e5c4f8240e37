"""Assembles the five tabs.

How a tab is added: a module in ``ui/tabs`` with ``build(config, manager, visitors, ...)``, which makes the components,
connects them, and returns a frozen dataclass of those that other tabs use; its functions in ``ui/handlers`` (plain
ones, tested without a browser); its words in ``ui/strings``; a line in ``build`` below. Long work goes through
``visitors.start``, so that it waits for its turn, can be watched and cancelled, and survives a refresh of the page.
Pictures are enhanced by the function ``enhance`` that is handed down, never in this process by hand: it usually goes to
a worker process, so a network that crashes or runs out of memory takes no page with it.
Results belong into ``visitors.of(request).folder``.
"""

from __future__ import annotations

import logging
import threading
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from engine.executors import Executor
from engine.jobs.job_list import JobList
from engine.processor import enhance_file
from engine.types import EnhanceFile
from ui.arrivals import Arrivals, Targets
from ui.inbox import Inbox
from ui.language import ChosenLanguage
from ui.notices import notices
from ui.page import Page
from ui.page_menu import page_menu
from ui.strings import i18n, t
from ui.theme import theme
from ui.visitors import VisitorCookie, Visitors

logger = logging.getLogger(__name__)

TITLE = "Real-ESRGAN Ultimate"
STYLES = ("style.css", "image.css", "tables.css", "video.css", "columns.css")
CSS = [Path(__file__).with_name(name) for name in STYLES]
_EVENT_STREAM = Path(__file__).with_name("event_stream.js")
KEEP_SECONDS = 86400
"""Uploads and previews are removed after a day; results stay."""
_SWEEP_SECONDS = 3600
_PLACES = 256


def build(
    config: Any,
    manager: Any,
    visitors: Visitors | None = None,
    enhance: EnhanceFile | None = None,
    executor: Executor | None = None,
    inbox: Inbox | None = None,
) -> Any:
    """The whole interface as a ``gr.Blocks``.

    Args:
        enhance: ``(input_path, output_path, settings, *, control, overwrite) -> EnhanceResult``, for instance an
            executor's ``enhance_file``; by default the engine's own, in this process.
        executor: whose workers, memory and loaded models are shown, and rest when asked to.
        inbox: what is to be opened from outside the page; None = nothing ever is.
    """
    from ui.tabs import batch_tab, image_tab, jobs_card, last_tab, presets_tab, system_tab, video_tab

    visitors = visitors or Visitors(config.output_dir)
    enhance = enhance or partial(enhance_file, manager=manager, config=config)
    prepare = executor.prepare if executor is not None else None
    with Page(title=TITLE, analytics_enabled=False, delete_cache=(_SWEEP_SECONDS, KEEP_SECONDS)) as blocks:
        with gr.Row(elem_id="title"):
            gr.HTML(f"<h1>{TITLE}</h1>", padding=False)
            gr.Markdown(t("app_tagline"), elem_classes="quiet")
            notices(TITLE, blocks)
            page_menu(blocks)
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab(t("tab_image"), id="image") as picture:
                image = image_tab.build(config, manager, visitors, blocks, enhance, picture, prepare)
            with gr.Tab(t("tab_video"), id="video", visible=config.enable_video):
                video = video_tab.build(config, manager, visitors, blocks, enhance)
            with gr.Tab(t("tab_batch"), id="batch", visible=config.enable_batch) as batch:
                in_flight = max(3, executor.enough) if executor is not None else 3
                batches = batch_tab.build(config, manager, visitors, image, enhance, blocks, batch, in_flight)
            with gr.Tab(t("tab_presets"), id="presets") as presets:
                presets_tab.build(config, manager, visitors, image.form, blocks, presets)
            with gr.Tab(t("tab_system"), id="system") as system:
                jobs_card.build(config, visitors, system)
                system_tab.build(config, manager, visitors, executor, system)

        last_tab.connect(blocks, tabs)
        if inbox is not None:
            targets = Targets(tabs, image.picture, batches.files, batches.folder, batches.folder_box, video.file)
            arrived = Arrivals(inbox, config, targets).build()
            # Components of a tab that was never shown say nothing of a change.
            batches.show_plan(video.show(arrived))

        def window_closed(request: gr.Request) -> None:  # Gradio hands the request to what is annotated for it
            visitors.end(request)

        blocks.unload(window_closed)
    # Long work waits in ``visitors.queue``; here only the events themselves are counted. Each window that watches a job
    # holds one of these places for as long.
    blocks.max_threads = _PLACES
    blocks.queue(max_size=128, default_concurrency_limit=8)
    return blocks


def _page_arguments(config: Any) -> dict[str, Any]:
    """What the page is like: only the output folder can be read through the server."""
    return {
        "allowed_paths": [str(config.output_dir)],
        "max_file_size": int(max(config.max_image_mb, config.max_video_mb) * 10**6),
        "theme": theme(),
        "css_paths": CSS,
        "head": f"<script>{_EVENT_STREAM.read_text('utf-8')}</script>",
        "i18n": i18n(),
        "show_error": True,
        "footer_links": [],
        "enable_monitoring": False,
        # Else every event writes all its values into the browser: megabytes, which make the page slow, of private work.
        "run_history": False,
        "ssr_mode": False,
    }


def mount(
    app: Any,
    config: Any,
    manager: Any,
    enhance: EnhanceFile | None = None,
    executor: Executor | None = None,
    job_list: JobList | None = None,
    visitors: Visitors | None = None,
    inbox: Inbox | None = None,
) -> Any:
    """The interface at ``/`` of a FastAPI application whose own routes stay. Returns the application.

    Args:
        job_list: the list of all jobs, shared with that application.
        visitors: for whoever wants to know what runs (then with that list); made here otherwise.
        inbox: as in ``build``.
    """
    visitors = visitors or Visitors(config.output_dir, job_list=job_list)
    _sweep_for_ever(visitors, config.output_dir)
    app.add_middleware(VisitorCookie)
    app.add_middleware(ChosenLanguage)
    blocks = build(config, manager, visitors, enhance, executor, inbox)
    return gr.mount_gradio_app(app, blocks, path="/", server_name=config.server_name, **_page_arguments(config))


def launch(config: Any, manager: Any, enhance: EnhanceFile | None = None, executor: Executor | None = None) -> None:
    """The interface alone, as Gradio serves it (through its tunnel where ``config.share`` is set), until Ctrl-C."""
    visitors = Visitors(config.output_dir)
    _sweep_for_ever(visitors, config.output_dir)
    build(config, manager, visitors, enhance, executor).launch(
        server_name=config.server_name,
        server_port=config.server_port,
        share=config.share,
        app_kwargs={"middleware": [Middleware(ChosenLanguage), Middleware(VisitorCookie)]},
        **_page_arguments(config),
    )


def _sweep_for_ever(visitors: Visitors, folder: Path) -> None:
    """Remove old previews, uploads and parts of films now and every hour."""
    from ui.handlers.batch import sweep_uploads
    from ui.handlers.video import sweep_parts
    from ui.upload_cache import sweep_kept

    waiting = threading.Event()
    sweeps = (
        lambda: visitors.sweep(KEEP_SECONDS),
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
