"""The executor's own part, over runners that do as they are told: jobs whose place goes away."""

from __future__ import annotations

import threading

import pytest

from engine.executors.base import Executor, RunnerStats, RunnerUnavailable
from engine.jobs.job import JobState
from engine.types import WAITING, JobControl
from tests.waiting import LONG, until
from utils.errors import WorkerLostError


class Scripted:
    """A runner that follows a list: an exception to raise, or None for a result."""

    retries = 1
    places = 1

    def __init__(self, name, *script, available=True):
        self.name = name
        self.script = list(script)
        self.is_available = available
        self.ran = []

    def run(self, job, control):
        self.ran.append(job)
        step = self.script.pop(0) if self.script else None
        if step is not None:
            raise step
        return f"by {self.name}"

    def available(self):
        return self.is_available

    def rest(self):
        pass

    def close(self):
        pass

    def stats(self, busy):
        return RunnerStats(self.name, "busy" if busy else "idle", "cpu")


def test_a_job_whose_place_is_gone_goes_to_another_runner(new_job):
    lost = Scripted("lost", *[RunnerUnavailable()] * 9, available=False)
    with Executor("test", [lost]) as executor:
        handle = executor.submit(new_job())
        until(lambda: lost.ran and executor.stats().queued == 1)
        assert not handle.wait(0.5) and len(lost.ran) == 1 and executor.stats().queued == 1
    assert handle.status.state is JobState.FAILED  # nobody came before the end
    sound = Scripted("sound")
    lost = Scripted("lost", *[RunnerUnavailable()] * 9, available=False)
    with Executor("test", [lost, sound]) as executor:
        results = [executor.submit(new_job(f"{n}.png")).result(LONG) for n in range(5)]
    assert results == ["by sound"] * 5 and len(lost.ran) <= 1


def test_a_job_does_not_wander_for_ever(new_job):
    with Executor("test", [Scripted("lost", *[RunnerUnavailable()] * 9)]) as executor:
        with pytest.raises(WorkerLostError, match="lost its place"):
            executor.submit(new_job()).result(LONG)
        until(lambda: executor.stats().runners[0].state == "idle")


def test_a_worker_lost_before_the_work_began_is_no_mark_against_the_job(new_job):
    blameless = [WorkerLostError("gone", losses=0)] * 4
    with Executor("test", [Scripted("one", *blameless)]) as executor:
        handle = executor.submit(new_job())
        assert handle.result(LONG) == "by one" and handle.status.attempts == 5
    one = Scripted("one", *[WorkerLostError("gone")] * 2)
    with Executor("test", [one]) as executor, pytest.raises(WorkerLostError):
        executor.submit(new_job("second.png")).result(LONG)


def test_a_job_survives_any_number_of_cancelled_neighbours(new_job):
    ended_for_others = [WorkerLostError("was stopped", losses=0, for_another=True)] * 20
    with Executor("test", [Scripted("one", *ended_for_others)]) as executor:
        assert executor.submit(new_job()).result(LONG) == "by one"
    then_lost = [*ended_for_others, *[WorkerLostError("crashed")] * 2]
    with Executor("test", [Scripted("one", *then_lost)]) as executor, pytest.raises(WorkerLostError, match="crashed"):
        executor.submit(new_job("second.png")).result(LONG)


def test_a_job_that_waits_for_a_place_to_come_back_is_cancelled_at_once(new_job):
    lost = Scripted("lost", RunnerUnavailable(), available=False)
    with Executor("test", [lost]) as executor:
        handle = executor.submit(new_job())
        until(lambda: executor.stats().queued == 1 and lost.ran)
        assert handle.status.state is JobState.QUEUED
        handle.cancel()
        assert handle.status.state is JobState.CANCELLED and executor.stats().queued == 0


def test_a_job_that_was_cancelled_when_its_place_went_is_not_queued_again(new_job):
    class Going(Scripted):
        def run(self, job, control):
            control.cancel()
            raise RunnerUnavailable

    with Executor("test", [Going("going", available=False)]) as executor:
        handle = executor.submit(new_job())
        assert handle.wait(LONG) and handle.status.state is JobState.CANCELLED and executor.stats().queued == 0


