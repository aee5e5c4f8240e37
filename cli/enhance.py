"""``enhance``: pictures in, larger pictures out."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.settings import with_settings
from cli.terminal import Flags, cancel_on_interrupt, is_folder, progress_bar, start
from engine.types import EnhanceFile, EnhanceResult, EnhanceSettings, JobControl
from utils.errors import EngineError, InvalidSettingsError, JobCancelled
from utils.files import sweep_temporaries

if TYPE_CHECKING:
    from engine.storage.originals import Originals

_Option = typer.Option
InPlace = Annotated[
    bool, _Option("--in-place", help="Replace the originals, which go to the system's trash; `undo` takes it back.")
]
Backup = Annotated[
    Path | None, _Option(metavar="DIR", help="With --in-place: originals go to this folder, not to the trash.")
]


@with_settings
def enhance(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Picture files; TIFF and PDF of several pages too.")
    ],
    output: Annotated[
        str | None,
        _Option("--output", "-o", metavar="PATH", help="Output file or folder/; a folder for several inputs."),
    ] = None,
    *,
    settings: EnhanceSettings,
    in_place: InPlace = False,
    backup: Backup = None,
    force: Annotated[bool, _Option("--force", "-f", help="Replace existing outputs.")] = False,
    again: Annotated[bool, _Option("--again", help="Compute even what the history holds already.")] = False,
    as_json: Annotated[bool, _Option("--json", help="One JSON object a picture on standard output.")] = False,
    quiet: Annotated[bool, _Option("--quiet", "-q", help="No progress bar, no summary.")] = False,
    verbose: Annotated[bool, _Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Enlarge and restore pictures."""
    check_backup(in_place, backup, output)
    config = start(verbose)
    targets = _targets(inputs, output, settings, in_place)
    for folder in {target.parent for target in targets}:
        sweep_temporaries(folder)  # of a run that was killed
    with enhancer(config, again, in_place, backup) as run:
        code = _run(run, inputs, targets, settings, Flags(force, as_json, quiet))
    raise typer.Exit(code)


def check_backup(in_place: bool, backup: Path | None, output: object) -> None:
    """Raise ``InvalidSettingsError`` where options about originals do not go together."""
    if backup is not None and not in_place:
        raise InvalidSettingsError("--backup is for originals that are replaced: give --in-place as well.")
    if in_place and output is not None:
        raise InvalidSettingsError("--in-place puts results where their originals are; leave --output out.")


def _run(run: EnhanceFile, inputs: list[Path], targets: list[Path], settings: EnhanceSettings, flags: Flags) -> int:
    control = JobControl()
    code = 0
    with cancel_on_interrupt(control), progress_bar(control, flags.no_bar) as name_it:
        for source, target in zip(inputs, targets, strict=True):
            name_it(source.name)
            outcome = _one(run, source, target, settings, control, flags)
            code = code or outcome
            if control.cancelled:
                return 130
    return code


def _targets(inputs: list[Path], output: str | None, settings: EnhanceSettings, in_place: bool) -> list[Path]:
    """The output of every input; two inputs never share one."""
    from engine.processor import default_output_path

    if in_place:
        from engine.storage.originals import replaced_path

        return [replaced_path(source, settings) for source in inputs]
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


@contextmanager
def enhancer(config: Any, again: bool, in_place: bool = False, backup: Path | None = None) -> Iterator[EnhanceFile]:
    """What enhances a file: with the history, unless that is switched off."""
    from engine.model_manager import ModelManager
    from engine.processor import enhance_file

    with ExitStack() as stack:
        manager = stack.enter_context(closing(ModelManager.from_config(config)))
        enhance: EnhanceFile = functools.partial(enhance_file, manager=manager, config=config)
        if in_place:
            from engine.storage.in_place_journal import new_run
            from engine.storage.originals import Originals

            originals = stack.enter_context(Originals(config.data_dir, new_run(), backup))
            enhance = functools.partial(_replace, originals, enhance)
        if not config.history:
            yield enhance
            return
        from engine.imaging.recording import Recorder
        from engine.storage.history import History

        recorder = Recorder(History.from_config(config), manager, config, enhance)
        # An earlier result that is copied would be the original itself, or take its place unasked.
        yield functools.partial(recorder.enhance_file, again=again or in_place)


def _replace(
    originals: Originals, enhance: EnhanceFile, source: Path, target: Path, *how: Any, **more: Any
) -> EnhanceResult:
    return originals.replace(source, target, lambda staged: enhance(source, staged, *how, **more))


def _one(
    run: EnhanceFile, source: Path, target: Path, settings: EnhanceSettings, control: JobControl, flags: Flags
) -> int:
    try:
        result = run(source, target, settings, control=control, overwrite=flags.force)
    except EngineError as error:
        flags.tell_fault(source, error)
        print(f"Error: {error}", file=sys.stderr)
        return JobCancelled.exit_code if control.cancelled else error.exit_code
    flags.tell(
        result,
        f"{result.output_path}: {result.input_size[0]}x{result.input_size[1]} -> "
        f"{result.output_size[0]}x{result.output_size[1]}, {result.model}{_faces(result)}{_pages(result)}, "
        f"{result.timings.total:.1f} s",
    )
    return 0


def _pages(result: EnhanceResult) -> str:
    count = result.metrics.get("pages", 1)
    return f", {count} pages" if count > 1 else ""


def _faces(result: EnhanceResult) -> str:
    found = result.metrics.get("faces_detected", 0)
    return f", {result.metrics['faces_enhanced']} of {found} face{'' if found == 1 else 's'} restored" if found else ""
