"""Batch, Presets and System Info in a real browser."""

from __future__ import annotations

import io
import json
import shutil
import zipfile

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.gate import Gate
from tests.ui.running import CHROMIUM, App, open_tab, person, restored, running_app, settled, unfold

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture
def ten(tmp_path, scene):
    """Ten files, two of them broken."""
    paths = []
    for number in range(8):
        paths.append(tmp_path / f"picture {number}.png")
        Image.fromarray(np.roll(scene, 7 * number, axis=1)).save(paths[-1])
    paths += [tmp_path / "cut off.png", tmp_path / "letter.jpg"]
    paths[-2].write_bytes(paths[0].read_bytes()[:3000])
    paths[-1].write_text("this is no picture")
    return [str(path) for path in paths]


def set_model(page, name: str) -> None:
    """Choose a model in the Image tab, whose settings the batch takes."""
    open_tab(page, "Image Enhancement")
    box = page.get_by_label("Model", exact=True)
    unfold(page.locator("#fine button.label-wrap"))
    box.click()
    box.fill(name)
    page.get_by_role("option").filter(has_text=name).first.click()
    settled(page)


def upload(page, paths) -> None:
    open_tab(page, "Batch")
    page.set_input_files("#batch-files input[type=file]", paths)
    page.wait_for_selector(f"#batch-plan:has-text('Pictures: {len(paths)}')")


def fill(page, selector: str, text: str) -> None:
    page.locator(f"{selector} :is(input, textarea)").fill(text)


def begin_and_hold(page, gate) -> None:
    """Start a batch whose first picture is done and whose second is in the network."""
    gate.close(after=1)
    page.click("#batch-start")
    page.wait_for_selector("#batch-table .chip.done")
    gate.wait_for_windows()


def test_a_batch_of_ten_with_two_broken_files(page, ten):
    set_model(page, "lanczos")
    upload(page, ten)
    assert "letter.jpg cannot be used" in page.inner_text("#batch-plan"), "known before the start"
    page.click("#batch-start")
    page.wait_for_selector("#batch-status:has-text('8 successful, 2 failed')")
    rows = page.locator("#batch-table tbody tr")
    assert rows.count() == 10
    assert rows.filter(has_text="done").count() == 8
    reasons = page.locator("#batch-table .reason").all_inner_texts()
    assert len(reasons) == 2 and all(reasons)
    page.locator("#batch-show").get_by_label("Failed").check()
    page.wait_for_function("document.querySelectorAll('#batch-table tbody tr').length === 2")

    page.locator("#batch-show").get_by_label("All").check()
    page.wait_for_function("document.querySelectorAll('#batch-gallery button img').length >= 8")
    page.locator("#batch-gallery button:has(img)").nth(3).click()
    page.wait_for_selector("#batch-stage img.after[src]")
    page.wait_for_selector("#batch-stage .size:has-text('480 × 360')")
    assert page.get_by_text("picture 3.png → picture 3_x4.png").count()

    with page.expect_download() as download:
        page.click("#batch-zip")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 8
        with Image.open(io.BytesIO(archive.read("picture 0_x4.png"))) as result:
            assert result.size == (480, 360)

    page.reload()
    open_tab(page, "Batch")
    page.wait_for_selector("#batch-status:has-text('8 successful, 2 failed')")
    page.click("#batch-retry")
    page.wait_for_selector("#batch-status:has-text('0 successful, 2 failed, 8 done before')")


def small_pictures(folder, scene, count: int) -> list[str]:
    """Pictures of one window of the network each."""
    paths = []
    for number in range(count):
        paths.append(str(folder / f"{number}.png"))
        Image.fromarray(np.roll(scene, number, axis=0)).save(paths[-1])
    return paths


def test_a_row_is_drawn_as_done_while_the_next_picture_is_in_the_network(page, tmp_path, scene, gate):
    set_model(page, "tiny-x4")
    upload(page, small_pictures(tmp_path, scene, 3))
    gate.close()
    page.click("#batch-start")
    for done in range(3):
        gate.wait_for_windows()
        page.wait_for_selector("#batch-table .chip.running")
        page.wait_for_function(f"document.querySelectorAll('#batch-table .chip.done').length === {done}")
        page.wait_for_function(f"document.querySelectorAll('#batch-gallery button img').length === {done}")
        gate.close(after=1)
    page.wait_for_selector("#batch-status:has-text('3 successful, 0 failed')")


