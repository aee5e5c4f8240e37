"""Train the content classifier (drawn or photographed). One command, minutes on a CPU:

    python -m training.content PACKAGES --photographs PHOTOGRAPHS

``PACKAGES`` is the folder that ``python -m training.packages PACKAGES`` fills. The weights are written beside
``engine/analysis/content.py``. The held-back share of the samples is printed; labelled pictures for measuring are
never trained on.

Held-back samples show the same pictures as those trained on, so that figure flatters. ``--unseen-packages`` instead
trains without a share of the packages, prints how often samples of these are judged right, and writes nothing: steer
by that.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from engine.analysis.content import SMALL, WEIGHTS, perceptrons
from engine.analysis.content_features import content_features
from training.content_data import Pools, sample
from training.packages import SOURCES

HELD_BACK = 0.12


def find_pools(packages: Path, photographs: Path, without: tuple[str, ...] = ()) -> Pools:
    """The pictures of ``content_sources.json`` below ``packages``, and every JPEG of ``photographs``.

    Args:
        without: beginnings of paths that are left out.
    """
    named = json.loads(SOURCES.read_text())
    named = {kind: [path for path in paths if not path.startswith(without)] for kind, paths in named.items()}
    missing = [path for paths in named.values() for path in paths if not (packages / path).exists()]
    if missing:
        raise SystemExit(f"{len(missing)} pictures are not below '{packages}', the first: {missing[0]}")
    photos = [packages / path for path in named.pop("photographs")] + sorted(photographs.glob("*.jpg"))
    return Pools(tuple(photos), {kind: tuple(packages / path for path in paths) for kind, paths in named.items()})


def split_packages(pools: Pools, packages: Path) -> tuple[Pools, Pools]:
    """``(rest, unseen)``: whole packages set aside, no package in both.

    For photographs and each kind of drawing in turn, the packages with the fewest pictures of it go to ``unseen`` until
    they hold ``HELD_BACK`` of it. A kind that a single package provides stays in ``rest`` as a whole.
    """
    kinds = {"photographs": pools.photographs, **pools.drawings}
    unseen: set[str] = set()
    for paths in kinds.values():
        counts = Counter(_package(path, packages) for path in paths)
        held = sum(counts[name] for name in unseen)
        for name, count in sorted(counts.items(), key=lambda item: (item[1], item[0]))[:-1]:
            if held >= HELD_BACK * len(paths):
                break
            if name not in unseen:
                unseen.add(name)
                held += count
    halves = []
    for wanted in (False, True):
        chosen = {
            kind: tuple(path for path in paths if (_package(path, packages) in unseen) is wanted)
            for kind, paths in kinds.items()
        }
        halves.append(Pools(chosen.pop("photographs"), {kind: paths for kind, paths in chosen.items() if paths}))
    return halves[0], halves[1]


def _package(path: Path, packages: Path) -> str:
    return "/".join(path.relative_to(packages).parts[:2]) if path.is_relative_to(packages) else str(path.parent)


def _features(pools: Pools, seed: int, index: int) -> np.ndarray:
    cv2.setNumThreads(1)
    return content_features(sample(np.random.default_rng((seed, index)), pools, drawn=index % 2 == 1))


def make_samples(pools: Pools, count: int, seed: int, workers: int) -> tuple[np.ndarray, np.ndarray]:
    """``(count, N) float32`` features and ``(count,)`` labels, 1 = drawn."""
    with ProcessPoolExecutor(workers) as executor:
        rows = list(executor.map(partial(_features, pools, seed), range(count), chunksize=16))
    return np.stack(rows), np.arange(count) % 2


def train(features: np.ndarray, labels: np.ndarray, hidden: int, members: int, decay: float) -> dict[str, np.ndarray]:
    """Weights in the layout of ``ContentClassifier``. ``hidden`` = 0 gives logistic regression."""
    torch.manual_seed(0)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    inputs = torch.from_numpy(np.clip((features - mean) / spread, -4, 4)).float()
    targets = torch.from_numpy(labels).float()
    trained = [_member(inputs, targets, hidden, decay) for _ in range(members)]
    stored = {"mean": mean.astype(np.float32), "spread": spread.astype(np.float32)}
    for index in range(len(trained[0])):
        stored[f"weight_{index}"] = np.stack([member[index][0] for member in trained]).astype(np.float32)
        stored[f"bias_{index}"] = np.stack([member[index][1] for member in trained]).astype(np.float32)
    return stored


def _member(
    inputs: torch.Tensor, targets: torch.Tensor, hidden: int, decay: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    count = inputs.shape[1]
    layers = [nn.Linear(count, 1)]
    network = nn.Sequential(layers[0])
    if hidden:
        layers = [nn.Linear(count, hidden), nn.Linear(hidden, 1)]
        network = nn.Sequential(nn.Dropout(0.1), layers[0], nn.ReLU(), nn.Dropout(0.2), layers[1])
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=decay)
    epochs, batch = 60, 256
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for chosen in torch.randperm(len(inputs)).split(batch):
            loss = nn.functional.binary_cross_entropy_with_logits(network(inputs[chosen])[:, 0], targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in layers]


def _measure_unseen(pools: Pools, options: argparse.Namespace) -> None:
    rest, unseen = split_packages(pools, options.packages)
    features, labels = make_samples(rest, options.samples, 1, options.workers)
    weights = train(features, labels, options.hidden, options.members, options.decay)
    features, labels = make_samples(unseen, int(options.samples * HELD_BACK), 2, options.workers)
    judged = _judged(weights, features)
    right = judged == labels
    print(
        f"right on {right.mean():.1%} of {len(labels)} samples of unseen packages: "
        f"{right[labels == 1].mean():.1%} of the drawn, {right[labels == 0].mean():.1%} of the photographed"
    )


def _judged(weights: dict[str, np.ndarray], features: np.ndarray) -> np.ndarray:
    judge = perceptrons(weights)
    return np.array([judge.logit(row) >= 0 for row in features])


def store(weights: dict[str, np.ndarray], prefix: str = "") -> None:
    """Into the classifier's file, under names that begin with ``prefix``; the weights for other sizes stay in it."""
    with np.load(WEIGHTS) as data:
        kept = {name: data[name] for name in data.files if name.startswith(SMALL) is not (prefix == SMALL)}
    np.savez_compressed(WEIGHTS, **kept, **{prefix + name: value for name, value in weights.items()})


def new_parser(description: str | None) -> argparse.ArgumentParser:
    """With what the trainings for all sizes ask: pictures, the shape of the network, processes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--hidden", type=int, default=0)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--decay", type=float, default=0.1)
    parser.add_argument("--workers", type=int, default=2)
    return parser


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--samples", type=int, default=7000)
    parser.add_argument("--unseen-packages", action="store_true", help="only measure, on packages not trained on")
    options = parser.parse_args()
    pools = find_pools(options.packages, options.photographs)
    if options.unseen_packages:
        _measure_unseen(pools, options)
        return
    features, labels = make_samples(pools, options.samples, 1, options.workers)
    kept = int(len(labels) * (1 - HELD_BACK))
    weights = train(features[:kept], labels[:kept], options.hidden, options.members, options.decay)
    store(weights)
    drawn = _judged(weights, features[kept:])
    print(f"right on {np.mean(drawn == labels[kept:]):.1%} of {len(drawn)} held-back samples")


if __name__ == "__main__":
    main()
