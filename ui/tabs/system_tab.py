"""System Info: this machine, its memory, the models, a benchmark, the log, and a report to copy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.jobs.job_list import JobKind
from engine.machine.benchmark import machine_test_for
from engine.machine.report import bug_report_for, folder_facts, machine_facts
from engine.models.isolated import run_isolated
from engine.types import JobControl, Progress
from ui.handlers import system as handlers
from ui.handlers.batch_view import bar_html, note_html, size_words, trouble_html
from ui.strings import t, words_for
from ui.visitors import Visitors
from utils.errors import EngineError
from utils.gpu import gpu_is_possible
from utils.logger import log_tail

_REFRESH_SECONDS = 3.0
_TEST_SECONDS = 10.0
_LOG_LINES = 200
_TO_THE_END = """() => setTimeout(() => {
  const log = document.querySelector('#system-log textarea');
  if (log) log.scrollTop = log.scrollHeight;
}, 150)"""


@dataclass(frozen=True)
class _Parts:
    """The tab's components."""

    machine: Any
    memory: Any
    loaded: Any
    unload: Any
    test: Any
    tested: Any
    models: Any
    chosen: Any
    download: Any
    verify: Any
    delete: Any
    stop: Any
    ask: Any
    question: Any
    yes: Any
    keep: Any
    told: Any
    versions: Any
    disk: Any
    limits: Any
    log: Any
    report: Any
    make_report: Any
    refresh: Any
    timer: Any