def test_the_free_runner_takes_the_next_job(new_job):
    gate, both_have_one = threading.Event(), threading.Barrier(2)

    class Waiting(Scripted):
        def run(self, job, control):
            if not self.ran:
                both_have_one.wait(LONG)
            if self.name == "slow":
                gate.wait(LONG)
            return super().run(job, control)

    slow, quick = Waiting("slow"), Waiting("quick")
    with Executor("test", [slow, quick]) as executor:
        handles = [executor.submit(new_job(f"{n}.png")) for n in range(6)]
        until(lambda: len(quick.ran) == 5)
        gate.set()
        assert sorted(handle.result(LONG) for handle in handles) == ["by quick"] * 5 + ["by slow"]


def test_an_unforeseen_fault_fails_its_job_only(new_job):
    with Executor("test", [Scripted("one", ZeroDivisionError("oops"))]) as executor:
        with pytest.raises(Exception, match="ZeroDivisionError"):
            executor.submit(new_job()).result(LONG)
        assert executor.submit(new_job("next.png")).result(LONG) == "by one"


class Roomy(Scripted):
    """Two places; every job stays until the gate opens."""

    places = 2

    def __init__(self, name):
        super().__init__(name)
        self.gate = threading.Event()
        self.inside, self.rested_with = 0, []
        self.lock = threading.Lock()

    def run(self, job, control):
        with self.lock:
            self.inside += 1
        self.gate.wait(LONG)
        with self.lock:
            self.inside -= 1
        return super().run(job, control)

    def rest(self):
        self.rested_with.append(self.inside)


def test_a_runner_with_two_places_runs_two_jobs_and_the_emptier_runner_comes_first(new_job):
    first, second = Roomy("first"), Roomy("second")
    with Executor("test", [first, second]) as executor:
        handles = [executor.submit(new_job(f"{n}.png")) for n in range(2)]
        until(lambda: (first.inside, second.inside) == (1, 1))
        handles += [executor.submit(new_job(f"{n}.png")) for n in range(2, 5)]
        until(lambda: (first.inside, second.inside) == (2, 2))
        assert executor.stats().running == executor.places == 4 and executor.stats().queued == 1
        first.gate.set()
        second.gate.set()
        assert all(handle.result(LONG) for handle in handles)


def test_a_runner_rests_only_when_all_its_places_are_empty(new_job):
    runner = Roomy("one")
    with Executor("test", [runner], idle_timeout=0.05) as executor:
        handles = [executor.submit(new_job(f"{n}.png")) for n in range(2)]
        until(lambda: runner.inside == 2)
        executor.rest()
        runner.gate.set()
        assert all(handle.result(LONG) for handle in handles)
        until(lambda: runner.rested_with)
        assert set(runner.rested_with) == {0}
        assert executor.submit(new_job("next.png")).result(LONG)


def test_who_waits_for_a_picture_hears_of_its_place_until_a_runner_has_it(new_job, tmp_path):
    gate, told = threading.Event(), []

    class Slow(Scripted):
        def run(self, job, control):
            assert gate.wait(LONG)
            return super().run(job, control)

    with Executor("test", [Slow("slow")]) as executor:
        first, second = executor.submit(new_job()), executor.submit(new_job("second.png"))
        until(lambda: executor.position(second) == 1)
        third = new_job("third.png")
        control = JobControl(told.append)
        waiter = threading.Thread(
            target=executor.enhance_file,
            args=(third.input_path, third.output_path, third.settings),
            kwargs={"control": control},
        )
        waiter.start()
        until(lambda: told)
        assert (told[-1].stage, told[-1].waiting, told[-1].fraction) == (WAITING, 2, 0.0)
        second.cancel()
        until(lambda: told[-1].waiting == 1)
        gate.set()
        waiter.join(LONG)
        assert first.result(LONG) == "by slow" and not waiter.is_alive()
    assert [step.waiting for step in told][:2] == [2, 1] and all(not step.waiting for step in told[2:])
