"""What the commands share: the start with settings and log, Ctrl-C that cancels, a progress bar, and JSON lines."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from engine.types import JobControl
from utils.errors import EngineError, OutputError


def start(verbose: bool) -> Any:
    """The application's settings, with folders made and the log set up; misspelt variables are named."""
    from config import Config, unknown_variables
    from utils.logger import setup_logging

    config = Config()
    config.ensure_directories()
    setup_logging(
        config.log_dir, config.log_level, as_json=config.log_json, console_level="INFO" if verbose else "ERROR"
    )
    for name in unknown_variables():
        print(f"Warning: {name} is not a setting of this program; see .env.example.", file=sys.stderr)
    return config


@contextmanager
def cancel_on_interrupt(control: JobControl) -> Iterator[None]:
    """The first Ctrl-C cancels after the current tile; a second one ends the program at once."""

    def cancel(number: int, frame: object) -> None:
        control.cancel()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, cancel) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Bar(Protocol):
    """Moves a progress bar. ``fraction`` is 0..1; ``text`` stands behind the bar, ``description`` before it."""

    def __call__(self, fraction: float, text: str, description: str | None = None) -> None: ...


@contextmanager
def bar(quiet: bool) -> Iterator[Bar | None]:
    """A progress bar on the terminal, gone at the end; None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task("", total=1.0, text="")

        def move(fraction: float, text: str, description: str | None = None) -> None:
            drawn.update(task, completed=fraction, text=text, description=description)

        yield move


def percent_and_eta(fraction: float, eta_seconds: float | None) -> str:
    """`` 41%  about 12 s left``."""
    eta = "" if eta_seconds is None else f"about {eta_seconds:.0f} s left"
    return f"{fraction:>4.0%}  {eta}"


@contextmanager
def progress_bar(control: JobControl, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show a job's progress; what is yielded names the file that it is about."""
    with bar(quiet) as move:
        if move is None:
            yield lambda name: None
            return
        control.on_progress = lambda step: move(step.fraction, percent_and_eta(step.fraction, step.eta_seconds))
        yield lambda name: move(0.0, percent_and_eta(0.0, None), name[:40])


def print_json(content: dict[str, Any]) -> None:
    """One object on one line of standard output, there at once for a program that reads along."""
    print(json.dumps(content, ensure_ascii=False), flush=True)


def print_fault(source: Path, error: EngineError) -> None:
    """What ``--json`` prints about a file that failed."""
    fault = {"type": type(error).__name__, "message": str(error)}
    print_json({"input": str(source), "output": None, "error": fault})


def is_folder(output: str) -> bool:
    """Whether the person means a folder: it is one, or was written like one (a ``Path`` would not keep the slash)."""
    return Path(output).is_dir() or output.endswith(("/", os.sep))


def output_file(text: str) -> Path:
    """What --output names, for commands that write one file. Raises ``OutputError`` for a folder."""
    if is_folder(text):
        raise OutputError(f"'{text}' is a folder; name a file for the result.")
    return Path(text)
