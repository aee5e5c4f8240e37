"""``batch``: folders, ZIP files and many pictures, resumable."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.enhance import Backup, InPlace, check_backup
from cli.settings import with_settings
from cli.terminal import bar, cancel_on_interrupt, percent_and_eta, print_json, start
from engine.types import EnhanceSettings
from utils.errors import InvalidSettingsError

if TYPE_CHECKING:
    from engine.batch import BatchOptions, BatchPlan, BatchProgress, BatchRequest, BatchResult, ItemStatus
    from engine.executors import Executor

_Option = typer.Option
_Output = Annotated[
    Path | None, _Option("--output", "-o", help="Folder for the results and the journal; not with --in-place.")
]
_Where = Annotated[
    str | None,
    _Option(
        help="Where: in-process (quickest on one machine), worker (a crash costs one picture), ray (a cluster; the "
        "default with REALESRGAN_EXECUTOR=ray)."
    ),
]
_FIELD_OF = {"force": "overwrite", "retry_failed": "retry_failed", "lanes": "lanes", "watch": "watch"}
"""Options -> fields of ``BatchOptions`` that may change while a batch is under way."""
_ANY_TIME = frozenset(("output", "executor", "dry_run", "as_json", "quiet", "verbose"))
"""Options that are no part of a batch."""


@with_settings
def batch(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[IN...]", help="Folders, ZIP files, pictures; none: finish what OUTPUT holds."),
    ] = None,
    *,
    output: _Output = None,
    in_place: InPlace = False,
    backup: Backup = None,
    auto: Annotated[
        bool, _Option("--auto", help="Decide the settings for each picture; options given here win.")
    ] = False,
    settings: EnhanceSettings,
    typed: Mapping[str, str],
    recursive: Annotated[bool, _Option(help="Look into sub-folders, and keep them in the output.")] = True,
    name: Annotated[
        str, _Option(help="Template of output names: {stem}, {goal}, {number}, {model}, {folder}, {date}.")
    ] = "{stem}_{goal}",
    refuse_collisions: Annotated[
        bool, _Option("--refuse-collisions", help="Stop before the start where names collide, instead of numbering.")
    ] = False,
    force: Annotated[bool, _Option("--force", "-f", help="Replace existing outputs.")] = False,
    resume: Annotated[bool, _Option(help="Skip what an earlier run has done.")] = True,
    retry_failed: Annotated[bool, _Option("--retry-failed", help="Try pictures again that failed before.")] = False,
    watch: Annotated[bool, _Option("--watch", help="Wait for new files in the folders until Ctrl-C.")] = False,
    lanes: Annotated[int, _Option(min=1, max=16, help="Pictures in flight: decoded, in the network, encoded.")] = 3,
    executor: _Where = None,
    dry_run: Annotated[bool, _Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Annotated[bool, _Option("--json", help="One JSON object a picture on standard output.")] = False,
    quiet: Annotated[bool, _Option("--quiet", "-q", help="No progress bar; only the summary.")] = False,
    verbose: Annotated[bool, _Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Enhance many pictures. A run that was stopped or killed goes on where it was when started again."""
    from engine.batch import BatchOptions

    options = BatchOptions(
        recursive=recursive,
        name_template=name,
        collisions="refuse" if refuse_collisions else "number",
        overwrite=force,
        resume=resume,
        retry_failed=retry_failed,
        lanes=lanes,
        watch=watch,
        in_place=in_place,
        backup=None if backup is None else str(backup.absolute()),
    )
    check_backup(in_place, backup, output)
    config = _start(verbose, executor)
    if inputs:
        request = _request(config, inputs, output, settings, options, auto)
    elif output is not None:
        request = _unfinished(output, options, typed)
    else:
        raise InvalidSettingsError("Name the pictures to enhance, or with --output a batch to finish.")
    if dry_run:
        _print_plan(_plan(request, config), as_json)
        return
    result = _run(request, config, as_json=as_json, quiet=quiet)
    _summarize(result, as_json)
    raise typer.Exit(result.exit_code)


def _request(
    config: Any,
    inputs: list[Path],
    output: Path | None,
    settings: EnhanceSettings,
    options: BatchOptions,
    auto: bool,
) -> BatchRequest:
    """A new batch. In place its journal is where the same command finds it again.

    Raises ``InvalidSettingsError`` for a batch that has results to put somewhere, and is not told where.
    """
    from engine.batch import BatchRequest, journal_place

    if output is None and not options.in_place:
        raise InvalidSettingsError("Name a folder for the results (--output), or replace the originals (--in-place).")
    place = output or journal_place(config.data_dir, inputs, settings, options)
    return BatchRequest(tuple(inputs), place, settings, options, auto)


