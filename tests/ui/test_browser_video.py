"""The Video tab in a real browser: look at a frame, enhance, download, cancel in the middle, refresh, bad files."""

from __future__ import annotations

import re
import urllib.parse
from fractions import Fraction

import av
import pytest

from tests import clips
from tests.ui.conftest import at_rest, open_tab
from tests.ui.test_accessibility import grave_faults


@pytest.fixture
def tab(page):
    """The page with the Video tab open."""
    open_tab(page, "Video")
    page.wait_for_selector("#video-start")
    return page


def upload(page, path) -> None:
    page.set_input_files("#video-file input[type=file]", str(path))


def choose(page, where: str, name: str) -> None:
    box = page.locator(f"{where} input").first
    box.click()
    box.fill(name)
    page.get_by_role("option").filter(has_text=name).first.click()


def test_two_seconds_are_enhanced_and_the_download_is_the_saved_file(tab, app, tmp_path):
    source = clips.make_clip(tmp_path / "two seconds.mp4", frames=50)
    upload(tab, source)
    tab.wait_for_selector("#video-facts:has-text('64 × 48 pixels, H264, 25 frames a second, 2.0 s, 50 frames, sound')")
    choose(tab, "#video-model", "tiny-x4")
    tab.click("#video-start")
    tab.wait_for_selector("#video-status:has-text('50 frames, 128 × 96 pixels')", timeout=90_000)
    with tab.expect_download() as download:
        tab.click("#video-download")
    (saved,) = app.outputs.glob("session-*/two seconds_x2.mp4")
    assert download.value.suggested_filename == "two seconds_x2.mp4"
    assert download.value.path().read_bytes() == saved.read_bytes()

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
    tab.wait_for_selector("#video-progress:has-text('Frame ')", timeout=90_000)
    assert re.search(r"Frame \d+ of 200", tab.inner_text("#video-progress"))
    tab.wait_for_selector("#video-progress:has-text('a second, about')", timeout=60_000)
    tab.reload()
    open_tab(tab, "Video")
    tab.wait_for_selector("#video-progress:has-text('Frame ')", timeout=60_000)
    tab.click("#video-cancel")
    tab.wait_for_selector("#video-status:has-text('Cancelled')", timeout=60_000)
    (saved,) = app.outputs.glob("session-*/long_x2.mp4")
    part = clips.read_clip(saved)
    done = len(part.times)
    assert 0 < done <= 100 and part.times == [Fraction(number, 25) for number in range(done)]
    assert abs(float(part.audio[-1][0]) - done / 25) < 0.05
    gate.open()
    start()
    tab.wait_for_selector(f"#video-status:has-text('{done} frames were done in an earlier run')", timeout=120_000)
    assert len(clips.read_clip(saved.with_name("long_x2-2.mp4")).times) == 200


def test_one_frame_is_shown_before_and_after(tab, tmp_path):
    upload(tab, clips.make_clip(tmp_path / "film.mp4", frames=50))
    tab.wait_for_selector("#video-facts:has-text('50 frames')")
    choose(tab, "#video-model", "tiny-x4")
    tab.click("#video-preview")
    tab.wait_for_selector("#video-preview-status:has-text('128 × 96 pixels with tiny-x4')", timeout=90_000)
    tab.wait_for_selector("#video-slider img")
    tab.wait_for_function(  # each pixel of the one lies over the same of the other
        """() => {
            const [before, after] = [...document.querySelectorAll('#video-slider img')]
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
    tab.wait_for_selector("#video-status:has-text('Not enhanced')", timeout=60_000)


def test_wrong_times_are_named(tab, tmp_path):
    upload(tab, clips.make_clip(tmp_path / "film.mp4", frames=4))
    tab.wait_for_selector("#video-facts:has-text('4 frames')")
    tab.locator("#video-from input, #video-from textarea").first.fill("soon")
    tab.click("#video-start")
    tab.wait_for_selector("#video-status:has-text('not a time')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tab_with_a_preview_and_a_result_has_no_serious_accessibility_faults(browser, app, tmp_path, scheme):
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, color_scheme=scheme, locale="en-GB")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(app.address)
    page.wait_for_selector("#enhance")
    open_tab(page, "Video")
    upload(page, clips.make_clip(tmp_path / "film.mp4", frames=10))
    page.wait_for_selector("#video-facts:has-text('10 frames')")
    choose(page, "#video-model", "lanczos")
    page.click("#video-preview")
    page.wait_for_selector("#video-slider img", timeout=90_000)
    page.click("#video-start")
    page.wait_for_selector(".video-result video", timeout=90_000)
    page.get_by_role("button", name="Advanced").locator("visible=true").click()
    at_rest(page, 500)
    faults = grave_faults(page, f"Video, {scheme}")
    context.close()
    assert not faults, "\n".join(faults)
