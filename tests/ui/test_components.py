"""Components and what Gradio makes of their values, without a browser."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest
from gradio.components.file import File
from gradio.components.upload_button import UploadButton
from gradio.data_classes import FileData, ListFiles

from config import Config
from engine.settings_manager import SettingsManager
from engine.types import EnhanceSettings
from ui.app import build
from ui.components import original_file, settings_form
from ui.tabs.batch_events import BatchEvents
from ui.visitors import Visitors


@pytest.fixture
def settings(tmp_path, weights) -> Config:
    folders = {f"{name}_dir": tmp_path / name for name in ("output", "cache", "data", "log")}
    return Config(weights_dir=weights, **folders)


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    """Gradio's folder for uploads."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def test_no_upload_component_of_the_page_leaves_files_behind(settings, manager, uploads, tmp_path):
    blocks = build(settings, manager, Visitors(tmp_path / "outputs"))
    file = FileData(path=str(uploads / "a.png"))
    parts = [part for part in blocks.blocks.values() if isinstance(part, File | UploadButton)]
    assert len(parts) >= 4
    for part in parts:
        several = part.file_count != "single"
        given = part.preprocess(ListFiles([file, file]) if several else file)
        assert given == ([file.path] * 2 if several else file.path) and part.preprocess(None) is None
    assert list(uploads.iterdir()) == []


@pytest.fixture
def form(manager):
    with gr.Blocks():
        yield settings_form(manager, lambda: None, lambda: None, lambda: None)


@pytest.mark.parametrize(
    "settings",
    [
        EnhanceSettings(scale=16),
        EnhanceSettings(scale=2, face_min_height=300),
        EnhanceSettings(scale=2, format="gif"),
        EnhanceSettings(scale=2, model="one-that-was-deleted"),
    ],
)
def test_the_form_takes_every_value_that_settings_can_have(form, settings):
    """After an update Gradio makes the component anew, and refuses what that one does not allow."""
    values = []
    for part, update in zip(form.components, form.updates(settings), strict=True):
        changes = {name: value for name, value in update.items() if name not in ("__type__", "value")}
        anew = type(part)(**{**part.constructor_args, **changes, "render": False})
        values.append(anew.preprocess(update["value"]))
    kept = dict(zip(form.names, values, strict=True))
    assert (kept["scale"], kept["face_min_height"], kept["format"], kept["model"]) == (
        settings.scale,
        settings.face_min_height,
        settings.format,
        settings.model,
    )


def test_a_slider_has_its_own_ends_again_after_a_usual_value(form):
    scale = form.updates(EnhanceSettings(scale=2))[form.names.index("scale")]
    assert (scale["minimum"], scale["maximum"]) == (1, 8)


def test_a_preset_that_is_gone_is_not_left_chosen_in_the_batch_tab(tmp_path, config, manager):
    presets = SettingsManager(tmp_path)
    events = BatchEvents(config, manager, Visitors(tmp_path), None, presets, lambda *given: None, 1)
    first = presets.presets()[0].name
    presets.save_preset("Mine", EnhanceSettings(scale=2), "")
    assert events.preset_names("Mine")["value"] == "Mine"
    presets.delete("Mine")
    update = events.preset_names("Mine")
    assert update["value"] == first and "Mine" not in update["choices"]


def test_the_batchs_plan_waits_for_the_list_of_presets(settings, manager, tmp_path):
    """Else it would come with a preset that the list no longer holds, which Gradio refuses."""
    blocks = build(settings, manager, Visitors(tmp_path / "outputs"))
    (names,) = [fn for fn in blocks.fns.values() if fn.name == "preset_names"]
    after = [fn for fn in blocks.fns.values() if fn.trigger_after == names._id]
    assert [fn.name for fn in after] == ["plan"]
    tabs = {target for fn in blocks.fns.values() if fn.name == "plan" for target in fn.targets}
    assert not tabs & set(names.targets)


def test_many_windows_may_watch_their_jobs_and_a_page_that_is_not_there_refuses_no_event(settings, manager, tmp_path):
    blocks = build(settings, manager, Visitors(tmp_path / "outputs"))
    assert blocks._queue.max_thread_count >= 256
    (cancel,) = [fn for fn in blocks.fns.values() if fn.name == "cancel" and fn.inputs and len(fn.inputs) == 2]
    page = cancel.inputs[1]
    page.maximum = 3
    assert page.preprocess(99) == 99 and page.preprocess(None) is None


def test_an_original_file_is_the_path_itself():
    with gr.Blocks():
        part = original_file(gr.File())
    assert part.preprocess(FileData(path="/a/b.png")) == "/a/b.png"
