"""Calls in a process of their own: torch stays out of this one, and a crash there is a sentence here."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from engine.models.isolated import inspect_isolated, run_isolated
from tests.conftest import REPOSITORY
from utils.errors import WorkerLostError


def test_the_call_runs_in_another_process():
    assert run_isolated(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        run_isolated(divmod, 1, 0)
    with pytest.raises(WorkerLostError, match="abort"):
        run_isolated(os.abort)


def test_checkpoints_are_looked_at_all_at_once(weights, tmp_path):
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no checkpoint")
    good, bad = inspect_isolated([weights / "tiny-x4.pth", broken])
    assert good.scale == 4 and isinstance(bad, str) and "broken.pth" in bad


def test_listing_a_persons_own_models_imports_no_torch(weights, tmp_path):
    code = (
        "import sys\n"
        "from engine.models.isolated import inspect_isolated\n"
        "from engine.model_manager import ModelManager\n"
        "if __name__ == '__main__':\n"
        f"    manager = ModelManager(weights_dir={str(weights)!r}, cache_dir={str(tmp_path)!r}, inspect=inspect_isolated)\n"
        "    assert {'tiny-x4', 'tiny-x2'} <= {status.name for status in manager.list() if status.installed}\n"
        "    assert manager.info('tiny-x4').scale == 4 and 'torch' not in sys.modules\n"
    )
    script = tmp_path / "listing.py"
    script.write_text(code)
    subprocess.run([sys.executable, script], cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": "."}, check=True)
