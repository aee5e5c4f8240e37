"""The command line as a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.command_line import CommandLine


@pytest.fixture
def cli(request, cli_environment, tmp_path) -> Iterator[CommandLine]:
    """``main.py`` in the test's folder; a module's ``COMMAND`` stands before the arguments of each call."""
    with CommandLine(cli_environment, tmp_path, *getattr(request.module, "COMMAND", ())) as line:
        yield line
