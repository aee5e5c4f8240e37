"""The Image tab in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.processor import enhance_file
from engine.types import EnhanceSettings
from tests.conftest import Limits
from tests.ui.conftest import at_rest, open_tab
from tests.ui.running import person, restored, settled, unfold


def upload(page, path) -> None:
    """Until everything that is said of the picture stands there, so that nothing moves away from under a click."""
    page.set_input_files("#picture input[type=file]", str(path))
    page.wait_for_selector("#facts .chips")
    settled(page)
    at_rest(page)


def choose_model(page, name: str) -> None:
    box = page.locator("#model input")
    unfold(page.locator("#fine button.label-wrap"))
    box.click()
    box.fill(name)
    page.get_by_role("option").filter(has_text=name).first.click()
    page.wait_for_function("name => document.querySelector('#model input').value.includes(name)", arg=name)
    settled(page)
    at_rest(page)


def enhance(page) -> None:
    page.click("#enhance")
    page.wait_for_selector("#result", state="visible")
    page.wait_for_selector("#cancel", state="hidden")


def shown_pictures(page) -> list[str]:
    return [page.get_attribute(f"#stage img.{name}", "src") or "" for name in ("before", "after")]


def test_upload_analyse_enhance_slide_download(page, app, photo, manager, tmp_path):
    upload(page, photo)
    assert "120 × 90" in page.inner_text("#facts")
    page.wait_for_selector("#plan:has-text('×4, quality: Best')")
    assert page.locator("#plan details li").count() >= 1
    choose_model(page, "tiny-x4")
    page.wait_for_selector("#estimate:has-text('480 × 360')")
    enhance(page)
    assert "480 × 360 pixels" in page.inner_text("#status") and page.inner_text("#verdict").strip()

    divider = page.get_by_role("slider", name="Divider between before and after")
    divider.focus()
    divider.press("Home")
    assert divider.get_attribute("aria-valuenow") == "0"
    divider.press("ArrowRight")
    assert divider.get_attribute("aria-valuenow") == "2"
    page.get_by_role("button", name="100 %").click()
    scene = page.locator("#stage .scene").bounding_box()
    assert (round(scene["width"]), round(scene["height"])) == (480, 360), "one picture pixel is one of the screen"

    with page.expect_download() as download:
        page.click("#download")
    # Other tests' browsers use the same app: the latest of that name is this page's.
    saved = max(app.outputs.glob("session-*/photo_x4.png"), key=lambda path: path.stat().st_mtime_ns)
    assert download.value.suggested_filename == "photo_x4.png"
    assert download.value.path().read_bytes() == saved.read_bytes(), "the download is the saved file, bit for bit"
    direct = tmp_path / "direct.png"
    limits = Limits(tmp_path)
    enhance_file(photo, direct, EnhanceSettings(model="tiny-x4", scale=4), manager=manager, config=limits)
    assert (np.asarray(Image.open(saved)) == np.asarray(Image.open(direct))).all(), "pixel for pixel the engine's"


def test_the_first_picture_comes_from_real_esrgan_and_a_quicker_way_is_shown(page, photo):
    """Nothing is chosen: the automatic model, whose networks came with the set-up."""
    upload(page, photo)
    page.wait_for_selector("#plan:has-text('RealESRGAN_x4plus')")
    page.wait_for_selector("#mode:has-text('Quick ·')")
    assert all(word in page.inner_text("#mode") for word in ("Best ·", "Balanced ·", "True to the original ·"))
    enhance(page)
    assert "480 × 360 pixels" in page.inner_text("#status") and "RealESRGAN_x4plus" in page.inner_text("#status")


def test_fidelity_is_moved_after_the_run_and_the_download_follows(page, photo):
    upload(page, photo)
    choose_model(page, "tiny-x4")
    enhance(page)
    before = shown_pictures(page)[1]
    number = page.locator("#adjust-fidelity input[type=range]")
    number.focus()
    number.press("End")
    page.wait_for_function(
        "before => document.querySelector('#stage img.after').getAttribute('src') !== before", arg=before
    )
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "photo_x4_fidelity100.png"


def test_a_refresh_keeps_the_result_and_other_browsers_do_not_see_it(page, browser, app, photo):
    upload(page, photo)
    choose_model(page, "tiny-x4")
    enhance(page)
    shown = shown_pictures(page)
    page.reload()
    page.wait_for_selector("#result", state="visible")
    page.wait_for_function(
        "shown => ['before', 'after'].every((name, at) => "
        "document.querySelector(`#stage img.${name}`)?.getAttribute('src') === shown[at])",
        arg=shown,
    )
    page.wait_for_selector("#history [data-run]")
    assert page.locator("#history [data-run]").count() == 1

    other = person(browser)
    stranger = other.new_page()
    stranger.goto(app.address)
    restored(stranger)
    at_rest(stranger, 1500)
    assert stranger.locator("#history [data-run]").count() == 0
    assert shown_pictures(stranger) == ["", ""]
    other.close()


def start_a_long_job(page, tmp_path, gate) -> None:
    """A picture of many tiles, the first of which are done; the others wait at the gate."""
    path = tmp_path / "large.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (900, 900, 3), dtype=np.uint8)).save(path)
    upload(page, path)
    choose_model(page, "rrdb-x4")
    gate.close(after=3)
    page.click("#enhance")
    page.wait_for_selector("#status [role=progressbar]")
    page.wait_for_function("Number(document.querySelector('#status [role=progressbar]')?.ariaValueNow) > 0")


def test_cancel_in_the_middle_leaves_nothing(page, app, tmp_path, gate):
    start_a_long_job(page, tmp_path, gate)
    page.click("#cancel")
    page.wait_for_selector("#status:has-text('Cancelled')")
    assert page.is_enabled("#enhance")
    assert not list(app.outputs.glob("session-*/large_x4.png")) and not list(app.outputs.glob("session-*/.*.part"))


def test_a_job_goes_on_while_the_page_is_refreshed(page, tmp_path, gate):
    start_a_long_job(page, tmp_path, gate)
    page.reload()
    page.wait_for_selector("#status [role=progressbar]")
    page.click("#cancel")
    page.wait_for_selector("#status:has-text('Cancelled')")


def test_two_browsers_wait_for_each_other_and_see_their_place(page, browser, app, photo, tmp_path, gate):
    start_a_long_job(page, tmp_path, gate)
    context = person(browser)
    second = context.new_page()
    second.goto(app.address)
    restored(second)
    upload(second, photo)
    choose_model(second, "tiny-x4")
    second.click("#enhance")
    second.wait_for_selector("#status:has-text('place 1 in the queue')")
    page.click("#cancel")
    page.wait_for_selector("#status:has-text('Cancelled')")
    gate.open()
    second.wait_for_selector("#result", state="visible")
    assert "480 × 360" in second.inner_text("#status")
    assert page.locator("#history [data-run]").count() == 0
    context.close()


def test_a_part_is_tried_with_the_keyboard_and_the_whole_comes_back(page):
    page.click("#sample-page")
    page.wait_for_selector("#facts .chips")
    choose_model(page, "tiny-x4")
    page.click("#try-part")
    page.wait_for_selector("#stage .tip:has-text('Click the part')")
    stage = page.locator("#stage .stage")
    stage.focus()
    stage.press("ArrowLeft")
    stage.press("Enter")
    page.wait_for_selector("#status:has-text('full quality with tiny-x4')")
    assert all(shown_pictures(page)) and "1024 × 1024" in page.inner_text("#stage .size")
    page.click("#whole")
    page.wait_for_selector("#stage .size:has-text('400 × 280')")


def test_two_fingers_zoom_and_choose_no_part(browser, app):
    context = person(browser, viewport={"width": 800, "height": 1000}, has_touch=True, locale="en-GB")
    page = context.new_page()
    page.goto(app.address)
    page.click("#sample-photograph")
    page.wait_for_selector("#facts .chips")
    page.click("#try-part")
    page.wait_for_function("document.querySelector('#stage .square').style.display === 'block'")
    page.locator("#stage .stage").scroll_into_view_if_needed()
    box = page.locator("#stage .stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touches = context.new_cdp_session(page)

    def touch(kind: str, *sides: float) -> None:
        points = [{"x": x + side, "y": y, "id": number} for number, side in enumerate(sides)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(50)

    before = page.inner_text("#stage .percent")
    touch("touchStart", -40)
    touch("touchStart", -40, 40)
    for side in (60, 80, 100):
        touch("touchMove", -side, side)
    touch("touchEnd", -100)
    touch("touchEnd")
    page.wait_for_function("before => document.querySelector('#stage .percent').innerText !== before", arg=before)
    at_rest(page, 1000)
    assert page.is_enabled("#enhance") and "full quality" not in page.inner_text("#status"), "nothing was started"
    context.close()


def test_models_are_compared_and_one_is_taken(page):
    page.click("#sample-drawing")
    page.wait_for_selector("#facts .chips")
    page.get_by_role("button", name="Compare models").click()
    for box in page.locator("#compare-models input[type=checkbox]").all():
        box.uncheck()
    for name in ("lanczos", "tiny-x4"):
        page.locator("#compare-models").get_by_label(name).check()
    page.click("#compare-start")
    page.wait_for_selector("#compare-grid figure >> nth=2")
    page.click("#compare-grid [data-model='tiny-x4']")
    page.wait_for_selector("#plan:has-text('tiny-x4')")
    unfold(page.locator("#fine button.label-wrap"))
    page.wait_for_function("document.querySelector('#model input')?.value.startsWith('tiny-x4')")


def test_results_are_reopened_from_the_strip(page, photo):
    upload(page, photo)
    choose_model(page, "tiny-x4")
    enhance(page)
    first = shown_pictures(page)[1]
    choose_model(page, "nearest")
    page.click("#enhance")
    page.wait_for_selector("#history [data-run] >> nth=1")
    assert shown_pictures(page)[1] != first
    page.locator("#history [data-run]").nth(1).click()
    page.wait_for_function(
        "first => document.querySelector('#stage img.after').getAttribute('src') === first", arg=first
    )


def test_a_bad_file_gets_a_sentence_and_the_app_goes_on(page, photo, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("this is no picture")
    page.set_input_files("#picture input[type=file]", str(bad))
    page.wait_for_selector("#status:has-text('cannot be used')")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_selector("#picture-line", state="hidden")
    upload(page, photo)
    choose_model(page, "lanczos")
    enhance(page)


def test_a_picture_is_pasted(page, photo):
    page.evaluate(
        """async (bytes) => {
          const bag = new DataTransfer();
          bag.items.add(new File([new Uint8Array(bytes)], 'pasted.png', { type: 'image/png' }));
          document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: bag, bubbles: true, cancelable: true }));
        }""",
        list(photo.read_bytes()),
    )
    page.wait_for_selector("#facts:has-text('120 × 90')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_opens_and_fits_a_narrow_window(browser, app, scheme):
    context = person(browser, viewport={"width": 400, "height": 800}, color_scheme=scheme, locale="en-GB")
    page = context.new_page()
    page.goto(app.address)
    restored(page)
    page.click("#sample-photograph")
    page.wait_for_selector("#facts .chips")
    choose_model(page, "lanczos")
    enhance(page)
    for name in ("Image Enhancement", "Video", "Batch", "Presets", "System Info"):
        open_tab(page, name)
        at_rest(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, name
    context.close()


def test_the_page_speaks_german_where_the_browser_does(browser, app, photo):
    context = person(browser, locale="de-DE")
    page = context.new_page()
    page.goto(app.address)
    page.wait_for_selector("#enhance:has-text('Verbessern')")
    page.set_input_files("#picture input[type=file]", str(photo))
    page.wait_for_selector("#plan:has-text('Qualität: Beste')")
    assert page.get_by_role("tab", name="Stapel").count()
    page.wait_for_selector("#stage .tools button:has-text('Einpassen')")
    context.close()


def test_a_damaged_picture_is_refused_and_used_as_far_as_it_goes_after_one_click(page, scene, tmp_path):
    path = tmp_path / "cut off.jpg"
    Image.fromarray(scene).save(path, quality=95)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    page.set_input_files("#picture input[type=file]", str(path))
    page.wait_for_selector("#status:has-text('is damaged or cut off')")
    assert page.locator("#facts .chips").count() == 0
    page.click("#salvage-now")
    page.wait_for_selector("#facts .chips")
    page.wait_for_selector("#status:has-text('% of it is missing')")
    page.wait_for_selector("#salvage-now", state="hidden")
    choose_model(page, "tiny-x4")
    enhance(page)
    page.wait_for_selector("#status:has-text('480 × 360 pixels')")
    assert "is damaged" in page.inner_text("#result") + page.inner_text("#status")
