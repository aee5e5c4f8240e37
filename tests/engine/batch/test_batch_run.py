"""Running a batch: every outcome reported, one bad file never stops the rest, nothing done twice."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import enhance_file
from engine.batch import JOURNAL_NAME, BatchControl, BatchOptions, ItemState, recommended, zip_results
from engine.types import EnhanceSettings
from tests.waiting import LONG
from utils.errors import EngineError, InvalidSettingsError, OutputError

THRICE = EnhanceSettings.create(model="lanczos", scale=3)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}


def test_results_equal_those_of_single_runs(run, pictures, manager, config, tmp_path):
    folder = pictures("a.png", "b.png", "c.png", size=(70, 50))
    settings = EnhanceSettings.create(model="tiny-x4", tile=48)
    result = run(folder, settings=settings)
    assert result.summary == "3 successful, 0 failed" and result.exit_code == 0
    for name in "abc":
        enhance_file(folder / f"{name}.png", tmp_path / f"{name}.png", settings, manager=manager, config=config)
        alone, together = Image.open(tmp_path / f"{name}.png"), Image.open(tmp_path / "out" / f"{name}_enhanced.png")
        assert np.array_equal(np.asarray(alone), np.asarray(together))


def test_bad_files_are_named_with_reasons_and_the_others_done(run, pictures, tmp_path):
    folder = pictures("a.png", "b.png", "c.png")
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:60])
    (folder / "text.jpg").write_text("no picture")
    result = run(folder, folder / "missing.png")
    assert result.summary == "3 successful, 3 failed" and result.exit_code == 3
    assert {item.name for item in result.failures} == {"broken.png", "text.jpg", "missing.png"}
    assert all(item.error and item.error_type in ("InvalidImageError", "DamagedImageError") for item in result.failures)
    assert files(tmp_path / "out") == {"a_x2.png", "b_x2.png", "c_x2.png"}


def test_the_model_is_told_as_soon_as_it_is_chosen(run, pictures):
    told = []
    run(
        pictures("a.png"),
        settings=EnhanceSettings.create(scale=2),
        choose=lambda path: EnhanceSettings.create(model="bicubic", scale=2),
        on_item=told.append,
    )
    running = [status.model for status in told if status.state is ItemState.RUNNING]
    assert running[0] is None and "bicubic" in running and told[-1].model == "bicubic"


def test_an_unexpected_fault_fails_one_picture_only(run, pictures, manager, config):
    def enhance(source, target, settings, control, overwrite):
        if source.stem == "b":
            raise ZeroDivisionError("a fault of ours")
        if source.stem == "c":
            raise MemoryError
        return enhance_file(source, target, settings, manager=manager, config=config, control=control)

    result = run(pictures("a.png", "b.png", "c.png"), enhance=enhance)
    assert [item.state for item in result.items] == [ItemState.DONE, ItemState.FAILED, ItemState.FAILED]
    assert "ZeroDivisionError" in result.items[1].error and result.items[2].error_type == "OutOfMemoryError"


def test_a_second_run_skips_what_is_done(run, pictures, tmp_path):
    folder = pictures("a.png", "b.png")
    run(folder)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
    again = run(folder)
    assert again.summary == "0 successful, 0 failed, 2 skipped (done before)"
    assert set(again.outputs) == set(before) == set((tmp_path / "out").glob("*.png"))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_changed_pictures_settings_and_missing_results_are_done_again(run, pictures, tmp_path):
    folder = pictures("a.png", "b.png", "c.png")
    run(folder)
    (tmp_path / "out" / "a_x2.png").unlink()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "b.png")
    result = run(folder)
    assert [item.state for item in result.items] == [ItemState.DONE, ItemState.DONE, ItemState.SKIPPED]
    assert files(tmp_path / "out") == {"a_x2.png", "b_x2.png", "b_x2-2.png", "c_x2.png"}
    assert run(folder, settings=THRICE).summary == "3 successful, 0 failed"
    assert run(folder).summary.startswith("0 successful"), "the first settings are still known as done"


def test_failed_pictures_wait_for_retry_and_a_repaired_file_does_not(run, pictures):
    folder = pictures("a.png")
    (folder / "b.png").write_text("no picture")
    run(folder)
    calls = []

    def enhance(source, *_):
        calls.append(source.name)
        raise EngineError("still bad")

    assert run(folder, enhance=enhance).summary == "0 successful, 1 failed, 1 skipped (done before)"
    assert calls == []
    run(folder, enhance=enhance, options=BatchOptions(retry_failed=True))
    assert calls == ["b.png"]
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes())
    assert run(folder).summary == "1 successful, 0 failed, 1 skipped (done before)"


def test_failures_that_are_not_the_pictures_fault_are_tried_again(run, pictures):
    folder = pictures("a.png")

    def full_disk(*_):
        raise OutputError("the disk is full")

    assert run(folder, enhance=full_disk).exit_code == 4
    assert run(folder).summary == "1 successful, 0 failed"


def test_a_result_that_appeared_before_the_crash_counts_as_done(run, pictures, tmp_path):
    folder = pictures("a.png", "b.png")
    run(folder)
    journal = tmp_path / "out" / JOURNAL_NAME
    started = [line for line in journal.read_bytes().splitlines() if b'"started"' in line]
    journal.write_bytes(b"\n".join(started) + b'\n{"event": "done", "inp')
    (tmp_path / "out" / "b_x2.png").unlink()
    result = run(folder)
    assert [item.state for item in result.items] == [ItemState.SKIPPED, ItemState.DONE]


def test_cancelling_stops_and_the_next_run_finishes(run, pictures, tmp_path):
    folder = pictures(*(f"{index}.png" for index in range(12)))
    control = BatchControl()

    def stop(status):
        if status.state is ItemState.DONE:
            control.cancel()

    result = run(folder, control=control, on_item=stop, options=BatchOptions(lanes=2))
    done = result.count(ItemState.DONE)
    assert result.cancelled and result.exit_code == 130 and 1 <= done <= 3
    assert len(files(tmp_path / "out")) == done
    rest = run(folder)
    assert rest.count(ItemState.SKIPPED) == done and rest.count(ItemState.DONE) == 12 - done


def test_pausing_holds_everything_until_resumed(run, pictures, manager, config):
    folder = pictures(*(f"{index}.png" for index in range(6)))
    control, states = BatchControl(), []
    begun, paused = threading.Barrier(3, timeout=LONG), threading.Event()

    def enhance(source, target, settings, control, overwrite):
        if source.stem in "012":
            begun.wait()  # every lane has a picture
        if source.stem in "12":
            assert paused.wait(LONG)
        return enhance_file(source, target, settings, manager=manager, config=config, control=control)

    def note(status):
        states.append(status.state)
        if status.state is ItemState.DONE and not paused.is_set():
            control.pause()
            paused.set()

    how = {"control": control, "on_item": note, "enhance": enhance, "options": BatchOptions(lanes=3)}
    thread = threading.Thread(target=run, args=(folder,), kwargs=how)
    thread.start()
    assert paused.wait(LONG)
    thread.join(0.5)
    assert states.count(ItemState.DONE) == 1 and thread.is_alive() and control.paused
    control.resume()
    thread.join(LONG)
    assert states.count(ItemState.DONE) == 6


def test_progress_ends_at_one_and_counts_everything(run, pictures):
    folder = pictures("a.png", "b.png", "c.png")
    (folder / "d.png").write_text("no picture")
    steps = []
    run(folder, on_progress=steps.append)
    last = steps[-1]
    assert (last.done, last.failed, last.total, last.fraction) == (3, 1, 4, 1.0)
    assert all(earlier.done <= later.done for earlier, later in zip(steps, steps[1:], strict=False))


def test_a_second_batch_into_the_same_folder_is_refused(run, pictures):
    folder, refused = pictures("a.png"), []

    def meanwhile(status):
        if status.state is ItemState.RUNNING and not refused:
            with pytest.raises(OutputError, match="Another batch"):
                run(folder)
            refused.append(True)

    run(folder, on_item=meanwhile)
    assert refused == [True]


def test_a_failing_listener_ends_the_batch_loudly(run, pictures):
    def listener(status):
        raise KeyError("listener")

    with pytest.raises(KeyError):
        run(pictures("a.png", "b.png"), on_item=listener)


def test_settings_are_decided_per_picture_and_explicit_ones_stay(run, pictures, manager, tmp_path):
    from engine import IntelligentEnhancer

    folder = pictures("a.png", size=(64, 48))
    Image.fromarray(np.kron(np.eye(8, dtype=np.uint8) * 255, np.ones((8, 8), np.uint8))).save(folder / "squares.png")
    settings = EnhanceSettings.create(scale=2, format="webp", quality=80)
    choose = recommended(IntelligentEnhancer(manager), settings)
    result = run(folder, settings=settings, choose=choose)
    assert result.summary == "2 successful, 0 failed"
    assert {item.name: item.model for item in result.items}["squares.png"] == "nearest"
    assert all(item.output_size[0] == 2 * item.input_size[0] for item in result.items)
    assert files(tmp_path / "out") == {"a_x2.webp", "squares_x2.webp"}


def test_wrong_settings_fail_before_anything_is_written(run, pictures, tmp_path):
    with pytest.raises(InvalidSettingsError):
        run(pictures("a.png"), options=BatchOptions(name_template="{"))
    assert not (tmp_path / "out").exists()


def test_pictures_of_a_zip_resume_too(run, pictures, tmp_path):
    folder, archive = pictures("a.png", "sub/b.png"), tmp_path / "album.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(folder / "a.png", "a.png")
        opened.write(folder / "sub/b.png", "sub/b.png")
    assert run(archive).count(ItemState.DONE) == 2
    assert run(archive).count(ItemState.SKIPPED) == 2, "the extracted copies have other names and times"


def test_results_go_into_a_zip(run, pictures, tmp_path):
    result = run(pictures("a.png", "sub/a.png"))
    out = tmp_path / "out"
    with zipfile.ZipFile(zip_results(result.outputs, tmp_path / "all.zip", root=out)) as opened:
        assert sorted(opened.namelist()) == ["a_x2.png", "sub/a_x2.png"]
        assert opened.read("sub/a_x2.png") == (out / "sub/a_x2.png").read_bytes()
    with zipfile.ZipFile(zip_results(result.outputs, tmp_path / "flat.zip")) as opened:
        assert sorted(opened.namelist()) == ["a_x2-2.png", "a_x2.png"]


def test_every_status_goes_to_json(run, pictures):
    folder = pictures("a.png")
    (folder / "b.png").write_text("no picture")
    good, bad = [json.loads(json.dumps(item.to_json())) for item in run(folder).items]
    assert good["state"] == "done" and good["width"] == 48 and good["error"] is None
    assert bad["output"] is None and bad["error"]["type"] == "InvalidImageError"