def test_pause_reload_cancel_and_finish_later(page, tmp_path, scene, gate):
    set_model(page, "rrdb-x4")
    upload(page, small_pictures(tmp_path, scene, 8))
    begin_and_hold(page, gate)
    page.click("#batch-pause")
    page.wait_for_selector("#batch-status:has-text('Paused')")
    page.reload()
    open_tab(page, "Batch")
    page.wait_for_selector("#batch-status:has-text('Paused')")
    page.click("#batch-resume")
    page.wait_for_selector("#batch-status:has-text('Enhancing')")
    page.click("#batch-cancel")
    page.wait_for_selector("#batch-status:has-text('1 successful, 0 failed, cancelled with 7')")
    page.wait_for_selector("#batch-offer:has-text('unfinished')")
    gate.open()
    page.click("#batch-go-on")
    page.wait_for_selector("#batch-offer", state="hidden")
    page.wait_for_selector("#batch-status:has-text('7 successful, 0 failed, 1 done before')")
    assert "cancelled" not in page.inner_text("#batch-status")
    page.wait_for_function("document.querySelectorAll('#batch-table tr .done, #batch-table tr .skipped').length === 8")


def test_a_folder_of_this_machine_and_another_browser_that_sees_nothing_of_it(page, browser, app, tmp_path, photo):
    folder = tmp_path / "holiday"
    (folder / "day 1").mkdir(parents=True)
    shutil.copy(photo, folder / "a.png")
    shutil.copy(photo, folder / "day 1" / "b.png")
    set_model(page, "lanczos")
    open_tab(page, "Batch")
    unfold(page.get_by_role("button", name="A folder on this machine instead"))
    fill(page, "#batch-folder", str(folder))
    page.locator("#batch-folder :is(input, textarea)").blur()
    page.wait_for_selector("#batch-plan:has-text('Pictures: 2')")
    page.click("#batch-start")
    page.wait_for_selector("#batch-status:has-text('2 successful, 0 failed')")
    assert (folder / "enhanced" / "day 1" / "b_x4.png").is_file()
    other = person(browser, locale="en-GB").new_page()
    other.goto(app.address)
    restored(other)
    open_tab(other, "Batch")
    other.wait_for_selector("#batch-guide .steps")
    assert other.locator("#batch-table tr").count() == 0
    other.context.close()


def test_a_preset_is_saved_found_after_a_reload_and_applied(page, tmp_path):
    set_model(page, "tiny-x2")
    open_tab(page, "Presets")
    fill(page, "#presets-name", "Photo")
    page.wait_for_selector("#presets-hint:has-text('built in')")
    page.click("#presets-save")
    page.wait_for_selector("#presets-told:has-text('built-in preset')")
    fill(page, "#presets-name", "My own")
    page.wait_for_selector("#presets-hint p", state="detached")
    page.click("#presets-save")
    page.wait_for_selector("#presets-told:has-text('is saved')")

    set_model(page, "lanczos")
    page.wait_for_function("JSON.stringify(localStorage).includes('lanczos')")  # what a reload brings back
    page.reload()
    restored(page)
    open_tab(page, "Presets")
    page.get_by_label("My own").check()
    page.wait_for_selector("#presets-preview:has-text('tiny-x2')")
    page.click("#presets-apply")
    page.wait_for_selector("#presets-told:has-text('is applied')")
    open_tab(page, "Image Enhancement")
    unfold(page.locator("#fine button.label-wrap"))
    page.wait_for_function("[...document.querySelectorAll('input')].some(one => one.value.includes('tiny-x2'))")

    open_tab(page, "Presets")
    with page.expect_download() as download:
        page.click("#presets-export")
    assert json.loads(download.value.path().read_text("utf-8"))["presets"]["My own"]["settings"]["model"] == "tiny-x2"
    unfold(page.get_by_role("button", name="Rename, duplicate, delete"))
    fill(page, "#presets-new-name", "Another name")
    page.click("#presets-rename")
    page.wait_for_selector("#presets-preview:has-text('Another name')")
    page.click("#presets-delete")
    page.wait_for_selector("#presets-question:has-text('Delete the preset')")
    page.click("#presets-yes")
    page.wait_for_selector("#presets-told:has-text('is deleted')")
    assert page.get_by_label("Another name").count() == 0
    shutil.copy(download.value.path(), tmp_path / "mine.json")
    unfold(page.get_by_role("button", name="Import and export"))
    page.set_input_files("input[type=file][accept='.json']", str(tmp_path / "mine.json"))
    page.wait_for_selector("#presets-told:has-text('Imported: My own')")


