"""Train the content classifier for small and worn pictures: thumbnails, avatars, what messengers and old sites leave.

    python -m training.content_small PACKAGES --photographs PHOTOGRAPHS

``PACKAGES`` and ``PHOTOGRAPHS`` are those of ``training/content.py``. One scene gives several samples, each reduced and
encoded anew; paintings made of photographs are painted at about the size that they will have, since a stroke of five
pixels does not survive being reduced six times.

A share of the packages is first set aside: weights trained without them are measured on them, and what being sure is
worth there calibrates the probabilities. Then all packages are trained on, and the weights are written beside those for
larger pictures. Labelled pictures for measuring (``python -m benchmarks.content``) are never trained on.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np

from engine.analysis.content import SMALL, perceptrons
from engine.analysis.content_features import small_features
from engine.analysis.look import CERTAIN
from training import worn as wear
from training.content import find_pools, new_parser, split_packages, store, train
from training.content_data import (
    Pools,
    crop,
    laid_over,
    load,
    photograph,
    pick_drawing,
    pixel_art,
    plain_ground,
    relit,
)
from training.data import drawing as synthetic_drawing
from training.painterly import painterly
from training.scenes import NOT_FROM

SMALLEST, LARGEST = 72, 448
LEAST_CROP = 0.15
SAMPLES_OF_A_SCENE = 4
MARGIN = 0.02
"""Other people's pictures differ more from these than one package's from another's."""


def small_samples(random: np.random.Generator, pools: Pools, drawn: bool, count: int) -> list[np.ndarray]:
    """``count`` pictures of one scene, each ``(H, W, 3) uint8`` with a longer side of 72 to 448 pixels."""
    while True:
        rgb = _drawing(random, pools) if drawn else photograph(random, pools, LEAST_CROP)
        if min(rgb.shape[:2]) >= 64:
            break
    rgb = np.ascontiguousarray(relit(random, rgb))
    if random.random() < 0.5:  # stored once before somebody reduced it
        rgb = wear.jpeg(random, rgb, 50, 97)
    return [_reduced_and_stored(random, rgb) for _ in range(count)]


def _drawing(random: np.random.Generator, pools: Pools) -> np.ndarray:
    chance = random.random()
    if chance < 0.36:
        side = int(random.integers(130, 520))
        rgb = painterly(random, photograph(random, pools, LEAST_CROP), side)
        return rgb if chance < 0.22 else laid_over(random, pools, rgb, int(random.integers(1, 4)))
    if chance < 0.44:
        return laid_over(random, pools, plain_ground(random), int(random.integers(1, 5)))
    if chance < 0.48:
        return synthetic_drawing(random, int(random.integers(200, 500)))
    if chance < 0.53:
        return pixel_art(random, load(pick_drawing(random, pools), random))
    return crop(random, load(pick_drawing(random, pools), random), 0.3)


def _reduced_and_stored(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    longest = max(rgb.shape[:2])
    side = round(float(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST)))))
    rgb = _resized(random, rgb, min(side, round(longest * 1.5)))
    if random.random() < 0.12:
        rgb = cv2.GaussianBlur(rgb, (0, 0), random.uniform(0.4, 1.2))
    elif random.random() < 0.15:  # sharpened, as thumbnails are
        soft = cv2.GaussianBlur(rgb, (0, 0), 1.0)
        rgb = cv2.addWeighted(rgb, 1 + (amount := random.uniform(0.2, 0.8)), soft, -amount, 0)
    if random.random() < 0.08:
        rgb = np.clip(rgb + random.normal(0, random.uniform(1, 8), rgb.shape), 0, 255).astype(np.uint8)
    chance = random.random()
    if chance < 0.65:
        rgb = wear.jpeg(random, rgb, 20, 97)
    elif chance < 0.75:
        rgb = wear.jpeg_twice(random, rgb)
    elif chance < 0.82:
        rgb = wear.webp(random, rgb)
    return np.ascontiguousarray(rgb)


