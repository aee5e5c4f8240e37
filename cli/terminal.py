"""What the commands share: the start with settings and log, Ctrl-C that cancels, a progress bar, and JSON lines."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.types import EnhanceResult, JobControl
from engine.types import Progress as JobProgress
from utils.errors import EngineError, OutputError

if TYPE_CHECKING:
    from engine.video import VideoResult


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

    columns = (
        TextColumn("{task.description}", markup=False),  # names of files are no markup
        BarColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
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

        def show(step: JobProgress) -> None:
            page = f"  {step.done} of {step.total} pages" if step.stage == "Pages" else ""
            move(step.fraction, percent_and_eta(step.fraction, step.eta_seconds) + page)

        control.on_progress = show
        yield lambda name: move(0.0, percent_and_eta(0.0, None), name[:40])


def print_json(content: dict[str, Any]) -> None:
    """One object on one line of standard output, there at once for a program that reads along."""
    print(json.dumps(content, ensure_ascii=False), flush=True)


@dataclass(frozen=True)
class Flags:
    """What a command that makes files is told besides their settings; it says by it what it has done."""

    force: bool
    as_json: bool
    quiet: bool

    @property
    def no_bar(self) -> bool:
        """Whether a progress bar would disturb."""
        return self.quiet or self.as_json

    def tell(self, result: EnhanceResult | VideoResult, sentence: str) -> None:
        """A result: as JSON, or its warnings and a sentence."""
        if self.as_json:
            print_json(result.to_json())
            return
        for warning in result.warnings:
            print(f"Note: {warning}", file=sys.stderr)
        if not self.quiet:
            print(sentence)

    def tell_fault(self, source: Path, error: EngineError) -> None:
        """A file that failed: as JSON; in words whoever ends the command says it."""
        if self.as_json:
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
