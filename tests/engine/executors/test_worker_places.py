"""Two jobs in one worker process: who is blamed for its end, and who is tried again alone."""

from __future__ import annotations

import queue
import threading
import time

import pytest

from engine.executors import worker
from engine.executors.worker import WorkerRunner, WorkerSetup, worker_executor
from engine.executors.worker_process import Flight
from engine.jobs.job import JobState
from engine.types import JobControl
from tests.engine.executors.test_behaviour import running
from tests.waiting import LONG, until
from utils.errors import EngineError, JobCancelled


class Process:
    """A child that says nothing and ends when told to."""

    made: list[Process] = []

    def __init__(self, setup):
        self.pid, self.models, self.stopped_for, self.at_the_end = None, {}, None, frozenset()
        self.gone, self.flights = threading.Event(), {}
        Process.made.append(self)

    def board(self, job):
        self.flights[job.id] = Flight(job)
        return self.flights[job.id]

    def leave(self, flight):
        pass

    def cancel(self, job):
        pass

    def stop(self, why=""):
        if not self.gone.is_set():
            self.stopped_for = why
        self.gone.set()

    def how_it_ended(self):
        return "crashed"

    def crash(self, *at_work):
        self.at_the_end = frozenset(job.id for job in at_work)
        self.gone.set()


@pytest.fixture
def runner(service_config, monkeypatch):
    monkeypatch.setattr(Process, "made", [])
    monkeypatch.setattr(worker, "WorkerProcess", Process)
    return WorkerRunner("one", WorkerSetup(service_config()))


def start(runner, job, control=None):
    """Run a job on a thread; what it raised comes through the queue."""
    ends = queue.SimpleQueue()

    def run():
        try:
            ends.put(runner.run(job, control or JobControl()))
        except EngineError as error:
            ends.put(error)

    before = sum(len(one.flights) for one in Process.made)
    threading.Thread(target=run, daemon=True).start()
    return ends, before


def aboard(count):
    until(lambda: sum(len(one.flights) for one in Process.made) >= count)
    return sum(len(one.flights) for one in Process.made)


def test_the_job_that_was_at_work_is_blamed_and_the_waiting_one_is_not(runner, new_job):
    guilty, innocent = new_job("a.png"), new_job("b.png")
    ends = [start(runner, job)[0] for job in (guilty, innocent)]
    assert aboard(2) == 2
    Process.made[0].crash(guilty)
    assert [one.get(timeout=LONG).losses for one in ends] == [1, 0]


def test_where_both_were_at_work_none_is_blamed_and_each_is_tried_again_alone(runner, new_job):
    jobs = new_job("a.png"), new_job("b.png")
    ends = [start(runner, job)[0] for job in jobs]
    assert aboard(2) == 2
    Process.made[0].crash(*jobs)
    assert [one.get(timeout=LONG).losses for one in ends] == [0, 0]
    again = [start(runner, job)[0] for job in jobs]
    assert aboard(3) == 3
    time.sleep(0.3)
    assert aboard(3) == 3  # the other one waits outside
    [alone] = Process.made[1].flights
    Process.made[1].crash(next(job for job in jobs if job.id == alone))
    error = again[[job.id for job in jobs].index(alone)].get(timeout=LONG)
    assert error.losses == 1
    assert aboard(4) == 4  # and comes when the place is empty
    runner.close()


def test_a_worker_that_ends_for_a_cancelled_neighbour_is_no_loss_of_the_other_job(runner, new_job, monkeypatch):
    monkeypatch.setattr(worker, "_CANCEL_GRACE_SECONDS", 0.1)
    control = JobControl()
    cancelled, other = start(runner, new_job("a.png"), control)[0], start(runner, new_job("b.png"))[0]
    assert aboard(2) == 2
    control.cancel()
    assert isinstance(cancelled.get(timeout=LONG), JobCancelled)
    error = other.get(timeout=LONG)
    assert (error.losses, error.for_another) == (0, True)


def test_a_cancelled_job_leaves_the_other_alone(service_config, new_job, gate, monkeypatch):
    """Real processes: one job waits for the network behind a long one and is cancelled there; the long one goes on."""
    monkeypatch.setattr(worker, "_CANCEL_GRACE_SECONDS", LONG)
    with worker_executor(service_config()) as executor:
        gate.close(after=3)
        first = running(executor.submit(new_job("first.png", slow=True)))
        second = executor.submit(new_job("second.png", slow=True))
        until(lambda: second.status.state is not JobState.QUEUED)
        second.cancel()
        assert second.wait(LONG) and second.status.state is JobState.CANCELLED
        assert first.status.state is JobState.RUNNING and first.status.attempts == 1
        assert executor.stats().runners[0].losses == 0
        first.cancel()
        assert first.wait(LONG)
