"""``video``: a video in, an enhanced video out; resumable."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.settings import with_settings
from cli.terminal import bar, cancel_on_interrupt, is_folder, print_fault, print_json, start
from engine.types import EnhanceSettings, JobControl, Progress
from engine.video.options import VideoOptions, VideoProgress, VideoResult, seconds_of
from utils.errors import EngineError

_Option = typer.Option
_SETTINGS = (
    *("model", "scale", "width", "height", "fit", "long_edge", "tile", "whole", "precision", "backend", "device"),
    *("denoise", "color_match", "fidelity", "embed_settings"),
)
"""Options of pictures that make sense for frames."""


@functools.partial(with_settings, only=_SETTINGS)
def video(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Video file.")],
    output: Annotated[
        str | None,
        _Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Output file (.mp4, .mov, .mkv, .webm; .gif or .webp for short clips) or folder/.",
        ),
    ] = None,
    *,
    settings: EnhanceSettings,
    codec: Annotated[str, _Option(help="auto, h264, h265 or av1.")] = "auto",
    quality: Annotated[int, _Option(help="Quality of the video, 1 to 100.")] = 80,
    speed: Annotated[str, _Option(help="Time spent on small files: fast, medium or slow.")] = "medium",
    begin: Annotated[str | None, _Option("--from", help="Where to begin: seconds, or [hours:]minutes:seconds.")] = None,
    end: Annotated[str | None, _Option("--to", help="Where to end.")] = None,
    smoothing: Annotated[float, _Option(help="Calm flicker where nothing moves, 0 to 1.")] = 0.0,
    skip_duplicates: Annotated[bool, _Option(help="Repeated frames are enhanced once (all are written).")] = True,
    audio: Annotated[bool, _Option(help="Copy the sound.")] = True,
    subtitles: Annotated[bool, _Option(help="Copy the subtitles.")] = True,
    resume: Annotated[bool, _Option(help="Go on where an earlier run was stopped, and leave that possible.")] = True,
    preview: Annotated[
        str | None, _Option(help="Only enhance the frame at this time, and save it as a picture.")
    ] = None,
    force: Annotated[bool, _Option("--force", "-f", help="Replace an existing output.")] = False,
    as_json: Annotated[bool, _Option("--json", help="One JSON object on standard output.")] = False,
    quiet: Annotated[bool, _Option("--quiet", "-q", help="No progress bar, no summary.")] = False,
    verbose: Annotated[bool, _Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Enlarge and restore a video. Sound, subtitles, chapters and the time of every frame stay as they are."""
    options = VideoOptions.create(
        codec=codec,
        quality=quality,
        speed=speed,
        start=seconds_of(begin),
        end=seconds_of(end),
        smoothing=smoothing,
        skip_duplicates=skip_duplicates,
        copy_audio=audio,
        copy_subtitles=subtitles,
        resume=resume,
    )
    config = start(verbose)
    if preview is not None:
        moment = seconds_of(preview) or 0.0
        _preview(source, output, settings, moment, config, force=force, as_json=as_json, quiet=quiet)
        return
    result = _run(source, output, settings, options, config, force=force, as_json=as_json, quiet=quiet or as_json)
    _tell(result, as_json, quiet)
    raise typer.Exit(0 if result.complete else 130)


def _target(source: Path, output: str | None, settings: EnhanceSettings) -> Path:
    from engine.video import default_video_path

    if output is None or is_folder(output):
        return Path(default_video_path(source, source.parent if output is None else Path(output), settings))
    return Path(output)


def _run(
    source: Path,
    output: str | None,
    settings: EnhanceSettings,
    options: VideoOptions,
    config: Any,
    *,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> VideoResult:
    from engine.model_manager import ModelManager
    from engine.video.run import enhance_video

    manager = ModelManager.from_config(config)
    control = JobControl()
    try:
        with cancel_on_interrupt(control), _bar(control, source.name, quiet):
            return enhance_video(
                source,
                _target(source, output, settings),
                settings,
                options,
                manager=manager,
                config=config,
                control=control,
                overwrite=force,
            )
    except EngineError as error:
        if as_json:
            print_fault(source, error)
        raise
    finally:
        manager.close()


def _tell(result: VideoResult, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(result.to_json())
        return
    for warning in result.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    if not quiet:
        print(
            f"{result.output_path}: {result.frames} frames, {result.input_size[0]}x{result.input_size[1]} -> "
            f"{result.output_size[0]}x{result.output_size[1]}, {result.codec}, {result.model}, "
            f"{result.timings.total:.1f} s, {result.fps:.2f} frames a second"
        )


def _preview(
    source: Path,
    output: str | None,
    settings: EnhanceSettings,
    seconds: float,
    config: Any,
    *,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from engine.model_manager import ModelManager
    from engine.output_names import check_output
    from engine.video import preview_video_frame
    from utils import image_io
    from utils.writers import SaveOptions

    if output is None or is_folder(output):
        target = (source.parent if output is None else Path(output)) / f"{source.stem}.png"
    else:
        target = Path(output)
    manager = ModelManager.from_config(config)
    try:
        check_output(source, target, force)
        shown = preview_video_frame(source, seconds, settings, manager=manager, config=config)
        image_io.save(shown.after, target, SaveOptions(image_io.format_from_suffix(target) or "png"))
    except EngineError as error:
        if as_json:
            print_fault(source, error)
        raise
    finally:
        manager.close()
    if as_json:
        width, height = shown.after.size
        told = {"input": str(source), "output": str(target), "model": shown.model, "frame_seconds": shown.seconds}
        print_json({**told, "width": width, "height": height})
    elif not quiet:
        print(f"{target}: the frame at {shown.seconds:.2f} s, {shown.after.width}x{shown.after.height}, {shown.model}")


@contextmanager
def _bar(control: JobControl, name: str, quiet: bool) -> Iterator[None]:
    with bar(quiet) as move:
        if move is not None:
            control.on_progress = lambda step: move(step.fraction, _words(step), name[:40])
        yield


def _words(step: Progress) -> str:
    """``12 of 240 frames, 3.1 a second, about 74 s left``."""
    of = f" of {step.total}" if step.total else ""
    speed = f", {step.fps:.2f} a second" if isinstance(step, VideoProgress) and step.fps else ""
    eta = "" if step.eta_seconds is None else f", about {step.eta_seconds:.0f} s left"
    return f"{step.done}{of} frames{speed}{eta}"
