"""What happens at each event of the Video tab's stage: what lies on it, and what the film will take."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from engine.jobs.job_list import JobKind
from engine.types import EnhanceResult, JobControl
from engine.video import DEFAULT_RATE, VideoOptions, VideoResult, probe_source
from ui.components import SettingsForm
from ui.handlers import film_facts, film_stage, video_frames
from ui.handlers import films_view as view
from ui.handlers import image_html as html
from ui.handlers import video as handlers
from ui.handlers.common import rough_words
from ui.handlers.film_facts import FilmFacts, Remembered
from ui.handlers.films import FilmQueue, FilmRequest
from ui.samples import sample_clip
from ui.strings import Words, words_for
from ui.upload_cache import CachedUpload
from ui.viewer import EMPTY, stage_words
from ui.visitors import Visitors
from utils.errors import EngineError

logger = logging.getLogger(__name__)

SHOWN, HIDDEN = {"visible": True, "__type__": "update"}, {"visible": False, "__type__": "update"}
"""What becomes of a component that is there for a while."""
NO_FILM = "viewer_empty_film"
"""Key of what the stage says while it is empty."""
TAKES: dict[str, Any] = {"takes": "#video-file, #video-line", "kind": "video/", "several": "#video-pictures"}
"""What becomes of that which is dropped on the stage (see ``ui.viewer.stage``)."""
_PREVIEW, _FACTS = "video-preview", "film"


class StageEvents:
    """The handlers; ``enhance`` does one frame, the queue's way of enhancing a film the loop."""

    def __init__(
        self,
        config: Any,
        manager: Any,
        visitors: Visitors,
        form: SettingsForm,
        enhance: Callable[..., EnhanceResult],
        queue: FilmQueue,
    ) -> None:
        self._config, self._manager, self._visitors = config, manager, visitors
        self._form, self._enhance, self.queue = form, enhance, queue

    # -- the film ----------------------------------------------------------------------------------------------------

    def look_at(self, request: gr.Request, path: str | None, *given: Any) -> list[Any]:
        """What was dropped in, numbered pictures or a film: its facts, the moments that can be looked at, a frame of
        it on the stage, whether there is anything to be done with it, its line, and whether its rate is asked."""
        words, values = words_for(request), self._form.values(given)
        line = _line(path, values, words)
        nothing = [gr.skip(), EMPTY.to_json(), HIDDEN, SHOWN, "", *line]
        try:
            with self._facts(request, path, values) as facts:
                if facts is None:
                    return ["", *nothing]
                last = max(0.01, round(facts.info.duration or 1.0, 2))
                moment = round(last / 3, 2)
                shown = film_stage.frame_view(facts, moment, self._visitors.of(request).folder)
        except EngineError as error:
            return [words("video_unusable", reason=words.said(error)), *nothing]
        told = handlers.describe(facts.info, words)
        return [told, gr.update(maximum=last, value=moment), shown.to_json(), SHOWN, HIDDEN, "", *line]

    def scrub(self, request: gr.Request, path: str | None, moment: float, *given: Any) -> Any:
        """The slider was moved: the frame there, as it is."""
        try:
            with self._facts(request, path, self._form.values(given)) as facts:
                if facts is None:
                    return gr.skip()
                return film_stage.frame_view(facts, moment, self._visitors.of(request).folder).to_json()
        except EngineError:  # said where the film was chosen
            return gr.skip()

    def count(self, request: gr.Request, path: str | None, moment: float, *given: Any) -> list[Any]:
        """What the film will take, the loop, and every quality with its time, in whose place a named model is told."""
        words, values = words_for(request), self._form.values(given)
        model = values["model"]
        field = str(self._form.component("mode").elem_id)
        named = "" if model == "auto" else html.named_html(model, field, words)
        modes = gr.update(choices=film_facts.mode_labels({}, words))
        try:
            settings, options = handlers.make_values(values)
            with self._facts(request, path, values) as facts:
                if facts is None:
                    return ["", words("video_loop"), modes, named]
                expected = facts.expected(settings, options, self._manager, moment)
                done = self._result_of(request, facts, values, moment)
                if not named:
                    seconds = facts.seconds_by_mode(settings, options, self._manager)
                    modes = gr.update(choices=film_facts.mode_labels(seconds, words))
        except EngineError as error:
            return [f'<p class="warn">{escape(words.said(error))}</p>', words("video_loop"), modes, named]
        told = escape(film_facts.expected_words(expected, words))
        label = words("video_loop_done")
        if done is None:
            label = words("video_loop_takes", time=rough_words(words, expected.loop_seconds))
        return [f"<p>{told}</p>", label, modes, named]

    def _result_of(
        self, request: gr.Request, facts: FilmFacts, values: dict[str, Any], moment: float
    ) -> VideoResult | None:
        """The film's result with these settings, where it is there and holds the loop."""
        wanted = FilmRequest.of_form(values)
        result = self.queue.done(self._visitors.of(request), facts.info.path, wanted)
        if result is None or not film_stage.covers(result, facts.around(moment), wanted.options.start or 0.0):
            return None
        return result

    @contextmanager
    def _facts(self, request: gr.Request, path: str | None, values: dict[str, Any]) -> Iterator[FilmFacts | None]:
        """What is known of the film, or of the pictures for as long as the block runs; None without any."""
        options = _looking(values)
        with self._source(request, path, values) as source:
            if source is None:
                yield None
            elif values["pictures"]:
                yield FilmFacts.of(Path(source), options, self._config)
            else:
                key = (source, options.deinterlace)
                known = Remembered.or_new(
                    self._visitors.noted(request, _FACTS),
                    key,
                    lambda: FilmFacts.of(Path(source), options, self._config),
                )
                self._visitors.note(request, _FACTS, known)
                yield known.facts

    @contextmanager
    def _source(self, request: gr.Request, path: str | None, values: dict[str, Any]) -> Iterator[str | None]:
        """The film, or a folder of the pictures that were dropped in, for as long as the block runs."""
        found = video_frames.dropped(path, values)
        if found is None or not found[1]:
            yield path
            return
        held = CachedUpload.keep(found[0], self._visitors.of(request).folder, pictures=found[1])
        try:
            yield str(held.path)
        finally:
            held.release()

    # -- before and after --------------------------------------------------------------------------------------------

    async def preview(
        self, request: gr.Request, path: str | None, moment: float, *given: Any
    ) -> AsyncIterator[list[Any]]:
        """One frame. It has a line and a button to cancel of its own, for a film may be running beside it."""

        def make(source: str, control: JobControl, words: Words) -> film_stage.Shown:
            settings, options = handlers.make_values(self._form.values(given))
            return handlers.preview_frame(
                source,
                moment,
                settings,
                options,
                enhance=self._enhance,
                manager=self._manager,
                folder=self._visitors.of(request).folder,
                config=self._config,
                control=control,
                words=words,
            )

        async for answer in self._put(request, path, given, make, "video_previewing"):
            yield answer

    async def loop(self, request: gr.Request, path: str | None, moment: float, *given: Any) -> AsyncIterator[list[Any]]:
        """Two seconds as films, before and after, in the same place as one frame."""
        values = self._form.values(given)

        def make(source: str, control: JobControl, words: Words) -> film_stage.Shown:
            wanted = FilmRequest.of_form(values)
            maker = film_stage.LoopMaker(
                wanted.settings, wanted.options, self.queue.enhance, self._visitors.of(request).folder, self._config
            )
            facts = FilmFacts(probe_source(Path(source), wanted.options, self._config), None)
            return maker.make(Path(source), moment, self._result_of(request, facts, values, moment), control, words)

        async for answer in self._put(request, path, given, make, "video_looping"):
            yield answer

    async def _put(
        self,
        request: gr.Request,
        path: str | None,
        given: tuple[Any, ...],
        make: Callable[[str, JobControl, Words], film_stage.Shown],
        doing: str,
    ) -> AsyncIterator[list[Any]]:
        """Make something and put it on the stage; ``doing``: key of what is said meanwhile."""
        words, values = words_for(request), self._form.values(given)
        try:
            dropped = video_frames.dropped(path, values)
            if dropped is None:
                yield [words("video_choose"), gr.skip(), HIDDEN]
                return
            handlers.make_values(values)  # what is wrong with them is said before anything waits

            def make_it(control: JobControl) -> film_stage.Shown:
                with self._source(request, path, values) as source:
                    return make(str(source), control, words)

            job = self._visitors.start(request, _PREVIEW, make_it, kind=JobKind.FRAME, name=dropped[0].name)
            yield [words(doing), gr.skip(), SHOWN]
            async for step in job.watch():
                if step.position:
                    yield [words("queue_waiting", position=step.position), gr.skip(), SHOWN]
                elif step.progress is not None and step.progress.total > 1 and doing == "video_looping":
                    yield [handlers.progress_words(words, step.progress), gr.skip(), SHOWN]
            shown = job.result()
        except EngineError as error:
            logger.info("Nothing to compare: %s", error)
            yield [handlers.sentence_of(error, words), gr.skip(), HIDDEN]
            return
        yield [shown.sentence, shown.view.to_json(), HIDDEN]

    def cancel_preview(self, request: gr.Request) -> None:
        self._visitors.cancel(request, _PREVIEW)

    # -- before there is anything ------------------------------------------------------------------------------------

    def sample(self, request: gr.Request) -> str:
        """A film that comes with the program. Raises ``gr.Error`` where it cannot be written."""
        try:
            return str(sample_clip(self._visitors.of(request).folder / "samples"))
        except EngineError as error:
            words = words_for(request)
            raise gr.Error(words.said(error), title=words("toast_trouble"), print_exception=False) from error

    def opened(self, request: gr.Request) -> list[Any]:
        """The page was opened: the stage in its language, and films of earlier runs of the program."""
        visitor, words = self._visitors.of(request), words_for(request)
        known = {film.result.output_path for film in self.queue.films(visitor).ended if film.result is not None}
        return [
            # A stage that was not shown yet forgets what it is not told again.
            gr.update(words=stage_words(words, NO_FILM), **TAKES),
            view.earlier_html([one for one in view.earlier_films(visitor.folder) if one not in known], words),
        ]


def _line(path: str | None, values: dict[str, Any], words: Words) -> list[Any]:
    """What is open: whether the line is shown, the name in it, and whether the rate is, which only pictures have."""
    pictures = [Path(one) for one in values["pictures"] or ()]
    if pictures:
        name = words("video_pictures_named", name=video_frames.shared_name(pictures), count=len(pictures))
        return [SHOWN, html.name_html(name), SHOWN]
    return [SHOWN, html.name_html(Path(path).name), HIDDEN] if path else [HIDDEN, "", HIDDEN]


def _looking(values: dict[str, Any]) -> VideoOptions:
    """How a film is read, whatever else the form says: half a time in it is no reason to show nothing."""
    pictures = bool(values["pictures"])
    return VideoOptions.create(
        rate=(values["rate"] or DEFAULT_RATE) if pictures else None,
        deinterlace="auto" if pictures else values["deinterlace"],
    )


__all__ = ["HIDDEN", "NO_FILM", "SHOWN", "TAKES", "StageEvents"]
