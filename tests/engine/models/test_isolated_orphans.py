"""A call in a process of its own never outlives the process that asked for it."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from tests.gate import REPOSITORY
from tests.processes import is_alive
from tests.waiting import until

ASKING = """
import concurrent.futures, pathlib, signal, sys
from engine.models.isolated import run_isolated
from tests.faults.killable import begin_and_stay

def hold(self, *arguments):
    pathlib.Path(sys.argv[1]).touch()
    signal.pause()

if {done}:
    concurrent.futures.ProcessPoolExecutor.__exit__ = hold
    run_isolated(divmod, 7, 2)
run_isolated(begin_and_stay, sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signal.pause is a POSIX thing")
@pytest.mark.parametrize("done", [False, True], ids=["at-work", "done-with-it"])
def test_a_child_ends_when_its_parent_is_killed(tmp_path, done):
    begun = tmp_path / "begun"
    command = [sys.executable, "-c", ASKING.format(done=done), str(begun)]
    parent = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    until(lambda: begun.exists() or parent.poll() is not None)
    children = [one for one in psutil.Process(parent.pid).children() if "spawn_main" in " ".join(one.cmdline())]
    assert len(children) == 1
    parent.kill()
    parent.wait()
    until(lambda: not is_alive(children[0].pid))
