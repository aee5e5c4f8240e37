"""``history``: what was done, to look at, run again or forget."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.terminal import output_file
from utils.errors import InvalidSettingsError

if TYPE_CHECKING:
    from engine.storage.history import History, Run

app = typer.Typer(help="List, show, run again and forget runs.", no_args_is_help=True)

_Number = Annotated[int, typer.Argument(metavar="ID", help="Number of the run, as `history list` prints it.")]
_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def _history() -> History:
    from config import Config
    from engine.storage.history import History

    return History.from_config(Config())


@app.command("list")
def list_runs(
    text: Annotated[str, typer.Argument(help="Part of an input's or output's name.")] = "",
    model: Annotated[str, typer.Option(help="Only runs of this model.")] = "",
    outcome: Annotated[str, typer.Option(help="Only done, failed or cancelled runs.")] = "",
    days: Annotated[float | None, typer.Option(min=0, max=36500, help="Only runs of the last days.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    as_json: _Json = False,
) -> None:
    """Runs, newest first."""
    if outcome not in ("", "done", "failed", "cancelled"):
        raise InvalidSettingsError(f"--outcome: '{outcome}' is none of done, failed and cancelled.")
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    runs = _history().query(text=text, model=model, outcome=outcome, since=since, limit=limit)
    if as_json:
        print(json.dumps([run.to_json() for run in runs], ensure_ascii=False, indent=1))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("ID", "When", "Input", "Outcome", "Model", "Size", "Seconds", "Output")
    for run in runs:
        table.add_row(*map(escape, _cells(run)))
    Console().print(table)


def _cells(run: Run) -> tuple[str, ...]:
    output = run.output_path if run.output_is_there else f"{run.output_path} (gone)" if run.output_path else run.error
    size = "x".join(map(str, run.output_size)) if run.outcome == "done" else ""
    when = run.created.astimezone().strftime("%Y-%m-%d %H:%M")
    seconds = f"{run.seconds.get('total', 0):.1f}"
    return str(run.id), when, run.input_name, run.outcome, run.model, size, seconds, output


@app.command()
def show(number: _Number) -> None:
    """One run as JSON."""
    print(json.dumps(_history().get(number).to_json(), ensure_ascii=False, indent=1))


@app.command()
def rerun(
    number: _Number,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", parser=output_file, metavar="FILE", help="Output file; by default a new name."),
    ] = None,
) -> None:
    """Enhance the same input with the same settings once more."""
    from config import Config
    from engine.imaging.recording import Recorder
    from engine.model_manager import ModelManager
    from engine.storage.output_names import default_output_path, reserved

    config = Config()
    history = _history()
    run = history.get(number)
    source = Path(run.input_path)
    named = default_output_path(source, source.parent, run.enhance_settings())
    with ExitStack() as kept:
        target = output or kept.enter_context(reserved(named))
        manager = kept.enter_context(closing(ModelManager.from_config(config)))
        result = Recorder(history, manager, config).again(number, target)
    print(f"{result.output_path}: {result.output_size[0]}x{result.output_size[1]}, {result.timings.total:.1f} s")
    for warning in result.warnings:
        print(f"Note: {warning}", file=sys.stderr)


@app.command()
def delete(
    numbers: Annotated[list[int], typer.Argument(metavar="ID...", help="Numbers of runs.")],
    with_output: Annotated[bool, typer.Option("--with-output", help="Delete their output files too.")] = False,
) -> None:
    """Forget runs; their files stay unless asked otherwise."""
    history = _history()
    for number in numbers:
        run = history.delete(number, with_output=with_output)
        print(f"{number}: forgotten ({run.input_name})")


@app.command()
def clear(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget every run; all files stay."""
    history = _history()
    if not yes:
        typer.confirm(f"Forget {history.count()} runs?", abort=True)
    print(f"{history.clear()} runs forgotten")