def build(config: Any, manager: Any, visitors: Visitors, executor: Any, tab: gr.Tab) -> None:
    """The tab. ``executor``: where pictures are enhanced, None = in this process; ``tab``: where this one stands."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            memory = gr.HTML("", elem_id="system-memory", elem_classes="slot")
            loaded = gr.HTML("", elem_id="system-loaded", elem_classes="slot")
            with gr.Row(elem_classes="buttons"):
                unload = gr.Button(t("system_unload"), size="sm", elem_id="system-unload")
                test = gr.Button(t("system_test"), size="sm", elem_id="system-test")
                refresh = gr.Button(t("refresh"), size="sm", elem_id="system-refresh")
            tested = gr.HTML("", elem_id="system-tested", elem_classes="slot")
            machine = gr.HTML("", elem_id="system-machine", elem_classes="slot")
        with gr.Column(scale=3, min_width=300):
            store = _models_on_disk()
    with gr.Accordion(t("system_details"), open=False), gr.Row():
        versions, disk, limits = (
            gr.HTML("", elem_id=f"system-{name}", elem_classes="slot", min_width=280)
            for name in ("versions", "disk", "limits")
        )
    with gr.Accordion(t("system_log"), open=False, visible=not config.share) as journal:
        log = gr.Textbox(
            "",
            show_label=False,
            label=t("system_log"),
            lines=12,
            max_lines=12,
            autoscroll=True,
            interactive=False,
            elem_id="system-log",
        )
    journal.expand(None, None, None, js=_TO_THE_END)
    with gr.Accordion(t("system_report"), open=False, visible=not config.share):
        gr.Markdown(t("system_report_info"), elem_classes="quiet")
        make_report = gr.Button(t("system_make_report"), size="sm", elem_id="system-make-report")
        report = gr.Textbox(
            "",
            label=t("system_report"),
            lines=12,
            max_lines=12,
            interactive=False,
            buttons=["copy"],
            elem_id="system-report",
        )
    parts = _Parts(
        machine=machine,
        memory=memory,
        loaded=loaded,
        unload=unload,
        test=test,
        tested=tested,
        versions=versions,
        disk=disk,
        limits=limits,
        log=log,
        report=report,
        make_report=make_report,
        refresh=refresh,
        timer=gr.Timer(_REFRESH_SECONDS, active=False),
        **store,
    )
    _connect(SystemEvents(config, manager, visitors, executor), parts, tab)


def _models_on_disk() -> dict[str, Any]:
    models = gr.HTML("", elem_id="system-models", elem_classes="slot")
    chosen = gr.Dropdown([], label=t("system_choose_model"), elem_id="system-model")
    with gr.Row(elem_classes="buttons"):
        download = gr.Button(t("system_download"), size="sm", interactive=False, elem_id="system-download")
        verify = gr.Button(t("system_verify"), size="sm", interactive=False, elem_id="system-verify")
        delete = gr.Button(t("system_delete"), size="sm", variant="stop", interactive=False, elem_id="system-delete")
        stop = gr.Button(t("cancel"), size="sm", variant="stop", visible=False, elem_id="system-stop")
    with gr.Group(visible=False) as ask:
        question = gr.HTML("", padding=True)
        with gr.Row():
            yes = gr.Button(t("system_yes"), variant="stop", size="sm", elem_id="system-yes")
            keep = gr.Button(t("system_keep"), size="sm")
    told = gr.HTML("", elem_id="system-told", elem_classes="slot")
    return {
        "models": models,
        "chosen": chosen,
        "download": download,
        "verify": verify,
        "delete": delete,
        "stop": stop,
        "ask": ask,
        "question": question,
        "yes": yes,
        "keep": keep,
        "told": told,
    }


class SystemEvents:
    """What happens at each event."""

    def __init__(self, config: Any, manager: Any, visitors: Visitors, executor: Any) -> None:
        self._config, self._manager, self._visitors, self._executor = config, manager, visitors, executor
        self._machine: dict[str, Any] | None = None

    # -- looking -----------------------------------------------------------------------------------------------------

    def now(self, request: gr.Request) -> list[Any]:
        """What changes by itself: memory and loaded models."""
        words = words_for(request)
        return [
            handlers.memory_html(self._executor, words),
            handlers.loaded_html(self._executor, self._manager, words),
        ]

    def facts(self, request: gr.Request, chosen: str | None) -> list[Any]:
        """Everything, looked at anew."""
        words = words_for(request)
        if self._machine is None:
            # A GPU is looked for by torch, and torch belongs into no server.
            self._machine = run_isolated(machine_facts) if gpu_is_possible() else machine_facts()
        return [
            *self.now(request),
            handlers.machine_html(self._machine, words),
            *self.store(request, chosen),
            handlers.versions_html(words),
            handlers.folders_html(folder_facts(self._config), words),
            handlers.limits_html(self._config, words),
            self.log() or words("system_no_log"),
            gr.update(active=True),
        ]

    def log(self) -> str:
        """The end of the log; nothing over a public link, since it names other people's files."""
        return "" if self._config.share else log_tail(self._config.log_dir, _LOG_LINES)

    def store(self, request: gr.Request, chosen: str | None) -> list[Any]:
        """The models on disk, and what may be done with the one that is chosen."""
        words = words_for(request)
        choices = handlers.model_choices(self._manager, words)
        if chosen not in [name for _, name in choices]:
            chosen = choices[0][1] if choices else None
        return [
            handlers.models_html(self._manager, words),
            gr.update(choices=choices, value=chosen),
            *self.choose(chosen),
        ]

    def choose(self, chosen: str | None) -> list[Any]:
        status = handlers.status_of(self._manager, chosen)
        allowed = self._config.enable_downloads
        return [
            gr.update(
                interactive=allowed
                and (handlers.pack_of(chosen) is not None or handlers.may_download(self._manager, status))
            ),
            gr.update(interactive=status is not None and status.installed),
            gr.update(interactive=allowed and handlers.may_delete(self._manager, status)),
            gr.update(visible=False),
        ]

    # -- doing -------------------------------------------------------------------------------------------------------

    def unload(self, request: gr.Request) -> list[Any]:
        words = words_for(request)
        return [note_html(handlers.unload(self._executor, self._manager, words), [], words), *self.now(request)]

    async def test(self, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Measure in a process of its own, in the queue with all other work."""
        words = words_for(request)

        def measure(_: JobControl) -> Any:
            return run_isolated(machine_test_for, self._config, "auto", _TEST_SECONDS)

        try:
            job = self._visitors.start(request, "system", measure, kind=JobKind.BENCHMARK, needs_watcher=False)
            started = time.monotonic()
            while not job.finished:
                waiting = job.step.position
                if waiting:
                    started = time.monotonic()
                    text = words("queue_waiting", position=waiting)
                else:
                    text = words("system_testing")
                share = (time.monotonic() - started) / (2 * _TEST_SECONDS)
                detail = words("system_test_detail")
                yield [bar_html(min(share, 0.97), text, detail, label=text), gr.update(interactive=False)]
                await asyncio.sleep(0.5)
            yield [handlers.machine_test_html(job.result(), words), gr.update(interactive=True)]
        except EngineError as error:
            yield [trouble_html(error, words), gr.update(interactive=True)]

    async def download(self, request: gr.Request, chosen: str | None) -> AsyncIterator[list[Any]]:
        words, visitor = words_for(request), self._visitors.of(request)
        if not self._config.enable_downloads or not chosen:
            yield [gr.skip()] * 8
            return

        def bring(control: JobControl) -> Any:
            def told(done: int, total: int | None) -> None:
                control.report(Progress("Downloading", done, total or 0, done / total if total else 0.0))

            pack = handlers.pack_of(chosen)
            if pack is not None:
                return self._manager.download_pack(pack, told, control)
            return self._manager.download(chosen, told, control)

        same = [gr.skip()] * 6
        label = words("system_downloading", name=chosen)
        try:
            job = self._visitors.start(
                request,
                "download",
                bring,
                kind=JobKind.DOWNLOAD,
                name=chosen,
                queue=self._visitors.downloads,
                needs_watcher=False,
                beside=True,
            )
            visitor.memory["download"] = job
            yield [bar_html(0.0, label, label=label), gr.update(visible=True), *same]
            async for step in job.watch():
                if step.progress is not None:
                    total = f" / {size_words(step.progress.total)}" if step.progress.total else ""
                    detail = f"{size_words(step.progress.done)}{total}"
                    yield [bar_html(step.progress.fraction, label, detail, label=label), gr.skip(), *same]
            brought = job.result()
            if handlers.pack_of(chosen) is not None:
                sentence = words("system_pack_downloaded", count=len(brought), names=", ".join(brought))
            else:
                state = words(f"system_state_{brought.verified}")
                sentence = words("system_downloaded", name=brought.name, state=state)
            told_last = note_html(sentence, [], words)
        except EngineError as error:
            told_last = trouble_html(error, words)
        yield [told_last, gr.update(visible=False), *self.store(request, chosen)]

    def stop(self, request: gr.Request) -> None:
        job = self._visitors.of(request).memory.get("download")
        if job is not None:
            job.cancel()

    def verify(self, request: gr.Request, chosen: str) -> list[Any]:
        words = words_for(request)
        try:
            status = self._manager.verify(chosen)
            sentence = words(
                "system_verified", name=chosen, state=words(f"system_state_{handlers.model_state(status)}")
            )
            told = note_html(sentence, [], words)
        except EngineError as error:
            told = trouble_html(error, words)
        return [told, *self.store(request, chosen)]

    def ask(self, request: gr.Request, chosen: str) -> list[Any]:
        status = handlers.status_of(self._manager, chosen)
        size = size_words(status.size or 0) if status is not None else "?"
        words = words_for(request)
        return [gr.update(visible=True), note_html(words("system_ask", name=chosen, size=size), [], words)]

    def delete(self, request: gr.Request, chosen: str) -> list[Any]:
        words = words_for(request)
        if not self._config.enable_downloads:
            return [gr.skip(), *self.store(request, chosen)]
        try:
            self._manager.delete(chosen)
            told = note_html(words("system_deleted", name=chosen), [], words)
        except EngineError as error:
            told = trouble_html(error, words)
        return [told, *self.store(request, chosen)]

    def report(self) -> str:
        if self._config.share:  # it ends with the log
            return ""
        loaded = handlers.loaded_models(self._executor, self._manager)
        return run_isolated(bug_report_for, self._config, loaded)


def _connect(handlers: SystemEvents, parts: _Parts, tab: gr.Tab) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    now = [parts.memory, parts.loaded]
    buttons = [parts.download, parts.verify, parts.delete, parts.ask]
    store = [parts.models, parts.chosen, *buttons]
    everything = [*now, parts.machine, *store, parts.versions, parts.disk, parts.limits, parts.log, parts.timer]
    tab.select(handlers.facts, parts.chosen, everything, **quiet)
    parts.refresh.click(handlers.facts, parts.chosen, everything, show_progress="minimal", show_progress_on=parts.log)
    parts.timer.tick(handlers.now, None, now, concurrency_limit=None, **quiet)
    parts.unload.click(
        handlers.unload, None, [parts.tested, *now], show_progress="minimal", show_progress_on=parts.tested
    )
    parts.test.click(handlers.test, None, [parts.tested, parts.test], concurrency_limit=None, **quiet)
    parts.chosen.input(handlers.choose, parts.chosen, buttons, **quiet)
    parts.download.click(
        handlers.download, parts.chosen, [parts.told, parts.stop, *store], concurrency_limit=None, **quiet
    )
    parts.stop.click(handlers.stop, None, None, queue=False, **quiet)
    parts.verify.click(handlers.verify, parts.chosen, [parts.told, *store], show_progress_on=parts.told)
    parts.delete.click(handlers.ask, parts.chosen, [parts.ask, parts.question], **quiet)
    parts.keep.click(lambda: gr.update(visible=False), None, parts.ask, **quiet)
    parts.yes.click(handlers.delete, parts.chosen, [parts.told, *store], **quiet)
    parts.make_report.click(handlers.report, None, parts.report, show_progress_on=parts.report)
