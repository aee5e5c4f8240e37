"""What ``model="auto"`` means for a picture file: looked at, unless nothing could depend on it."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.analysis.choice import UNKNOWN, Chosen, Requirements, choose_model
from engine.models.files import stamp_of
from engine.types import Mode
from utils.errors import EngineError

if TYPE_CHECKING:
    from engine.analysis.look import Look, PictureLooker
    from engine.model_manager import ModelManager
    from utils.image_files import ImageLimits
    from utils.picture import Picture

logger = logging.getLogger(__name__)

_REMEMBERED = 16


class AutomaticModel:
    """Chooses a model for a file; remembers what it saw in the last few. Thread-safe.

    Args:
        manager: says what is installed, and estimates how long each would take.
    """

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager
        self._looker: PictureLooker | None = None
        self._seen: dict[str, Look] = {}
        self._lock = threading.Lock()

    def choose(self, path: Path, size: tuple[int, int], scale: float, mode: Mode, limits: ImageLimits) -> Chosen:
        """The model for a picture of ``size`` (width, height) enlarged ``scale`` times.

        A picture that cannot be looked at is treated as one that nobody has: reading it tells what is wrong.
        """
        return choose_model(self._manager, self.requirements(path, size, scale, mode, limits))

    def choose_for(self, picture: Picture, scale: float, mode: Mode) -> Chosen:
        """The same for a picture in memory."""
        if len(self._manager.usable_upscalers()) < 2:
            return choose_model(self._manager, replace(UNKNOWN, scale=scale, mode=mode, size=picture.size))
        return choose_model(self._manager, self.look_at(picture).requirements(scale, mode, picture.size))

    def look_at(self, picture: Picture) -> Look:
        """What a picture in memory shows, and how worn it is."""
        return self._open_looker().look(picture)

    def requirements(
        self, path: Path, size: tuple[int, int], scale: float, mode: Mode, limits: ImageLimits
    ) -> Requirements:
        """What ``choose_model`` has to know about the file."""
        unknown = replace(UNKNOWN, scale=scale, mode=mode, size=size)
        if len(self._manager.usable_upscalers()) < 2:
            return unknown
        try:
            look = self._look(path, limits)
        except (EngineError, OSError, MemoryError) as error:
            logger.info("'%s' was not looked at: %s", path, error)
            return unknown
        return look.requirements(scale, mode, size)

    def _look(self, path: Path, limits: ImageLimits) -> Look:
        key = stamp_of(path)
        with self._lock:
            known = self._seen.get(key)
        if known is not None:
            return known
        look = self._open_looker().look(path, limits)
        with self._lock:
            while len(self._seen) >= _REMEMBERED:
                self._seen.pop(next(iter(self._seen)))
            self._seen[key] = look
        return look

    def _open_looker(self) -> PictureLooker:
        """Made at the first look: it imports OpenCV."""
        from engine.analysis.look import PictureLooker

        with self._lock:
            if self._looker is None:
                self._looker = PictureLooker()
            return self._looker
