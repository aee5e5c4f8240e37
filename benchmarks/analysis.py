"""The engine's judgement, measured: the noise curve, the time of an analysis, and accuracy on labelled pictures.

    python -m benchmarks.analysis PHOTOGRAPHS [--labelled FOLDER]

``PHOTOGRAPHS`` are clean ones; ``FOLDER`` holds ``content/anime``, ``content/photo`` and ``faces/N``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from config import Config
from engine.intelligent_enhancer import IntelligentEnhancer
from engine.model_manager import ModelManager
from utils import image_io
from utils.noise import estimate_sigma

SIGMAS = (0, 2, 5, 10, 20, 35, 50)


def noise_curve(photographs: list[Path]) -> None:
    """Median and spread of the estimate for added Gaussian noise."""
    print("| added sigma | estimated, median | within 20% or one level |\n|---|---|---|")
    random = np.random.default_rng(0)
    # Cameras leave noise of their own; at half the size little of it is left.
    pictures = [_halved(_read(path)[:2400, :2400]) for path in photographs]
    for sigma in SIGMAS:
        found = np.array([estimate_sigma(_noisy(random, picture, sigma)) for picture in pictures])
        right = np.abs(found - sigma) <= max(1, 0.2 * sigma)
        print(f"| {sigma} | {np.median(found):.2f} | {right.mean():.0%} of {len(found)} |")


def _read(path: Path) -> np.ndarray:
    return np.ascontiguousarray(image_io.load(path).pixels)


def _halved(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _noisy(random: np.random.Generator, picture: np.ndarray, sigma: float) -> np.ndarray:
    return np.clip(np.rint(picture + random.normal(0, sigma, picture.shape)), 0, 255).astype(np.uint8)


def analysis_seconds(enhancer: IntelligentEnhancer, picture: np.ndarray, repeats: int = 7) -> list[float]:
    """Seconds of each of several analyses of a decoded picture, after one that is not counted."""
    enhancer.analyze(picture)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        enhancer.analyze(picture)
        seconds.append(time.perf_counter() - start)
    return seconds


def analysis_time(enhancer: IntelligentEnhancer, photograph: Path) -> None:
    """Best of several, decoded beforehand: 4000 x 3000 pixels."""
    picture = np.asarray(cv2.resize(_read(photograph), (4000, 3000), interpolation=cv2.INTER_CUBIC))
    seconds = analysis_seconds(enhancer, picture)
    print(f"\n12 megapixels analysed in {min(seconds) * 1000:.0f} ms (median {np.median(seconds) * 1000:.0f} ms)")


def accuracy(enhancer: IntelligentEnhancer, folder: Path) -> None:
    """Content type right, where the classifier is sure of itself, and how often a mistake could choose a model."""
    right, sure, harmed = [], [], 0
    for label in ("anime", "photo"):
        for path in sorted((folder / "content" / label).iterdir()):
            analysis = enhancer.analyze(path)
            right.append(analysis.content_type == label)
            sure.append(analysis.confidence["content_type"] >= 0.9)
            harmed += label == "photo" and not right[-1] and analysis.certain
            if not right[-1]:
                print(f"  {label} taken for the other, {analysis.confidence['content_type']:.0%} sure: {path.name}")
    told, certain = np.array(right), np.array(sure)
    sure_right = told[certain].mean()
    print(f"content type right: {told.mean():.1%} of {len(told)}; where sure: {sure_right:.1%} of {certain.sum()}")
    print(f"photographs that would get a model for drawings: {harmed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--labelled", type=Path)
    options = parser.parse_args()
    photographs = sorted(options.photographs.glob("*.jpg"))
    noise_curve(photographs)
    manager = ModelManager.from_config(Config())
    enhancer = IntelligentEnhancer(manager)
    analysis_time(enhancer, photographs[0])
    if options.labelled:
        accuracy(enhancer, options.labelled)
    manager.close()


if __name__ == "__main__":
    main()
