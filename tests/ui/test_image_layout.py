"""Where things are in the Image tab, in windows of three sizes."""

from __future__ import annotations

from tests.ui.conftest import at_rest
from tests.ui.running import unfold
from tests.ui.test_image_browser import choose_model, enhance, start_a_long_job, upload

COVERED = """() => {
  const within = (one) => document.querySelector('#go').contains(one) || one.contains(document.querySelector('#go'));
  const bar = document.querySelector('#go').getBoundingClientRect(), out = [];
  for (const one of document.querySelectorAll('#image-tab button, #image-tab input, #image-tab p, #image-tab img')) {
    const box = one.getBoundingClientRect(), seen = one.checkVisibility() && box.height > 0 && !within(one);
    const beside = box.left >= bar.right || box.right <= bar.left;
    if (seen && !beside && box.bottom > bar.top + 1 && box.top < bar.bottom - 1) out.push(one.outerHTML.slice(0, 120));
  }
  return out;
}"""
"""What lies under the foot."""


def in_sight(page, selector: str) -> bool:
    """Whether the whole of it is in the window."""
    box, height = page.locator(selector).bounding_box(), page.viewport_size["height"]
    return bool(box) and box["y"] >= -1 and box["y"] + box["height"] <= height + 1


def scroll(page, share: float) -> None:
    """To that share of the page."""
    page.evaluate("share => scrollTo(0, share * document.documentElement.scrollHeight)", share)
    at_rest(page, 100)


def test_the_button_the_estimate_and_progress_are_in_sight_however_far_one_scrolls(sized, tmp_path, gate):
    assert in_sight(sized, "#enhance")
    start_a_long_job(sized, tmp_path, gate)
    for group in ("#faces", "#file"):
        unfold(sized.locator(f"{group} button.label-wrap"))
    for share in (0, 0.4, 1):
        scroll(sized, share)
        for part in ("#enhance", "#estimate p", "#cancel", "#status [role=progressbar]"):
            assert in_sight(sized, part), (part, share)
    sized.click("#cancel")
    sized.wait_for_selector("#status:has-text('Cancelled')")
    assert in_sight(sized, "#status")


def test_at_the_end_of_the_page_the_foot_covers_nothing(sized, photo):
    upload(sized, photo)
    choose_model(sized, "lanczos")
    enhance(sized)
    at_rest(sized)
    scroll(sized, 1)
    assert sized.evaluate(COVERED) == []
    assert sized.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_there_is_one_place_to_drop_a_picture_and_then_a_line_for_another(sized, photo, tmp_path):
    stage = sized.locator("#stage .stage")
    assert stage.bounding_box()["width"] >= 360 and stage.bounding_box()["height"] >= 220 and in_sight(sized, "#stage")
    assert "Drop a picture here" in stage.inner_text() and not sized.locator("#picture").is_visible()
    with sized.expect_file_chooser() as chooser:
        stage.press("Enter")
    chooser.value.set_files(str(photo))
    sized.wait_for_selector("#facts .chips")
    assert sized.inner_text("#picture-name").strip() == "photo.png" and not sized.locator("#picture").is_visible()
    assert sized.locator("#picture-line").bounding_box()["height"] <= 60
    second = tmp_path / "second.png"
    second.write_bytes(photo.read_bytes())
    with sized.expect_file_chooser() as chooser:
        sized.get_by_role("button", name="Another picture").click()
    chooser.value.set_files(str(second))
    sized.wait_for_selector("#picture-name:has-text('second.png')")


def test_a_picture_is_dropped_on_the_stage_whether_one_is_there_or_not(page, photo, tmp_path):
    for name in ("first.png", "second.png"):
        page.evaluate(
            """([name, bytes]) => {
              const bag = new DataTransfer();
              bag.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
              const drop = new DragEvent('drop', { dataTransfer: bag, bubbles: true, cancelable: true });
              document.querySelector('#stage .stage').dispatchEvent(drop);
            }""",
            [name, list(photo.read_bytes())],
        )
        page.wait_for_selector(f"#picture-name:has-text('{name}')")


