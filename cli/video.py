"""``video``: a video in, an enhanced video out; resumable."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.settings import with_settings
from cli.terminal import Flags, bar, cancel_on_interrupt, is_folder, print_json, start
from engine.types import EnhanceSettings, JobControl, Progress
from engine.video import VideoOptions, VideoProgress, VideoResult, seconds_of
from utils.errors import EngineError

if TYPE_CHECKING:
    from engine.model_manager import ModelManager

_Option = typer.Option
_SETTINGS = (
    *(
        "model",
        "mode",
        "scale",
        "width",
        "height",
        "fit",
        "long_edge",
        "tile",
        "whole",
        "precision",
        "backend",
        "device",
    ),
    *("denoise", "color_match", "normal_map", "fidelity", "embed_settings"),
)
"""Options of pictures that make sense for frames."""
_Source = Annotated[
    Path, typer.Argument(metavar="IN", help="Video file, numbered pictures (frames/%04d.png), or their folder.")
]
_Output = Annotated[
    str | None,
    _Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Output file (.mp4, .mov, .mkv, .webm; .gif or .webp for short clips), folder/, or frames as "
        "pictures: out/%04d.png (.jpg, .webp, .tif).",
    ),
]
_Rate = Annotated[float | None, _Option(help="Frames a second of numbered pictures; 24 where nothing is said.")]
_StartNumber = Annotated[int | None, _Option(help="First number of pictures to take, or of a film's frames to write.")]
_Fields = Annotated[
    str,
    _Option(
        help="Whole frames of interlaced ones: auto, off, on, double (25i becomes 50p), or telecine (3:2 pulldown "
        "undone: 29.97 become 23.976)."
    ),
]


@functools.partial(with_settings, only=_SETTINGS)
def video(
    source: _Source,
    output: _Output = None,
    *,
    settings: EnhanceSettings,
    codec: Annotated[str, _Option(help="auto, h264, h265 or av1.")] = "auto",
    quality: Annotated[int, _Option(help="Quality of the video, 1 to 100.")] = 80,
    speed: Annotated[str, _Option(help="Time spent on small files: fast, medium or slow.")] = "medium",
    begin: Annotated[str | None, _Option("--from", help="Where to begin: seconds, or [hours:]minutes:seconds.")] = None,
    end: Annotated[str | None, _Option("--to", help="Where to end.")] = None,
    rate: _Rate = None,
    start_number: _StartNumber = None,
    smoothing: Annotated[float, _Option(help="Calm flicker where nothing moves, 0 to 1.")] = 0.0,
    deinterlace: _Fields = "auto",
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
        deinterlace=deinterlace,
        skip_duplicates=skip_duplicates,
        rate=rate,
        start_number=start_number,
        copy_audio=audio,
        copy_subtitles=subtitles,
        resume=resume,
    )
    config, flags = start(verbose), Flags(force, as_json, quiet)
    if preview is not None:
        _preview(source, output, settings, options, seconds_of(preview) or 0.0, config, flags)
        return
    result = _run(source, output, settings, options, config, flags)
    flags.tell(
        result,
        f"{result.output_path}: {result.frames} frames, {result.input_size[0]}x{result.input_size[1]} -> "
        f"{result.output_size[0]}x{result.output_size[1]}, {result.codec}, {result.model}, "
        f"{result.timings.total:.1f} s, {result.fps:.2f} frames a second",
    )
    raise typer.Exit(0 if result.complete else 130)


def _target(source: Path, output: str | None, settings: EnhanceSettings) -> Path:
    from engine.video import default_video_path

    if output is None or is_folder(output):
        return Path(default_video_path(source, source.parent if output is None else Path(output), settings))
    return Path(output)


def _run(
    source: Path, output: str | None, settings: EnhanceSettings, options: VideoOptions, config: Any, flags: Flags
) -> VideoResult:
    from engine.video import enhance_video

    control = JobControl()
    shown = _bar(control, source.name, flags.no_bar)
    with _manager(source, config, flags) as manager, cancel_on_interrupt(control), shown:
        return enhance_video(
            source,
            _target(source, output, settings),
            settings,
            options,
            manager=manager,
            config=config,
            control=control,
            overwrite=flags.force,
        )


@contextmanager
def _manager(source: Path, config: Any, flags: Flags) -> Iterator[ModelManager]:
    """Models while something is done with ``source``; a fault is told as the flags say before it is raised."""
    from engine.model_manager import ModelManager

    manager = ModelManager.from_config(config)
    try:
        yield manager
    except EngineError as error:
        flags.tell_fault(source, error)
        raise
    finally:
        manager.close()


def _preview(
    source: Path,
    output: str | None,
    settings: EnhanceSettings,
    options: VideoOptions,
    seconds: float,
    config: Any,
    flags: Flags,
) -> None:
    from engine.storage.output_names import check_output, output_format
    from engine.video import is_sequence, name_of, preview_video_frame
    from utils import image_io
    from utils.writers import SaveOptions

    if output is None or is_folder(output):
        stem = name_of(source) if is_sequence(source) else source.stem
        target = (source.parent if output is None else Path(output)) / f"{stem}.png"
    else:
        target = Path(output)
    with _manager(source, config, flags) as manager:
        check_output(source, target, flags.force)
        kind = output_format(EnhanceSettings.create(), "png", target)
        shown = preview_video_frame(source, seconds, settings, options, manager=manager, config=config)
        image_io.save(shown.after, target, SaveOptions(kind))
    if flags.as_json:
        width, height = shown.after.size
        told = {"input": str(source), "output": str(target), "model": shown.model, "frame_seconds": shown.seconds}
        print_json({**told, "width": width, "height": height})
    elif not flags.quiet:
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