def test_the_system_tab_unloads_and_measures(page, app, photo):
    page.set_input_files("#picture input[type=file]", str(photo))
    page.wait_for_selector("#facts .chips")
    set_model(page, "tiny-x4")
    page.click("#enhance")
    page.wait_for_selector("#result", state="visible")
    open_tab(page, "System Info")
    page.wait_for_selector("#system-loaded:has-text('tiny-x4')")
    page.wait_for_selector("#system-models:has-text('RealESRGAN_x4plus')")
    page.click("#system-unload")
    page.wait_for_selector("#system-tested:has-text('of memory given back')")
    page.wait_for_selector("#system-loaded:has-text('No model is loaded')")

    page.click("#system-test")
    page.wait_for_selector("#system-tested:has-text('Measuring')")
    page.wait_for_selector("#system-tested:has-text('12 megapixel photo')")

    unfold(page.get_by_role("button", name="Report for a bug report"))
    page.click("#system-make-report")
    page.wait_for_function("document.querySelector('#system-report textarea').value.includes('models installed')")


def test_a_model_file_is_verified_and_deleted_only_after_a_question(page, app):
    shutil.copy(app.weights / "tiny-x4.pth", app.weights / "spare.pth")
    open_tab(page, "System Info")
    page.wait_for_selector("#system-models:has-text('spare')")
    box = page.locator("#system-model input")
    box.click()
    box.fill("spare")
    page.get_by_role("option").filter(has_text="spare").first.click()
    page.click("#system-verify")
    page.wait_for_selector("#system-told:has-text('spare: unverified')")
    page.click("#system-delete")
    page.wait_for_selector("text=Delete the file of")
    assert (app.weights / "spare.pth").exists()
    page.click("#system-yes")
    page.wait_for_selector("#system-told:has-text('is deleted')")
    assert not (app.weights / "spare.pth").exists()


def server_of(app: App) -> psutil.Process:
    port = int(app.address.rpartition(":")[2])
    for process in psutil.Process().children(recursive=True):
        if any(one.laddr and one.laddr.port == port for one in process.net_connections()):
            return process
    raise AssertionError("no process listens there")


def test_a_batch_whose_program_was_killed_is_offered_and_finished(browser, weights, tmp_path, scene):
    paths = small_pictures(tmp_path, scene, 6)
    shutil.copytree(weights, tmp_path / "app" / "weights")
    context = person(browser, locale="en-GB", viewport={"width": 1280, "height": 1000})
    page, gate = context.new_page(), Gate(tmp_path / "gate")
    with running_app(tmp_path / "app", gate, optimize="false") as first:
        page.goto(first.address)
        restored(page)
        set_model(page, "rrdb-x4")
        upload(page, paths)
        gate.close(after=1)
        page.click("#batch-start")
        page.wait_for_selector("#batch-table .chip.done")
        gate.wait_for_windows()
        server_of(first).kill()
    results = {path: path.stat().st_mtime_ns for path in first.outputs.glob("session-*/batch-*/out/*.png")}
    assert len(results) == 1, "it was killed inside the second picture"
    with running_app(tmp_path / "app", optimize="false") as second:
        page.goto(second.address)
        restored(page)
        open_tab(page, "Batch")
        page.wait_for_selector("#batch-offer:has-text('unfinished')")
        page.click("#batch-go-on")
        page.wait_for_selector("#batch-status:has-text('5 successful, 0 failed, 1 done before')")
        context.close()
    assert {path: path.stat().st_mtime_ns for path in results} == results, "nothing is done twice"
    assert len(list(first.outputs.glob("session-*/batch-*/out/*.png"))) == 6, "nothing is lost"


def test_originals_of_a_folder_are_replaced_and_put_back(page, tmp_path, photo):
    """Never unless it is chosen; the results outlive the way back."""
    folder, kept = tmp_path / "holiday", tmp_path / "originals"
    (folder / "day 1").mkdir(parents=True)
    shutil.copy(photo, folder / "day 1" / "b.png")
    before = photo.read_bytes()
    set_model(page, "lanczos")
    open_tab(page, "Batch")
    unfold(page.get_by_role("button", name="A folder on this machine instead"))
    fill(page, "#batch-folder", str(folder))
    page.get_by_label("Replace them; they go to a folder").check()
    page.wait_for_selector("#batch-output", state="hidden")
    fill(page, "#batch-backup", str(kept))
    page.locator("#batch-backup :is(input, textarea)").blur()
    page.wait_for_selector("#batch-plan:has-text('Pictures: 1')")
    page.click("#batch-start")
    page.wait_for_selector("#batch-status:has-text('1 successful, 0 failed')")
    with Image.open(folder / "day 1" / "b.png") as image:
        assert image.size == (480, 360)
    assert (kept / "day 1" / "b.png").read_bytes() == before
    page.click("#batch-undo")
    page.wait_for_selector("#batch-status:has-text('Originals put back: 1')")
    assert (folder / "day 1" / "b.png").read_bytes() == before
    assert sorted(path.name for path in (folder / "day 1").iterdir()) == ["b.png", "b_enhanced.png"]
