"""The menu beside the title in a real browser: keys, the language, and what comes back at the next visit."""

from __future__ import annotations

import pytest

from tests.ui.conftest import at_rest, open_tab
from tests.ui.running import SIZES, opened, person, unfold, window
from tests.ui.test_accessibility import grave_faults
from tests.ui.test_browser_video import choose as choose_film_model
from tests.ui.test_image_browser import choose_model, enhance, start_a_long_job, upload

NOW = "Number(document.querySelector('#stage .divider').getAttribute('aria-valuenow'))"


def test_the_list_of_keys_opens_by_its_key_and_by_its_button_and_fits(sized):
    sized.keyboard.press("?")
    dialog = sized.get_by_role("dialog", name="Keyboard shortcuts")
    dialog.wait_for()
    assert dialog.locator("tr").count() >= 8 and "Full screen" in dialog.inner_text()
    box, size = dialog.bounding_box(), sized.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"] and box["y"] + box["height"] <= size["height"]
    assert not grave_faults(sized, "list of keys")
    sized.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    sized.get_by_role("button", name="Keyboard shortcuts").click()
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")


def test_every_key_does_what_the_list_says(page, photo):
    upload(page, photo)
    choose_model(page, "tiny-x4")
    page.locator("#fine button.label-wrap").focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#result", state="visible")
    page.wait_for_selector("#cancel", state="hidden")
    seen = []
    for _ in range(3):
        page.keyboard.press("b")
        seen.append(page.evaluate(NOW))
    assert seen == [0, 100, 0], "after, before, after"
    page.keyboard.press("1")
    page.wait_for_function("document.querySelector('#stage .percent').innerText === '100 %'")
    page.keyboard.press("+")
    page.wait_for_function("document.querySelector('#stage .percent').innerText === '150 %'")
    page.keyboard.press("0")
    page.wait_for_function("document.querySelector('#stage .percent').innerText !== '150 %'")
    page.keyboard.press("h")
    page.wait_for_selector("#stage img.heat[src]")
    page.wait_for_selector("#legend:has-text('levels')")
    page.keyboard.press("H")
    page.wait_for_selector("#stage img.heat:not([src])", state="attached")
    page.keyboard.press("f")
    page.wait_for_function("Boolean(document.fullscreenElement)")
    page.keyboard.press("f")
    page.wait_for_function("!document.fullscreenElement")


def test_escape_cancels(page, tmp_path, gate):
    start_a_long_job(page, tmp_path, gate)
    page.keyboard.press("Escape")
    page.wait_for_selector("#status:has-text('Cancelled')")


def test_keys_do_nothing_while_a_person_types_or_another_tab_is_open(page, photo):
    upload(page, photo)
    choose_model(page, "tiny-x4")
    enhance(page)
    unfold(page.locator("#file button.label-wrap"))
    field = page.locator("#pages textarea, #pages input").first
    field.click()
    field.press_sequentially("?b1f")
    assert field.input_value() == "?b1f" and not page.get_by_role("dialog").count()
    assert page.evaluate(NOW) == 50 and not page.evaluate("Boolean(document.fullscreenElement)")
    field.fill("")
    open_tab(page, "Presets")
    page.keyboard.press("b")
    page.keyboard.press("Control+Enter")
    open_tab(page, "Image Enhancement")
    assert page.evaluate(NOW) == 50 and page.locator("#history [data-run]").count() == 1


def test_a_chosen_language_wins_over_the_browsers_and_stays(page, photo):
    choice = page.get_by_label("Language")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        box = choice.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] >= 0, "within reach at every size"
    assert choice.evaluate("one => one.value") == "" and choice.locator("option").count() >= 3
    choice.select_option(label="Deutsch")
    page.wait_for_selector("#enhance:has-text('Verbessern')")
    upload(page, photo)
    page.wait_for_selector("#plan:has-text('Qualität: Beste')")
    page.reload()
    page.wait_for_selector("#enhance:has-text('Verbessern')")
    page.wait_for_selector("#plan:has-text('Qualität: Beste')")
    assert page.evaluate("document.documentElement.lang").startswith("de")
    page.get_by_label("Sprache").select_option("")
    page.wait_for_selector("#enhance:has-text('Enhance')")
    page.wait_for_selector("#plan:has-text('quality: Best')")


