"""What the Video tab puts on its stage: a frame, a frame before and after, or a short loop before and after."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, VideoResult, deinterlacer_for, frame_at, write_cut
from ui import previews
from ui.handlers.common import time_words
from ui.handlers.film_facts import FilmFacts
from ui.strings import Words
from ui.viewer import View
from utils.errors import JobCancelled
from utils.pixels import to_eight_bits
from utils.video_files import VideoInfo, probe_video

FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Results that can be played beside their originals."""
_QUALITY = 95


@dataclass(frozen=True)
class Shown:
    """What lies on the stage, and a sentence about it."""

    view: View
    sentence: str


def frame_view(facts: FilmFacts, moment: float, folder: Path) -> View:
    """The frame at ``moment`` as it is. Raises ``EngineError``."""
    pixels = frame_at(facts.info, moment, facts.fields).pixels
    path = previews.write(to_eight_bits(pixels), folder)
    height, width = pixels.shape[:2]
    return View(str(path), None, width, height, width, key=f"{facts.info.path.name} {width}")


def pair_view(before: Path, after: Path, sizes: tuple[tuple[int, int], tuple[int, int]], folder: Path) -> View:
    """A frame before and after. ``sizes``: (width, height) of both."""
    (narrow, _), (width, height) = sizes
    shown = previews.shown(before, folder), previews.shown(after, folder)
    return View(*shown, width, height, narrow, key=f"pair {width} {height}")


@dataclass(frozen=True)
class LoopMaker:
    """Makes two short films of the same frames, one as they are, one enhanced.

    Attributes:
        enhance: ``enhance_video_isolated``, or what stands in for it.
        folder: the browser's own.
    """

    settings: EnhanceSettings
    options: VideoOptions
    enhance: Callable[..., VideoResult]
    folder: Path
    config: Any

    def make(self, source: Path, moment: float, done: VideoResult | None, control: JobControl, words: Words) -> Shown:
        """The loop around ``moment``. Raises ``EngineError``.

        Args:
            done: the whole film's result, where it is there already: then nothing is enhanced.
        """
        facts = FilmFacts.of(source, self.options, self.config)
        start, end = facts.around(moment)
        before, after = (self.folder / "previews" / f"{secrets.token_hex(8)}.mp4" for _ in range(2))
        if done is not None:
            enhanced, model, offset = probe_video(done.output_path), done.model, self.options.start or 0.0
            write_cut(enhanced, after, start - offset, end - offset, control=control)
        else:
            options = self._of_part(start, end)
            facts = FilmFacts(facts.info, deinterlacer_for(facts.info, options))  # as that part alone will be read
            enhanced, model = self._enhanced(source, options, after, control)
        first = write_cut(facts.info, before, start, end, fields=facts.fields, control=control)
        rate = float(facts.whole.fps or 0) or first.frames / first.seconds
        view = View(
            str(before),
            str(after),
            enhanced.width,
            enhanced.height,
            facts.info.width,
            key=f"loop {before.stem}",
            frame_seconds=1 / rate,
        )
        sentence = words(
            "video_loop_shown",
            start=time_words(words, start),
            end=time_words(words, end),
            width=enhanced.width,
            height=enhanced.height,
            model=model,
        )
        return Shown(view, sentence)

    def _of_part(self, start: float, end: float) -> VideoOptions:
        """For a file that is only looked at: at a quality beyond which nothing is seen."""
        return self.options.but(
            start=start,
            end=end,
            codec="auto",
            quality=_QUALITY,
            speed="fast",
            copy_audio=False,
            copy_subtitles=False,
            resume=False,
        )

    def _enhanced(
        self, source: Path, options: VideoOptions, target: Path, control: JobControl
    ) -> tuple[VideoInfo, str]:
        """Enhance that part, and write it to ``target`` as the original is. Returns its facts, and the model."""
        whole = target.with_suffix(".whole.mp4")
        try:
            result = self.enhance(source, whole, self.settings, options, config=self.config, control=control)
            if not result.complete:
                raise JobCancelled("Cancelled; nothing was written.")
            enhanced = probe_video(whole)
            write_cut(enhanced, target, control=control)
        finally:
            whole.unlink(missing_ok=True)
        return enhanced, result.model


def covers(done: VideoResult, part: tuple[float, float], offset: float) -> bool:
    """Whether a film's result, which begins at ``offset`` seconds of it, holds that part."""
    file = done.output_path
    there = file.suffix.lower() in FILMS and file.is_file()
    return there and offset <= part[0] + 0.01 and part[1] - offset <= done.duration + 0.05


__all__ = ["LoopMaker", "Shown", "covers", "frame_view", "pair_view"]
