"""``enhance``: pictures in, larger pictures out."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.types import EnhanceSettings, JobControl, Progress
from utils.errors import EngineError, InvalidSettingsError, JobCancelled

_Option = typer.Option


def _print_size(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    width, cross, height = text.lower().removesuffix("cm").partition("x")
    try:
        return (float(width), float(height)) if cross else None or _bad_print_size(text)
    except ValueError:
        return _bad_print_size(text)


def _bad_print_size(text: str) -> tuple[float, float]:
    raise InvalidSettingsError(f"--print-size must look like 20x30 (centimetres), not '{text}'.")


def enhance(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Picture files.")],
    output: Annotated[
        Path | None, _Option("--output", "-o", help="Output file; a folder where there are several inputs.")
    ] = None,
    model: Annotated[str, _Option(help="Model name, lanczos/bicubic/bilinear/nearest, or auto.")] = "auto",
    scale: Annotated[float | None, _Option(help="Enlargement, 1 to 16.")] = None,
    width: Annotated[int | None, _Option(help="Output width in pixels.")] = None,
    height: Annotated[int | None, _Option(help="Output height in pixels.")] = None,
    fit: Annotated[str, _Option(help="With width and height: fit, fill, pad or stretch.")] = "fit",
    long_edge: Annotated[int | None, _Option(help="Longer output side in pixels, e.g. 3840.")] = None,
    print_size: Annotated[str | None, _Option(help="Print size in centimetres, e.g. 20x30.")] = None,
    dpi: Annotated[float, _Option(help="Resolution of the print.")] = 300.0,
    max_megabytes: Annotated[float | None, _Option(help="Largest output file in MB.")] = None,
    skip_if_large_enough: Annotated[bool, _Option(help="Copy pictures that reach the goal already.")] = False,
    tile: Annotated[int, _Option(help="Tile side in pixels; 0 = automatic.")] = 0,
    whole: Annotated[bool, _Option("--whole", help="Run the whole picture as one tile.")] = False,
    precision: Annotated[str, _Option(help="auto, fp32, fp16 or bf16.")] = "auto",
    backend: Annotated[str, _Option(help="auto, openvino or torch.")] = "auto",
    device: Annotated[str, _Option(help="auto, cpu, cuda:0, mps, xpu:0.")] = "auto",
    denoise: Annotated[float | None, _Option(help="Denoise strength 0 to 1 (realesr-general-x4v3).")] = None,
    faces: Annotated[bool, _Option("--faces/--no-faces", help="Restore faces.")] = False,
    color_match: Annotated[bool, _Option(help="Keep the input's colours.")] = True,
    fidelity: Annotated[float, _Option(help="Share of the plainly resized input, 0 to 1.")] = 0.0,
    format_: Annotated[str, _Option("--format", help="auto, png, jpeg, webp, avif, tiff or gif.")] = "auto",
    quality: Annotated[int, _Option(help="Quality of lossy formats, 1 to 100.")] = 95,
    lossless: Annotated[bool, _Option(help="Lossless WebP.")] = False,
    exif: Annotated[str, _Option(help="keep, no-location or drop.")] = "keep",
    embed_settings: Annotated[bool, _Option(help="Write the settings into the output's metadata.")] = True,
    force: Annotated[bool, _Option("--force", "-f", help="Replace existing outputs.")] = False,
    as_json: Annotated[bool, _Option("--json", help="One JSON object a picture on standard output.")] = False,
    quiet: Annotated[bool, _Option("--quiet", "-q", help="No progress bar, no summary.")] = False,
    verbose: Annotated[bool, _Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Enlarge and restore pictures."""
    settings = EnhanceSettings.create(
        model=model,
        scale=scale,
        width=width,
        height=height,
        fit=fit,
        long_edge=long_edge,
        print_size=_print_size(print_size),
        dpi=dpi,
        max_megabytes=max_megabytes,
        skip_if_large_enough=skip_if_large_enough,
        tile=tile,
        auto_tile=not whole and tile == 0,
        precision=precision,
        backend=backend,
        device=device,
        denoise_strength=denoise,
        face_enhance=faces,
        color_match=color_match,
        fidelity=fidelity,
        format=format_,
        quality=quality,
        lossless=lossless,
        exif=exif,
        embed_settings=embed_settings,
    )
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
        with _cancel_on_interrupt(control), _progress_bar(control, quiet) as name_it:
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


@contextmanager
def _cancel_on_interrupt(control: JobControl) -> Iterator[None]:
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
def _progress_bar(control: JobControl, quiet: bool) -> Iterator[Any]:
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
