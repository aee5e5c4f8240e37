"""What the Video tab puts on its stage and says of what is to come. Without a browser."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from engine.machine.estimates import Estimate
from engine.types import EnhanceSettings
from engine.video import VideoOptions, enhance_video
from tests import clips, waiting
from tests.ui.test_handlers_video import FORM
from ui.handlers import film_facts, films_view
from ui.handlers.film_facts import FilmFacts
from ui.samples import CLIP_RATE, CLIP_SECONDS, sample_clip, sample_folder
from ui.strings import words_in
from ui.tabs import video_events
from ui.tabs.video_events import VideoEvents
from ui.tabs.video_form import film_form
from ui.viewer import EMPTY
from ui.visitors import COOKIE, Visitors
from utils.video_files import probe_video

PLAIN = {**FORM, "model": "lanczos", "codec": "h264", "from": "", "smoothing": 0.0}
WINDOW = SimpleNamespace(cookies={COOKIE: "browser"}, session_hash="w", headers={"accept-language": "en"})


@pytest.fixture
def done() -> list[tuple[str, tuple[float | None, float | None]]]:
    """What was enhanced: each target's suffix, and the part."""
    return []


@pytest.fixture
def tab(config, manager, monkeypatch, done):
    def here(source, target, settings, options, *, config, control):
        done.append((Path(target).name.partition(".")[2], options.range))
        return enhance_video(source, target, settings, options, manager=manager, config=config, control=control)

    monkeypatch.setattr(video_events, "enhance_video_isolated", here)
    with gr.Blocks():
        form = film_form(manager)
    return VideoEvents(config, manager, Visitors(config.output_dir), form, lambda *given, **how: None)


@pytest.fixture
def film(tmp_path):
    return clips.make_clip(tmp_path / "film.mp4", frames=100)


def given(tab, **changed) -> list:
    values = {**PLAIN, **changed}
    return [values[name] for name in tab._form.names]


async def everything(answers) -> list:
    return [answer async for answer in answers]


def loop(tab, path, moment, **changed):
    return asyncio.run(everything(tab.loop(WINDOW, path and str(path), moment, *given(tab, **changed))))[-1]


def numbers(view, name: str) -> list[int]:
    return clips.read_clip(Path(view[name])).numbers


def test_a_film_that_is_dropped_in_lies_on_the_stage_at_once(tab, film):
    facts, moment, stage, bench, steps, seen, line, name, rate = tab.look_at(WINDOW, str(film), *given(tab))
    assert facts.startswith("64 × 48 pixels") and (moment["value"], moment["maximum"]) == (1.33, 4.0)
    assert stage["before"] and not stage["after"] and (stage["width"], stage["height"]) == (64, 48)
    assert bench["visible"] and not steps["visible"] and seen == ""
    assert line["visible"] and ">film.mp4<" in name and not rate["visible"]
    facts, _, stage, bench, steps, _, line, name, _ = tab.look_at(WINDOW, None, *given(tab))
    assert (facts, stage) == ("", EMPTY.to_json()) and not bench["visible"] and steps["visible"]
    assert not line["visible"] and name == ""


def test_what_is_no_film_leaves_the_way_to_begin(tab, tmp_path):
    (tmp_path / "bad.mp4").write_text("words")
    facts, _, stage, bench, steps, _, line, name, _ = tab.look_at(WINDOW, str(tmp_path / "bad.mp4"), *given(tab))
    assert line["visible"] and "bad.mp4" in name, "it can be taken away"
    assert "cannot be used" in facts and stage == EMPTY.to_json() and not bench["visible"] and steps["visible"]


def test_a_wrong_time_in_the_form_is_said_with_the_estimate_and_hides_no_film(tab, film):
    wrong = given(tab, **{"from": "soon"})
    assert tab.look_at(WINDOW, str(film), *wrong)[2]["before"]
    told, label, *_ = tab.count(WINDOW, str(film), 1.0, *wrong)
    assert "not a time" in told and label == "Two seconds, before and after"


