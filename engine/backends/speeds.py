"""How fast networks ran on this machine: remembered from real pictures and films, for the next one's estimate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.storage.json_store import JsonStore

if TYPE_CHECKING:
    from engine.models.info import CheckpointInfo

_LEAST_PIXELS = 64 * 64
"""Smaller pictures say more about starting than about running."""
_BEFORE = 1e6
"""Pixels that what was known weighs as much as: a film tells much more than a small picture beside other work."""
_LEAST_SHARE = 0.1


class Speeds:
    """Seconds of a network's time for a megapixel of input, by its shape and the device. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        self._store = JsonStore(path)
        self._here: dict[str, float] = {}

    def note(self, info: CheckpointInfo, device: str, pixels: int, seconds: float) -> None:
        """Learn from a picture, or a film's frames, of so many input pixels; the more, the more it counts."""
        if pixels < _LEAST_PIXELS or seconds <= 0:
            return
        fresh, before = seconds / pixels * 1e6, self.get(info.architecture, info.parameters, info.scale, device)
        share = max(_LEAST_SHARE, pixels / (pixels + _BEFORE))
        value = fresh if before is None else share * fresh + (1 - share) * before
        key = _key(info.architecture, info.parameters, info.scale, device)
        self._here[key] = round(value, 4)
        self._store.put(key, self._here[key])

    def get(self, architecture: str, parameters: int, scale: int, device: str) -> float | None:
        """Seconds a megapixel of input; None where nothing of that shape ran on the device yet."""
        key = _key(architecture, parameters, scale, device)
        stored = self._store.get(key)
        return float(stored) if isinstance(stored, int | float) and stored > 0 else self._here.get(key)


def _key(architecture: str, parameters: int, scale: int, device: str) -> str:
    return f"{architecture} | {parameters} | x{scale} | {device}"


__all__ = ["Speeds"]