def _resized(random: np.random.Generator, rgb: np.ndarray, side: int) -> np.ndarray:
    """To a longer side of ``side``, by the filters that programs use."""
    factor = side / max(rgb.shape[:2])
    size = (max(24, round(rgb.shape[1] * factor)), max(24, round(rgb.shape[0] * factor)))
    if factor >= 1:
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC))
    filters = (cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)
    filter_ = filters[int(random.choice(4, p=(0.6, 0.15, 0.1, 0.15)))]
    if factor < 0.5 and filter_ != cv2.INTER_AREA:  # these filters know few pixels only
        rgb = cv2.resize(rgb, (size[0] * 2, size[1] * 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(rgb, size, interpolation=filter_))


def _features(pools: Pools, seed: int, index: int) -> np.ndarray:
    cv2.setNumThreads(1)
    random = np.random.default_rng((seed, index))
    return np.stack([small_features(rgb) for rgb in small_samples(random, pools, index % 2 == 1, SAMPLES_OF_A_SCENE)])


def make_samples(pools: Pools, scenes: int, seed: int, workers: int) -> tuple[np.ndarray, np.ndarray]:
    """``(count, N) float32`` features and ``(count,)`` labels, 1 = drawn."""
    with ProcessPoolExecutor(workers) as executor:
        rows = list(executor.map(partial(_features, pools, seed), range(scenes), chunksize=8))
    return np.concatenate(rows), np.repeat(np.arange(scenes) % 2, SAMPLES_OF_A_SCENE)


def logits(weights: dict[str, np.ndarray], features: np.ndarray) -> np.ndarray:
    judge = perceptrons(weights)
    return np.array([judge.logit(row) for row in features])


def find_temperature(found: np.ndarray, labels: np.ndarray) -> float:
    """What logits are divided by (Guo et al., 2017), so that being sure is worth more than is stated; at least 1.

    The smallest at which those that are sure are right ``MARGIN`` more often than they state.
    """
    right = (found >= 0) == labels
    for temperature in np.arange(1, 3, 0.05):
        stated = stated_by(found, temperature)
        sure = stated >= CERTAIN
        if sure.any() and right[sure].mean() >= stated[sure].mean() + MARGIN:
            return float(temperature)
    raise SystemExit("No temperature makes these weights as right as they state; nothing was written.")


def stated_by(found: np.ndarray, temperature: float) -> np.ndarray:
    """Confidences, 0.5..1, of logits at a temperature."""
    return np.asarray(1 / (1 + np.exp(-np.abs(found) / temperature)))


def cooled(weights: dict[str, np.ndarray], temperature: float) -> dict[str, np.ndarray]:
    """The same weights with logits divided by ``temperature``."""
    last = sum(name.startswith("weight_") for name in weights) - 1
    changed = {name: (weights[name] / temperature).astype(np.float32) for name in (f"weight_{last}", f"bias_{last}")}
    return weights | changed


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--scenes", type=int, default=1200)
    options = parser.parse_args()
    rest, unseen = split_packages(find_pools(options.packages, options.photographs, NOT_FROM), options.packages)
    features, labels = make_samples(rest, options.scenes, 1, options.workers)
    other, other_labels = make_samples(unseen, options.scenes // 3, 2, options.workers)
    shape = (options.hidden, options.members, options.decay)
    found = logits(train(features, labels, *shape), other)
    temperature = find_temperature(found, other_labels)
    stated = stated_by(found, temperature)
    right, sure = (found >= 0) == other_labels, stated >= CERTAIN
    print(
        f"right on {right.mean():.1%} of {len(right)} samples of unseen packages, on {right[sure].mean():.1%} of the "
        f"{sure.sum()} of which it is 80% sure (stated {stated[sure].mean():.1%}, temperature {temperature:.2f})"
    )
    weights = train(np.concatenate([features, other]), np.concatenate([labels, other_labels]), *shape)
    store(cooled(weights, temperature), SMALL)


if __name__ == "__main__":
    main()