def test_it_is_told_what_all_and_what_two_seconds_will_take(tab, film):
    told, label, *_ = tab.count(WINDOW, str(film), 1.0, *given(tab))
    assert "100 frames become 128 × 96, about" in told and label.startswith("Two seconds, before and after: about ")
    part, *_ = tab.count(WINDOW, str(film), 1.0, *given(tab, **{"from": "1", "to": "2"}))
    assert "25 frames become" in part
    assert tab.count(WINDOW, None, 0.0, *given(tab))[:2] == ["", "Two seconds, before and after"]
    rough, *_ = tab.count(WINDOW, str(film), 1.0, *given(tab, model="rrdb-x4"))
    assert "100 frames" in rough


@pytest.mark.parametrize(("network", "each"), [(0.3, 0.3), (0.05, 0.12)], ids=["the network", "encoding"])
def test_a_frame_takes_as_long_as_the_slower_of_network_and_encoder(film, monkeypatch, network, each):
    monkeypatch.setattr(film_facts, "estimate", lambda *of: Estimate(9.0, 900, True, network, 0.12))
    monkeypatch.setattr(FilmFacts, "model", lambda *of: "tiny-x4")
    facts = FilmFacts(probe_video(film), None)
    expected = facts.expected(EnhanceSettings.create(scale=2), VideoOptions.create(), None, 1.0)
    assert expected.frames == 100 and expected.seconds == pytest.approx(4.0 + 100 * each)


def qualities(tab, path, **changed) -> tuple[dict[str, str], str]:
    """Value -> label of every quality, and what is told in their place."""
    *_, modes, named = tab.count(WINDOW, path and str(path), 1.0, *given(tab, **changed))
    return {value: label for label, value in modes["choices"]}, named


def test_every_quality_tells_its_time_for_this_film(tab, film):
    whole, named = qualities(tab, film, model="auto")
    assert [label.partition(" · ")[0] for label in whole.values()] == ["Quick", "Best", "True to the original"]
    assert all(re.fullmatch(r".+ · [\d.]+ (s|min|h|days).*", label) for label in whole.values()) and not named
    part, _ = qualities(tab, film, model="auto", **{"from": "1", "to": "2"})
    assert part["best"] != whole["best"], "of the part that was chosen"
    assert list(qualities(tab, None, model="auto")[0].values()) == ["Quick", "Best", "True to the original"]


def test_a_model_by_name_stands_in_the_place_of_the_qualities_with_the_way_back(tab, film):
    for path in (film, None):
        _, named = qualities(tab, path, model="tiny-x4")
        assert "#video-mode, " in named and "tiny-x4 is used" in named and 'data-back="model"' in named


@pytest.mark.parametrize(
    ("moment", "part"), [(0.2, (0.0, 2.0)), (2.0, (1.0, 3.0)), (3.9, (2.0, 4.0)), (9.0, (2.0, 4.0))]
)
def test_two_seconds_lie_around_the_frame_and_inside_the_film(film, moment, part):
    assert FilmFacts(probe_video(film), None).around(moment) == pytest.approx(part)


def test_a_film_shorter_than_two_seconds_is_all_of_it(tmp_path):
    short = FilmFacts(probe_video(clips.make_clip(tmp_path / "short.mp4", frames=20)), None)
    assert short.around(0.5) == pytest.approx((0.0, 0.8))


def test_both_films_of_a_loop_hold_the_same_frames(tab, film, done):
    sentence, view, stop = loop(tab, film, 2.0)
    assert numbers(view, "before") == numbers(view, "after") == list(range(25, 75))
    assert view["frame_seconds"] == pytest.approx(1 / 25) and (view["width"], view["input_width"]) == (128, 64)
    assert sentence == "From 1.0 s to 3.0 s: 128 × 96 pixels with lanczos." and not stop["visible"]
    assert done == [("whole.mp4", (1.0, 3.0))] and not list(Path(view["after"]).parent.glob("*.whole.mp4"))


