"""How every executor behaves, wherever it runs its jobs: one suite for all of them."""

from __future__ import annotations

import importlib.util
import threading

import numpy as np
import pytest
from PIL import Image

from engine.executors import create_executor, run_many
from engine.jobs.job import JobState
from engine.types import JobControl
from tests.engine.executors.gated import GatedConfig
from tests.waiting import LONG, until
from utils.errors import (
    InvalidImageError,
    JobCancelled,
    ModelNotFoundError,
    OutputError,
    QueueFullError,
    ServiceStoppedError,
)

KINDS = ("in-process", "worker", "ray")


def skip_without_ray():
    """Not importorskip: the executor sets a switch that Ray reads while it is imported."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed (requirements-ray.txt)")


@pytest.fixture(scope="module", params=KINDS)
def executor(request, weights, tmp_path_factory):
    """One executor of each kind, kept over the tests of this file as a program would keep it."""
    if request.param == "ray":
        skip_without_ray()
    folder = tmp_path_factory.mktemp("executor")
    config = GatedConfig(
        _env_file=None,
        executor=request.param,
        weights_dir=weights,
        cache_dir=folder / "cache",
        output_dir=folder / "outputs",
        optimize=False,
        device="cpu",
        backend="torch",
        queue_limit=4,
    )
    with create_executor(config) as made:
        yield made


def running(handle):
    """Wait until a job shows progress."""
    seen = threading.Event()
    stop = handle.subscribe(lambda status: seen.set() if status.progress or status.state.final else None)
    assert seen.wait(LONG)
    stop()
    return handle


def test_a_job_gives_the_enlarged_picture(executor, new_job):
    job = new_job(level=200)
    result = executor.submit(job).result(LONG)
    assert result.output_path == job.output_path and result.output_size == (96, 96)
    assert result.metrics["upscaling_strategy"] == "x4 (tiny-x4)"
    assert 0 < result.timings.network < result.timings.total
    assert abs(np.asarray(Image.open(job.output_path)).mean() - 200) < 12


def test_states_come_in_order_and_end_once(executor, new_job):
    seen = []
    handle = executor.submit(new_job(side=100, tile=32))
    handle.subscribe(seen.append)
    handle.result(LONG)
    states = [status.state for status in seen]
    assert states[-1] is JobState.DONE and states.count(JobState.DONE) == 1
    assert states == sorted(states, key=["queued", "running", "done"].index)
    fractions = [status.progress.fraction for status in seen if status.progress]
    assert fractions and fractions == sorted(fractions) and fractions[-1] <= 1
    assert [status.number for status in seen] == sorted({status.number for status in seen})


def test_many_jobs_at_once_do_not_mix(executor, new_job):
    jobs = [new_job(f"{level}.png", level) for level in (20, 90, 160, 230)]
    handles = [executor.submit(job) for job in jobs]
    for handle, level in zip(handles, (20, 90, 160, 230), strict=True):
        result = handle.result(LONG)
        assert abs(np.asarray(Image.open(result.output_path)).mean() - level) < 15


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"model": "no-such-model"}, ModelNotFoundError), ({"scale": 1, "model": "lanczos"}, None)],
)
def test_errors_arrive_as_themselves(executor, new_job, settings, error):
    handle = executor.submit(new_job(**settings))
    if error is None:
        assert handle.result(LONG).model == "lanczos"
    else:
        with pytest.raises(error, match="no-such-model"):
            handle.result(LONG)
        assert handle.status.state is JobState.FAILED


def test_a_damaged_picture_fails_its_job_only(executor, new_job):
    job = new_job()
    job.input_path.write_bytes(b"not a picture at all")
    with pytest.raises(InvalidImageError, match=r"in\.png"):
        executor.submit(job).result(LONG)
    assert executor.submit(new_job("next.png")).result(LONG).output_size == (96, 96)


def test_an_existing_file_is_not_replaced(executor, new_job):
    job = new_job()
    job.output_path.parent.mkdir()
    job.output_path.write_bytes(b"mine")
    with pytest.raises(OutputError):
        executor.submit(job).result(LONG)
    assert job.output_path.read_bytes() == b"mine"


def test_cancelling_a_running_job_leaves_no_file(executor, new_job, gate):
    job = new_job(slow=True)
    gate.close(after=3)
    handle = running(executor.submit(job))
    handle.cancel()
    with pytest.raises(JobCancelled):
        handle.result(LONG)
    assert handle.status.state is JobState.CANCELLED
    assert not list(job.output_path.parent.glob("*")) and not list(job.output_path.parent.glob(".*"))


def test_a_waiting_job_is_cancelled_at_once_and_its_place_is_free(executor, new_job, gate):
    gate.close(after=3)
    slow = [executor.submit(new_job(f"slow-{n}.png", slow=True)) for n in range(executor.places)]
    until(lambda: not executor.stats().queued)
    waiting = [executor.submit(new_job(f"{n}.png")) for n in range(4)]
    with pytest.raises(QueueFullError) as full:
        executor.submit(new_job("too-many.png"))
    assert full.value.retry_after >= 1
    waiting[0].cancel()
    assert waiting[0].status.state is JobState.CANCELLED
    last = executor.submit(new_job("last.png"))
    for one in slow:
        one.cancel()
    gate.open()
    assert last.result(LONG).output_size == (96, 96)


def test_enhance_file_reports_progress_and_can_be_cancelled(executor, new_job, gate):
    fractions = []
    job = new_job(side=100, tile=32)
    result = executor.enhance_file(
        job.input_path, job.output_path, job.settings, control=JobControl(lambda step: fractions.append(step.fraction))
    )
    assert result.output_size == (400, 400) and fractions
    slow, control = new_job("slow.png", slow=True), JobControl()
    control.on_progress = lambda step: control.cancel()
    gate.close(after=3)
    with pytest.raises(JobCancelled):
        executor.enhance_file(slow.input_path, slow.output_path, slow.settings, control=control)


def test_stats_count_what_happened(executor, new_job):
    before = executor.stats()
    executor.submit(new_job()).result(LONG)
    until(lambda: not executor.stats().running)  # whoever waits is told first
    after = executor.stats()
    assert after.done == before.done + 1 and after.queued == after.running == 0 and after.accepting
    assert after.seconds_per_job > 0 and after.runners[0].state in ("idle", "busy")


def test_goals_beyond_x4_mix_passes(executor, new_job):
    from dataclasses import replace

    job = replace(new_job(side=20, model="auto", scale=None, long_edge=120), mixed_passes=True)
    result = executor.submit(job).result(LONG)
    assert result.output_size == (120, 120) and result.input_size == (20, 20) and result.scale == 6
    assert result.metrics["upscaling_strategy"].startswith("x4 (") and "x2 (" in result.metrics["upscaling_strategy"]


def test_many_jobs_end_once_each_and_fill_no_queue(executor, new_job):
    jobs = [new_job(f"{n}.png", level=20 + 10 * n, side=8) for n in range(12)]
    broken = new_job("broken.png")
    broken.input_path.write_bytes(b"no picture")
    handles = list(run_many(executor, iter([*jobs[:6], broken, *jobs[6:]])))
    assert sorted(handle.job.id for handle in handles) == sorted(job.id for job in [*jobs, broken])
    states = {handle.job.input_path.name: handle.status.state for handle in handles}
    assert states.pop("broken.png") is JobState.FAILED and set(states.values()) == {JobState.DONE}


def test_many_jobs_can_be_cancelled(executor, new_job):
    control = JobControl()

    def endless():
        number = 0
        while True:
            number += 1
            yield new_job(f"{number}.png", side=8)

    ended = 0
    for handle in run_many(executor, endless(), control):
        ended += handle.status.state is JobState.DONE
        control.cancel()
    assert ended >= 1


def test_closing_ends_every_job_and_names_those_left(service_config, new_job, gate):
    executor = create_executor(service_config(executor="in-process"))
    gate.close(after=3)
    slow = running(executor.submit(new_job("slow.png", slow=True)))
    waiting = executor.submit(new_job("waiting.png"))
    left = executor.close(grace=0)
    assert {job.id for job in left} == {slow.job.id, waiting.job.id}
    for handle in (slow, waiting):
        with pytest.raises(ServiceStoppedError):
            handle.result(LONG)
    with pytest.raises(ServiceStoppedError):
        executor.submit(new_job("late.png"))
