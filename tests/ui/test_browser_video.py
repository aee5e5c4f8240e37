"""The Video tab in a real browser: look at a frame, enhance, download, cancel in the middle, refresh, bad files."""

from __future__ import annotations

import re
import shutil
import urllib.parse
from fractions import Fraction

import av
import psutil
import pytest

from tests import clips
from tests.gate import Gate
from tests.ui.conftest import at_rest, open_tab
from tests.ui.running import person, restored, running_app, unfold
from tests.ui.test_accessibility import grave_faults
from utils import image_io
from utils.picture import Picture
from utils.writers import SaveOptions


@pytest.fixture
def tab(page):
    """The page with the Video tab open."""
    open_tab(page, "Video")
    page.wait_for_selector("#video-start")
    return page


def upload(page, path) -> None:
    page.set_input_files("#video-file input[type=file]", str(path))


def choose(page, where: str, name: str) -> None:
    """Choose in a list that lies under Fine tuning."""
    box = page.locator(f"{where} input").first
    if not box.is_visible():
        unfold(page.locator("#video-fine button.label-wrap"))
    box.click()
    box.fill(name)
    page.get_by_role("option").filter(has_text=name).first.click()


def downloaded(page, app, name: str):
    """The saved film of that name, which is what the download brings."""
    with page.expect_download() as download:
        page.click("#video-download")
    (saved,) = app.outputs.glob(f"session-*/{name}")
    assert download.value.suggested_filename == name
    assert download.value.path().read_bytes() == saved.read_bytes()
    return saved


def test_two_seconds_are_enhanced_and_the_download_is_the_saved_file(tab, app, tmp_path):
    source = clips.make_clip(tmp_path / "two seconds.mp4", frames=50)
    upload(tab, source)
    tab.wait_for_selector("#video-facts:has-text('64 × 48 pixels, H264, 25 frames a second, 2.0 s, 50 frames, sound')")
    choose(tab, "#video-model", "tiny-x4")
    tab.click("#video-start")
    tab.wait_for_selector("#video-status:has-text('50 frames, 128 × 96 pixels')")
    saved = downloaded(tab, app, "two seconds_x2.mp4")
    before, after = clips.read_clip(source), clips.read_clip(saved)
    assert after.size == (128, 96) and after.numbers == list(range(50))
    assert after.times == before.times and after.audio == before.audio
    with av.open(str(saved)) as file:
        assert file.streams.video[0].frames == 50
    address = tab.get_attribute(".video-result video", "src")
    assert urllib.parse.unquote(address).endswith(str(saved))
    tab.reload()
    open_tab(tab, "Video")
    tab.wait_for_selector("#video-status:has-text('50 frames')")


@pytest.mark.timeout(600)
def test_a_refresh_finds_the_job_and_cancel_keeps_a_file_that_plays_and_starting_again_goes_on(
    tab, app, tmp_path, gate
):
    source = clips.make_clip(tmp_path / "long.mp4", frames=200, size=(160, 120))

    def start() -> None:
        upload(tab, source)
        tab.wait_for_selector("#video-facts:has-text('200 frames')")
        choose(tab, "#video-model", "tiny-x4")
        tab.click("#video-start")

    gate.close(after=100)
    start()
    gate.wait_for_windows()
    tab.wait_for_selector("#video-progress:has-text('Frame ')")
    assert re.search(r"Frame \d+ of 200", tab.inner_text("#video-progress"))
    tab.wait_for_selector("#video-progress:has-text('a second, about')")
    tab.reload()
    open_tab(tab, "Video")
    tab.wait_for_selector("#video-progress:has-text('Frame ')")
    tab.click("#video-cancel")
    tab.wait_for_selector("#video-status:has-text('Cancelled')")
    (saved,) = app.outputs.glob("session-*/long_x2.mp4")
    part = clips.read_clip(saved)
    done = len(part.times)
    assert 0 < done <= 100 and part.times == [Fraction(number, 25) for number in range(done)]
    assert abs(float(part.audio[-1][0]) - done / 25) < 0.05
    gate.open()
    start()
    tab.wait_for_selector(f"#video-status:has-text('{done} frames were done in an earlier run')")
    assert len(clips.read_clip(saved.with_name("long_x2-2.mp4")).times) == 200