def test_headings_wait_until_there_is_something_under_them(sized, photo):
    later = ("#history-title", "#compare", "#tools", "#result", "#advice", "#picture-line")
    assert not [one for one in later if sized.locator(one).is_visible()]
    assert sized.locator("#samples").is_visible()
    upload(sized, photo)
    sized.wait_for_selector("#compare", state="visible")
    assert not sized.locator("#history-title").is_visible() and not sized.locator("#samples").is_visible()
    choose_model(sized, "lanczos")
    enhance(sized)
    sized.wait_for_selector("#history-title", state="visible")


def test_qualities_come_first_and_models_for_who_opens_fine_tuning(sized, photo):
    upload(sized, photo)
    sized.wait_for_selector("#mode:has-text('Quick ·')")
    labels = sized.locator("#mode label").all_inner_texts()
    assert [label.split(" ·")[0] for label in labels] == ["Quick", "Balanced", "Best", "True to the original"]
    assert all(label.endswith(" s") for label in labels)
    assert not sized.locator("#model").is_visible()
    unfold(sized.locator("#fine button.label-wrap"))
    sized.wait_for_selector("#model", state="visible")


def test_an_exact_size_needs_one_side_and_what_is_no_number_is_refused(page, photo):
    upload(page, photo)
    page.locator("#goal").get_by_label("Exact").check()
    width, height = (page.locator(f"#set-{side} :is(input, textarea)") for side in ("width", "height"))
    width.wait_for()
    assert (width.input_value(), height.input_value()) == ("", ""), "nothing is not 0"
    width.fill("300")
    page.wait_for_selector("#estimate:has-text('300 × 225')")
    height.fill("wide")
    page.wait_for_selector("#estimate:has-text('A side is a whole number of pixels')")
    height.fill("")
    page.wait_for_selector("#estimate:has-text('300 × 225')")
    page.wait_for_function("(localStorage.getItem('upscaler-settings') || '').includes('300')")
    page.reload()
    page.wait_for_selector("#estimate:has-text('300 × 225')")
    width.wait_for()
    assert (width.input_value(), height.input_value()) == ("300", "")


def test_what_is_changed_by_hand_is_marked_and_goes_back_with_one_click(sized, photo):
    upload(sized, photo)
    sized.wait_for_selector("#plan:has-text('×4, quality: Best')")
    assert not sized.locator("#changes button").count()
    sized.locator("#mode").get_by_label("Quick").check()
    sized.wait_for_selector("#changes button:has-text('Quality: Quick')")
    sized.wait_for_selector("#plan:has-text('quality: Quick')")
    content = "getComputedStyle(document.querySelector('#mode [data-testid=block-info]'), '::after').content"
    assert "by hand" in sized.evaluate(content)
    choose_model(sized, "tiny-x2")
    sized.wait_for_selector("#named:has-text('tiny-x2 is used')")
    sized.wait_for_selector("#mode", state="hidden")
    assert sized.evaluate("document.querySelector('#mode').closest('.form').offsetHeight") == 0, (
        "and nothing is left of it"
    )
    assert "by hand" in sized.evaluate(
        "getComputedStyle(document.querySelector('#fine .label-wrap span'), '::after').content"
    )
    sized.wait_for_selector("#changes button:has-text('Everything automatic')")
    sized.locator("#changes [data-back=model]").click()
    sized.wait_for_selector("#changes:not(:has-text('tiny-x2'))")
    sized.wait_for_selector("#mode", state="visible")
    assert sized.locator("#mode").get_by_label("Quick").is_checked(), "the other change stays"
    choose_model(sized, "tiny-x2")
    sized.locator("#changes [data-back=all]").click()
    sized.wait_for_selector("#plan:has-text('×4, quality: Best')")
    sized.wait_for_function("!document.querySelector('#changes button')")
    sized.wait_for_selector("#mode", state="visible")
    assert sized.evaluate(content) in ("none", "normal")
