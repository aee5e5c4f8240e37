"""``undo``: bring originals back that were replaced in place."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.terminal import print_json
from utils.errors import OutputError


def undo(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="Name of the run, see --list; by default the last.")] = "",
    show: Annotated[bool, typer.Option("--list", help="Only list the runs that can be undone.")] = False,
    keep_results: Annotated[
        bool, typer.Option("--keep-results", help="Keep the enhanced pictures beside them, as NAME_enhanced.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Bring back the originals of the last run with --in-place; the enhanced pictures go."""
    from config import Config
    from engine.storage.undo import undo as bring_back
    from engine.storage.undo import undoable

    data_dir = Config().data_dir
    if show:
        for one in undoable(data_dir):
            where = "the trash" if one.backup is None else str(one.backup)
            if as_json:
                print_json({"run": one.name, "count": one.count, "first": str(one.first), "originals": where})
            else:
                print(f"{one.name}: {one.count} replaced, first {one.first}; originals in {where}")
        return
    report = bring_back(data_dir, run=run, keep_results=keep_results)
    if as_json:
        print_json(report.to_json())
    else:
        for path in report.restored:
            print(path)
        for path in report.kept_results:
            print(f"Kept: {path}")
    for _, text in report.problems:
        print(f"Error: {text}", file=sys.stderr)
    print(f"{len(report.restored)} brought back, {len(report.problems)} not", file=sys.stderr)
    if report.problems:
        raise typer.Exit(OutputError.exit_code)
