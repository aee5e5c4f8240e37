"""What the layers of a network see on real pictures: eight bits are fitted to it.

A calibration is a file of some kilobytes for each set of weights, found by their SHA-256: those of this program's own
networks lie in ``ranges``, those that a person made (``models calibrate``) in the cache.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from utils.files import replaced

SHIPPED = Path(__file__).resolve().parent / "ranges"
TRUE_ENOUGH = 40.0
"""dB to fp32 on the worst picture, from which on a network is run in eight bits."""
_KEY_LENGTH = 16
"""Digits of the SHA-256 that a file is named by."""
_ARRAYS = ("low", "high", "mean", "spread", "alike", "offset")
KEPT_SHARE, KEPT_PICTURES = 0.9997, 0.98
"""Of a channel's values in each picture that its range holds, and of the pictures whose range the network's holds. What
is beyond is clipped: that costs a few pictures in strong colours less than wider steps would cost all others."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Of a network in which each convolution but the first has the same number of inputs.

    Attributes:
        low, high: bounds of each input channel of each convolution from the second on, ``(layers, channels) float32``.
        mean, spread: their means and standard deviations.
        alike: correlations of the channels, for each convolution those above the diagonal row by row, ``float16``.
        offset: what the last convolution's channels came out too high in eight bits, ``(out,) float32``.
        worst, average: dB to fp32 on pictures that the ranges were not measured on.
        pictures: how many those were.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    alike: np.ndarray
    offset: np.ndarray
    worst: float = 0.0
    average: float = 0.0
    pictures: int = 0

    def covariance(self, number: int) -> np.ndarray:
        """Of the input channels of a convolution, ``(channels, channels) float64``; 0 is the second one's."""
        channels = self.low.shape[1]
        upper = np.zeros((channels, channels))
        upper[np.triu_indices(channels, 1)] = self.alike[number]
        spread = self.spread[number].astype(np.float64)
        return (upper + upper.T + np.eye(channels)) * np.outer(spread, spread)

    def digest(self) -> str:
        """Some letters that are another calibration's with another content."""
        content = b"".join(getattr(self, name).tobytes() for name in _ARRAYS)
        return hashlib.sha256(content).hexdigest()[:8]

    def save(self, path: Path) -> None:
        """Write it down, whole or not at all. Raises ``OutputError``."""
        verdict = np.array([self.worst, self.average, self.pictures], np.float64)
        with replaced(path) as temporary, temporary.open("wb") as file:
            arrays: dict[str, np.ndarray] = {name: getattr(self, name) for name in _ARRAYS}
            np.savez_compressed(file, verdict=verdict, **arrays)  # type: ignore[arg-type]


def read_calibration(path: Path) -> Calibration | None:
    """What ``Calibration.save`` wrote; None where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as found:
            worst, average, pictures = found["verdict"]
            low, high, mean, spread, alike, offset = (found[name] for name in _ARRAYS)
            return Calibration(low, high, mean, spread, alike, offset, float(worst), float(average), int(pictures))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
        return None


def own_path(key: str, cache_dir: Path) -> Path:
    """Where a calibration that a person made is kept. ``key``: SHA-256 of the weights."""
    return cache_dir / "int8" / f"{key[:_KEY_LENGTH]}.npz"


def shipped_name(name: str, key: str) -> str:
    """What the calibration of a network that comes with the program is called in ``SHIPPED``."""
    return f"{name}-{key[:_KEY_LENGTH]}.npz"


def find_calibration(key: str, cache_dir: Path | None) -> Calibration | None:
    """Of the weights with that SHA-256; None where there is none.

    A person's own goes before the shipped one, unless it was found to be less true than that.
    """
    own = read_calibration(own_path(key, cache_dir)) if cache_dir is not None else None
    path = next(SHIPPED.glob(f"*-{key[:_KEY_LENGTH]}.npz"), None) if key else None
    shipped = read_calibration(path) if path is not None and (own is None or own.worst < TRUE_ENOUGH) else None
    return shipped or own


def has_calibration(key: str, cache_dir: Path | None) -> bool:
    """Whether ``find_calibration`` may find one; opens no file."""
    own = cache_dir is not None and own_path(key, cache_dir).is_file()
    return bool(key) and own or any(SHIPPED.glob(f"*-{key[:_KEY_LENGTH]}.npz"))


class Seen:
    """Gathers while pictures run what a convolution's input channels hold."""

    def __init__(self, channels: int) -> None:
        self._low: list[np.ndarray] = []
        self._high: list[np.ndarray] = []
        self._sum, self._products, self._count = np.zeros(channels), np.zeros((channels, channels)), 0

    def see(self, maps: np.ndarray) -> None:
        """Maps ``(channels, H, W)`` of one window; a quarter of their pixels is looked at."""
        values = np.ascontiguousarray(maps[:, ::2, ::2], np.float32).reshape(len(maps), -1)
        beyond = round(values.shape[1] * (1 - KEPT_SHARE))
        ordered = np.partition(values, (beyond, values.shape[1] - 1 - beyond), 1)
        self._low.append(ordered[:, beyond])
        self._high.append(ordered[:, -1 - beyond])
        self._sum += values.sum(1, dtype=np.float64)
        self._products += values @ values.T
        self._count += values.shape[1]

    def told(self) -> dict[str, np.ndarray]:
        """A line of each of ``Calibration``'s arrays but ``offset``."""
        mean = self._sum / self._count
        covariance = self._products / self._count - np.outer(mean, mean)
        spread = np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
        alike = (covariance / np.outer(spread, spread))[np.triu_indices(len(mean), 1)]
        return {
            "low": np.quantile(self._low, 1 - KEPT_PICTURES, axis=0).astype(np.float32),
            "high": np.quantile(self._high, KEPT_PICTURES, axis=0).astype(np.float32),
            "mean": mean.astype(np.float32),
            "spread": spread.astype(np.float32),
            "alike": np.clip(alike, -1, 1).astype(np.float16),
        }


__all__ = [
    "SHIPPED",
    "TRUE_ENOUGH",
    "Calibration",
    "Seen",
    "find_calibration",
    "has_calibration",
    "own_path",
    "read_calibration",
    "shipped_name",
]
