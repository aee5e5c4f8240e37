"""The list of all jobs: what runs and waits, who may act on what, and in which order it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from engine.jobs.job_list import JobKind, JobList, JobView, MoveTo, QueueState, moved
from utils.errors import JobAccessError, JobNotFoundError, JobNotWaitingError

RUNNING = JobView(QueueState.RUNNING, started=1.0)


@dataclass
class Job:
    """A job that is as it is told to be."""

    owner: str
    now: JobView | None = RUNNING
    name: str = "a.png"
    kind: JobKind = JobKind.PICTURE
    created: float = 1.0
    asked: list[str] = field(default_factory=list)

    def view(self) -> JobView | None:
        return self.now

    def cancel(self) -> None:
        self.asked.append("cancel")

    def move(self, to: MoveTo, *, among_own: bool) -> bool:
        self.asked.append(f"{to.value} {'among own' if among_own else 'before all'}")
        return self.now is not None and self.now.state is QueueState.QUEUED


def waiting(position: int) -> JobView:
    return JobView(QueueState.QUEUED, position)


def test_what_runs_comes_first_and_what_has_ended_is_gone():
    job_list = JobList()
    second, first, running = Job("a", waiting(2)), Job("b", waiting(1)), Job("c")
    numbers = [job_list.add(job) for job in (second, first, running)]
    assert numbers == [1, 2, 3]
    assert [job.number for job in job_list.jobs()] == [3, 2, 1]
    running.now = None
    assert [job.number for job in job_list.jobs()] == [2, 1]
    with pytest.raises(JobNotFoundError, match="no job 3"):
        job_list.cancel(3, owner=None)
    assert job_list.add(Job("d")) == 4, "numbers are never given twice"


def test_a_person_acts_on_their_own_jobs_alone():
    job_list, job = JobList(), Job("a", waiting(1))
    number = job_list.add(job)
    for ask in (lambda: job_list.cancel(number, "b"), lambda: job_list.move(number, MoveTo.FRONT, "b")):
        with pytest.raises(JobAccessError):
            ask()
    assert job.asked == []
    job_list.cancel(number, "a")
    job_list.move(number, MoveTo.UP, "a")
    job_list.move(number, MoveTo.FRONT, None)
    assert job.asked == ["cancel", "up among own", "front before all"]


def test_one_that_runs_has_no_place_to_change():
    job_list = JobList()
    number = job_list.add(Job("a"))
    with pytest.raises(JobNotWaitingError):
        job_list.move(number, MoveTo.FRONT, "a")


@pytest.mark.parametrize(
    ("one", "to", "order"),
    [("c", MoveTo.UP, "acbd"), ("d", MoveTo.FRONT, "dabc"), ("a", MoveTo.UP, "abcd"), ("a", MoveTo.FRONT, "abcd")],
)
def test_one_place_up_or_to_the_front(one, to, order):
    assert "".join(moved("abcd", one, to)) == order
