"""Nothing that this program does is reported to anybody."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY

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


def test_a_conversion_is_reported_to_nobody(tmp_path):
    """No process is forked off for it, and no number that would tell this person from others is made up at home."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path)}
    environment.pop("CI", None)  # its reports are off there anyway
    command = [sys.executable, "-W", "ignore", "-c", CONVERSION]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "0"]
    assert not (tmp_path / "intel").exists()
