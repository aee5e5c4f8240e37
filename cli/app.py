"""Assembles the commands, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import io
import logging
import sys

import typer

from cli import (
    adjust,
    analyze,
    batch,
    bench,
    compare,
    enhance,
    faces,
    history,
    info,
    models,
    part,
    presets,
    serve,
    video,
)
from utils.errors import EngineError

app = typer.Typer(
    name="main.py",
    help="Real-ESRGAN Ultimate: enlarge and restore pictures. Without a command the interface opens.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("enhance")(enhance.enhance)
app.command("batch")(batch.batch)
app.command("video")(video.video)
app.command("part")(part.part)
app.command("adjust")(adjust.adjust)
app.command("analyze")(analyze.analyze)
app.command("compare")(compare.compare)
app.add_typer(faces.app, name="faces")
app.add_typer(history.app, name="history")
app.add_typer(models.app, name="models")
app.add_typer(presets.app, name="presets")
app.command("info")(info.info)
app.command("bench")(bench.bench)
app.command("serve")(serve.serve)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        from cli.interface import open_interface
        from config import Config

        open_interface(Config())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (0 fine, 2 usage, others as in ``utils.errors``)."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file name that it cannot show is escaped, as in JSON
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(arguments if arguments is not None else sys.argv[1:])
    except SystemExit as stop:  # typer reports wrong usage itself and ends this way
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except EngineError as error:
        logging.getLogger(__name__).debug("The command failed", exc_info=True)
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return 130
    return 0