def test_numbered_pictures_make_a_loop_too(tab, tmp_path):
    from PIL import Image

    paths = [tmp_path / f"{number:03d}.png" for number in range(12)]
    for number, path in enumerate(paths):
        Image.fromarray(clips.numbered_frame(number)).save(path)
    pictures = {"pictures": [str(path) for path in paths], "rate": 12}
    facts, _, stage, *_, line, name, rate = tab.look_at(WINDOW, None, *given(tab, **pictures))
    assert "12 frames" in facts and stage["before"]
    assert line["visible"] and "frames: 12 pictures" in name and rate["visible"]
    _, view, _ = loop(tab, None, 0.5, **pictures)
    assert numbers(view, "before") == numbers(view, "after") == list(range(12))
    assert view["frame_seconds"] == pytest.approx(1 / 12)


def finished(tab, path, **changed) -> None:
    asyncio.run(tab.start(WINDOW, str(path), *given(tab, **changed)))
    waiting.until(lambda: not tab.queue.going(tab._visitors.of(WINDOW)))


def test_of_a_finished_film_the_result_itself_is_played(tab, film, done):
    finished(tab, film, **{"from": "1"})
    count = len(done)
    changed = {"from": "1"}
    assert tab.count(WINDOW, str(film), 2.5, *given(tab, **changed))[1] == "Play two seconds of the result"
    _, view, _ = loop(tab, film, 2.5, **changed)
    assert numbers(view, "before") == numbers(view, "after") == list(range(38, 88))
    assert len(done) == count, "nothing was enhanced again"
    for other in ({"from": "1", "scale": 3}, {"from": "0.5"}):
        loop(tab, film, 2.5, **other)
    loop(tab, film, 1.2, **changed)  # begins before the result does
    assert len(done) == count + 3


def test_a_loop_that_is_cancelled_leaves_no_files_and_says_so(tab, film, monkeypatch):
    def cancelled(*ways, config, control):
        tab.cancel_preview(WINDOW)
        return enhance_video(*ways, manager=tab._manager, config=config, control=control)

    tab.queue.enhance = cancelled
    told, stage, stop = loop(tab, film, 2.0)
    assert "Cancelled" in told and stage == gr.skip() and not stop["visible"]
    folder = tab._visitors.of(WINDOW).folder / "previews"
    assert not list(folder.glob("*.mp4"))


def test_the_sample_film_is_copied_once_and_moves(tmp_path):
    path = sample_clip(tmp_path)
    info, changed = probe_video(path), path.stat().st_mtime_ns
    assert (info.width, info.height, info.frames) == (240, 160, CLIP_RATE * CLIP_SECONDS)
    pixels = clips.read_clip(path).pixels
    assert abs(pixels[0].astype(int) - pixels[-1]).mean() > 4
    assert sample_clip(tmp_path).stat().st_mtime_ns == changed
    assert [one.suffix for one in sample_folder(tmp_path)] == [".jpg", ".jpg", ".jpg"]


def test_results_of_before_are_offered_the_newest_first_and_escaped(tmp_path):
    import os

    for age, name in enumerate(("new.mp4", "old & 'odd' <b>.mkv", "note.txt", ".hidden.mp4")):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    found = films_view.earlier_films(tmp_path)
    assert [path.name for path in found] == ["new.mp4", "old & 'odd' <b>.mkv"]
    html = films_view.earlier_html(found, words_in("de"))
    assert "Letzte Ergebnisse" in html and "&lt;b&gt;" in html and "<b>" not in html
    assert films_view.earlier_html([], words_in("de")) == ""


def test_the_facts_of_a_film_are_found_out_once(tab, film, monkeypatch):
    looked = []
    original = FilmFacts.of.__func__
    monkeypatch.setattr(FilmFacts, "of", classmethod(lambda cls, *ways: looked.append(ways[0]) or original(cls, *ways)))
    for moment in (1.0, 2.0):
        tab.count(WINDOW, str(film), moment, *given(tab))
        tab.scrub(WINDOW, str(film), moment, *given(tab))
    assert len(looked) == 1
    tab.scrub(WINDOW, str(film), 1.0, *given(tab, deinterlace="on"))
    assert len(looked) == 2
