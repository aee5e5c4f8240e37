"""The worker process: killed, hung, poisoned, idle. The kills are real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from engine.backends import get_backend
from engine.executors import create_executor
from engine.executors.worker import worker_executor, worker_setups
from engine.jobs.job import JobState
from tests.conftest import REPOSITORY
from tests.engine.executors.test_behaviour import running
from tests.processes import is_alive
from tests.waiting import LONG, until
from utils.errors import JobSetAsideError, WorkerLostError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def pid_of(executor):
    pid = executor.stats().runners[0].pid
    assert pid is not None
    return pid


def until_asleep(executor):
    """Until the only worker has ended."""
    until(lambda: executor.stats().runners[0].state == "asleep")


def test_the_worker_is_another_process_and_this_one_loads_no_model(service_config, new_job):
    with worker_executor(service_config()) as executor:
        assert executor.stats().runners[0].state == "asleep"
        executor.submit(new_job()).result(LONG)
        assert pid_of(executor) != os.getpid()


WHILE_OPENCV_IS_IMPORTED = """
import sys, threading, time
from pathlib import Path
from types import SimpleNamespace
import pebble
import engine.models.isolated, engine.video.process
from config import Config
from engine.executors.worker import WorkerRunner, WorkerSetup

def born(*arguments, **options):
    print("lent" if opencv_on_its_way() else "clean")
    sys.exit()

def opencv_on_its_way():
    return any(path.endswith("cv2") for path in sys.path)

pebble.ProcessPool = engine.models.isolated.ProcessPoolExecutor = born
engine.video.process.multiprocessing = SimpleNamespace(get_context=born)
runner = WorkerRunner("0", WorkerSetup(Config(_env_file=None)))
assert "cv2" not in sys.modules
threading.Thread(target=__import__, args=("cv2",), daemon=True).start()
while not opencv_on_its_way() and "cv2.utils" not in sys.modules:
    time.sleep(0.0001)
{birth}
"""


@pytest.mark.parametrize(
    "birth",
    [
        "runner._start()",
        "engine.models.isolated.run_isolated(print)",
        "engine.video.process._Child(SimpleNamespace(input_path=Path('clip.mp4')), None)",
    ],
)
def test_no_process_is_born_while_another_thread_imports_opencv(birth):
    """OpenCV puts a folder of its own before Python's while it is imported, and a child inherits the module path."""
    command = [sys.executable, "-c", WHILE_OPENCV_IS_IMPORTED.replace("{birth}", birth)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, timeout=LONG
    )
    assert done.stdout.strip() == "clean", done.stderr


def test_a_killed_worker_costs_one_attempt(service_config, new_job, gate):
    with worker_executor(service_config()) as executor:
        job = new_job(slow=True)
        gate.close(after=3)
        handle = running(executor.submit(job))
        first = pid_of(executor)
        again = threading.Event()
        handle.subscribe(lambda status: again.set() if status.attempts == 2 else None)
        os.kill(first, signal.SIGKILL)
        assert again.wait(LONG)
        handle.cancel()
        gate.open()
        assert handle.wait(LONG) and not list(job.output_path.parent.glob(".*"))
        assert executor.submit(new_job("next.png")).result(LONG).output_size == (96, 96)
        assert executor.stats().runners[0].losses == 1


def test_a_job_that_kills_its_workers_is_set_aside(service_config, new_job, gate):
    """Two kills end the first try; one more, by the same picture under another name, sets it aside for good."""
    config = service_config()
    with worker_executor(config) as executor:
        handle = executor.submit(new_job(slow=True))
        kill_whenever_running(executor, handle, gate)
        with pytest.raises(WorkerLostError, match=r"was killed.*in\.png"):
            handle.result(LONG)
        assert handle.status.attempts == 2
        handle = executor.submit(new_job("renamed.png", slow=True))
        kill_whenever_running(executor, handle, gate)
        with pytest.raises(JobSetAsideError, match=r"renamed\.png"):
            handle.result(LONG)
        assert handle.status.attempts == 1
    gate.open()
    with worker_executor(config) as executor:  # and after a restart
        with pytest.raises(JobSetAsideError):
            executor.submit(new_job("third.png", slow=True))
        assert executor.submit(new_job("other.png", level=3)).result(LONG).output_size == (96, 96)


def kill_whenever_running(executor, handle, gate):
    """Kill the worker once in every attempt of a job, after its first tile."""
    killed = set()
    gate.close(after=3)

    def kill(status):
        pid = executor.stats().runners[0].pid
        if status.progress is not None and pid is not None and pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
            gate.close(after=3)

    handle.subscribe(kill)


def test_a_worker_killed_between_jobs_is_replaced(service_config, new_job):
    with worker_executor(service_config()) as executor:
        executor.submit(new_job()).result(LONG)
        for name in ("second.png", "third.png"):
            os.kill(pid_of(executor), signal.SIGKILL)
            handle = executor.submit(new_job(name))
            assert handle.result(LONG).output_size == (96, 96)