def test_one_frame_is_shown_before_and_after(tab, tmp_path):
    upload(tab, clips.make_clip(tmp_path / "film.mp4", frames=50))
    tab.wait_for_selector("#video-facts:has-text('50 frames')")
    choose(tab, "#video-model", "tiny-x4")
    tab.click("#video-preview")
    tab.wait_for_selector("#video-preview-status:has-text('128 × 96 pixels with tiny-x4')")
    tab.wait_for_selector("#video-stage img.after[src]")
    tab.wait_for_function(  # each pixel of the one lies over the same of the other
        """() => {
            const [before, after] = ['before', 'after'].map(name => document.querySelector(`#video-stage img.${name}`))
                .map(one => JSON.stringify(one.getBoundingClientRect()));
            return after && before === after;
        }"""
    )
    assert "(50 frames) will take about" in tab.inner_text("#video-preview-status")


def test_a_file_that_is_no_video_gets_a_sentence(tab, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("this is no film")
    upload(tab, bad)
    tab.wait_for_selector("#video-facts:has-text('cannot be used')")
    tab.click("#video-start")
    tab.wait_for_selector("#video-status:has-text('Not enhanced')")


def test_wrong_times_are_named(tab, tmp_path):
    upload(tab, clips.make_clip(tmp_path / "film.mp4", frames=4))
    tab.wait_for_selector("#video-facts:has-text('4 frames')")
    tab.locator("#video-from input, #video-from textarea").first.fill("soon")
    tab.click("#video-start")
    tab.wait_for_selector("#video-status:has-text('not a time')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tab_with_a_preview_and_a_result_has_no_serious_accessibility_faults(browser, app, tmp_path, scheme):
    context = person(browser, viewport={"width": 1280, "height": 1000}, color_scheme=scheme, locale="en-GB")
    page = context.new_page()
    page.goto(app.address)
    restored(page)
    open_tab(page, "Video")
    upload(page, clips.make_clip(tmp_path / "film.mp4", frames=10))
    page.wait_for_selector("#video-facts:has-text('10 frames')")
    choose(page, "#video-model", "lanczos")
    page.click("#video-preview")
    page.wait_for_selector("#video-stage img.after[src]")
    page.click("#video-start")
    page.wait_for_selector(".video-result video")
    unfold(page.locator("#video-output button.label-wrap"))
    at_rest(page, 500)
    faults = grave_faults(page, f"Video, {scheme}")
    context.close()
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(600)
def test_numbered_pictures_become_a_film_and_frames_of_it_an_archive(tab, app, tmp_path):
    """Chosen all at once, in whatever order; the rate is theirs."""
    for number in range(6):
        image_io.save(
            Picture(clips.numbered_frame(number)), tmp_path / f"shot_{number + 7:03d}.png", SaveOptions("png")
        )
    paths = sorted(tmp_path.glob("shot_*.png"), reverse=True)
    with tab.expect_file_chooser() as chooser:
        tab.get_by_role("button", name="Choose numbered pictures").click()
    chooser.value.set_files([str(path) for path in paths])
    tab.wait_for_selector("#video-name:has-text('shot: 6 pictures')")
    tab.wait_for_selector("#video-facts:has-text('64 × 48 pixels')")
    tab.locator("#video-rate input").fill("10")
    tab.locator("#video-rate input").press("Tab")
    tab.wait_for_selector("#video-facts:has-text('10 frames a second')")
    tab.wait_for_selector("#video-facts:has-text('6 frames')")
    choose(tab, "#video-model", "tiny-x4")
    tab.click("#video-start")
    tab.wait_for_selector("#video-status:has-text('6 frames, 128 × 96 pixels')")
    saved = downloaded(tab, app, "shot_x2.mp4")
    made = clips.read_clip(saved)
    assert made.numbers == list(range(6)) and made.times == [Fraction(number, 10) for number in range(6)]
    assert made.size == (128, 96) and not made.audio


def drop(page, path) -> None:
    """Choose a film instead of the one that was chosen before."""
    another = page.locator("#video-line input[type=file]")
    if page.locator("#video-line").is_visible():
        another.set_input_files(str(path))
    else:
        upload(page, path)
    page.wait_for_selector(f"#video-name:has-text('{path.name}')")
    page.wait_for_selector("#video-facts:has-text('frames')")


def queue(page, films) -> None:
    """Start films one after the other, while a gate holds the first."""
    for film in films:
        drop(page, film)
        page.click("#video-start")
        page.wait_for_selector("#video-cancel", state="visible")
        if film != films[0]:
            page.wait_for_selector(f"#video-waiting tr:has-text('{film.name}')")


@pytest.mark.timeout(600)
def test_further_films_wait_and_the_list_of_all_jobs_shows_them_and_lets_one_go_first(
    tab, app, browser, tmp_path, gate
):
    names = ("one", "two", "three")
    films = [clips.make_clip(tmp_path / f"{name}.mp4", frames=8) for name in names]
    choose(tab, "#video-model", "tiny-x4")
    gate.close(after=2)
    queue(tab, films)
    tab.wait_for_selector(".video-name:has-text('one.mp4')")
    gate.wait_for_windows()

    context = person(browser, locale="de-DE")
    other = context.new_page()
    other.goto(app.address)
    restored(other)
    open_tab(other, "System")
    other.wait_for_selector("#system-jobs tr:has-text('wartet, Platz 2')")
    listed = other.inner_text("#system-jobs")
    assert listed.count("eine andere Person") == 3 and not any(f"{name}.mp4" in listed for name in names)
    context.close()

    open_tab(tab, "System Info")
    row = tab.locator("#system-jobs tr:has-text('three.mp4')")
    row.locator("[data-act=up]").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#system-jobs tr:has-text('three.mp4') :text('place 1')")
    tab.locator("#system-jobs tr:has-text('two.mp4') [data-act=cancel]").click()
    tab.wait_for_function("!document.querySelector('#system-jobs').innerText.includes('two.mp4')")
    assert not grave_faults(tab, "System Info with jobs")
    open_tab(tab, "Video")
    gate.open()
    tab.wait_for_selector("#video-status:has-text('8 frames, 128 × 96 pixels')")
    tab.wait_for_selector("#video-status:has-text('three.mp4')")
    assert tab.locator("#video-ended tr").count() == 2
    assert not grave_faults(tab, "Video with earlier films")
    made = {path.name for path in app.outputs.glob("session-*/*_x2.mp4")}
    assert {"one_x2.mp4", "three_x2.mp4"} <= made and "two_x2.mp4" not in made


@pytest.mark.timeout(600)
def test_after_the_program_was_killed_its_films_are_offered_and_done(browser, weights, tmp_path):
    shutil.copytree(weights, tmp_path / "weights")
    films = [clips.make_clip(tmp_path / f"{name}.mp4", frames=8) for name in ("ran", "waited")]
    context = person(browser, locale="en-GB")
    page = context.new_page()
    gate = Gate(tmp_path / "gate")

    def opened(app) -> None:
        page.goto(app.address)
        restored(page)
        open_tab(page, "Video")

    gate.close()
    with running_app(tmp_path, gate, optimize="false") as app:
        opened(app)
        choose(page, "#video-model", "tiny-x4")
        queue(page, films)
        gate.wait_for_windows()
        server = listener(app)
        kill_all([server, *server.children(recursive=True)])
    gate.open()
    with running_app(tmp_path, gate, optimize="false") as app:
        opened(app)
        page.wait_for_selector("#video-offer:has-text('ran.mp4, waited.mp4')")
        page.click("#video-go-on")
        page.wait_for_selector("#video-status:has-text('waited.mp4')")
        page.wait_for_selector("#video-ended:has-text('ran.mp4')")
        page.wait_for_selector("#video-status:has-text('8 frames')")
        page.reload()
        open_tab(page, "Video")
        page.wait_for_selector("#video-status:has-text('8 frames')")
        assert page.locator("#video-offer").is_hidden() or not page.locator("#video-offer").count()
        assert len(list(app.outputs.glob("session-*/*_x2.mp4"))) == 2
        assert not list(app.outputs.glob("session-*/video-input/*"))
    context.close()


def listener(app) -> psutil.Process:
    """The program's process, which listens at its address."""
    port = int(app.address.rpartition(":")[2])
    return next(
        process
        for process in psutil.Process().children(recursive=True)
        if any(one.laddr and one.laddr.port == port and one.status == "LISTEN" for one in process.net_connections())
    )


def kill_all(processes) -> None:
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, 60)
