"""The Video tab's work: plain functions, tested without a browser."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.model_manager import ModelManager
from engine.output_names import unused_path
from engine.types import EnhanceResult, EnhanceSettings, JobControl, Progress
from engine.video import VideoOptions, VideoProgress, VideoResult, default_video_path
from engine.video.choice import choose_video_model
from engine.video.options import seconds_of
from engine.video.reader import frame_at
from engine.video.segments import remove_stale
from ui.handlers.common import time_words
from ui.previews import before_and_after
from ui.strings import Words
from utils import image_io
from utils.errors import EngineError
from utils.picture import Picture
from utils.video_files import VideoInfo, VideoLimits, probe_video
from utils.writers import SaveOptions

KINDS = ("same", "mp4", "mkv", "mov", "webm", "gif", "webp")
"""File types to choose from."""
_PLAYABLE = {"mp4": ("h264", "av1"), "mov": ("h264",), "m4v": ("h264", "av1"), "webm": ("av1",)}
"""Container -> codecs that most browsers play."""
_ANIMATIONS = ("gif", "webp")
"""Shown as pictures; begun anew after a cancel, not gone on with."""


@dataclass(frozen=True)
class Shown:
    """One enhanced frame as the tab shows it: two pictures for the slider, and a sentence."""

    pair: tuple[str, str]
    sentence: str


def look_at(path: str | None, config: Any) -> VideoInfo | None:
    """The facts of an uploaded file, or None without one. Raises ``EngineError``."""
    return probe_video(path, VideoLimits.of(config)) if path else None


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
        denoise_strength=given["denoise_strength"],
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
        skip_duplicates=given["skip_duplicates"],
        copy_audio=given["audio"],
        copy_subtitles=given["subtitles"],
    )
    return settings, options


def target_of(source: Path, folder: Path, settings: EnhanceSettings, kind: str) -> Path:
    """A new name in ``folder`` for the result, of the type that was chosen."""
    path = default_video_path(source, folder, settings)
    return unused_path(path if kind == "same" else path.with_suffix(f".{kind}"))


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
    info = probe_video(path, VideoLimits.of(config))
    frame = frame_at(info, seconds)
    if settings.model == "auto":
        chosen = choose_video_model(manager, settings.scale, lambda: frame.pixels, settings.mode)
        settings = settings.but(model=chosen.model)
    name = secrets.token_hex(8)
    before, after = (folder / "previews" / f"{name}-{part}.png" for part in ("before", "after"))
    before.parent.mkdir(parents=True, exist_ok=True)
    image_io.save(Picture(frame.pixels), before, SaveOptions("png"))
    result = enhance(before, after, settings.but(format="png"), control=control)
    moment = float(frame.stamp * info.time_base) - info.start
    sentence = words(
        "video_previewed",
        moment=time_words(words, max(0.0, moment)),
        width=result.output_size[0],
        height=result.output_size[1],
        model=result.model,
    )
    frames = frames_in(info, options)
    if frames:
        time = time_words(words, result.timings.inference * frames)
        sentence += " " + words("video_estimate", frames=frames, time=time)
    return Shown(before_and_after(before, after, folder), sentence)


def frames_in(info: VideoInfo, options: VideoOptions) -> int | None:
    """About how many frames will be enhanced."""
    from engine.video.reader import FrameReader

    return FrameReader(info, options.start, options.end).expected


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
        f'<div class="video-progress"><div role="progressbar" aria-valuemin="0" aria-valuemax="100" '
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
        lines = [words("video_cancelled", frames=result.frames, duration=duration)]
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
    else:
        shown = f'<video controls preload="metadata" src="{address}" aria-label="{label}"></video>'
    note = ""
    if kind not in _ANIMATIONS and result.codec not in _PLAYABLE.get(kind, ()):
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
