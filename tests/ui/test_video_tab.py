"""What happens at each event of the Video tab: one film a person at a time, and nobody loses one. Without a browser."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from tests import waiting
from tests.ui.test_handlers_video import FORM
from ui.sessions import COOKIE, Sessions
from ui.tabs import video_tab
from utils.errors import JobCancelled


def window(name: str, browser: str = "browser"):
    """The request of an event in one window of a browser."""
    return SimpleNamespace(cookies={COOKIE: browser}, session_hash=name, headers={"accept-language": "en"})


@dataclass
class Films:
    """Stands in for the engine's process: every film waits at the gate, and tells what it was given."""

    gate: threading.Event = field(default_factory=threading.Event)
    given: list[tuple[bytes, str]] = field(default_factory=list)

    def __call__(self, source, target, settings, options, *, config, control):
        self.given.append((Path(source).read_bytes(), Path(target).name))
        while not self.gate.wait(0.01):
            control.check()
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).write_bytes(b"a film")
        return SimpleNamespace(output_path=Path(target))


@pytest.fixture
def films(monkeypatch) -> Films:
    made = Films()
    monkeypatch.setattr(video_tab, "enhance_video_isolated", made)
    monkeypatch.setattr(video_tab.work, "summary", lambda result, words: f"made {result.output_path.name}")
    monkeypatch.setattr(video_tab.work, "player", lambda result, words: "player")
    yield made
    made.gate.set()


@pytest.fixture
def sessions(config) -> Sessions:
    return Sessions(config.output_dir)


@pytest.fixture
def tab(config, manager, sessions):
    with gr.Blocks():
        form = video_tab._form(manager)
    return video_tab._Handlers(config, manager, sessions, form, lambda *given, **how: None)


@pytest.fixture
def upload(tmp_path) -> Path:
    path = tmp_path / "uploads" / "film.mp4"
    path.parent.mkdir()
    path.write_bytes(b"pixels")
    return path


def start(tab, request, path):
    return tab.run(request, path and str(path), *(FORM[name] for name in tab._form.names))


def kept(sessions, request) -> list[Path]:
    return [path for path in sessions.of(request).folder.glob("video-input/*/*") if path.is_file()]


async def until(condition) -> None:
    """As ``tests.waiting.until``, in an event loop."""
    await asyncio.to_thread(waiting.until, condition)


async def rest(answers) -> list:
    return [answer async for answer in answers]


def test_a_second_start_after_a_refresh_watches_the_film_that_runs_and_cancels_nothing(tab, films, sessions, upload):
    async def story():
        running = start(tab, window("before"), upload)
        first = await anext(running)
        await until(lambda: films.given)
        await running.aclose()
        sessions.end(window("before"))
        shown = await anext(tab.resume(window("after")))
        again = start(tab, window("after"), upload)
        refused = await anext(again)
        films.gate.set()
        return first, shown, refused, (await rest(again))[-1]

    first, shown, refused, last = asyncio.run(story())
    assert [answer[4]["interactive"] for answer in (first, shown, refused)] == [False] * 3, "Start is off while it runs"
    assert "already" in refused[1] and refused[3]["visible"], "it says so, and offers to cancel"
    assert last[1] == "made film_x2.mp4" and last[4]["interactive"] and not last[3]["visible"]
    assert len(films.given) == 1


def test_another_tab_of_the_browser_finds_the_film_too_and_can_cancel_it(tab, films, sessions, upload):
    async def story():
        one = start(tab, window("one"), upload)
        await anext(one)
        await until(lambda: films.given)
        other = start(tab, window("other"), upload)
        refused = await anext(other)
        tab.cancel(window("other"))
        return refused, (await rest(one))[-1], (await rest(other))[-1]

    refused, *ends = asyncio.run(story())
    assert "already" in refused[1]
    assert all("nothing was written" in end[1] and end[4]["interactive"] for end in ends)
    assert len(films.given) == 1 and not kept(sessions, window("one"))


def test_two_clicks_at_the_same_moment_are_one_film(tab, films, sessions, upload):
    """Both windows looked before either had begun."""
    path, values = Path(upload), {name: FORM[name] for name in tab._form.names}
    job = tab._begin(window("one"), path, values)
    with pytest.raises(video_tab.EngineError, match="already"):
        tab._begin(window("other"), path, values)
    films.gate.set()
    job.result()
    assert not kept(sessions, window("one"))


