"""``enhance``: pictures in, larger pictures out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.settings import with_settings
from cli.terminal import cancel_on_interrupt, progress_bar
from engine.types import EnhanceSettings, JobControl
from utils.errors import EngineError, JobCancelled

_Option = typer.Option


@with_settings
def enhance(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Picture files.")],
    output: Annotated[
        Path | None, _Option("--output", "-o", help="Output file; a folder where there are several inputs.")
    ] = None,
    *,
    settings: EnhanceSettings,
    force: Annotated[bool, _Option("--force", "-f", help="Replace existing outputs.")] = False,
    as_json: Annotated[bool, _Option("--json", help="One JSON object a picture on standard output.")] = False,
    quiet: Annotated[bool, _Option("--quiet", "-q", help="No progress bar, no summary.")] = False,
    verbose: Annotated[bool, _Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Enlarge and restore pictures."""
    code = _run(inputs, output, settings, force=force, as_json=as_json, quiet=quiet or as_json, verbose=verbose)
    raise typer.Exit(code)


def _run(
    inputs: list[Path],
    output: Path | None,
    settings: EnhanceSettings,
    *,
    force: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    from config import Config, unknown_variables
    from engine.model_manager import ModelManager
    from utils.logger import setup_logging

    config = Config()
    config.ensure_directories()
    setup_logging(
        config.log_dir, config.log_level, as_json=config.log_json, console_level="INFO" if verbose else "ERROR"
    )
    for name in unknown_variables():
        print(f"Warning: {name} is not a setting of this program; see .env.example.", file=sys.stderr)
    targets = _targets(inputs, output, settings)
    manager = ModelManager.from_config(config)
    control = JobControl()
    code = 0
    try:
        with cancel_on_interrupt(control), progress_bar(control, quiet) as name_it:
            for source, target in zip(inputs, targets, strict=True):
                name_it(source.name)
                outcome = _one(source, target, settings, manager, config, control, force, as_json, quiet)
                code = code or outcome
                if control.cancelled:
                    return 130
    finally:
        manager.close()
    return code


def _targets(inputs: list[Path], output: Path | None, settings: EnhanceSettings) -> list[Path]:
    """The output of every input; two inputs never share one."""
    from engine.processor import default_output_path

    is_folder = output is None or len(inputs) > 1 or output.is_dir() or str(output).endswith(("/", "\\"))
    if not is_folder and output is not None:
        return [output]
    targets: list[Path] = []
    for source in inputs:
        target = default_output_path(source, output or source.parent, settings)
        number = 1
        while target in targets:
            number += 1
            target = target.with_name(f"{target.stem}-{number}{target.suffix}")
        targets.append(target)
    return targets


def _one(
    source: Path,
    target: Path,
    settings: EnhanceSettings,
    manager: Any,
    config: Any,
    control: JobControl,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    from engine.processor import enhance_file

    try:
        result = enhance_file(
            source, target, settings, manager=manager, config=config, control=control, overwrite=force
        )
    except EngineError as error:
        if as_json:
            fault = {"type": type(error).__name__, "message": str(error)}
            print(json.dumps({"input": str(source), "output": None, "error": fault}, ensure_ascii=False), flush=True)
        print(f"Error: {error}", file=sys.stderr)
        return JobCancelled.exit_code if control.cancelled else error.exit_code
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False), flush=True)
        return 0
    for warning in result.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    if not quiet:
        print(
            f"{result.output_path}: {result.input_size[0]}x{result.input_size[1]} -> "
            f"{result.output_size[0]}x{result.output_size[1]}, {result.model}, {result.timings.total:.1f} s"
        )
    return 0
