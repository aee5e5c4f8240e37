"""Drawn or photographed: a small classifier over ``content_features``, trained by ``training/content.py``.

Its weights lie beside this file as data, so nothing has to be downloaded.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.analysis.content_features import content_features

WEIGHTS = Path(__file__).with_name("content_weights.npz")


class ContentClassifier:
    """An ensemble of small multilayer perceptrons whose logits are averaged.

    Args:
        weights: ``.npz`` with ``mean``, ``spread`` (N,), and per layer ``weight_i`` (members, in, out) and
            ``bias_i`` (members, out).
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._mean, self._spread, self._layers = _read(weights)

    def probability_drawn(self, rgb: np.ndarray) -> float:
        """``(H, W, 3) uint8`` RGB at full size -> 0 (surely a photograph) .. 1 (surely drawn)."""
        return self.probability_of(content_features(rgb))

    def probability_of(self, features: np.ndarray) -> float:
        """The same for ``(N,)`` features."""
        scaled = np.clip((features - self._mean) / self._spread, -4, 4)
        values = np.broadcast_to(scaled, (len(self._layers[0][0]), len(scaled)))
        for index, (weight, bias) in enumerate(self._layers):
            values = np.einsum("mi,mio->mo", values, weight) + bias
            if index < len(self._layers) - 1:
                values = np.maximum(values, 0)
        return float(1 / (1 + np.exp(-values.mean())))


@lru_cache(maxsize=2)
def _read(path: Path) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    with np.load(path) as data:
        layers: list[tuple[np.ndarray, np.ndarray]] = []
        while f"weight_{len(layers)}" in data:
            layers.append(
                (data[f"weight_{len(layers)}"].astype(np.float32), data[f"bias_{len(layers)}"].astype(np.float32))
            )
        return data["mean"].astype(np.float32), data["spread"].astype(np.float32), layers
