"""The Video tab's work: plain functions, tested without a browser."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.model_manager import ModelManager
from engine.storage.output_names import reserved
from engine.types import EnhanceResult, EnhanceSettings, JobControl, Progress
from engine.video import (
    Fields,
    VideoOptions,
    VideoProgress,
    VideoResult,
    choose_video_model,
    default_video_path,
    deinterlacer_for,
    frame_at,
    probe_source,
    remove_stale,
    seconds_of,
)
from ui.handlers.common import time_words, typed_number
from ui.handlers.film_stage import Shown, pair_view
from ui.handlers.video_frames import FRAME_KINDS, frames_target
from ui.strings import Words
from utils import image_io
from utils.errors import EngineError
from utils.picture import Picture
from utils.video_files import VideoInfo
from utils.writers import SaveOptions

KINDS = ("same", "mp4", "mkv", "mov", "webm", "gif", "webp", *FRAME_KINDS)
"""File types to choose from."""
NAMED_KINDS = ("same", "gif", "webp", *FRAME_KINDS)
"""Those whose capital letters alone would not say what they are."""
_PLAYABLE = {"mp4": ("h264", "av1"), "mov": ("h264",), "m4v": ("h264", "av1"), "webm": ("av1",)}
"""Container -> codecs that most browsers play."""
_ANIMATIONS = ("gif", "webp")
"""Shown as pictures; begun anew after a cancel, not gone on with."""


def look_at(path: str | None, config: Any, options: VideoOptions | None = None) -> VideoInfo | None:
    """The facts of an uploaded file, or None without one. Raises ``EngineError``."""
    return probe_source(Path(path), options or VideoOptions.create(), config) if path else None


def describe(info: VideoInfo, words: Words) -> str:
    """What was dropped in."""
    fps = f"{float(info.fps):.2f}".rstrip("0").rstrip(".") if info.fps else "?"
    duration = time_words(words, info.duration) if info.duration else "?"
    parts = [
        words("video_facts", width=info.width, height=info.height, codec=info.codec.upper(), fps=fps, duration=duration)
    ]
    if info.frames:
        parts.append(words("video_facts_frames", frames=info.frames))
    if info.audio_tracks > 1:
        parts.append(words("video_facts_audio", count=info.audio_tracks))
    else:
        parts.append(words("video_facts_audio_one" if info.audio_tracks else "video_facts_silent"))
    if info.subtitle_tracks:
        parts.append(words("video_facts_subtitles"))
    if info.turn or info.mirrored:
        parts.append(words("video_facts_turned"))
    if info.bit_depth > 8:
        parts.append(words("video_facts_deep", bits=info.bit_depth))
    if info.color.is_hdr:
        parts.append(words("video_facts_hdr"))
    if info.interlaced:
        parts.append(words("video_facts_interlaced"))
    return ", ".join(parts)


def make_values(given: Mapping[str, Any]) -> tuple[EnhanceSettings, VideoOptions]:
    """Settings and options from the form's fields. Raises ``InvalidSettingsError``."""
    settings = EnhanceSettings.create(
        model=given["model"],
        mode=given["mode"],
        scale=given["scale"],
        denoise_strength=typed_number(given["denoise_strength"]),
        tile=int(given["tile"] or 0),
        color_match=given["color_match"],
    )
    options = VideoOptions.create(
        codec=given["codec"],
        quality=int(given["quality"]),
        speed=given["speed"],
        start=seconds_of(given["from"] or None),
        end=seconds_of(given["to"] or None),
        smoothing=given["smoothing"],
        deinterlace=given["deinterlace"],
        skip_duplicates=given["skip_duplicates"],
        copy_audio=given["audio"],
        copy_subtitles=given["subtitles"],
        rate=given.get("rate") if given.get("pictures") else None,
    )
    return settings, options


@contextmanager
def target_of(
    source: Path, folder: Path, settings: EnhanceSettings, kind: str, options: VideoOptions | None = None
) -> Iterator[Path]:
    """A new name in ``folder`` for the result, of the type that was chosen; nobody else gets it within the block.

    Frames have one folder for the same work, so that it can be gone on with. Raises ``OutputError``.
    """
    if kind in FRAME_KINDS:
        yield frames_target(source, folder, settings, options or VideoOptions.create(), kind)
        return
    path = default_video_path(source, folder, settings)
    with reserved(path if kind == "same" else path.with_suffix(f".{kind}")) as target:
        yield target


