"""The Video tab's stage in a real browser: a frame, and two seconds before and after in step under one divider."""

from __future__ import annotations

import pytest

from tests import clips
from tests.ui.conftest import at_rest, open_tab
from tests.ui.running import CHROMIUM, SIZES
from tests.ui.test_accessibility import grave_faults
from tests.ui.test_browser_video import choose, upload

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


_NUMBERS = """() => ['film-before', 'film-after'].map(name => {
    const film = document.querySelector(`#video-stage .${name}`), [w, h] = [film.videoWidth, film.videoHeight];
    if (!w || film.seeking || film.readyState < 2) return null;
    const canvas = Object.assign(document.createElement('canvas'), {width: w, height: h});
    const drawn = canvas.getContext('2d');
    drawn.drawImage(film, 0, 0);
    let number = 0;
    for (let bit = 0; bit < 8; bit++) {
        const {data} = drawn.getImageData(Math.round((bit + 0.5) * w / 8), Math.round(h / 8), 1, 1);
        if (data[0] > 127) number += 2 ** bit;
    }
    return number;
})"""
"""The numbers that the frames on the stage show (see ``tests.clips``), of the film before and of the one after."""


@pytest.fixture
def tab(page, tmp_path):
    """The Video tab with a film of four seconds whose frames are numbered."""
    open_tab(page, "Video")
    upload(page, clips.make_clip(tmp_path / "film.mp4", frames=100))
    page.wait_for_selector("#video-facts:has-text('100 frames')")
    return page


def play(page) -> None:
    page.click("#video-loop")
    page.wait_for_selector("#video-preview-status:has-text('128 × 96 pixels')")
    page.wait_for_function(
        """() => [...document.querySelectorAll('#video-stage video')].every(one => one.readyState > 2 && one.videoWidth)"""
    )


def still(page, share: float, numbers: tuple[int, int] = (0, 255)) -> int:
    """Stop at a place of the two seconds; the number of the frame that both films then show, which must be one of
    ``numbers`` (first, last): a browser goes on showing the frame before for a moment."""
    page.locator("#video-stage .seek").evaluate(
        "(one, share) => { one.value = share; one.dispatchEvent(new Event('input', {bubbles: true})); }", share
    )
    page.wait_for_function(
        f"""([first, last]) => {{
            const [before, after] = ({_NUMBERS})();
            return before !== null && before === after && before >= first && before <= last;
        }}""",
        arg=numbers,
    )
    before, after = page.evaluate(_NUMBERS)
    assert before == after
    return before


def test_two_seconds_play_before_and_after_in_step(tab):
    choose(tab, "#video-model", "lanczos")
    play(tab)
    assert "From 0.3 s to 2.3 s" in tab.inner_text("#video-preview-status")
    tab.wait_for_function(
        """document.querySelector('#video-stage .film-after').currentTime > 0
            && [...document.querySelectorAll('#video-stage video')].every(one => one.muted && !one.paused)"""
    )
    first = still(tab, 0, (8, 9))  # about a second before the frame at a third
    for share in (0.31, 0.5, 0.77, 1):
        assert still(tab, share, (first + int(share * 50) - 1, first + int(share * 50) + 2)) > first
    pictures = tab.locator("#video-stage .film-before"), tab.locator("#video-stage .film-after")
    assert pictures[0].bounding_box() == pictures[1].bounding_box(), "each pixel over the same"
    tab.click("#video-stage .play")
    tab.wait_for_function("[...document.querySelectorAll('#video-stage video')].every(one => !one.paused)")
    at = tab.evaluate("document.querySelector('#video-stage .film-after').currentTime")
    tab.wait_for_function(
        "at => document.querySelector('#video-stage .film-after').currentTime < at", arg=at or 1.9
    )  # a round is over, and the next has begun
    tab.wait_for_function(
        """() => {
            const [before, after] = [...document.querySelectorAll('#video-stage video')].map(one => one.currentTime);
            return after > 0 && Math.abs(before - after) < 0.04;
        }"""
    )
    tab.locator("#video-stage .stage").press(" ")
    tab.wait_for_function("[...document.querySelectorAll('#video-stage video')].every(one => one.paused)")
    assert tab.get_attribute("#video-stage .play", "aria-label") == "Play"


def test_films_are_zoomed_moved_compared_and_shown_on_the_whole_screen_at_every_size(tab):
    choose(tab, "#video-model", "lanczos")
    play(tab)
    still(tab, 0.5)
    for width, height in SIZES:
        tab.set_viewport_size({"width": width, "height": height})
        at_rest(tab)
        tab.click("#video-stage .one")
        scene = tab.locator("#video-stage .scene").bounding_box()
        assert (round(scene["width"]), round(scene["height"])) == (128, 96), "a pixel is one of the screen"
        tab.click("#video-stage .fit")
        tab.locator("#video-stage .divider").press("Home")
        tab.wait_for_selector("#video-stage .divider[aria-valuenow='0']")
        tab.locator("#video-stage .divider").press("End")
        tab.wait_for_selector("#video-stage .divider[aria-valuenow='100']")
        tools = tab.locator("#video-stage .tools")
        box = tools.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        buttons = [one.bounding_box() for one in tools.locator("button:visible").all()]
        assert len(buttons) == 6 and len({round(one["y"] + one["height"] / 2) for one in buttons}) == 1, "one line"
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not grave_faults(tab, "Video with a loop, narrow")
    tab.click("#video-stage .full")
    tab.wait_for_function("document.fullscreenElement === document.querySelector('#video-stage .frame')")


def test_a_loop_is_cancelled_and_what_lay_on_the_stage_stays(tab, gate):
    choose(tab, "#video-model", "tiny-x4")
    tab.wait_for_selector("#video-stage img.before[src]")
    shown = tab.get_attribute("#video-stage img.before", "src")
    gate.close(after=1)
    tab.click("#video-loop")
    gate.wait_for_windows()
    tab.wait_for_selector("#video-preview-cancel", state="visible")
    tab.click("#video-preview-cancel")
    tab.wait_for_selector("#video-preview-status:has-text('Cancelled')")
    gate.open()
    assert tab.get_attribute("#video-stage img.before", "src") == shown
    assert tab.locator("#video-preview-cancel").is_hidden()


def test_once_the_film_is_done_two_seconds_of_it_need_no_network(tab, gate):
    choose(tab, "#video-model", "tiny-x4")
    tab.click("#video-start")
    tab.wait_for_selector("#video-status:has-text('100 frames, 128 × 96 pixels')")
    tab.wait_for_selector("#video-loop:has-text('Play two seconds of the result')")
    gate.close()
    play(tab)
    still(tab, 0.5, (21, 50))
    assert "with tiny-x4" in tab.inner_text("#video-preview-status")


def test_the_slider_shows_the_frame_before_anything_is_enhanced(tab):
    tab.wait_for_selector("#video-stage img.before[src]")
    shown = tab.get_attribute("#video-stage img.before", "src")
    tab.locator("#video-moment input[type=number]").fill("3")
    tab.wait_for_function(
        "shown => document.querySelector('#video-stage img.before').getAttribute('src') !== shown", arg=shown
    )
    tab.wait_for_selector("#video-stage .size:has-text('64 × 48')")
    assert tab.locator("#video-stage .divider").is_hidden(), "there is nothing to compare it with"
