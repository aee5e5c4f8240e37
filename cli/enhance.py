"""``enhance``: pictures in, larger pictures out."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.settings import with_settings
from cli.terminal import cancel_on_interrupt, is_folder, print_fault, print_json, progress_bar, start
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from utils.errors import EngineError, JobCancelled

_Option = typer.Option


@with_settings
def enhance(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Picture files.")],
    output: Annotated[
        str | None,
        _Option("--output", "-o", metavar="PATH", help="Output file or folder/; a folder for several inputs."),
    ] = None,
    *,
    settings: EnhanceSettings,
    force: Annotated[bool, _Option("--force", "-f", help="Replace existing outputs.")] = False,
    again: Annotated[bool, _Option("--again", help="Compute even what the history holds already.")] = False,
    as_json: Annotated[bool, _Option("--json", help="One JSON object a picture on standard output.")] = False,
    quiet: Annotated[bool, _Option("--quiet", "-q", help="No progress bar, no summary.")] = False,
    verbose: Annotated[bool, _Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Enlarge and restore pictures."""
    code = _run(
        inputs, output, settings, force=force, again=again, as_json=as_json, quiet=quiet or as_json, verbose=verbose
    )
    raise typer.Exit(code)


def _run(
    inputs: list[Path],
    output: str | None,
    settings: EnhanceSettings,
    *,
    force: bool,
    again: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    from engine.model_manager import ModelManager

    config = start(verbose)
    targets = _targets(inputs, output, settings)
    manager = ModelManager.from_config(config)
    control = JobControl()
    run = _runner(manager, config, again)
    code = 0
    try:
        with cancel_on_interrupt(control), progress_bar(control, quiet) as name_it:
            for source, target in zip(inputs, targets, strict=True):
                name_it(source.name)
                outcome = _one(run, source, target, settings, control, force, as_json, quiet)
                code = code or outcome
                if control.cancelled:
                    return 130
    finally:
        manager.close()
    return code


def _targets(inputs: list[Path], output: str | None, settings: EnhanceSettings) -> list[Path]:
    """The output of every input; two inputs never share one."""
    from engine.processor import default_output_path

    if output is not None and len(inputs) == 1 and not is_folder(output):
        return [Path(output)]
    targets: list[Path] = []
    for source in inputs:
        target = default_output_path(source, source.parent if output is None else Path(output), settings)
        number = 1
        while target in targets:
            number += 1
            target = target.with_name(f"{target.stem}-{number}{target.suffix}")
        targets.append(target)
    return targets


def _runner(manager: Any, config: Any, again: bool) -> Callable[..., EnhanceResult]:
    """What enhances a file: with the history, unless that is switched off."""
    if not config.history:
        from engine.processor import enhance_file

        return functools.partial(enhance_file, manager=manager, config=config)
    from engine.history import History
    from engine.recording import Recorder

    return functools.partial(Recorder(History.from_config(config), manager, config).enhance_file, again=again)


def _one(
    run: Callable[..., EnhanceResult],
    source: Path,
    target: Path,
    settings: EnhanceSettings,
    control: JobControl,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    try:
        result = run(source, target, settings, control=control, overwrite=force)
    except EngineError as error:
        if as_json:
            print_fault(source, error)
        print(f"Error: {error}", file=sys.stderr)
        return JobCancelled.exit_code if control.cancelled else error.exit_code
    if as_json:
        print_json(result.to_json())
        return 0
    for warning in result.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    if not quiet:
        print(
            f"{result.output_path}: {result.input_size[0]}x{result.input_size[1]} -> "
            f"{result.output_size[0]}x{result.output_size[1]}, {result.model}{_faces(result)}, "
            f"{result.timings.total:.1f} s"
        )
    return 0


def _faces(result: EnhanceResult) -> str:
    found = result.metrics.get("faces_detected", 0)
    return f", {result.metrics['faces_enhanced']} of {found} face{'' if found == 1 else 's'} restored" if found else ""
