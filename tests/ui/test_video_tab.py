"""What happens at each event of the Video tab: films wait for each other, and nobody loses one. Without a browser."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from engine.storage.output_names import reserved
from tests import waiting
from tests.ui.test_handlers_video import FORM
from ui.tabs import video_events, video_tab, watching
from ui.tabs.video_events import CHANGING, VideoEvents
from ui.tabs.video_form import film_form
from ui.visitors import COOKIE, Visitors
from utils.errors import WorkerLostError


def window(name: str = "w", browser: str = "browser"):
    """The request of an event in one window of a browser."""
    return SimpleNamespace(cookies={COOKIE: browser}, session_hash=name, headers={"accept-language": "en"})


@dataclass
class Films:
    """Stands in for the engine's process: every film waits at the gate, and tells what it was given."""

    gate: threading.Event = field(default_factory=threading.Event)
    given: list[tuple[bytes, str]] = field(default_factory=list)
    lost: bool = False

    def __call__(self, source, target, settings, options, *, config, control):
        self.given.append((Path(source).read_bytes(), Path(target).name))
        while not self.gate.wait(0.01):
            control.check()
        if self.lost:
            raise WorkerLostError("The process was lost.")
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).write_bytes(b"a film")
        return SimpleNamespace(output_path=Path(target), output_size=(8, 6), frames=3, complete=True)


@pytest.fixture
def films(monkeypatch) -> Films:
    made = Films()
    monkeypatch.setattr(video_events, "enhance_video_isolated", made)
    monkeypatch.setattr(video_events.handlers, "summary", lambda result, words: f"made {result.output_path.name}")
    monkeypatch.setattr(video_events.handlers, "player", lambda result, words: "player")
    yield made
    made.gate.set()


@pytest.fixture
def visitors(config) -> Visitors:
    return Visitors(config.output_dir)


@pytest.fixture
def new_tab(config, manager, films):
    """A function that makes the tab's handlers, as another start of the program would."""
    with gr.Blocks():
        form = film_form(manager)
    return lambda visitors: VideoEvents(config, manager, visitors, form, lambda *given, **how: None)


@pytest.fixture
def tab(new_tab, visitors):
    return new_tab(visitors)


@pytest.fixture
def uploads(tmp_path) -> list[Path]:
    """Three films: a.mp4, b.mp4, c.mp4."""
    paths = [tmp_path / "uploads" / f"{name}.mp4" for name in "abc"]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


@pytest.fixture
def upload(tmp_path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"pixels")
    return path


def shown(answer) -> dict:
    return dict(zip(CHANGING, answer, strict=True))


async def start(tab, request, path, **changed):
    form = {**FORM, **changed}
    return shown(await tab.start(request, path and str(path), *(form[name] for name in tab._form.names)))


def look(tab, request) -> dict:
    return shown(tab.look(request))


def kept(visitors, request) -> list[Path]:
    return sorted(path for path in visitors.of(request).folder.glob("video-input/*/*") if path.is_file())


async def until(condition) -> None:
    """As ``tests.waiting.until``, in an event loop."""
    await asyncio.to_thread(waiting.until, condition)


async def rest(answers) -> list:
    return [answer async for answer in answers]


async def last_look(tab, request) -> dict:
    """The tab when none of the browser's films runs or waits any more."""
    await until(lambda: not tab.queue.going(tab._visitors.of(request)))
    return look(tab, request)


def press(job: int, act: str):
    return SimpleNamespace(_data={"job": job, "act": act})


def rows(html: str) -> list[str]:
    return re.findall(r"[abc]\.mp4(?=</span>)", html)


def test_further_films_wait_are_shown_with_their_place_and_begin_by_themselves(tab, films, visitors, uploads):
    async def story():
        first = await start(tab, window(), uploads[0])
        await until(lambda: films.given)
        await start(tab, window(), uploads[1])
        third = await start(tab, window("other window"), uploads[2])
        assert len(films.given) == 1
        films.gate.set()
        return first, third, await last_look(tab, window())

    first, third, last = asyncio.run(story())
    assert first["cancel"]["visible"] and first["timer"]["active"] and not first["waiting"]
    assert rows(third["waiting"]) == ["b.mp4", "c.mp4"]
    assert "place 1" in third["waiting"] and "place 2" in third["waiting"] and "a\\.mp4" in third["status"]
    assert [name for _, name in films.given] == ["a_x2.mp4", "b_x2.mp4", "c_x2.mp4"]
    assert last["status"].endswith("made c_x2.mp4") and last["result"] == "player" and not last["cancel"]["visible"]
    assert rows(last["ended"]) == ["b.mp4", "a.mp4"] and last["ended"].count("download=") == 2, "none is lost"
    assert not kept(visitors, window())


