"""Video: a film in, an enhanced film out; one frame can be looked at first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.types import EnhanceResult, JobControl
from engine.video import VideoResult, enhance_video_isolated
from ui.components import original_file
from ui.handlers import common
from ui.handlers import video as work
from ui.jobs import UiJob
from ui.kept_uploads import KeptUpload
from ui.sessions import Sessions
from ui.strings import choice, t, words_for
from ui.turns import Turns
from utils.errors import EngineError
from utils.video_files import SUFFIXES

logger = logging.getLogger(__name__)

_TAB, _PREVIEW = "video", "video-preview"
_SHOWN, _HIDDEN = {"visible": True, "__type__": "update"}, {"visible": False, "__type__": "update"}
"""What becomes of a button to cancel."""
_BUSY = (_SHOWN, {"interactive": False, "__type__": "update"})
_IDLE = (_HIDDEN, {"interactive": True, "__type__": "update"})
"""What becomes of the buttons to cancel and to start."""


@dataclass(frozen=True)
class _Form:
    """The fields, in the order of ``names``."""

    names: tuple[str, ...]
    components: tuple[Any, ...]

    def values(self, given: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(self.names, given, strict=True))


def build(
    config: Any, manager: Any, sessions: Sessions, blocks: gr.Blocks, enhance: Callable[..., EnhanceResult]
) -> None:
    """The tab. ``blocks``: the whole page, for what happens when it is opened."""
    gr.Markdown(t("video_intro"), elem_classes="quiet")
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            file = original_file(
                gr.File(
                    label=t("video_file"), file_types=["video", *sorted(SUFFIXES)], height=140, elem_id="video-file"
                )
            )
            facts = gr.Markdown("", elem_classes="quiet", elem_id="video-facts")
            form = _form(manager)
            with gr.Row():
                start = gr.Button(t("video_start"), variant="primary", elem_id="video-start")
                cancel = gr.Button(t("cancel"), variant="stop", visible=False, elem_id="video-cancel")
        with gr.Column(scale=3, min_width=300):
            with gr.Row(equal_height=True):
                moment = gr.Slider(0, 1, value=0, step=0.01, label=t("video_moment"), elem_id="video-moment")
                preview = gr.Button(t("video_preview"), elem_id="video-preview", scale=0, min_width=230)
                stop = gr.Button(
                    t("cancel"),
                    variant="stop",
                    visible=False,
                    scale=0,
                    min_width=110,
                    elem_id="video-preview-cancel",
                )
            seen = gr.Markdown("", elem_id="video-preview-status")
            slider = gr.ImageSlider(
                label=t("video_slider"),
                type="filepath",
                height=420,
                interactive=False,
                visible=False,
                elem_id="video-slider",
            )
            progress = gr.HTML("", elem_classes="slot", elem_id="video-progress")
            status = gr.Markdown(t("video_ready"), elem_id="video-status")
            result = gr.HTML("", elem_classes="slot", elem_id="video-result")
    handlers = _Handlers(config, manager, sessions, form, enhance)
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    outputs = [progress, status, result, cancel, start]
    file.change(handlers.look, file, [facts, moment], show_progress="hidden")
    preview.click(handlers.preview, [file, moment, *form.components], [seen, slider, stop], **quiet)
    start.click(handlers.run, [file, *form.components], outputs, **quiet)
    blocks.load(handlers.resume, None, outputs, **quiet)
    cancel.click(handlers.cancel, None, None, queue=False, show_progress="hidden")
    stop.click(handlers.cancel_preview, None, None, queue=False, show_progress="hidden")


def _form(manager: Any) -> _Form:
    parts: dict[str, Any] = {}
    models = [(choice("video_model_auto"), "auto"), *common.model_choices(manager)[1:]]
    parts["model"] = gr.Dropdown(models, value="auto", label=t("video_model"), filterable=True, elem_id="video-model")
    modes = [(choice(f"video_mode_{mode}"), mode) for mode in ("auto", "best", "faithful")]
    parts["mode"] = gr.Radio(modes, value="auto", label=t("mode"), info=t("mode_info"), elem_id="video-mode")
    parts["scale"] = gr.Slider(1, 8, value=2, step=0.5, label=t("video_scale"), elem_id="video-scale")
    with gr.Row():
        kinds = [
            (choice(f"video_kind_{kind}") if kind in ("same", "gif", "webp") else kind.upper(), kind)
            for kind in work.KINDS
        ]
        parts["kind"] = gr.Dropdown(kinds, value="same", label=t("video_kind"), min_width=140, elem_id="video-kind")
        codecs = [(choice("video_codec_auto"), "auto"), ("H.264", "h264"), ("H.265", "h265"), ("AV1", "av1")]
        parts["codec"] = gr.Dropdown(codecs, value="auto", label=t("video_codec"), min_width=140, elem_id="video-codec")
    parts["quality"] = gr.Slider(1, 100, value=80, step=1, label=t("video_quality"), elem_id="video-quality")
    with gr.Row():
        parts["from"] = gr.Textbox(
            "", label=t("video_from"), info=t("video_time_hint"), min_width=140, elem_id="video-from"
        )
        parts["to"] = gr.Textbox("", label=t("video_to"), info=t("video_time_hint"), min_width=140, elem_id="video-to")
    with gr.Accordion(t("video_advanced"), open=False):
        speeds = [(choice(f"video_speed_{speed}"), speed) for speed in ("fast", "medium", "slow")]
        parts["speed"] = gr.Dropdown(speeds, value="medium", label=t("video_speed"), elem_id="video-speed")
        parts["smoothing"] = gr.Slider(
            0, 1, value=0, step=0.05, label=t("video_smoothing"), info=t("video_smoothing_hint")
        )
        parts["skip_duplicates"] = gr.Checkbox(True, label=t("video_duplicates"))
        parts["audio"] = gr.Checkbox(True, label=t("video_audio"))
        parts["subtitles"] = gr.Checkbox(True, label=t("video_subtitles"))
        parts["color_match"] = gr.Checkbox(True, label=t("video_colors"))
        parts["denoise_strength"] = gr.Number(
            value=None, label=t("video_denoise"), info=t("video_denoise_hint"), step=0.05, minimum=0, maximum=1
        )
        parts["tile"] = gr.Number(value=0, label=t("video_tile"), info=t("video_tile_hint"), precision=0, minimum=0)
    return _Form(tuple(parts), tuple(parts.values()))


class _Handlers:
    """What happens at each event, for whoever is named by its ``gr.Request``."""

    def __init__(
        self, config: Any, manager: Any, sessions: Sessions, form: _Form, enhance: Callable[..., EnhanceResult]
    ) -> None:
        self._config, self._manager, self._sessions = config, manager, sessions
        self._form, self._enhance = form, enhance
        # Of its own: a film takes hours, and pictures are not to wait behind it.
        self._turns = Turns()

    def look(self, request: gr.Request, path: str | None) -> list[Any]:
        """The facts of what was dropped in, and the moments that can be looked at."""
        words = words_for(request)
        try:
            info = work.look_at(path, self._config)
        except EngineError as error:
            return [words("video_unusable", reason=words.said(error)), gr.skip()]
        if info is None:
            return ["", gr.skip()]
        last = max(0.01, round(info.duration or 1.0, 2))
        return [work.describe(info, words), gr.update(maximum=last, value=round(last / 3, 2))]

    async def preview(
        self, request: gr.Request, path: str | None, moment: float, *given: Any
    ) -> AsyncIterator[list[Any]]:
        """One frame. It has a line and a button to cancel of its own, for a film may be running beside it."""
        words, session = words_for(request), self._sessions.of(request)
        if not path:
            yield [words("video_choose"), gr.skip(), _HIDDEN]
            return
        try:
            settings, options = work.make_values(self._form.values(given))

            def enhance_it(control: JobControl) -> work.Shown:
                return work.preview_frame(
                    path,
                    moment,
                    settings,
                    options,
                    enhance=self._enhance,
                    manager=self._manager,
                    folder=session.folder,
                    config=self._config,
                    control=control,
                    words=words,
                )

            job = self._sessions.start(request, _PREVIEW, enhance_it)
            yield [words("video_previewing"), gr.skip(), _SHOWN]
            async for step in job.watch():
                if step.position:
                    yield [words("queue_waiting", position=step.position), gr.skip(), _SHOWN]
            shown = job.result()
        except EngineError as error:
            logger.info("No preview: %s", error)
            yield [work.sentence_of(error, words), gr.skip(), _HIDDEN]
            return
        yield [shown.sentence, gr.update(value=shown.pair, visible=True), _HIDDEN]

    async def run(self, request: gr.Request, path: str | None, *given: Any) -> AsyncIterator[list[Any]]:
        """The main button. A browser has one film at a time: where one runs, this window watches that one."""
        words, job, note = words_for(request), self._sessions.resume(request, _TAB), ""
        try:
            if job is not None:
                note = words("video_running")
            elif path:
                # A large upload may have to be copied, and the pages wait for this thread.
                job = await asyncio.to_thread(self._begin, request, Path(path), self._form.values(given))
        except EngineError as error:
            yield ["", work.sentence_of(error, words), gr.skip(), *_IDLE]
            return
        if job is None:
            yield ["", words("video_choose"), gr.skip(), *_IDLE]
            return
        yield ["", note, gr.skip() if note else "", *_BUSY]
        async for answer in self._watched(request, job, note):
            yield answer

    def _begin(self, request: gr.Request, path: Path, values: dict[str, Any]) -> UiJob[VideoResult]:
        """Queue the film. Raises ``EngineError``."""
        session = self._sessions.of(request)
        settings, options = work.make_values(values)
        upload = KeptUpload(path, session.folder)

        def enhance_it(control: JobControl) -> VideoResult:
            session.memory.pop(_TAB, None)
            # Only now: while this one waited, others may have taken the name.
            target = work.target_of(upload.path, session.folder, settings, values["kind"])
            result = enhance_video_isolated(
                upload.path, target, settings, options, config=self._config, control=control
            )
            session.memory[_TAB] = result
            return result

        try:
            return self._sessions.start(
                request,
                _TAB,
                enhance_it,
                turns=self._turns,
                needs_watcher=False,
                only_one=True,
                at_end=upload.release,
            )
        except EngineError:
            upload.release()
            raise

    async def resume(self, request: gr.Request) -> AsyncIterator[list[Any]]:
        """After a refresh: watch what still runs, else show what was made last."""
        job = self._sessions.resume(request, _TAB)
        made = self._sessions.of(request).memory.get(_TAB)
        if job is not None:
            async for answer in self._watched(request, job):
                yield answer
        elif made is not None and made.output_path.is_file():
            words = words_for(request)
            yield ["", work.summary(made, words), work.player(made, words), *_IDLE]
        else:
            yield [gr.skip()] * 5

    async def _watched(self, request: gr.Request, job: UiJob[VideoResult], note: str = "") -> AsyncIterator[list[Any]]:
        """Every step of a film, and its end. ``note``: stays above what is said until then."""
        words = words_for(request)
        lead = f"{note}\n\n" if note else ""
        try:
            async for step in job.watch():
                if step.position:
                    waiting = words("queue_waiting", position=step.position)
                    yield ["", lead + waiting, gr.skip(), *_BUSY]
                elif step.progress:
                    yield [work.progress_bar(words, step.progress), note, gr.skip(), *_BUSY]
                else:
                    yield ["", lead + words("video_loading"), gr.skip(), *_BUSY]
            result = job.result()
        except EngineError as error:
            logger.info("The video was not enhanced: %s", error)
            yield ["", work.sentence_of(error, words), gr.skip(), *_IDLE]
            return
        yield ["", work.summary(result, words), work.player(result, words), *_IDLE]

    def cancel(self, request: gr.Request) -> None:
        self._sessions.cancel(request, _TAB)

    def cancel_preview(self, request: gr.Request) -> None:
        self._sessions.cancel(request, _PREVIEW)