def test_settings_and_tab_come_back_at_the_next_visit_and_for_nobody_else(page, browser, app, photo):
    upload(page, photo)
    page.locator("#mode").get_by_label("Quick").check()
    page.wait_for_selector("#changes button:has-text('Quality: Quick')")
    page.wait_for_function("(localStorage.getItem('upscaler-settings') || '').includes('quick')")
    open_tab(page, "Presets")
    page.wait_for_function("localStorage.getItem('upscaler-tab') === 'presets'")
    page.reload()
    page.wait_for_selector("#tabs [role=tab][aria-selected=true]:has-text('Presets')")
    open_tab(page, "Image Enhancement")
    page.wait_for_selector("#changes button:has-text('Quality: Quick')")
    page.wait_for_selector("#plan:has-text('quality: Quick')")
    page.locator("#changes [data-back]").first.click()
    page.wait_for_function("!localStorage.getItem('upscaler-settings').includes('quick')")
    with window(browser, app.address) as other:
        at_rest(other)
        assert not other.locator("#changes button").count()
        assert other.locator("#tabs [role=tab][aria-selected=true]").inner_text() == "Image Enhancement"


def test_the_browser_keeps_what_a_person_set_and_nothing_of_the_pictures(page, photo):
    upload(page, photo)
    choose_model(page, "lanczos")
    enhance(page)
    page.wait_for_function("(localStorage.getItem('upscaler-settings') || '').includes('lanczos')")
    keys = page.evaluate("Object.keys(localStorage)")
    assert all(key.startswith("upscaler-") for key in keys), keys
    assert sum(page.evaluate("Object.values(localStorage).map(text => text.length)")) < 1000


def test_settings_of_films_and_batches_come_back_and_what_replaces_files_does_not(page, browser, app, tmp_path):
    open_tab(page, "Video")
    page.locator("#video-mode").get_by_label("Best").check()
    page.wait_for_function("(localStorage.getItem('upscaler-video') || '').includes('best')")
    choose_film_model(page, "#video-model", "tiny-x4")
    page.locator("#video-from :is(input, textarea)").fill("0:01")
    open_tab(page, "Batch")
    page.locator("#batch-how").get_by_label("A preset").check()
    unfold(page.get_by_role("button", name="Names and repeats"))
    page.locator("#batch-template :is(input, textarea)").fill("{name}_big")
    page.get_by_label("Replace existing files").check()
    page.wait_for_function("(localStorage.getItem('upscaler-batch') || '').includes('_big')")
    page.wait_for_function("(localStorage.getItem('upscaler-video') || '').includes('tiny-x4')")
    page.reload()
    open_tab(page, "Batch")
    page.wait_for_selector("#batch-preset", state="visible")
    unfold(page.get_by_role("button", name="Names and repeats"))
    page.wait_for_function("document.querySelector('#batch-template :is(input, textarea)')?.value === '{name}_big'")
    assert not page.get_by_label("Replace existing files").is_checked()
    open_tab(page, "Video")
    page.wait_for_selector("#video-named:has-text('tiny-x4 is used')")
    assert page.locator("#video-from :is(input, textarea)").input_value() == ""
    page.click("#video-named [data-back]")
    page.wait_for_selector("#video-mode", state="visible")
    assert page.locator("#video-mode").get_by_label("Best").is_checked()
    page.wait_for_function("!localStorage.getItem('upscaler-video').includes('tiny-x4')")
    with window(browser, app.address) as other:
        open_tab(other, "Video")
        at_rest(other)
        assert other.locator("#video-mode").get_by_label("Quick").is_checked()


@pytest.mark.parametrize("kept", ['{"mode": "splendid", "scale": 1e9}', "{", "17"])
def test_a_page_with_something_stale_in_its_memory_opens_as_ever(page, photo, kept):
    page.evaluate(
        "kept => { localStorage.setItem('upscaler-settings', kept); localStorage.setItem('upscaler-tab', kept); }", kept
    )
    page.reload()
    opened(page)
    upload(page, photo)
    page.wait_for_selector("#plan:has-text('×4, quality: Best')")
    assert not page.locator("#changes button").count()


def test_a_browser_that_keeps_nothing_works(browser, app, photo):
    context = person(browser, locale="en-GB")
    refuse = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    context.add_init_script(refuse)
    page = context.new_page()
    page.goto(app.address)
    opened(page)
    upload(page, photo)
    page.locator("#mode").get_by_label("Quick").check()
    page.wait_for_selector("#plan:has-text('quality: Quick')")
    open_tab(page, "Presets")
    open_tab(page, "Image Enhancement")
    enhance(page)
    context.close()


def test_the_result_tells_how_it_differs_and_where(sized, photo):
    upload(sized, photo)
    choose_model(sized, "tiny-x4")
    enhance(sized)
    sized.wait_for_selector("#differences p")
    sized.get_by_role("button", name="Show where it differs").click()
    sized.wait_for_selector("#stage img.heat[src]")
    sized.wait_for_function("document.querySelector('#stage img.heat').naturalWidth > 1")
    heat, after = (sized.locator(f"#stage img.{name}").bounding_box() for name in ("heat", "after"))
    assert heat == after, "it lies over the result"
    sized.get_by_role("button", name="Hide where it differs").click()
    sized.wait_for_selector("#stage img.heat:not([src])", state="attached")
    assert not sized.locator("#legend p").count()
