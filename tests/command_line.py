"""``main.py`` as a process of its own, with the tests' models and folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.gate import PROGRAM, REPOSITORY, Gate


def environment_for(weights: Path, base: Path, data: Path) -> dict[str, str]:
    """Environment variables of a process that uses nothing of this machine's own set-up.

    Args:
        base: where cache, outputs and logs go; ``data``: history and presets.
    """
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("REALESRGAN_")},
        **{f"REALESRGAN_{name.upper()}_DIR": str(base / name) for name in ("cache", "output", "log")},
        "REALESRGAN_DATA_DIR": str(data),
        "REALESRGAN_WEIGHTS_DIR": str(weights),
        "REALESRGAN_DEVICE": "cpu",
        "REALESRGAN_OPTIMIZE": "false",
        "PYTHONWARNINGS": "ignore",
        "PYTHONFAULTHANDLER": "1",
    }


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 200) -> None:
    """Wait for something that a running process does; fails where it ends, or takes longer than any busy machine."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def stacks_of(process: subprocess.Popen[str]) -> str:
    """Ends a process that hangs, and returns what it had said and where each of its threads was."""
    process.send_signal(signal.SIGABRT)
    output, errors = process.communicate()
    return f"{output}\n{errors}"


class CommandLine:
    """Runs ``main.py`` with ``arguments`` before those of each call, in ``folder``.

    A context manager: what is still running at its end, after a failed test for instance, is killed.
    """

    def __init__(self, environment: dict[str, str], folder: Path, *arguments: str) -> None:
        self.environment, self._folder, self._arguments = environment, folder, arguments
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: object, gate: Gate | None = None, program: Path | None = None) -> subprocess.Popen[str]:
        """The running process. ``gate``: stands before its networks; ``program``: in place of ``main.py``."""
        program = program or (REPOSITORY / "main.py" if gate is None else PROGRAM)
        process = subprocess.Popen(
            [sys.executable, str(program), *self._arguments, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment | (gate.environment if gate is not None else {}),
            cwd=self._folder,
        )
        self._started.append(process)
        return process

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        process = self.start(*arguments)
        try:
            output, errors = process.communicate(timeout=240)
        except subprocess.TimeoutExpired as error:
            error.add_note(stacks_of(process))
            raise
        return process.returncode, output, errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()
