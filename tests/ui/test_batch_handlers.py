"""The Batch tab's work without a browser: what may be named, what is planned, started, found again and shown."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import zipfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from engine.batch import BatchSnapshot, ItemState, ItemStatus, Phase
from engine.processor import enhance_file
from engine.settings_manager import SettingsManager
from engine.types import EnhanceSettings
from tests.conftest import Limits
from tests.waiting import LONG, until
from ui.handlers import batch as work
from ui.handlers import batch_view as view
from ui.sessions import Session
from ui.strings import words_in
from ui.thumbnails import Thumbnails
from utils.errors import InvalidImageError, InvalidSettingsError

WORDS = words_in("en")
TWICE = EnhanceSettings.create(model="lanczos", scale=2)
FORM = {
    "model": "tiny-x4",
    "goal": "scale",
    "scale": 2,
    "long_edge": None,
    "width": None,
    "height": None,
    "format": "jpeg",
    "quality": 80,
    "tile": 0,
}


@dataclass(frozen=True)
class Settings(Limits):
    server_name: str = "127.0.0.1"
    share: bool = False
    api_library_roots: str = ""


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "outputs")


@pytest.fixture
def session(tmp_path):
    return Session("key", tmp_path / "outputs" / "session-key")


@pytest.fixture
def desk(manager, settings):
    return work.BatchDesk(manager, settings, partial(enhance_file, manager=manager, config=settings))


@pytest.fixture
def uploads(tmp_path, photo):
    """Two good pictures of one name and a broken one, as an upload leaves them: each in a folder of its own."""
    paths = []
    for folder, name in (("1", "photo.png"), ("2", "photo.png"), ("3", "bad.png")):
        paths.append(tmp_path / "uploads" / folder / name)
        paths[-1].parent.mkdir(parents=True)
        shutil.copy(photo, paths[-1])
    paths[-1].write_text("no picture")
    return tuple(paths)


def all_thumbnails(thumbnails, items):
    """As ``Thumbnails.of``, once all of them are made."""
    until(lambda: not thumbnails.of(items)[2])
    return thumbnails.of(items)


def begin(desk, session, settings, wanted):
    place = work.new_place(session)
    batch = desk.begin(session, work.make_request(wanted, TWICE, False, place, settings), place)
    assert batch.join(LONG)
    return batch


def test_one_bad_file_never_stops_the_rest_and_names_do_not_collide(desk, session, settings, uploads):
    batch = begin(desk, session, settings, work.Wanted(uploads))
    now = batch.snapshot()
    assert now.result.summary == "2 successful, 1 failed"
    assert [path.name for path in work.finished(now)] == ["photo_x2.png", "photo_x2-2.png"]
    assert all(path.is_relative_to(session.folder) for path in batch.request.inputs), "uploads are kept by the batch"
    with zipfile.ZipFile(work.zip_all(batch, session)) as archive:
        assert sorted(archive.namelist()) == ["photo_x2-2.png", "photo_x2.png"]
        assert archive.read("photo_x2.png") == next(iter(work.finished(now))).read_bytes()


def test_failed_ones_are_tried_again_and_only_they(desk, session, settings, uploads, photo):
    batch = begin(desk, session, settings, work.Wanted(uploads))
    bad = batch.request.inputs[2]
    bad.unlink()
    shutil.copy(photo, bad)
    again = desk.retry_failed(session)
    assert again.join(60)
    assert [item.state for item in again.snapshot().items] == [ItemState.SKIPPED, ItemState.SKIPPED, ItemState.DONE]


def test_a_browser_has_one_batch_at_a_time_and_finds_it_again(manager, session, settings, uploads):
    asked = threading.Event()

    def enhance(*arguments, **how):
        assert asked.wait(LONG)
        return enhance_file(*arguments, manager=manager, config=settings, **how)

    desk, place = work.BatchDesk(manager, settings, enhance), work.new_place(session)
    batch = desk.begin(session, work.make_request(work.Wanted(uploads), TWICE, False, place, settings), place)
    with pytest.raises(InvalidSettingsError, match="running"):
        desk.retry_failed(session)
    asked.set()
    assert batch.join(LONG)
    assert desk.current(session) is batch and desk.current(Session("other", session.folder)) is None


def test_a_batch_that_did_not_end_is_offered_by_the_next_run_of_the_program(manager, desk, session, settings, uploads):
    place = work.new_place(session)
    request = work.take_uploads(work.make_request(work.Wanted(uploads[:2]), TWICE, False, place, settings), place)
    request.save()  # what a killed program leaves
    fresh = work.BatchDesk(manager, settings)
    assert fresh.unfinished(session) == request
    assert "photo.png" in view.unfinished_html(request, WORDS)
    assert fresh.go_on(session).join(60)
    assert fresh.unfinished(session) is None
    request.save()
    fresh.forget(session)
    assert fresh.unfinished(session) is None
    with pytest.raises(InvalidSettingsError):
        fresh.go_on(session)


def test_a_folder_keeps_its_structure_and_the_batch_is_found_there_too(desk, session, settings, tmp_path, photo):
    for name in ("a.png", "deep/b.png"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, tmp_path / "mine" / name)
    batch = begin(desk, session, settings, work.Wanted(folder=f' "{tmp_path / "mine"}" '))
    results = {path.relative_to(tmp_path / "mine").as_posix() for path in work.finished(batch.snapshot())}
    assert results == {"enhanced/a_x2.png", "enhanced/deep/b_x2.png"}
    batch.request.save()
    assert desk.unfinished(session).output_dir == tmp_path / "mine" / "enhanced"
    again = begin(desk, session, settings, work.Wanted(folder=str(tmp_path / "mine")))
    assert again.snapshot().result.summary.endswith("2 skipped (done before)")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_reach_the_page_as_text(desk, session, settings, tmp_path, photo):
    raw = os.fsdecode(b"caf\xe9")
    (tmp_path / "mine" / raw).mkdir(parents=True)
    shutil.copy(photo, tmp_path / "mine" / raw / f"{raw}.png")
    shutil.copy(photo, tmp_path / "mine" / raw / f"{raw}.bmp")
    (tmp_path / "mine" / f"{raw}-bad.png").write_text("no picture")
    request = work.make_request(
        work.Wanted(folder=str(tmp_path / "mine")), TWICE.but(format="png"), False, work.new_place(session), settings
    )
    said = view.plan_html(request.plan(settings, tmp_path), WORDS)
    batch = desk.begin(session, request)
    assert batch.join(60) and batch.snapshot().result.summary == "2 successful, 1 failed"
    said += view.table_html(batch.snapshot(), WORDS) + view.status_html(batch.snapshot(), WORDS)
    said += view.unfinished_html(replace(request, inputs=(tmp_path / "mine" / raw,)), WORDS)
    said += json.dumps(all_thumbnails(Thumbnails(session.folder), batch.snapshot().items), ensure_ascii=False)
    assert said.encode("utf-8").decode("utf-8").count("caf\ufffd") > 5
    assert work.zip_all(batch, session).is_file()


def test_a_watched_folder_is_enhanced_as_files_arrive_until_it_is_cancelled(desk, session, settings, tmp_path, photo):
    folder = tmp_path / "arriving"
    folder.mkdir()
    place = work.new_place(session)
    request = work.make_request(work.Wanted(folder=str(folder), watch=True), TWICE, False, place, settings)
    batch = desk.begin(session, request.but(watch_interval=0.05), place)
    shutil.copy(photo, folder / "late.png")
    until(lambda: list(work.finished(batch.snapshot())))
    batch.cancel()
    assert batch.join(60) and batch.snapshot().result.summary == "1 successful, 0 failed"
    assert (folder / "enhanced" / "late_x2.png").is_file()


def test_old_uploads_are_removed_results_and_unfinished_batches_stay(desk, session, settings, uploads):
    batch = begin(desk, session, settings, work.Wanted(uploads[:1]))
    archive = work.zip_all(batch, session)
    (result,) = work.finished(batch.snapshot())
    assert work.sweep_uploads(settings.output_dir, 60) == 0, "they are young"
    batch.request.save()
    archive.unlink()
    assert work.sweep_uploads(settings.output_dir, -60) == 0, "the batch may be finished later"
    desk.forget(session)
    assert work.sweep_uploads(settings.output_dir, -60) == 1
    assert result.is_file() and not batch.request.inputs[0].exists()


def test_folders_may_only_be_named_where_only_this_machine_can(tmp_path, settings):
    (tmp_path / "library" / "a").mkdir(parents=True)
    assert work.allowed_folder(str(tmp_path), settings) == tmp_path
    with pytest.raises(InvalidSettingsError, match="not a folder"):
        work.allowed_folder(str(tmp_path / "nowhere"), settings)
    open_to_all = Settings(tmp_path, server_name="0.0.0.0")
    assert not work.may_name_folders(open_to_all) and not work.may_name_folders(Settings(tmp_path, share=True))
    with pytest.raises(InvalidSettingsError):
        work.make_request(work.Wanted(folder=str(tmp_path)), TWICE, False, tmp_path, open_to_all)
    with_roots = Settings(tmp_path, server_name="0.0.0.0", api_library_roots=str(tmp_path / "library"))
    assert work.allowed_folder(str(tmp_path / "library" / "a"), with_roots)
    for outside in (tmp_path, tmp_path / "library" / ".." / "x"):
        with pytest.raises(InvalidSettingsError, match="may not be named"):
            work.allowed_folder(str(outside), with_roots, must_exist=False)


HERE = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}


@pytest.mark.parametrize(
    ("headers", "here"),
    [
        (HERE, True),
        ({"host": "localhost:7860"}, True),
        ({"host": "[::1]:7860", "origin": "http://[::1]:7860"}, True),
        (HERE | {"x-forwarded-for": "203.0.113.7"}, False),
        (HERE | {"origin": "https://upscaler.example.org"}, False),
        ({"host": "rebound.example.org:7860", "origin": "http://rebound.example.org:7860"}, False),
        (HERE | {"origin": "null"}, False),
    ],
)
def test_a_proxy_and_a_rebound_name_are_not_this_machine(headers, here, tmp_path, settings):
    assert work.is_from_here(SimpleNamespace(headers=headers)) is here
    wanted = work.Wanted(folder=str(tmp_path), from_here=here)
    if here:
        assert work.make_request(wanted, TWICE, False, tmp_path, settings).inputs == (tmp_path,)
        return
    with pytest.raises(InvalidSettingsError, match="may not be named"):
        work.make_request(wanted, TWICE, False, tmp_path, settings)


def test_settings_come_from_the_form_a_preset_or_each_picture(manager, tmp_path):
    presets = SettingsManager(tmp_path)
    presets.save_preset("Mine", {"scale": 3, "format": "png"})
    fixed, per_picture = work.settings_of("image", FORM, None, presets, manager)
    assert (fixed.model, fixed.scale, fixed.format, per_picture) == ("tiny-x4", 2, "jpeg", False)
    preset, per_picture = work.settings_of("preset", FORM, "Mine", presets, manager)
    assert (preset.model, preset.scale, preset.format, per_picture) == ("auto", 3, "png", False)
    decided, per_picture = work.settings_of("auto", FORM, None, presets, manager)
    assert (decided.model, decided.scale, decided.format, decided.quality, per_picture) == (
        "auto",
        None,
        "jpeg",
        80,
        True,
    )
    with pytest.raises(InvalidSettingsError, match="Choose a preset"):
        work.settings_of("preset", FORM, None, presets, manager)


def test_nothing_chosen_is_said(settings, tmp_path):
    with pytest.raises(InvalidImageError, match="Choose pictures"):
        work.make_request(work.Wanted(), TWICE, False, tmp_path, settings)


def test_the_plan_is_told_before_the_start(settings, session, uploads, tmp_path):
    wanted = work.Wanted((*uploads, uploads[0].with_name("<b>.png")), template="{stem}")
    request = work.make_request(wanted, TWICE, False, work.new_place(session), settings)
    html = view.plan_html(request.plan(settings, tmp_path / "zip"), WORDS)
    assert "Pictures: 4" in html and "free" in html
    assert "so would" in html and "photo-2.png" in html, "the collision is named"
    assert "bad.png cannot be used" in html and "<b>" not in html
    assert not session.folder.exists(), "nothing was written"


def item(number=1, state=ItemState.QUEUED, **values):
    return ItemStatus(number, values.pop("name", f"{number}.png"), Path("in"), Path("out"), state, **values)


def test_the_table_shows_states_sizes_and_reasons_and_trusts_no_name():
    items = (
        item(1, ItemState.RUNNING, fraction=0.42, input_size=(10, 20)),
        item(2, ItemState.DONE, output_size=(40, 80), output_bytes=2_500_000, model="tiny-x4", seconds=75.0),
        item(3, ItemState.FAILED, error="'x' is <broken>.", name="<script>.png"),
    )
    html = view.table_html(BatchSnapshot(1, Phase.RUNNING, items=items), WORDS)
    for part in ("running 42%", "10 × 20", "40 × 80", "2.5 MB", "1 min 15 s", "tiny-x4", "&lt;script&gt;.png"):
        assert part in html
    assert "&lt;broken&gt;" in html and "<script>" not in html
    assert "1.png" not in view.table_html(BatchSnapshot(1, Phase.RUNNING, items=items), WORDS, "failed")


def test_long_tables_have_pages_with_what_matters_first():
    items = tuple(item(number) for number in range(1, 250)) + (item(250, ItemState.FAILED, error="no"),)
    snapshot = BatchSnapshot(1, Phase.RUNNING, items=items)
    assert view.pages(snapshot, "all") == 3 and view.pages(snapshot, "failed") == 1
    assert view.page_of(snapshot, "all", 1)[0].number == 250 and len(view.page_of(snapshot, "all", 3)) == 50
    assert view.pages(None, "all") == 1 and view.table_html(None, WORDS) == ""


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_phase_has_a_sentence(language):
    for phase in Phase:
        snapshot = BatchSnapshot(1, phase, ahead=2, items=(item(),), error="no" if phase is Phase.FAILED else None)
        assert "<p" in view.status_html(snapshot, words_in(language))
    assert view.status_html(None, words_in(language))


def test_thumbnails_are_made_beside_the_page_one_after_the_other_and_kept(tmp_path, photo, monkeypatch):
    results = []
    for number in (1, 2):
        target = tmp_path / f"{number}.png"
        Image.open(photo).resize((640, 480)).save(target)
        results.append(ItemStatus(number, target.name, photo, target, ItemState.DONE, output_size=(640, 480)))
    go, make = threading.Event(), Thumbnails._make
    monkeypatch.setattr(Thumbnails, "_make", lambda *arguments: (go.wait(LONG), make(*arguments))[1])
    thumbnails = Thumbnails(tmp_path / "session")
    assert thumbnails.of([*results, item(3)]) == ([], [], True), "nobody waits for them"
    go.set()
    shown, numbers, missing = all_thumbnails(thumbnails, [*results, item(3)])
    assert numbers == [1, 2] and not missing and thumbnails.count == 2
    with Image.open(shown[0][0]) as small:
        assert small.size == (320, 240)
    assert thumbnails.of(results)[0] == shown and thumbnails.count == 2
    Path(shown[0][0]).unlink()
    assert thumbnails.of(results) == (shown[1:], [2], True), "one that is gone is made again"
    assert all_thumbnails(thumbnails, results)[1] == [1, 2]


def test_a_result_without_a_thumbnail_holds_up_no_other(tmp_path, photo):
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    results = [
        ItemStatus(number, path.name, photo, path, ItemState.DONE, output_size=(120, 90))
        for number, path in enumerate((broken, tmp_path / "gone.png", photo))
    ]
    assert all_thumbnails(Thumbnails(tmp_path / "session"), results)[1:] == ([2], False)
