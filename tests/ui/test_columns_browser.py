"""Video and Batch before, while and after there is something, at the sizes that people have. In a real browser."""

from __future__ import annotations

import time

import pytest

from tests import clips
from tests.ui.conftest import at_rest, open_tab
from tests.ui.running import CHROMIUM, SIZES
from tests.ui.test_accessibility import grave_faults
from tests.ui.test_browser_tabs import begin_and_hold, set_model, small_pictures, upload
from tests.ui.test_browser_video import choose

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

TABS = (("Video", "video"), ("Batch", "batch"))

_IN_SIGHT = """async name => {
    const faults = [], bar = document.querySelector(`#${name}-bar`), start = document.querySelector(`#${name}-start`);
    const page = document.scrollingElement;
    const settled = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    for (const share of [0, 0.5, 1]) {
        page.scrollTop = share * (page.scrollHeight - page.clientHeight);
        await settled();
        for (const one of [start, ...bar.querySelectorAll('[role=progressbar]')]) {
            const box = one.getBoundingClientRect();
            if (!box.width) continue;
            const inside = box.top >= 0 && box.bottom <= innerHeight + 0.5 && box.left >= 0 && box.right <= innerWidth;
            const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
            const hit = document.elementFromPoint(x, y);
            if (!inside || !hit || !(one.contains(hit) || hit.contains(one))) {
                faults.push(`${one.id || one.className} at ${share}: ${JSON.stringify(box)}, under ${hit?.outerHTML.slice(0, 200)}`);
            }
        }
    }
    page.scrollTop = 0;
    return faults;
}"""
_CUT_OFF = """name => {
    const faults = [];
    if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways');
    for (const one of document.querySelectorAll(`#${name}-tab, #${name}-tab *`)) {
        const box = one.getBoundingClientRect(), style = getComputedStyle(one);
        if (!box.width || !box.height || one.closest('.stage, video, svg, .sr-only, [class*=sr-only]')) continue;
        if (style.clipPath !== 'none' || style.visibility === 'hidden' || style.opacity === '0') continue;
        if (box.right > innerWidth + 1 || box.left < -1) {
            faults.push(`${one.tagName}.${one.className} ${Math.round(box.left)}..${Math.round(box.right)}`);
        }
        if (one.matches('.table-box') && one.scrollWidth > one.clientWidth + 1) faults.push('a table is cut off');
    }
    return faults.slice(0, 8);
}"""


def resize(page, size) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    at_rest(page)


def faults(page, name: str, seconds: float = 10) -> list[str]:
    """What is cut off or out of sight at each of the sizes, and stays so."""
    found = []
    for size in SIZES:
        resize(page, size)
        deadline = time.monotonic() + seconds
        while there := page.evaluate(_CUT_OFF, name) + page.evaluate(_IN_SIGHT, name):
            if time.monotonic() > deadline:
                found += [f"{size}: {fault}" for fault in there]
                break
            at_rest(page)  # what is drawn anew while a job runs may lie elsewhere for a moment
    return found


def columns(page, name: str) -> int:
    """How many columns the tab has: what stands beside the settings, or not."""
    return page.evaluate(
        """name => {
            const side = document.querySelector(name === 'video' ? '#video-mode' : '#batch-files').getBoundingClientRect();
            const guide = document.querySelector(`#${name}-guide .steps`).getBoundingClientRect();
            return guide.left >= side.right ? 2 : 1;
        }""",
        name,
    )


@pytest.mark.parametrize(("title", "name"), TABS)
def test_an_empty_tab_says_how_to_begin_and_has_no_headings_without_content(page, title, name):
    page.wait_for_selector("#stage .frame.vacant")
    assert page.locator("#history-title").is_hidden(), "no result is there"
    open_tab(page, title)
    page.wait_for_selector(f"#{name}-guide .steps li >> nth=2")
    assert page.locator(f"#{name}-guide .steps li:visible").count() == 3
    assert page.locator(f"#{name}-sample").is_visible()
    assert not page.locator(f"#{name}-earlier :is(h3, section)").count()
    assert not faults(page, name)
    assert [(resize(page, size), columns(page, name))[1] for size in SIZES] == [2, 2, 1]
    at_rest(page)
    assert not grave_faults(page, f"{title}, empty, narrow")


