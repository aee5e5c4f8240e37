"""Where things are in the Video tab, in windows of three sizes, and how a film gets into it."""

from __future__ import annotations

import pytest
from PIL import Image

from tests import clips
from tests.ui.conftest import at_rest, open_tab
from tests.ui.running import CHROMIUM, SIZES, unfold
from tests.ui.test_browser_video import choose, upload
from tests.ui.test_image_layout import in_sight

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

_DROP = """([files, type]) => {
  const bag = new DataTransfer();
  for (const [name, bytes] of files) bag.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const drop = new DragEvent('drop', { dataTransfer: bag, bubbles: true, cancelable: true });
  document.querySelector('#video-stage .stage').dispatchEvent(drop);
}"""
_UNDER_THE_ARROW = """() => [...document.querySelectorAll('#video-tab input[role=combobox]')].flatMap(input => {
  const box = input.closest('.block'), arrow = box.querySelector('.icon-wrap, .dropdown-arrow');
  if (!input.checkVisibility()) return [];
  if (!arrow) return ['the arrow is not found'];
  const edge = input.getBoundingClientRect().right - parseFloat(getComputedStyle(input).paddingRight);
  const at = arrow.getBoundingClientRect().left;
  return edge > at + 0.5 ? [`${input.value}: ends at ${edge}, arrow at ${at}`] : [];
})"""
"""Lists whose text has room where their arrow is."""


@pytest.fixture
def film(tmp_path):
    return clips.make_clip(tmp_path / "first film.mp4", frames=50)


@pytest.fixture
def tab(sized):
    """The Video tab at each of the sizes."""
    sized.on("filechooser", lambda chooser: None)  # from now on: a chooser may open before anybody waits for it
    open_tab(sized, "Video")
    sized.wait_for_selector("#video-stage .frame.vacant")
    at_rest(sized)
    return sized


def drop(page, paths, kind: str) -> None:
    page.evaluate(_DROP, [[[path.name, list(path.read_bytes())] for path in paths], kind])


def numbered(folder, name: str, count: int):
    paths = [folder / f"{name}_{number:03d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(clips.numbered_frame(number)).save(path)
    return paths


def test_there_is_one_place_to_drop_a_film_and_then_a_line_for_another(tab, film, tmp_path):
    stage = tab.locator("#video-stage .stage")
    box = stage.bounding_box()
    assert box["width"] >= 360 and box["height"] >= 200 and in_sight(tab, "#video-stage .frame")
    assert "Drop a film or numbered pictures here" in stage.inner_text()
    later = ("#video-file", "#video-pictures", "#video-line", "#video-rate", "#video-bench")
    assert not [one for one in later if tab.locator(one).is_visible()]
    with tab.expect_file_chooser() as chooser:
        stage.press("Enter")
    chooser.value.set_files(str(film))
    tab.wait_for_selector("#video-facts:has-text('64 × 48 pixels, H264, 25 frames a second')")
    assert tab.inner_text("#video-name p") == "first film.mp4"
    assert not tab.locator("#video-file").is_visible() and tab.locator("#video-line").bounding_box()["height"] <= 60
    second = clips.make_clip(tmp_path / "second.mp4", frames=10)
    with tab.expect_file_chooser() as chooser:
        tab.get_by_role("button", name="Another film").click()
    chooser.value.set_files(str(second))
    tab.wait_for_selector("#video-name:has-text('second.mp4')")
    tab.wait_for_selector("#video-facts:has-text('10 frames')")
    tab.click("#video-take-away")
    tab.wait_for_selector("#video-stage .frame.vacant")
    tab.wait_for_selector("#video-line", state="hidden")


def test_films_and_numbered_pictures_are_dropped_on_the_stage_and_take_each_others_place(page, film, tmp_path):
    open_tab(page, "Video")
    page.wait_for_selector("#video-stage .frame.vacant")
    drop(page, [film], "video/mp4")
    page.wait_for_selector("#video-name:has-text('first film.mp4')")
    drop(page, numbered(tmp_path, "shot", 3), "image/png")
    page.wait_for_selector("#video-name:has-text('shot: 3 pictures')")
    page.wait_for_selector("#video-facts:has-text('3 frames')")
    page.wait_for_selector("#video-rate", state="visible")
    drop(page, numbered(tmp_path, "walk", 5), "image/png")
    page.wait_for_selector("#video-name:has-text('walk: 5 pictures')")
    page.wait_for_selector("#video-facts:has-text('5 frames')")
    drop(page, [clips.make_clip(tmp_path / "second.mp4", frames=10)], "video/mp4")
    page.wait_for_selector("#video-name:has-text('second.mp4')")
    page.wait_for_selector("#video-facts:has-text('10 frames')")
    page.wait_for_selector("#video-rate", state="hidden")
    at_rest(page)
    assert page.inner_text("#video-name p") == "second.mp4", "and it stays"


def test_qualities_come_first_with_their_times_and_models_for_who_opens_fine_tuning(tab, film):
    assert tab.locator("#video-mode label").all_inner_texts() == ["Quick", "Best", "True to the original"]
    upload(tab, film)
    tab.wait_for_selector("#video-mode:has-text('Quick ·')")
    labels = tab.locator("#video-mode label").all_inner_texts()
    assert [label.split(" ·")[0] for label in labels] == ["Quick", "Best", "True to the original"]
    assert all(label.split(" · ")[1] for label in labels)
    assert not tab.locator("#video-model").is_visible()
    above = [tab.locator(one).bounding_box()["y"] for one in ("#video-mode", "#video-scale", "#video-fine")]
    assert above == sorted(above)
    choose(tab, "#video-model", "tiny-x4")
    tab.wait_for_selector("#video-named:has-text('tiny-x4 is used')")
    tab.wait_for_selector("#video-mode", state="hidden")
    tab.click("#video-named [data-back]")
    tab.wait_for_selector("#video-mode:has-text('Quick ·')", state="visible")
    tab.wait_for_function("document.querySelector('#video-model input')?.value.startsWith('Automatic')")


def test_no_two_fields_have_one_name_and_no_text_lies_under_an_arrow(page):
    open_tab(page, "Video")
    for fold in ("output", "fine"):
        unfold(page.locator(f"#video-{fold} button.label-wrap"))
        page.locator(f"#video-{fold} input").first.wait_for()
    at_rest(page)
    assert page.locator("#video-denoise :is(input, textarea)").input_value() == "", "nothing is not 0"
    assert page.locator("#video-tab input[role=combobox]:visible").count() == 5
    names = page.locator("#video-tab [data-testid=block-info]:visible").all_inner_texts()
    assert len(names) >= 10 and len(names) == len(set(names)), names
    assert {"Quality", "File quality", "Model"} <= set(names)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        at_rest(page)
        assert page.evaluate(_UNDER_THE_ARROW) == []