def test_a_stopped_worker_counts_as_hung(service_config, new_job, gate):
    with worker_executor(service_config(worker_hang_timeout=20, worker_idle_timeout=3600)) as executor:
        executor.prepare(new_job().settings)  # what a busy machine needs for that does not count as hung
        until(lambda: executor.stats().runners[0].details["models"])
        gate.close(after=3)
        handle = running(executor.submit(new_job(slow=True)))
        first = pid_of(executor)
        os.kill(first, signal.SIGSTOP)
        again = threading.Event()
        handle.subscribe(lambda status: again.set() if status.attempts == 2 else None)
        assert again.wait(LONG)
        assert not is_alive(first)
        handle.cancel()
        assert handle.wait(LONG)


def test_a_worker_rests_when_asked_and_the_next_job_starts_another(service_config, new_job):
    with worker_executor(service_config()) as executor:
        executor.submit(new_job()).result(LONG)
        first = pid_of(executor)
        executor.rest()
        until_asleep(executor)
        assert executor.submit(new_job("next.png")).result(LONG).output_size == (96, 96)
        assert pid_of(executor) != first


def test_a_worker_that_is_asked_to_rest_finishes_its_job_first(service_config, new_job, gate):
    with worker_executor(service_config()) as executor:
        gate.close(after=3)
        handle = running(executor.submit(new_job(side=100, tile=32)))
        executor.rest()
        gate.open()
        assert handle.result(LONG).output_size == (400, 400)
        until_asleep(executor)


def test_an_idle_worker_ends_and_the_next_job_starts_another(service_config, new_job, gate):
    with worker_executor(service_config(worker_idle_timeout=0.5)) as executor:
        gate.close()
        handle = executor.submit(new_job())
        gate.wait_for_windows()
        first = pid_of(executor)
        gate.open()
        handle.result(LONG)
        until_asleep(executor)
        until(lambda: not is_alive(first))
        assert executor.submit(new_job("next.png")).result(LONG).output_size == (96, 96)


def test_closing_ends_the_child(service_config, new_job, gate):
    executor = create_executor(service_config(executor="worker"))
    gate.close(after=3)
    handle = running(executor.submit(new_job(slow=True)))
    pid = pid_of(executor)
    executor.close()
    assert handle.status.state is JobState.FAILED and not is_alive(pid)


def test_cores_are_dealt_out_to_workers(service_config):
    shares = [setup.cores for setup in worker_setups(service_config(workers=2))]
    assert len(shares) == 2 and all(shares)
    if len(os.sched_getaffinity(0)) >= 2:
        assert not set(shares[0]) & set(shares[1])
    assert worker_setups(service_config(workers=1))[0].cores is None


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("0,1,2", ["0", "1", "2"]),
        ("2, 3", ["2", "3"]),
        ("GPU-8932f937,GPU-1b2c", ["GPU-8932f937", "GPU-1b2c"]),
        ("1,0,-1,2", ["1", "0"]),
        ("5", [None]),  # the worker gets it from the environment
        ("", [None]),
    ],
)
def test_each_gpu_that_this_process_may_use_gets_a_worker(service_config, monkeypatch, visible, names):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    setups = worker_setups(service_config(device="auto"))
    assert [setup.visible_gpu for setup in setups] == names


def test_the_worker_backend_setting_chooses_the_device(service_config):
    assert worker_setups(service_config(device="auto", worker_backend="cpu"))[0].config.device == "cpu"


def test_a_worker_is_prepared_while_a_person_chooses(service_config, new_job):
    """It has the network before there is a job, and the job runs in that very process."""
    with worker_executor(service_config(worker_idle_timeout=3600)) as executor:
        job = new_job()
        executor.prepare(job.settings)
        until(lambda: executor.stats().runners[0].details["models"])
        pid = pid_of(executor)
        assert executor.stats().runners[0].state == "idle"
        executor.submit(job).result(LONG)
        assert pid_of(executor) == pid


@pytest.mark.skipif("int8" not in get_backend("openvino").guarded("cpu"), reason="the processor has no eight-bit units")
@pytest.mark.parametrize(("side", "in_eight_bits"), [(24, False), (720, True)])
def test_a_picture_finds_the_network_in_the_number_type_that_it_runs_in(service_config, new_job, side, in_eight_bits):
    """Eight bits for a large one in a hurry; nothing is loaded twice."""
    with worker_executor(service_config(backend="auto", precision="auto", worker_idle_timeout=3600)) as executor:
        job = new_job(side=side, model="quick-x2", scale=2, mode="quick")
        executor.prepare(job.settings, side * side)
        until(lambda: executor.stats().runners[0].details["models"])
        result = executor.submit(job).result(LONG)
        (loaded,) = executor.stats().runners[0].details["models"].values()
        assert (result.precision == "int8") is (loaded["precision"] == "int8") is in_eight_bits


def test_a_worker_that_was_prepared_in_vain_rests_like_any_other(service_config, new_job):
    with worker_executor(service_config(worker_idle_timeout=3600)) as executor:
        executor.prepare(new_job().settings)
        until(lambda: executor.stats().runners[0].details["models"])
        executor.rest()
        until_asleep(executor)


def test_what_cannot_be_prepared_is_left_to_the_job_to_say(service_config, new_job):
    with worker_executor(service_config()) as executor:
        job = new_job()
        executor.prepare(job.settings.but(model="missing-x4"))
        assert executor.submit(job).result(LONG).model == job.settings.model
    executor.prepare(job.settings)  # after it was closed: nothing
    assert executor.stats().runners[0].state == "asleep"
