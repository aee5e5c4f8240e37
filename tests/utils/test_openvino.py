"""OpenVINO as this program takes it in: it reports nothing to anybody, and two first windows do not block."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY
from tests.waiting import LONG

CONVERSION = """
import os
forks = []
os.register_at_fork(before=lambda: forks.append(1))
import torch
from utils.openvino import openvino
openvino.convert_model(torch.nn.Conv2d(3, 3, 3).eval(), example_input=torch.rand(1, 3, 8, 8))
from openvino.tools.ovc import telemetry_utils
print(telemetry_utils.tm.__name__, len(forks))
"""

TWO_FIRST_WINDOWS = """
import sys, threading
from utils.openvino import openvino
sys.setswitchinterval(1e-6)  # the threads take turns as often as they can
together = threading.Barrier(2)

def first_window():
    together.wait()
    openvino.Type.f32.to_dtype()

threads = [threading.Thread(target=first_window, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(20)
print(sum(thread.is_alive() for thread in threads), flush=True)
"""


def test_a_conversion_is_reported_to_nobody(tmp_path):
    """No process is forked off for it, and no number that would tell this person from others is made up at home."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path)}
    environment.pop("CI", None)  # its reports are off there anyway
    command = [sys.executable, "-W", "ignore", "-c", CONVERSION]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG, check=True)
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "0"]
    assert not (tmp_path / "intel").exists()


def test_two_threads_whose_first_windows_meet_do_not_wait_for_each_other():
    """Every window asks OpenVINO for its numpy type; without care the first two asked at a time never get it."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", TWO_FIRST_WINDOWS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG, check=True)
    assert done.stdout.split() == ["0"]
