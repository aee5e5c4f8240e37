"""``integrate``: entries in the desktop's menus and file managers, and what these entries start."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import cancel_on_interrupt, progress_bar, start

app = typer.Typer(help="Entries in the desktop's menus and file managers.", no_args_is_help=True)


@app.command("install")
def install() -> None:
    """Write them: the application with its kinds of files, and "Enlarge" in the file managers' menus.

    Into your own folders only (Linux: menu, Nautilus, Dolphin, Nemo; Windows: Explorer's menu, SendTo, start menu;
    macOS: Quick Actions, an application).
    """
    from desktop.integration import Places, program_command
    from desktop.integration import install as write

    root = Path(__file__).resolve().parent.parent
    for path in write(Places.of_this_person(), program_command(root)):
        print(path)


@app.command("remove")
def remove() -> None:
    """Take them away again; what you have changed yourself stays, and is named."""
    from desktop.integration import Places
    from desktop.integration import remove as take_away

    outcome = take_away(Places.of_this_person())
    for path in outcome.kept:
        print(f"Kept, for it was changed: {path}", file=sys.stderr)
    print(f"{len(outcome.gone)} files removed." if outcome.gone or outcome.kept else "There was nothing to remove.")


@app.command("enlarge")
def enlarge(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Pictures, as paths or file:// addresses.")],
    scale: Annotated[float, typer.Option(help="How many times larger.")] = 2.0,
    mode: Annotated[str, typer.Option(help="Quality, as for enhance.")] = "auto",
) -> None:
    """What the entries start: each picture enlarged beside itself, one after another, and a notification at the end."""
    from filelock import FileLock

    from cli.enhance import enhancer
    from cli.interface import as_path
    from desktop import enlarging
    from desktop.notices import notify
    from engine.types import EnhanceSettings, JobControl

    config = start(False)
    settings = EnhanceSettings.create(scale=scale, mode=mode)
    paths = [as_path(one) for one in files]
    control = JobControl()
    # Explorer starts one program a file; they wait for each other.
    with (
        FileLock(config.data_dir / "enlarging.lock"),
        enhancer(config, again=False) as run,
        cancel_on_interrupt(control),
        progress_bar(control, False) as name_it,
    ):
        outcome = enlarging.enlarge(paths, settings, run, control, lambda path: name_it(path.name))
    for path in outcome.made:
        print(path)
    for _, error in outcome.failed:
        print(f"Error: {error}", file=sys.stderr)
    notify(*enlarging.summary(outcome))
    if outcome.failed:
        raise typer.Exit(outcome.failed[0][1].exit_code)
