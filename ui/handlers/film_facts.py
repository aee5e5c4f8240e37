"""What the Video tab knows of a film before any run: its header, and how long all of it, or a part, will take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.machine.estimates import estimate
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings, Mode
from engine.video import (
    Fields,
    VideoOptions,
    choose_video_model,
    deinterlacer_for,
    frame_at,
    open_frames,
    probe_source,
)
from ui.handlers.common import rough_words
from ui.strings import Words
from utils.video_files import VideoInfo

MODES: tuple[Mode, ...] = ("auto", "best", "faithful")
"""What the interface offers as quality of a film; "auto" is the quick one for films."""
LOOP_SECONDS = 2.0
"""How much of a film is played before and after."""
_BEGIN_SECONDS = 4.0
"""Until a process of its own has begun, loaded the network, and both films are encoded."""
_LEAST_SECONDS = 0.01


@dataclass(frozen=True)
class Expected:
    """Seconds for the whole part that is chosen, its frames (None where nobody knows), and for one loop of it.

    ``measured`` is False where the speed is a guess; ``size`` is (width, height) of the result.
    """

    seconds: float | None
    frames: int | None
    loop_seconds: float
    measured: bool
    size: tuple[int, int]


class FilmFacts:
    """One film as one window looks at it. What is costly to find out is found out once.

    Args:
        info: the film; ``fields`` make whole frames of it.
    """

    def __init__(self, info: VideoInfo, fields: Fields | None) -> None:
        self.info, self.fields = info, fields
        self._models: dict[tuple[str, float | None], str] = {}

    @classmethod
    def of(cls, path: Path, options: VideoOptions, config: Any) -> FilmFacts:
        """Raises ``EngineError``."""
        info = probe_source(path, options, config)
        return cls(info, deinterlacer_for(info, options))

    @property
    def whole(self) -> VideoInfo:
        """The film as its whole frames are counted and timed."""
        return self.info if self.fields is None else self.fields.of(self.info)

    def around(self, moment: float) -> tuple[float, float]:
        """Start and end, in seconds, of the loop around ``moment``."""
        length = self.info.duration or moment + LOOP_SECONDS
        start = max(0.0, min(moment - LOOP_SECONDS / 2, length - LOOP_SECONDS))
        return start, start + min(LOOP_SECONDS, max(length, _LEAST_SECONDS))

    def model(self, settings: EnhanceSettings, manager: ModelManager, frame: Callable[[], Any] | None = None) -> str:
        """The network that settings mean for this film; ``frame`` gives a typical one. Raises ``EngineError``."""
        if settings.model != "auto":
            return settings.model
        key = (settings.mode, settings.scale)
        if key not in self._models:
            chosen = choose_video_model(manager, settings.scale, frame or self._typical, settings.mode)
            self._models[key] = chosen.model
        return self._models[key]

    def _typical(self) -> Any:
        return frame_at(self.info, (self.info.duration or 0.0) / 3, self.fields).pixels

    def expected(
        self, settings: EnhanceSettings, options: VideoOptions, manager: ModelManager, moment: float
    ) -> Expected:
        """What it will take on this machine. Raises ``EngineError``."""
        info, scale = self.info, settings.scale or 1.0
        each, measured = self._a_frame(self.model(settings, manager), scale, manager)
        frames = open_frames(info, options.start, options.end, self.fields).expected
        loop = open_frames(info, *self.around(moment), self.fields).expected or round(25 * LOOP_SECONDS)
        size = round(info.width * scale), round(info.height * scale)
        whole = None if frames is None else _BEGIN_SECONDS + frames * each
        return Expected(whole, frames, _BEGIN_SECONDS + loop * each, measured, size)

    def seconds_by_mode(
        self, settings: EnhanceSettings, options: VideoOptions, manager: ModelManager
    ) -> dict[Mode, float]:
        """Expected seconds of the automatic model for every quality that is offered; nothing where nobody knows how
        many frames there are. Raises ``EngineError``."""
        frames = open_frames(self.info, options.start, options.end, self.fields).expected
        if frames is None:
            return {}
        typical, found = cache(self._typical), {}
        for mode in MODES:
            model = self.model(settings.but(model="auto", mode=mode), manager, typical)
            found[mode] = _BEGIN_SECONDS + frames * self._a_frame(model, settings.scale or 1.0, manager)[0]
        return found

    def _a_frame(self, model: str, scale: float, manager: ModelManager) -> tuple[float, bool]:
        """Seconds for one frame of many, which is encoded while others are enlarged, and whether that was measured."""
        cost = estimate(manager, model, self.info.width, self.info.height, scale)
        return max(_LEAST_SECONDS, cost.network, cost.encoding), cost.measured


@dataclass(frozen=True)
class Remembered:
    """The film that a window looked at last, and what it was known by."""

    key: tuple[Any, ...]
    facts: FilmFacts

    @classmethod
    def or_new(cls, before: Remembered | None, key: tuple[Any, ...], make: Callable[[], FilmFacts]) -> Remembered:
        """``before`` where it is about the same."""
        return before if before is not None and before.key == key else cls(key, make())


def expected_words(expected: Expected, words: Words) -> str:
    """``240 frames become 1280 × 720, about 3 min 05 s``; without the time where nobody knows the frames."""
    width, height = expected.size
    if expected.seconds is None:
        return words("video_becomes", width=width, height=height)
    time = rough_words(words, expected.seconds)
    told = words("estimate_time" if expected.measured else "estimate_rough", time=time)
    return words("video_will_take", frames=expected.frames, width=width, height=height, time=told)


def mode_labels(seconds: Mapping[Mode, float], words: Words) -> list[tuple[str, str]]:
    """(label, value) of the qualities, with what each would take as far as that is known."""
    told = {mode: f" · {rough_words(words, expected)}" for mode, expected in seconds.items()}
    return [(words(f"video_mode_{mode}") + told.get(mode, ""), mode) for mode in MODES]


__all__ = ["LOOP_SECONDS", "MODES", "Expected", "FilmFacts", "Remembered", "expected_words", "mode_labels"]