def test_sample_pictures_are_planned_done_and_stay_in_sight(page):
    set_model(page, "lanczos")
    open_tab(page, "Batch")
    page.click("#batch-sample")
    page.wait_for_selector("#batch-plan:has-text('Pictures: 3')")
    assert "about" in page.inner_text("#batch-plan") and "free" in page.inner_text("#batch-plan")
    page.wait_for_selector("#batch-planned tr:has-text('480 × 320'):has-text('1920 × 1280')")
    assert page.locator("#batch-planned tbody tr").count() == 3
    assert page.locator("#batch-guide .steps").is_hidden(), "something is chosen"
    assert not faults(page, "batch")
    page.click("#batch-start")
    page.wait_for_selector("#batch-status:has-text('3 successful, 0 failed')")
    page.wait_for_selector("#batch-planned section", state="detached")
    page.wait_for_function("document.querySelectorAll('#batch-gallery button img').length === 3")
    assert not faults(page, "batch")


def test_a_batch_that_runs_shows_its_bar_and_buttons_wherever_the_page_is_scrolled_to(page, tmp_path, scene, gate):
    set_model(page, "tiny-x4")
    upload(page, small_pictures(tmp_path, scene, 4))
    begin_and_hold(page, gate)
    page.wait_for_selector("#batch-cancel", state="visible")
    assert page.locator("#batch-bar [role=progressbar]").count() == 1
    assert not faults(page, "batch")
    at_rest(page)
    assert not grave_faults(page, "Batch, running, narrow")
    gate.open()
    page.wait_for_selector("#batch-status:has-text('4 successful')")


def test_a_sample_clip_is_shown_estimated_and_its_film_stays_in_sight(page, gate):
    open_tab(page, "Video")
    page.click("#video-sample")
    page.wait_for_selector("#video-facts:has-text('240 × 160 pixels, H264, 12 frames a second, 2.0 s, 24 frames')")
    page.wait_for_selector("#video-stage img.before[src]")
    page.wait_for_selector("#video-estimate:has-text('24 frames become 480 × 320')")
    page.wait_for_selector("#video-loop:has-text('Two seconds, before and after: about')")
    assert page.locator("#video-guide .steps").is_hidden(), "something is chosen"
    assert not faults(page, "video")
    choose(page, "#video-model", "tiny-x4")
    gate.close(after=4)
    page.click("#video-start")
    gate.wait_for_windows()
    page.wait_for_selector("#video-bar #video-progress [role=progressbar]")
    assert not faults(page, "video")
    gate.open()
    page.wait_for_selector("#video-status:has-text('24 frames, 480 × 320')")
    assert not faults(page, "video")


def test_what_was_made_before_is_there_after_the_program_has_begun_anew(page, app):
    """Results of an earlier run lie in the browser's folder; here they are put there."""
    open_tab(page, "Video")
    page.click("#video-sample")
    page.wait_for_selector("#video-stage img.before[src]")
    folder = max(app.outputs.glob("session-*"), key=lambda path: path.stat().st_mtime)
    clips.make_clip(folder / "holiday_x2.mp4", frames=3)
    (folder / "batch-20200101-000000-abc" / "out").mkdir(parents=True)
    from ui.samples import sample_file

    sample_file("drawing", folder / "batch-20200101-000000-abc" / "out")
    page.reload()
    open_tab(page, "Video")
    page.wait_for_selector("#video-earlier a[download='holiday_x2.mp4']")
    open_tab(page, "Batch")
    page.wait_for_selector("#batch-earlier a[download='drawing.jpg'] img")
    assert not faults(page, "batch")
