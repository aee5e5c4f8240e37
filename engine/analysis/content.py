"""Drawn or photographed: small classifiers over ``content_features``, one for small pictures, one for all others.

Small pictures are often worn, and what wear leaves in them (blocks, ringing) is what photographs have and drawings
lack in larger ones; so they have weights of their own, trained on reduced and worn pictures by
``training/content_small.py``. The others are trained by ``training/content.py``. Both lie beside this file as data, so
nothing has to be downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.analysis.content_features import content_features, small_features

WEIGHTS = Path(__file__).with_name("content_weights.npz")
SMALL = "small_"
"""Before the names of the weights for small pictures."""
SMALL_SIDE, USUAL_SIDE = 352, 448
"""Longer sides in pixels up to which the weights for small pictures judge alone, and from which the others do. Between
them the logits are mixed, so that a pixel more or less turns no judgement round."""


@dataclass(frozen=True, eq=False)
class Perceptrons:
    """An ensemble of small multilayer perceptrons whose logits are averaged; without a hidden layer, a regression.

    Attributes:
        mean: (N,) of the features; ``spread``: (N,) their standard deviations.
        layers: ``(weight (members, in, out), bias (members, out))``.
    """

    mean: np.ndarray
    spread: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def logit(self, features: np.ndarray) -> float:
        """``(N,)`` features -> positive where drawn."""
        scaled = np.clip((features - self.mean) / self.spread, -4, 4)
        values = np.broadcast_to(scaled, (len(self.layers[0][0]), len(scaled)))
        for index, (weight, bias) in enumerate(self.layers):
            values = np.einsum("mi,mio->mo", values, weight) + bias
            if index < len(self.layers) - 1:
                values = np.maximum(values, 0)
        return float(values.mean())


class ContentClassifier:
    """Judges pictures of every size.

    Args:
        weights: ``.npz`` with ``mean``, ``spread`` (N,), and per layer ``weight_i`` (members, in, out) and
            ``bias_i`` (members, out); the same with ``small_`` before each name.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._usual, self._small = read(weights), read(weights, SMALL)

    def probability_drawn(self, rgb: np.ndarray) -> float:
        """``(H, W, 3) uint8`` RGB at full size, or reduced by ``reduced`` -> 0 (a photograph) .. 1 (surely drawn)."""
        small = small_share(max(rgb.shape[:2]))
        logit = 0.0
        if small > 0:
            logit += small * self._small.logit(small_features(rgb))
        if small < 1:
            logit += (1 - small) * self._usual.logit(content_features(rgb))
        return probability(logit)


def small_share(side: int) -> float:
    """How much the weights for small pictures count in a picture with a longer side of ``side`` pixels, 0..1."""
    return float(np.clip((USUAL_SIDE - side) / (USUAL_SIDE - SMALL_SIDE), 0, 1))


def probability(logit: float) -> float:
    """A logit as a probability."""
    return float(1 / (1 + np.exp(-logit)))


@lru_cache(maxsize=4)
def read(path: Path, prefix: str = "") -> Perceptrons:
    """The weights whose names begin with ``prefix``."""
    with np.load(path) as data:
        stored = {name: data[name].astype(np.float32) for name in data.files}
    return perceptrons({name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)})


def perceptrons(stored: dict[str, np.ndarray]) -> Perceptrons:
    """Weights by their names without a prefix; others are ignored."""
    count = sum(name.startswith("weight_") for name in stored)
    layers = tuple((stored[f"weight_{index}"], stored[f"bias_{index}"]) for index in range(count))
    return Perceptrons(stored["mean"], stored["spread"], layers)