def test_the_running_film_is_cancelled_and_the_next_begins(tab, films, visitors, uploads):
    async def story():
        await start(tab, window(), uploads[0])
        await start(tab, window(), uploads[1])
        await until(lambda: films.given)
        tab.cancel(window("other window"))
        await until(lambda: len(films.given) == 2)
        between = look(tab, window())
        films.gate.set()
        return between, await last_look(tab, window())

    between, last = asyncio.run(story())
    assert "Cancelled" in between["ended"] and rows(between["ended"]) == ["a.mp4"] and "b\\.mp4" in between["status"]
    assert last["status"].endswith("made b_x2.mp4")


def test_waiting_films_are_cancelled_and_put_in_another_order(tab, films, visitors, uploads):
    async def story():
        for path in uploads:
            await start(tab, window(), path)
        await until(lambda: films.given)
        numbers = {job.name: job.number for job in visitors.job_list.jobs()}
        moved = shown(await tab.act(window(), press(numbers["c.mp4"], "front")))
        cancelled = shown(await tab.act(window(), press(numbers["b.mp4"], "cancel")))
        wrong = await tab.act(window(), SimpleNamespace(_data={"job": "1; rm", "act": "explode"}))
        strange = shown(await tab.act(window("w", "somebody else"), press(numbers["c.mp4"], "cancel")))
        films.gate.set()
        return moved, cancelled, wrong, strange, await last_look(tab, window())

    moved, cancelled, wrong, strange, last = asyncio.run(story())
    assert rows(moved["waiting"]) == ["c.mp4", "b.mp4"]
    assert "b.mp4" not in cancelled["waiting"] or "stopping" in cancelled["waiting"]
    assert wrong == [gr.skip()] * len(CHANGING)
    assert "another person" in strange["status"]
    assert [name for _, name in films.given] == ["a_x2.mp4", "c_x2.mp4"]
    assert not kept(visitors, window())


def test_the_same_film_with_the_same_settings_is_taken_once(tab, films, visitors, upload):
    """Two clicks on the button, or two windows."""

    async def story():
        await start(tab, window(), upload)
        again = await start(tab, window("other window"), upload)
        await until(lambda: films.given)
        larger = await start(tab, window(), upload, scale=3)
        films.gate.set()
        return again, larger, await last_look(tab, window())

    again, larger, last = asyncio.run(story())
    assert "with these settings already" in again["status"] and again["timer"]["active"]
    assert rows_of(larger) == 1 and [name for _, name in films.given] == ["film_x2.mp4", "film_x3.mp4"]
    assert not kept(visitors, window())


def rows_of(state: dict) -> int:
    return state["waiting"].count("<tr>")


def test_a_refresh_finds_what_runs_and_waits_and_is_told_every_change(tab, films, visitors, uploads, monkeypatch):
    monkeypatch.setattr(watching, "_ALIVE", waiting.LONG)

    async def story():
        await start(tab, window("before"), uploads[0])
        await start(tab, window("before"), uploads[1])
        await until(lambda: films.given)
        visitors.end(window("before"))
        found = look(tab, window("after"))
        watch = tab.watch(window("after"))
        await anext(watch)
        second = await rest(tab.watch(window("after")))
        films.gate.set()
        return found, second, await rest(watch)

    found, second, told = asyncio.run(story())
    assert rows(found["waiting"]) == ["b.mp4"] and found["timer"]["active"]
    assert second == [[gr.skip()] * len(CHANGING)], "one watch a window"
    assert shown(told[-1])["status"].endswith("made b_x2.mp4") and not shown(told[-1])["timer"]["active"]


def test_a_film_that_waits_keeps_its_upload_and_gets_its_name_when_its_turn_comes(tab, films, visitors, upload):
    async def story():
        await start(tab, window("a", "somebody"), upload)
        await until(lambda: films.given)
        told = await start(tab, window(), upload)
        upload.unlink()  # Gradio removes uploads after a day
        (visitors.of(window()).folder / "film_x2.mp4").write_bytes(b"another result")
        films.gate.set()
        return told, await last_look(tab, window())

    told, last = asyncio.run(story())
    assert "place 1" in told["status"] and not told["waiting"]
    assert last["status"] == "made film_x2-2.mp4"
    assert films.given == [(b"pixels", "film_x2.mp4"), (b"pixels", "film_x2-2.mp4")]


def test_nobody_else_gets_the_name_of_a_film_that_is_being_made(tab, films, visitors, upload):
    """A picture of that name, say, whose result goes into the same folder."""

    async def story():
        told = await start(tab, window(), upload)
        await until(lambda: films.given)
        with reserved(visitors.of(window()).folder / "film_x2.mp4") as other:
            name = other.name
        films.gate.set()
        return name, told, await last_look(tab, window())

    name, _, last = asyncio.run(story())
    assert name == "film_x2-2.mp4" and last["status"] == "made film_x2.mp4"


def test_a_film_that_was_cancelled_before_its_turn_says_so_and_leaves_no_upload(tab, films, visitors, upload):
    async def story():
        await start(tab, window("a", "somebody"), upload)
        await until(lambda: films.given)
        await start(tab, window(), upload)
        was_there = kept(visitors, window())
        tab.cancel(window())
        return was_there, await last_look(tab, window())

    was_there, last = asyncio.run(story())
    assert len(was_there) == 1 and "nothing was written" in last["status"]
    assert not list((visitors.of(window()).folder / "video-input").iterdir())