def preview_frame(
    path: str,
    seconds: float,
    settings: EnhanceSettings,
    options: VideoOptions,
    *,
    enhance: Callable[..., EnhanceResult],
    manager: ModelManager,
    folder: Path,
    config: Any,
    control: JobControl,
    words: Words,
) -> Shown:
    """Enhance the frame at ``seconds`` by ``enhance`` (see ``ui.app.build``). Raises ``EngineError``."""
    info = probe_source(Path(path), options, config)
    fields = deinterlacer_for(info, options)
    frame = frame_at(info, seconds, fields)
    if settings.model == "auto":
        chosen = choose_video_model(manager, settings.scale, lambda: frame.pixels, settings.mode)
        settings = settings.but(model=chosen.model)
    name = secrets.token_hex(8)
    before, after = (folder / "previews" / f"{name}-{part}.png" for part in ("before", "after"))
    before.parent.mkdir(parents=True, exist_ok=True)
    image_io.save(Picture(frame.pixels), before, SaveOptions("png"))
    result = enhance(before, after, settings.but(format="png"), control=control)
    moment = float(frame.stamp * (info if fields is None else fields.of(info)).time_base) - info.start
    sentence = words(
        "video_previewed",
        moment=time_words(words, max(0.0, moment)),
        width=result.output_size[0],
        height=result.output_size[1],
        model=result.model,
    )
    frames = frames_in(info, options, fields)
    if frames:
        time = time_words(words, result.timings.inference * frames)
        sentence += " " + words("video_estimate", frames=frames, time=time)
    return Shown(
        pair_view(before, after, ((frame.pixels.shape[1], frame.pixels.shape[0]), result.output_size), folder), sentence
    )


def frames_in(info: VideoInfo, options: VideoOptions, fields: Fields | None = None) -> int | None:
    """About how many frames will be enhanced."""
    from engine.video import open_frames

    return open_frames(info, options.start, options.end, fields).expected


def progress_words(words: Words, progress: Progress) -> str:
    """``Frame 12 of 240, 3.1 a second, about 74 s left``."""
    if not progress.done:
        return words("video_loading")
    known = "video_progress" if progress.total else "video_progress_unknown"
    parts = [words(known, done=progress.done, total=progress.total)]
    if isinstance(progress, VideoProgress) and progress.fps:
        parts.append(words("video_progress_fps", fps=f"{progress.fps:.2f}"))
    if progress.eta_seconds is not None:
        parts.append(words("left", time=time_words(words, progress.eta_seconds)))
    return ", ".join(parts)


def progress_bar(words: Words, progress: Progress) -> str:
    """The same with a bar, as HTML."""
    text = escape(progress_words(words, progress))
    share = max(0.0, min(1.0, progress.fraction)) * 100
    return (
        f'<div class="video-progress"><div role="progressbar" data-job="running" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share:.0f}" aria-label="{text}"><span style="width:{share:.1f}%"></span></div>'
        f"<p>{text}</p></div>"
    )


def summary(result: VideoResult, words: Words) -> str:
    """What was done, then notes."""
    if result.complete:
        lines = [
            words(
                "video_done",
                frames=result.frames,
                width=result.output_size[0],
                height=result.output_size[1],
                model=result.model,
                time=time_words(words, result.timings.total),
                fps=f"{result.fps:.2f}",
                codec=result.codec.upper(),
                size=f"{result.bytes / 1e6:.1f}",
            )
        ]
    else:
        duration = time_words(words, result.duration)
        sentence = "video_cancelled_frames" if _kind(result) == "zip" else "video_cancelled"
        lines = [words(sentence, frames=result.frames, duration=duration)]
        if _kind(result) not in _ANIMATIONS:
            lines[0] += " " + words("video_goes_on")
    if result.duplicates:
        lines.append(words("video_repeated", count=result.duplicates))
    if result.resumed_frames:
        lines.append(words("video_went_on", count=result.resumed_frames))
    # The last warning of a cancelled job says what the sentence above says.
    lines += [
        words("video_note", text=words.said(text)) for text in result.warnings if not text.startswith("Cancelled")
    ]
    return "\n\n".join(lines)


def _kind(result: VideoResult) -> str:
    return result.output_path.suffix.lower().lstrip(".")


def player(result: VideoResult, words: Words) -> str:
    """The result as HTML: the saved file itself, played by the browser and offered for download, never re-encoded."""
    path = result.output_path
    address = escape(f"gradio_api/file={quote(str(path))}", quote=True)
    kind = _kind(result)
    label = escape(words("video_result"))
    if kind in _ANIMATIONS:
        shown = f'<img src="{address}" alt="{label}">'
    elif kind == "zip":
        shown = ""
    else:
        shown = f'<video controls preload="metadata" src="{address}" aria-label="{label}"></video>'
    note = ""
    if kind not in (*_ANIMATIONS, "zip") and result.codec not in _PLAYABLE.get(kind, ()):
        note = f'<p class="quiet">{escape(words("video_not_playable"))}</p>'
    link = f'<a id="video-download" class="video-download" href="{address}" download="{escape(path.name, quote=True)}">'
    return f'<div class="video-result">{shown}{note}{link}{escape(words("video_download"))}</a></div>'


def sentence_of(error: EngineError, words: Words) -> str:
    """Why it was not done."""
    from utils.errors import JobCancelled

    if isinstance(error, JobCancelled):
        return words("video_nothing_done")
    return words("video_not_enhanced", reason=words.said(error))


def sweep_parts(root: Path) -> None:
    """Remove what is left of films in the outputs folder that nobody went on with for a week."""
    for folder in (root, *root.glob("session-*")):
        remove_stale(folder)
