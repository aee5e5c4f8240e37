"""What the commands share: the start with settings and log, Ctrl-C that cancels, and a progress bar."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.types import JobControl, Progress


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


@contextmanager
def progress_bar(control: JobControl, quiet: bool) -> Iterator[Any]:
    if quiet or not sys.stderr.isatty():
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[eta]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, eta="")

        def show(step: Progress) -> None:
            eta = "" if step.eta_seconds is None else f"about {step.eta_seconds:.0f} s left"
            bar.update(task, completed=step.fraction, eta=eta)

        control.on_progress = show
        yield lambda name: bar.update(task, description=name[:40], completed=0, eta="")
