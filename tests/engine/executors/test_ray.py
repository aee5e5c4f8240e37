"""What is particular to Ray: lost actors, and clusters that are open to others. Behaviour is in test_behaviour."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from engine.executors.ray_executor import check_address
from tests.conftest import REPOSITORY
from tests.engine.executors.test_behaviour import running, skip_without_ray
from tests.waiting import LONG
from utils.errors import InvalidSettingsError


@pytest.mark.parametrize(
    "address", ["", "auto", "127.0.0.1:6379", "ray://127.0.0.1:10001", "localhost:6379", "[::1]:6379"]
)
def test_a_cluster_on_this_machine_needs_no_token(address):
    check_address(address, "")


@pytest.mark.parametrize("address", ["10.0.0.5:6379", "ray://head:10001", "0.0.0.0:6379", "[fe80::1]:6379", "head"])
def test_a_cluster_beyond_it_is_refused_without_one(address):
    with pytest.raises(InvalidSettingsError, match="RAY_AUTH_MODE=token"):
        check_address(address, "")
    check_address(address, "token")


def test_ray_is_not_imported_unless_chosen():
    code = (
        "import sys, engine.executors, engine.executors.worker, engine.executors.ray_executor\n"
        "assert 'ray' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_actor_is_restarted_and_its_job_repeated(service_config, new_job, gate):
    skip_without_ray()
    from engine.executors.ray_executor import ray_executor

    with ray_executor(service_config(executor="ray")) as executor:
        job = new_job(side=100, tile=32)
        gate.close(after=3)
        handle = running(executor.submit(job))
        first = executor.stats().runners[0].pid
        os.kill(first, signal.SIGKILL)
        gate.open()
        assert handle.result(LONG).output_size == (400, 400)
        second = executor.stats().runners[0].pid
        assert second and second != first and job.output_path.exists()
        assert [(node["alive"], node["address"]) for node in executor.nodes()] == [(True, "127.0.0.1")]
