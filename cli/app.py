"""Assembles the commands, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import Annotated

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
    integrate,
    jobs,
    models,
    part,
    presets,
    serve,
    undo,
    video,
)
from utils.errors import EngineError

app = typer.Typer(
    name="main.py",
    help="Real-ESRGAN Ultimate: enlarge and restore pictures. Without a command the interface opens; with files and "
    "folders in place of a command it opens with them (a file that is called as a command is: ./info, or -- info).",
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
app.add_typer(integrate.app, name="integrate")
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.add_typer(presets.app, name="presets")
app.command("info")(info.info)
app.command("bench")(bench.bench)
app.command("undo")(undo.undo)
app.command("serve")(serve.serve)


def _say_version(asked: bool) -> None:
    if asked:
        from utils.version import VERSION

        print(f"Real-ESRGAN Ultimate {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Say the program's version.", callback=_say_version, is_eager=True)
    ] = False,
    window: Annotated[
        bool, typer.Option("--window", help="Open in a window of its own, files that follow in it (needs pywebview).")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        from cli.interface import open_interface
        from config import Config

        open_interface(Config(), window=window)
    elif window:
        raise typer.BadParameter(f"--window opens the interface; '{context.invoked_subcommand}' has none.")


def files_to_open(arguments: list[str]) -> list[str] | None:
    """What stands in place of a command and means files and folders, as it was written; None for a command.

    A command's name is the command, whatever the folder holds: a file that is called so is written ``./name``, or after
    ``--``, as file managers do. What is neither there nor written like a file is a mistyped command.
    """
    rest = [one for one in arguments if one != "--window"] if "--" not in arguments else arguments
    if "--" in rest:
        before, after = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
        return after if after and not [one for one in before if one != "--window"] else None
    if not rest or rest[0].startswith("-"):
        return None
    known = {*(command.name for command in app.registered_commands), *(group.name for group in app.registered_groups)}
    first = rest[0]
    looks_like_a_file = any(mark in first for mark in ("/", os.sep, ".")) or os.path.isdir(first)
    return None if first in known or not (looks_like_a_file or os.path.exists(first)) else rest


def _run(arguments: list[str]) -> None:
    named = files_to_open(arguments)
    if named is None:
        app(arguments)
        return
    from cli.interface import existing, open_interface
    from config import Config

    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    open_interface(Config(), existing(named), window="--window" in options)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (0 fine, 2 usage, others as in ``utils.errors``)."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file name that it cannot show is escaped, as in JSON
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _run(arguments if arguments is not None else sys.argv[1:])
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
