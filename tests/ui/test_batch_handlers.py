"""The Batch tab's work without a browser: what may be named, what is planned, started, found again and shown."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import threading
import zipfile
from contextlib import suppress
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
from ui.handlers import batch as handlers
from ui.handlers import batch_facts
from ui.handlers import batch_view as view
from ui.handlers.picture_facts import PictureFacts
from ui.strings import LANGUAGES, words_in
from ui.thumbnails import Thumbnails
from ui.visitors import Visitor
from utils.errors import InvalidImageError, InvalidSettingsError, OutputError

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
def visitor(tmp_path):
    return Visitor("key", tmp_path / "outputs" / "session-key")


@pytest.fixture
def workspace(manager, settings):
    return handlers.BatchService(manager, settings, partial(enhance_file, manager=manager, config=settings))


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


def begin(workspace, visitor, settings, wanted):
    place = handlers.new_place(visitor)
    batch = workspace.begin(visitor, handlers.make_request(wanted, TWICE, False, place, settings), place)
    assert batch.join(LONG)
    return batch


def test_one_bad_file_never_stops_the_rest_and_names_do_not_collide(workspace, visitor, settings, uploads):
    batch = begin(workspace, visitor, settings, handlers.Wanted(uploads))
    now = batch.snapshot()
    assert now.result.summary == "2 successful, 1 failed"
    assert [path.name for path in handlers.finished(now)] == ["photo_x2.png", "photo_x2-2.png"]
    assert all(path.is_relative_to(visitor.folder) for path in batch.request.inputs), "uploads are kept by the batch"
    with zipfile.ZipFile(handlers.zip_all(batch, visitor)) as archive:
        assert sorted(archive.namelist()) == ["photo_x2-2.png", "photo_x2.png"]
        assert archive.read("photo_x2.png") == next(iter(handlers.finished(now))).read_bytes()


def test_failed_ones_are_tried_again_and_only_they(workspace, visitor, settings, uploads, photo):
    batch = begin(workspace, visitor, settings, handlers.Wanted(uploads))
    bad = batch.request.inputs[2]
    bad.unlink()
    shutil.copy(photo, bad)
    again = workspace.retry_failed(visitor)
    assert again.join(60)
    assert [item.state for item in again.snapshot().items] == [ItemState.SKIPPED, ItemState.SKIPPED, ItemState.DONE]


def test_a_browser_has_one_batch_at_a_time_and_finds_it_again(manager, visitor, settings, uploads):
    asked = threading.Event()

    def enhance(*arguments, **how):
        assert asked.wait(LONG)
        return enhance_file(*arguments, manager=manager, config=settings, **how)

    workspace, place = handlers.BatchService(manager, settings, enhance), handlers.new_place(visitor)
    batch = workspace.begin(
        visitor, handlers.make_request(handlers.Wanted(uploads), TWICE, False, place, settings), place
    )
    with pytest.raises(InvalidSettingsError, match="running"):
        workspace.retry_failed(visitor)
    asked.set()
    assert batch.join(LONG)
    assert workspace.current(visitor) is batch and workspace.current(Visitor("other", visitor.folder)) is None


def test_two_windows_that_start_at_once_have_one_batch(workspace, visitor, settings, uploads, monkeypatch):
    both = threading.Barrier(2, timeout=LONG)
    take, begun, refused = handlers.take_uploads, [], []

    def slowly(request, place):
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # the other window comes as far as this, where it may
        return take(request, place)

    def start():
        place = handlers.new_place(visitor)
        request = handlers.make_request(handlers.Wanted(uploads[:1]), TWICE, False, place, settings)
        try:
            begun.append(workspace.begin(visitor, request, place))
        except InvalidSettingsError as error:
            refused.append(error)

    monkeypatch.setattr(handlers, "take_uploads", slowly)
    monkeypatch.setattr(handlers.BackgroundBatch, "_work", lambda self: None)  # stays as it began
    windows = [threading.Thread(target=start) for _ in range(2)]
    for one in windows:
        one.start()
    for one in windows:
        one.join()
    assert len(begun) == len(refused) == 1 and workspace.current(visitor) is begun[0]


def test_a_full_disk_is_said_and_leaves_no_folder(workspace, visitor, settings, uploads, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    place = handlers.new_place(visitor)
    request = handlers.make_request(handlers.Wanted(uploads[:1]), TWICE, False, place, settings)
    monkeypatch.setattr(handlers.os, "link", full)
    monkeypatch.setattr(handlers.shutil, "copyfile", full)
    with pytest.raises(OutputError, match="No space left"):
        workspace.begin(visitor, request, place)
    assert not place.exists() and workspace.current(visitor) is None


def test_a_note_that_cannot_be_read_hides_no_other_batch(workspace, visitor, settings, tmp_path, photo):
    (tmp_path / "mine").mkdir()
    shutil.copy(photo, tmp_path / "mine" / "a.png")
    begin(workspace, visitor, settings, handlers.Wanted(folder=str(tmp_path / "mine"))).request.save()
    broken = handlers.new_place(visitor) / "where.txt"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"\xff\xfe\xff")
    assert workspace.unfinished(visitor).output_dir == tmp_path / "mine" / "enhanced"


def test_a_batch_that_did_not_end_is_offered_by_the_next_run_of_the_program(
    manager, workspace, visitor, settings, uploads
):
    place = handlers.new_place(visitor)
    request = handlers.take_uploads(
        handlers.make_request(handlers.Wanted(uploads[:2]), TWICE, False, place, settings), place
    )
    request.save()  # what a killed program leaves
    fresh = handlers.BatchService(manager, settings)
    assert fresh.unfinished(visitor) == request
    assert "photo.png" in view.unfinished_html(request, WORDS)
    assert fresh.go_on(visitor).join(60)
    assert fresh.unfinished(visitor) is None
    request.save()
    fresh.forget(visitor)
    assert fresh.unfinished(visitor) is None
    with pytest.raises(InvalidSettingsError):
        fresh.go_on(visitor)


def test_a_folder_keeps_its_structure_and_the_batch_is_found_there_too(workspace, visitor, settings, tmp_path, photo):
    for name in ("a.png", "deep/b.png"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, tmp_path / "mine" / name)
    batch = begin(workspace, visitor, settings, handlers.Wanted(folder=f' "{tmp_path / "mine"}" '))
    results = {path.relative_to(tmp_path / "mine").as_posix() for path in handlers.finished(batch.snapshot())}
    assert results == {"enhanced/a_x2.png", "enhanced/deep/b_x2.png"}
    batch.request.save()
    assert workspace.unfinished(visitor).output_dir == tmp_path / "mine" / "enhanced"
    again = begin(workspace, visitor, settings, handlers.Wanted(folder=str(tmp_path / "mine")))
    assert again.snapshot().result.summary.endswith("2 skipped (done before)")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_reach_the_page_as_text(workspace, visitor, settings, tmp_path, photo):
    raw = os.fsdecode(b"caf\xe9")
    (tmp_path / "mine" / raw).mkdir(parents=True)
    shutil.copy(photo, tmp_path / "mine" / raw / f"{raw}.png")
    shutil.copy(photo, tmp_path / "mine" / raw / f"{raw}.bmp")
    (tmp_path / "mine" / f"{raw}-bad.png").write_text("no picture")
    request = handlers.make_request(
        handlers.Wanted(folder=str(tmp_path / "mine")),
        TWICE.but(format="png"),
        False,
        handlers.new_place(visitor),
        settings,
    )
    said = view.plan_html(request.plan(settings, tmp_path), WORDS)
    batch = workspace.begin(visitor, request)
    assert batch.join(60) and batch.snapshot().result.summary == "2 successful, 1 failed"
    said += view.table_html(batch.snapshot(), WORDS) + view.status_html(batch.snapshot(), WORDS)
    said += view.unfinished_html(replace(request, inputs=(tmp_path / "mine" / raw,)), WORDS)
    said += json.dumps(all_thumbnails(Thumbnails(visitor.folder), batch.snapshot().items), ensure_ascii=False)
    assert said.encode("utf-8").decode("utf-8").count("caf\ufffd") > 5
    assert handlers.zip_all(batch, visitor).is_file()


def test_a_watched_folder_is_enhanced_as_files_arrive_until_it_is_cancelled(
    workspace, visitor, settings, tmp_path, photo
):
    folder = tmp_path / "arriving"
    folder.mkdir()
    place = handlers.new_place(visitor)
    request = handlers.make_request(handlers.Wanted(folder=str(folder), watch=True), TWICE, False, place, settings)
    batch = workspace.begin(visitor, request.but(watch_interval=0.05), place)
    until(lambda: batch.snapshot().phase is Phase.RUNNING)
    shutil.copy(photo, folder / "late.png")
    until(lambda: list(handlers.finished(batch.snapshot())))
    batch.cancel()
    assert batch.join(60) and batch.snapshot().result.summary == "1 successful, 0 failed"
    assert (folder / "enhanced" / "late_x2.png").is_file()


def test_old_uploads_are_removed_results_and_unfinished_batches_stay(workspace, visitor, settings, uploads):
    batch = begin(workspace, visitor, settings, handlers.Wanted(uploads[:1]))
    archive = handlers.zip_all(batch, visitor)
    (result,) = handlers.finished(batch.snapshot())
    assert handlers.sweep_uploads(settings.output_dir, 60) == 0, "they are young"
    batch.request.save()
    archive.unlink()
    assert handlers.sweep_uploads(settings.output_dir, -60) == 0, "the batch may be finished later"
    workspace.forget(visitor)
    assert handlers.sweep_uploads(settings.output_dir, -60) == 1
    assert result.is_file() and not batch.request.inputs[0].exists()


def test_folders_may_only_be_named_where_only_this_machine_can(tmp_path, settings):
    (tmp_path / "library" / "a").mkdir(parents=True)
    assert handlers.allowed_folder(str(tmp_path), settings) == tmp_path
    with pytest.raises(InvalidSettingsError, match="not a folder"):
        handlers.allowed_folder(str(tmp_path / "nowhere"), settings)
    open_to_all = Settings(tmp_path, server_name="0.0.0.0")
    assert not handlers.may_name_folders(open_to_all) and not handlers.may_name_folders(Settings(tmp_path, share=True))
    with pytest.raises(InvalidSettingsError):
        handlers.make_request(handlers.Wanted(folder=str(tmp_path)), TWICE, False, tmp_path, open_to_all)
    with_roots = Settings(tmp_path, server_name="0.0.0.0", api_library_roots=str(tmp_path / "library"))
    assert handlers.allowed_folder(str(tmp_path / "library" / "a"), with_roots)
    for outside in (tmp_path, tmp_path / "library" / ".." / "x"):
        with pytest.raises(InvalidSettingsError, match="may not be named"):
            handlers.allowed_folder(str(outside), with_roots, must_exist=False)


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
    assert handlers.is_from_here(SimpleNamespace(headers=headers)) is here
    wanted = handlers.Wanted(folder=str(tmp_path), from_here=here)
    if here:
        assert handlers.make_request(wanted, TWICE, False, tmp_path, settings).inputs == (tmp_path,)
        return
    with pytest.raises(InvalidSettingsError, match="may not be named"):
        handlers.make_request(wanted, TWICE, False, tmp_path, settings)


def test_settings_come_from_the_form_a_preset_or_each_picture(manager, tmp_path):
    presets = SettingsManager(tmp_path)
    presets.save_preset("Mine", {"scale": 3, "format": "png"})
    fixed, per_picture = handlers.settings_of("image", FORM, None, presets, manager)
    assert (fixed.model, fixed.scale, fixed.format, per_picture) == ("tiny-x4", 2, "jpeg", False)
    preset, per_picture = handlers.settings_of("preset", FORM, "Mine", presets, manager)
    assert (preset.model, preset.scale, preset.format, per_picture) == ("auto", 3, "png", False)
    decided, per_picture = handlers.settings_of("auto", FORM, None, presets, manager)
    assert (decided.model, decided.scale, decided.format, decided.quality, per_picture) == (
        "auto",
        None,
        "jpeg",
        80,
        True,
    )
    with pytest.raises(InvalidSettingsError, match="Choose a preset"):
        handlers.settings_of("preset", FORM, None, presets, manager)


def test_nothing_chosen_is_said(settings, tmp_path):
    with pytest.raises(InvalidImageError, match="Choose pictures"):
        handlers.make_request(handlers.Wanted(), TWICE, False, tmp_path, settings)


def test_the_plan_is_told_before_the_start(settings, visitor, uploads, tmp_path):
    wanted = handlers.Wanted((*uploads, uploads[0].with_name("<b>.png")), template="{stem}")
    request = handlers.make_request(wanted, TWICE, False, handlers.new_place(visitor), settings)
    html = view.plan_html(request.plan(settings, tmp_path / "zip"), WORDS)
    assert "Pictures: 4" in html and "free" in html
    assert "so would" in html and "photo-2.png" in html, "the collision is named"
    assert "bad.png cannot be used" in html and "<b>" not in html
    assert not visitor.folder.exists(), "nothing was written"


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phase_has_a_sentence(language):
    for phase in Phase:
        snapshot = BatchSnapshot(1, phase, ahead=2, items=(item(),), error="no" if phase is Phase.FAILED else None)
        assert "<p" in view.status_html(snapshot, words_in(language))
    assert not view.status_html(None, words_in(language))


def test_a_plan_tells_the_time_and_every_picture_with_its_size_now_and_then(settings, manager, tmp_path, photo):
    others = [tmp_path / f"{number}.png" for number in range(5)]
    for path in others:
        path.write_bytes(photo.read_bytes())
    (tmp_path / "letter <b>.jpg").write_text("no picture")
    wanted = handlers.Wanted((photo, *others, tmp_path / "letter <b>.jpg"))
    request = handlers.make_request(wanted, TWICE, False, tmp_path / "place", settings)
    plan = request.plan(settings, tmp_path)
    facts = PictureFacts(settings, manager)
    known = batch_facts.expected(plan, request, facts)
    one = facts.estimate(photo, TWICE)[1]
    assert known is not None and known.measured and known.seconds == pytest.approx(6 * one.seconds)
    assert " · about " in view.plan_html(plan, WORDS, known)
    table = view.planned_html(plan, WORDS)
    assert table.count("120 × 90") == table.count("240 × 180") == 6
    assert "letter &lt;b&gt;.jpg" in table and "unusable" in table
    own = handlers.make_request(wanted, EnhanceSettings.create(), True, tmp_path / "place", settings)
    assert batch_facts.expected(own.plan(settings, tmp_path), own, facts) is not None


def test_nothing_is_expected_of_nothing(settings, manager, tmp_path):
    (tmp_path / "letter.jpg").write_text("no picture")
    wanted = handlers.Wanted((tmp_path / "letter.jpg",))
    request = handlers.make_request(wanted, TWICE, False, tmp_path / "place", settings)
    assert batch_facts.expected(request.plan(settings, tmp_path), request, PictureFacts(settings, manager)) is None


def test_results_of_an_earlier_batch_are_found_the_newest_one_that_has_any(visitor, photo):
    for place, names in (("batch-1", ["old.png"]), ("batch-2", ["b.png", "sub/a.png", ".c.png"]), ("batch-3", [])):
        folder = visitor.folder / place / "out"
        folder.mkdir(parents=True)
        (folder / "journal.jsonl").write_text("{}")
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(photo.read_bytes())
    found = batch_facts.earlier_results(visitor)
    assert [path.name for path in found.paths] == ["b.png", "a.png"] and found.count == 2
    html = view.earlier_html([(path, "small.jpg") for path in found.paths], 9, WORDS)
    assert html.count("<li>") == 2 and "and 7 more" in html and view.earlier_html([], 0, WORDS) == ""


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


def test_originals_are_replaced_where_that_is_chosen_and_the_folder_may_be_named(settings, visitor, tmp_path, photo):
    settings = replace(settings, data_dir=tmp_path / "data")
    folder = tmp_path / "mine"
    folder.mkdir()
    place = handlers.new_place(visitor)

    def asked(**more):
        return handlers.make_request(handlers.Wanted(folder=str(folder), **more), TWICE, False, place, settings)

    assert not asked().options.in_place
    request = asked(originals="trash")
    assert request.options.in_place and request.options.backup is None
    assert request.output_dir.is_relative_to(tmp_path / "data") and request == asked(originals="trash")
    assert asked(originals="backup", backup=str(tmp_path / "kept")).options.backup == str(tmp_path / "kept")
    with pytest.raises(InvalidSettingsError, match="Name a folder for the originals"):
        asked(originals="backup")
    with pytest.raises(InvalidSettingsError, match="watched"):
        asked(originals="trash", watch=True)
    with pytest.raises(InvalidSettingsError, match="may not be named"):
        asked(originals="backup", backup=str(tmp_path / "kept"), from_here=False)
    uploaded = handlers.make_request(handlers.Wanted((photo,), originals="trash"), TWICE, False, place, settings)
    assert not uploaded.options.in_place, "an upload is a copy already"


def test_originals_are_put_back_only_by_whoever_sits_at_this_machine(settings):
    here = SimpleNamespace(headers={"host": "127.0.0.1:7860"})
    through_a_proxy = SimpleNamespace(headers={"host": "127.0.0.1:7860", "x-forwarded-for": "192.0.2.1"})
    assert handlers.may_undo(settings, here)
    assert not handlers.may_undo(settings, through_a_proxy)
    assert not handlers.may_undo(replace(settings, server_name="0.0.0.0"), here)