@pytest.fixture
def killed_tab(new_tab, visitors, films, monkeypatch):
    """A tab whose films never get on, as those of a program that was killed, until the test is over."""
    stuck = Films()
    monkeypatch.setattr(video_events, "enhance_video_isolated", stuck)
    made = new_tab(visitors)
    monkeypatch.setattr(video_events, "enhance_video_isolated", films)
    yield made
    for film in made.queue.going(visitors.of(window())):
        film.job.cancel()


def killed(visitors, request) -> None:
    """As the end of the process would: locks are open, files are where they were."""
    for record in visitors.of(request).folder.glob("video-input/*.lock"):
        record.unlink()


def test_after_a_kill_what_ran_and_what_waited_is_offered_and_done(
    killed_tab, new_tab, films, visitors, uploads, config
):
    async def story():
        for path in uploads[:2]:
            await start(killed_tab, window(), path, scale=3)
        killed(visitors, window())
        fresh = Visitors(config.output_dir)
        after = new_tab(fresh)
        offered = look(after, window())
        other = look(after, window("w", "somebody else"))
        gone_on = shown(await after.go_on(window()))
        films.gate.set()
        return offered, other, gone_on, await last_look(after, window()), look(after, window())

    offered, other, gone_on, last, again = asyncio.run(story())
    assert offered["offer"]["visible"] and {"a.mp4", "b.mp4"} <= set(re.findall(r"\w+\.mp4", offered["offered"]))
    assert not other["offer"]["visible"], "nobody else's"
    assert not gone_on["offer"]["visible"] and rows(gone_on["waiting"]) == ["b.mp4"]
    assert not again["offer"]["visible"] and last["status"].endswith("made b_x3.mp4")


def test_what_is_offered_can_be_forgotten(killed_tab, new_tab, visitors, upload, config):
    async def story():
        await start(killed_tab, window(), upload)
        killed(visitors, window())
        after = new_tab(Visitors(config.output_dir))
        assert look(after, window())["offer"]["visible"]
        return shown(await after.forget(window()))

    assert not asyncio.run(story())["offer"]["visible"]
    assert not kept(visitors, window())


def test_a_film_whose_process_was_lost_is_offered_again(tab, films, visitors, upload):
    films.lost = True
    films.gate.set()

    async def story():
        await start(tab, window(), upload)
        lost = await last_look(tab, window())
        films.lost = False
        await tab.go_on(window())
        return lost, await last_look(tab, window())

    lost, last = asyncio.run(story())
    assert "process was lost" in lost["status"] and lost["offer"]["visible"]
    assert last["status"].endswith("made film_x2.mp4") and not last["offer"]["visible"]


def test_an_upload_that_is_gone_and_a_missing_one_get_a_sentence(tab, films, visitors, upload):
    upload.unlink()
    assert "Choose the file again" in asyncio.run(start(tab, window(), upload))["status"]
    assert "Choose a video first" in asyncio.run(start(tab, window(), None))["status"]
    assert not kept(visitors, window())


def test_a_preview_beside_a_film_leaves_the_films_line_and_buttons_alone(tab, films, visitors, upload):
    """Its answers go to its own line, stage and button; its button cancels it and not the film."""
    begun = threading.Event()

    def frame(*given, control, **how):
        begun.set()
        while True:
            control.check()

    async def story():
        await start(tab, window("a"), upload)
        await until(lambda: films.given)
        values = [FORM[name] for name in tab._form.names]
        looking = tab.preview(window("a"), str(upload), 0.0, *values)
        told = await anext(looking)
        await until(begun.is_set)
        tab.cancel_preview(window("a"))
        stopped = (await rest(looking))[-1]
        wrong = await rest(tab.preview(window("a"), None, 0.0, *values))
        films.gate.set()
        return told, stopped, wrong[-1], await last_look(tab, window("a"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video_events.handlers, "preview_frame", frame)
        begun_line, stopped, wrong, film = asyncio.run(story())
    assert len(begun_line) == len(stopped) == len(wrong) == 3 and begun_line[2]["visible"] and not stopped[2]["visible"]
    assert film["status"] == "made film_x2.mp4", "the film was not cancelled with it"


def test_the_previews_components_are_none_of_the_films(config, manager, visitors):
    with gr.Blocks() as blocks:
        video_tab.build(config, manager, visitors, blocks, lambda *given, **how: None)
    outputs = {fn.name: {part.elem_id for part in fn.outputs} for fn in blocks.fns.values()}
    assert outputs["preview"] == outputs["loop"] == {"video-preview-status", "video-stage", "video-preview-cancel"}
    assert outputs["start"] == outputs["look"] == outputs["watch"] and not outputs["preview"] & outputs["start"]