def _start(verbose: bool, executor: str | None) -> Any:
    """The application's settings; ``executor`` as this batch is to be run."""
    config = start(verbose)
    kind = executor or ("ray" if config.executor == "ray" else "in-process")
    return config.model_copy(update={"executor": kind})


def _unfinished(output: Path, options: BatchOptions, typed: Mapping[str, str]) -> BatchRequest:
    """The batch that ``output`` holds, with what was typed and may change on the way.

    Raises ``InvalidSettingsError`` where there is none, or for what is settled at a batch's beginning.
    """
    from engine.batch import load_request

    request = load_request(output).but(resume=True)
    free = {*_ANY_TIME, *_FIELD_OF, *(["resume"] if options.resume else [])}
    settled = [option for name, option in typed.items() if name not in free]
    if settled:
        verb, them = ("is", "it") if len(settled) == 1 else ("are", "them")
        raise InvalidSettingsError(
            f"{', '.join(settled)} {verb} settled at the beginning of a batch, and the one in '{output}' goes on as it "
            f"was begun. Leave {them} out, or name the pictures to begin another."
        )
    return request.but(**{field: getattr(options, field) for name, field in _FIELD_OF.items() if name in typed})


def _run(request: BatchRequest, config: Any, *, as_json: bool, quiet: bool) -> BatchResult:
    from engine.batch import BatchControl, ItemState, through
    from engine.model_manager import ModelManager

    control = BatchControl()

    def tell(status: ItemStatus) -> None:
        if as_json and status.state not in (ItemState.QUEUED, ItemState.RUNNING):
            print_json(status.to_json())

    with (
        closing(ModelManager.from_config(config)) as manager,
        cancel_on_interrupt(control),
        _bar(quiet or as_json) as show,
        _elsewhere(config) as executor,
    ):
        if executor is not None:
            request = request.but(lanes=max(request.options.lanes, executor.enough))
        return request.run(
            manager=manager,
            config=config,
            enhance=None if executor is None else through(executor),
            control=control,
            on_plan=lambda plan: _announce(plan, quiet or as_json),
            on_item=tell,
            on_progress=show,
        )


@contextmanager
def _elsewhere(config: Any) -> Iterator[Executor | None]:
    """The executor that ``config.executor`` names; None for this process, where decoding and encoding overlap."""
    if config.executor == "in-process":
        yield None
        return
    from engine.executors import create_executor

    with create_executor(config) as executor:
        yield executor


def _plan(request: BatchRequest, config: Any) -> BatchPlan:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="realesrgan-batch-") as workspace:
        return request.plan(config, workspace)


def _print_plan(plan: BatchPlan, as_json: bool) -> None:
    for item in plan.items:
        if as_json:
            planned = {
                "number": item.number,
                "name": item.name,
                "output": str(item.target),
                "bytes": item.estimated_bytes,
                "done": item.done_before,
                "problem": item.problem,
            }
            print_json(planned)
        else:
            note = "  (done before)" if item.done_before else f"  ({item.problem})" if item.problem else ""
            print(f"{item.name} -> {item.target}{note}")
    _announce(plan, as_json)


def _announce(plan: BatchPlan, quiet: bool) -> None:
    for warning in plan.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    if not quiet:
        done = sum(item.done_before for item in plan.items)
        known = f", {done} of them done before" if done else ""
        space = f"about {plan.estimated_bytes / 1e6:.0f} MB, {plan.free_bytes / 1e9:.0f} GB free"
        print(f"{len(plan.items)} pictures{known}; {space}.", file=sys.stderr)


def _summarize(result: BatchResult, as_json: bool) -> None:
    for item in result.failures:
        print(f"Failed: {item.name}: {item.error}", file=sys.stderr)
    print(f"{result.summary} in {result.seconds:.1f} s", file=sys.stderr if as_json else sys.stdout)


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[BatchProgress], None] | None]:
    with bar(quiet) as move:
        if move is None:
            yield None
            return

        def show(progress: BatchProgress) -> None:
            ended = progress.done + progress.failed + progress.skipped
            failed = f", {progress.failed} failed" if progress.failed else ""
            text = percent_and_eta(progress.fraction, progress.eta_seconds)
            move(progress.fraction, text, f"{ended} of {progress.total}{failed}")

        yield show
