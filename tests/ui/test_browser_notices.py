"""The page's title says how far a job is and that it is done; a notification does so to whoever looks elsewhere."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from tests import clips
from tests.ui.conftest import open_tab
from tests.ui.running import person, restored, settled
from tests.ui.test_browser_video import choose, queue

TITLE = "Real-ESRGAN Ultimate"
ELSEWHERE = """
window.shown = [];
window.asked = 0;
const Real = window.Notification;
window.Notification = class extends Real {
  constructor(title, options) { super(title, options); window.shown.push([title, options.body]); }
  static requestPermission() { window.asked += 1; return Real.requestPermission(); }
};
document.hasFocus = () => !window.elsewhere;
"""
# A script's click; it goes no further than to who asks, so that nothing begins by it.
CLICKED_BY_A_SCRIPT = """() => {
  document.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
  document.querySelector("#enhance").click();
}"""
# The server draws the estimate anew whenever it likes: it is made long at each click, before the page hears of it.
EVERY_PICTURE_TAKES = """seconds => window.addEventListener("click", () => {
  for (const estimate of document.querySelectorAll("#estimate [data-seconds]")) estimate.dataset.seconds = seconds;
}, true)"""


@pytest.fixture
def visit(browser, app):
    """Opens the page for somebody whose browser allows notifications, or not."""
    contexts = []

    def open_page(*, allowed, locale="en-GB"):
        context = person(browser, viewport={"width": 1280, "height": 1000}, locale=locale)
        contexts.append(context)
        if allowed:
            context.grant_permissions(["notifications"], origin=app.address)
        context.add_init_script(ELSEWHERE)
        page = context.new_page()
        page.goto(app.address)
        restored(page)
        page.locator("#notices .bell", has_text=" ").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def photo(request, tmp_path, scene):
    """A picture of the test's own: one that was enhanced before is taken from the history, past the gate."""
    Image.fromarray(np.roll(scene, crc32(request.node.name.encode()) % 89 + 1, axis=0)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def enhance(page, photo):
    """Begin with the picture, as a person does."""
    page.set_input_files("#picture input[type=file]", str(photo))
    page.locator("#facts .lead").wait_for()
    page.locator("#estimate [data-seconds]").wait_for()
    page.locator("#plan p").first.wait_for()
    settled(page)
    page.click("#enhance")


def title(page, wanted):
    page.wait_for_function("wanted => document.title.includes(wanted)", arg=wanted)


def test_the_title_shows_progress_and_done_until_somebody_is_back(visit, gate, photo):
    page = visit(allowed=False)
    assert page.title() == TITLE
    gate.close()
    enhance(page, photo)
    title(page, "% · ")
    gate.open()
    title(page, "✓ Done · ")
    page.keyboard.press("Shift")
    assert page.title() == TITLE


def test_who_switched_it_on_and_looks_elsewhere_is_told(visit, gate, photo):
    page = visit(allowed=True)
    bell = page.locator("#notices .bell")
    assert bell.get_attribute("aria-pressed") == "false"
    bell.click()
    page.wait_for_selector("#notices .bell[aria-pressed=true]")
    gate.close()
    enhance(page, photo)
    gate.wait_for_windows()
    page.evaluate("window.elsewhere = true")
    gate.open()
    title(page, "✓ Done · ")
    assert page.evaluate("window.shown") == [["Done", "Your picture is ready."]]


def test_who_looks_at_the_page_or_switched_it_off_is_not_told(visit, gate, photo, tmp_path):
    page = visit(allowed=True)
    page.click("#notices .bell")
    gate.open()
    enhance(page, photo)
    title(page, "✓ Done · ")
    page.click("#notices .bell")
    page.wait_for_selector("#notices .bell[aria-pressed=false]")
    page.evaluate("window.elsewhere = true")
    with Image.open(photo) as image:
        image.rotate(180).save(tmp_path / "another.png")
    page.set_input_files("#picture-line input[type=file]", str(tmp_path / "another.png"))
    page.locator("#picture-name", has_text="another").wait_for()
    settled(page)
    gate.close()
    page.click("#enhance")
    title(page, "% · ")
    gate.open()
    title(page, "✓ Done · ")
    assert page.evaluate("window.shown") == []
    page.reload()
    page.wait_for_selector("#notices .bell[aria-pressed=false]")  # remembered


@pytest.mark.timeout(600)
def test_every_film_of_several_is_told_once(visit, gate, tmp_path):
    """Also one that ended while the next one ran already; none that had ended before the page was opened."""
    page = visit(allowed=True)
    page.click("#notices .bell")
    page.wait_for_selector("#notices .bell[aria-pressed=true]")
    open_tab(page, "Video")
    page.wait_for_selector("#video-progress [data-ended]", state="attached")
    choose(page, "#video-model", "tiny-x4")
    films = [clips.make_clip(tmp_path / f"{name}.mp4", frames=4, audio=None) for name in ("one", "two", "three")]
    gate.close()
    queue(page, films)
    page.evaluate("window.elsewhere = true")
    page.locator("#video-waiting tr:has-text('two.mp4') [data-act=cancel]").click()
    page.wait_for_function("!document.querySelector('#video-waiting').innerText.includes('two.mp4')")
    gate.open()
    page.wait_for_selector("#video-status:has-text('three.mp4')")
    page.wait_for_function("window.shown.length === 2")
    told = ["one.mp4: Your film is ready.", "three.mp4: Your film is ready."]
    assert page.evaluate("window.shown") == [["Done", text] for text in told]
    page.reload()
    open_tab(page, "Video")
    page.wait_for_selector("#video-status:has-text('three.mp4')")
    assert page.evaluate("window.shown") == []


def test_it_is_asked_for_at_a_click_only(visit, gate, photo):
    """At the switch, or where a person begins what takes long; never of its own, never for what is quick."""
    page = visit(allowed=False)
    page.evaluate(EVERY_PICTURE_TAKES, 1)  # whatever this machine was measured to need
    gate.open()
    enhance(page, photo)
    title(page, "✓ Done · ")
    assert page.evaluate("window.asked") == 0
    page.evaluate(EVERY_PICTURE_TAKES, 600)
    page.evaluate(CLICKED_BY_A_SCRIPT)
    assert page.evaluate("window.asked") == 0
    page.wait_for_selector("#cancel", state="hidden")
    page.locator("#enhance:not([disabled])").click()
    page.wait_for_function("window.asked === 1")


def test_a_browser_that_blocks_them_is_named_in_the_persons_language(visit):
    page = visit(allowed=False, locale="de-DE")
    page.evaluate("void Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    page.click("#notices .bell")
    page.locator("#notices .bell", has_text="Der Browser sperrt Mitteilungen").wait_for()


def test_a_window_of_its_own_tells_the_desktop(visit, gate, photo):
    """There the page speaks to its window, and nothing has to be allowed."""
    page = visit(allowed=False)
    page.evaluate(
        "window.told = []; window.pywebview = { api: { notify: (...said) => window.told.push(said),"
        " title: (said) => window.told.push(said) } }; window.dispatchEvent(new Event('pywebviewready'))"
    )
    page.wait_for_selector("#notices .bell[aria-pressed=true]")
    page.evaluate("window.elsewhere = true")
    gate.open()
    enhance(page, photo)
    title(page, "✓ Done · ")
    told = page.evaluate("window.told")
    assert ["Done", "Your picture is ready."] in told and f"✓ Done · {TITLE}" in told
