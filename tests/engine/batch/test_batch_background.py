"""Batches beside other work: looked at while they run, in line with others, remembered until they are finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.batch import (
    BackgroundBatch,
    BatchOptions,
    BatchQueue,
    BatchRequest,
    ItemState,
    Phase,
    forget_request,
    is_running,
    load_request,
    unfinished_requests,
)
from engine.batch.journal import Journal
from engine.types import EnhanceSettings
from tests.waiting import LONG, until
from utils.errors import InvalidSettingsError, QueueFullError, ServiceStoppedError

TWICE = EnhanceSettings.create(model="lanczos", scale=2)
SLOW = EnhanceSettings.create(model="rrdb-x4", tile=32)
SOME = 7
"""Windows of several such pictures after which at least one shows progress, and none is done."""


def until_cancelled(source, target, settings, control, overwrite):
    """Works on a picture for as long as it is let."""
    control.sleep(250)
    control.check()


@pytest.fixture
def queue():
    return BatchQueue(places=1, longest=1)


@pytest.fixture
def begin(manager, config, queue, tmp_path):
    """Starts batches; all of them are ended with the test."""
    begun = []

    def start(*inputs, settings=TWICE, output="out", per_picture=False, enhance=None, **options):
        request = BatchRequest(inputs, tmp_path / output, settings, BatchOptions(**options), per_picture)
        begun.append(BackgroundBatch(request, manager=manager, config=config, queue=queue, enhance=enhance))
        return begun[-1]

    yield start
    for batch in begun:
        batch.cancel()
        assert batch.join(LONG)


def test_its_end_holds_every_picture_and_the_result(begin, pictures):
    folder = pictures("a.png", "b.png")
    (folder / "bad.png").write_text("no picture")
    batch = begin(folder)
    assert batch.join(LONG)
    now = batch.snapshot()
    assert now.phase is Phase.FINISHED and not now.active and now.error is None
    assert [item.state for item in now.items] == [ItemState.DONE, ItemState.DONE, ItemState.FAILED]
    assert now.result.summary == "2 successful, 1 failed" and now.progress.fraction == 1
    assert batch.snapshot().version == now.version


def test_its_mark_stays_while_nothing_changes_and_differs_with_every_change(begin, pictures, gate):
    gate.close(after=SOME)
    batch = begin(pictures("a.png", size=(96, 96)), settings=SLOW)
    waiting = begin(pictures("b.png"), output="second")
    until(lambda: any(item.fraction > 0 for item in batch.snapshot().items))
    marks = [batch.mark, batch.mark]
    assert marks[0] == marks[1]
    batch.pause()
    marks.append(batch.mark)
    batch.resume()
    gate.open()
    assert batch.join(LONG)
    marks.append(batch.mark)
    assert len(set(marks)) == 3 and batch.mark == batch.mark
    ahead = waiting.mark
    assert waiting.join(LONG) and waiting.mark != ahead


def test_what_cannot_begin_says_why(begin, tmp_path):
    (tmp_path / "empty").mkdir()
    batch = begin(tmp_path / "empty")
    assert batch.join(LONG)
    assert batch.snapshot().phase is Phase.FAILED and "No picture was found" in batch.snapshot().error


def test_pause_holds_and_resume_goes_on(begin, pictures, gate):
    gate.close(after=SOME)
    batch = begin(pictures("a.png", "b.png", "c.png", size=(96, 96)), settings=SLOW)
    until(lambda: any(item.fraction > 0 for item in batch.snapshot().items))
    batch.pause()
    gate.open()
    assert batch.snapshot().phase is Phase.PAUSED
    assert not batch.join(0.5), "a paused batch does not end"
    batch.resume()
    assert batch.join(LONG) and batch.snapshot().result.summary == "3 successful, 0 failed"


def test_settings_decided_per_picture(begin, pictures):
    batch = begin(pictures("a.png", size=(64, 64)), settings=EnhanceSettings.create(scale=2), per_picture=True)
    assert batch.join(LONG)
    (item,) = batch.snapshot().items
    assert item.state is ItemState.DONE and item.output_size == (128, 128)


def test_others_wait_in_line_and_too_many_are_refused(begin, pictures):
    first = begin(pictures("a.png", "b.png"), enhance=until_cancelled)
    until(lambda: first.snapshot().phase is Phase.RUNNING)
    second = begin(pictures("c.png"), output="second")
    assert second.snapshot().phase is Phase.WAITING and second.snapshot().ahead == 1
    with pytest.raises(QueueFullError):
        begin(pictures("d.png"), output="third")
    watching = begin(pictures("e.png") / "..", output="fourth", watch=True)  # holds no place, needs none
    until(lambda: watching.snapshot().phase is Phase.RUNNING)
    first.cancel()
    assert second.join(LONG) and second.snapshot().phase is Phase.FINISHED


def test_a_paused_batch_keeps_nobody_waiting(begin, pictures, gate):
    gate.close(after=SOME)
    first = begin(pictures("a.png", "b.png", "c.png", size=(96, 96)), settings=SLOW)
    until(lambda: any(item.fraction > 0 for item in first.snapshot().items))
    second = begin(pictures("d.png"), output="second", settings=TWICE)
    first.pause()
    assert second.join(LONG) and second.snapshot().result.count(ItemState.DONE) == 4
    assert first.snapshot().phase is Phase.PAUSED
    gate.open()
    first.resume()
    assert first.join(LONG) and first.snapshot().result.summary == "3 successful, 0 failed"


def test_one_that_waits_can_be_cancelled(begin, pictures):
    first = begin(pictures("a.png"), enhance=until_cancelled)
    until(lambda: first.snapshot().phase is Phase.RUNNING)
    second = begin(pictures("c.png"), output="second")
    second.cancel()
    assert second.join(LONG) and second.snapshot().result.cancelled


def test_a_cancelled_batch_is_remembered_and_finished_later(begin, pictures, tmp_path, gate):
    gate.close(after=SOME)
    batch = begin(pictures("a.png", "b.png", "c.png", size=(96, 96)), settings=SLOW)
    until(lambda: any(item.fraction > 0 for item in batch.snapshot().items))
    batch.pause()
    assert is_running(tmp_path / "out")
    batch.cancel()
    gate.open()
    assert batch.join(LONG) and not is_running(tmp_path / "out")
    (request,) = unfinished_requests(tmp_path)
    assert request == replace(batch.request, inputs=request.inputs) and request.inputs == (tmp_path / "in",)
    again = begin(*request.inputs, settings=request.settings)
    assert again.join(LONG) and again.snapshot().result.count(ItemState.FAILED) == 0
    assert not list(unfinished_requests(tmp_path))


def test_a_batch_that_the_programs_end_broke_off_is_remembered(manager, config, queue, pictures, tmp_path):
    def ending(*_):
        raise ServiceStoppedError("The program is shutting down and takes no new jobs.")

    request = BatchRequest((pictures("a.png", "b.png", "c.png", "d.png"),), tmp_path / "out", TWICE)
    batch = BackgroundBatch(request, manager=manager, config=config, queue=queue, enhance=ending)
    assert batch.join(LONG)
    result = batch.snapshot().result
    assert result.cancelled and result.count(ItemState.FAILED) == 0
    assert [one.inputs for one in unfinished_requests(tmp_path)] == [request.inputs]


def test_a_request_that_cannot_be_read_is_no_offer(tmp_path, pictures):
    request = BatchRequest((pictures("a.png"),), tmp_path / "out", TWICE, BatchOptions(watch=True), True)
    request.save()
    assert load_request(tmp_path / "out") == request
    forget_request(tmp_path / "out")
    with pytest.raises(InvalidSettingsError, match="No unfinished batch"):
        load_request(tmp_path / "out")
    (tmp_path / "out" / ".realesrgan-batch.json").write_text('{"version": 1, "inputs": 3}')
    with pytest.raises(InvalidSettingsError, match="Start the batch anew"):
        load_request(tmp_path / "out")
    assert not list(unfinished_requests(tmp_path))


def test_a_second_batch_in_a_folder_does_not_touch_the_firsts_request(begin, pictures, tmp_path):
    folder = pictures("a.png")
    first = BatchRequest((folder,), tmp_path / "out", TWICE)
    first.save()
    with Journal(tmp_path / "out"):
        batch = begin(folder, settings=SLOW)
        assert batch.join(LONG)
    assert "Another batch" in batch.snapshot().error
    assert load_request(tmp_path / "out").settings == TWICE