async def one_behind_the_other(tab, films, upload):
    """The answers to two people: the first one's film runs, the second's waits in line."""
    ahead = start(tab, window("a", "somebody"), upload)
    await anext(ahead)
    await until(lambda: films.given)
    waiting = start(tab, window("b"), upload)
    await anext(waiting)
    return ahead, waiting


def test_a_film_that_waits_keeps_its_upload_and_gets_its_name_when_its_turn_comes(tab, films, sessions, upload):
    async def story():
        ahead, waiting = await one_behind_the_other(tab, films, upload)
        told = await anext(waiting)
        upload.unlink()  # Gradio removes uploads after a day
        folder = sessions.of(window("b")).folder
        (folder / "film_x2.mp4").write_bytes(b"another result")
        films.gate.set()
        await rest(ahead)
        return told, (await rest(waiting))[-1], folder

    told, last, folder = asyncio.run(story())
    assert "place 1" in told[1]
    assert last[1] == "made film_x2-2.mp4" and (folder / "film_x2.mp4").read_bytes() == b"another result"
    assert films.given == [(b"pixels", "film_x2.mp4"), (b"pixels", "film_x2-2.mp4")]
    assert not kept(sessions, window("b"))


def test_a_film_that_was_cancelled_before_its_turn_leaves_no_upload_behind(tab, films, sessions, upload):
    async def story():
        ahead, waiting = await one_behind_the_other(tab, films, upload)
        was_there = kept(sessions, window("b"))
        tab.cancel(window("b"))
        last = (await rest(waiting))[-1]
        films.gate.set()
        await rest(ahead)
        return was_there, last

    was_there, last = asyncio.run(story())
    assert len(was_there) == 1 and "nothing was written" in last[1]
    assert not kept(sessions, window("b")) and not list(sessions.of(window("b")).folder.glob("video-input/*"))


def test_an_upload_that_is_gone_and_a_missing_one_get_a_sentence(tab, films, sessions, upload):
    upload.unlink()
    gone = asyncio.run(rest(start(tab, window("a"), upload)))
    assert "Choose the file again" in gone[-1][1] and gone[-1][4]["interactive"]
    none = asyncio.run(rest(start(tab, window("a"), None)))
    assert "Choose a video first" in none[-1][1]
    assert not kept(sessions, window("a"))


def test_a_preview_beside_a_film_leaves_the_films_line_and_buttons_alone(tab, films, sessions, upload):
    """Its answers go to its own line, slider and button; its button cancels it and not the film."""
    begun = threading.Event()

    def frame(*given, control, **how):
        begun.set()
        while True:
            control.check()

    async def story():
        film = start(tab, window("a"), upload)
        await anext(film)
        await until(lambda: films.given)
        values = [FORM[name] for name in tab._form.names]
        looking = tab.preview(window("a"), str(upload), 0.0, *values)
        shown = await anext(looking)
        await until(begun.is_set)
        tab.cancel_preview(window("a"))
        stopped = (await rest(looking))[-1]
        wrong = await rest(tab.preview(window("a"), None, 0.0, *values))
        films.gate.set()
        return shown, stopped, wrong[-1], (await rest(film))[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video_tab.work, "preview_frame", frame)
        shown, stopped, wrong, film = asyncio.run(story())
    assert len(shown) == len(stopped) == len(wrong) == 3 and shown[2]["visible"] and not stopped[2]["visible"]
    assert film[1] == "made film_x2.mp4", "the film was not cancelled with it"


def test_the_previews_components_are_none_of_the_films(config, manager, sessions):
    with gr.Blocks() as blocks:
        video_tab.build(config, manager, sessions, blocks, lambda *given, **how: None)
    outputs = {fn.name: {part.elem_id for part in fn.outputs} for fn in blocks.fns.values()}
    assert outputs["preview"] == {"video-preview-status", "video-slider", "video-preview-cancel"}
    assert outputs["run"] == outputs["resume"] and not outputs["preview"] & outputs["run"]
    assert "video-start" in outputs["run"]


def test_a_job_that_is_cancelled_ends_as_cancelled(tab, films, upload):
    """The stand-in behaves as the engine does."""
    job = tab._begin(window("a"), upload, {name: FORM[name] for name in tab._form.names})
    job.cancel()
    with pytest.raises(JobCancelled):
        job.result()
