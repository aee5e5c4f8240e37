"""Drawn or photographed, measured by size and wear: how often right, how often sure, and what being sure is worth.

    python -m benchmarks.content FOLDER [FOLDER ...]

Each ``FOLDER`` holds ``content/anime`` and ``content/photo``, labelled by eye and never trained on. Every picture is
judged as it is, and reduced to a longer side of 256, 180, 128 and 96 pixels: clean, and as JPEG of quality 75, 50 and
30. Pictures are not enlarged; one that is smaller than a size is left out there.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.analysis.look import CERTAIN, PictureLooker
from utils import image_io

SIDES = (256, 180, 128, 96)
QUALITIES = (None, 75, 50, 30)
BINS = (0.5, 0.6, 0.7, CERTAIN, 0.9, 0.95, 1.01)


@dataclass(frozen=True)
class Judged:
    """One judgement: whether it was right, and the confidence that it stated, 0..1. ``side`` 0 = as it is."""

    side: int
    quality: int | None
    label: str
    right: bool
    confidence: float


def judge(looker: PictureLooker, folder: Path) -> list[Judged]:
    """Every labelled picture of a folder, at every size and wear."""
    found = []
    for label in ("anime", "photo"):
        for path in sorted((folder / "content" / label).iterdir()):
            look = looker.look(path)
            found.append(Judged(0, None, label, look.content == label, look.confidence))
            rgb = over_white(path)
            for side in SIDES:
                if side > max(rgb.shape[:2]):
                    continue
                for quality in QUALITIES:
                    look = looker.look(worn(rgb, side, quality))
                    found.append(Judged(side, quality, label, look.content == label, look.confidence))
    return found


def over_white(path: Path) -> np.ndarray:
    """``(H, W, 3) uint8`` RGB of a file."""
    from engine.analysis.planes import planes_of

    return np.ascontiguousarray(planes_of(image_io.load(path)).rgb)


def worn(rgb: np.ndarray, side: int, quality: int | None) -> np.ndarray:
    """Reduced to ``side`` pixels, then as a JPEG of ``quality`` gives it back; None leaves it clean."""
    factor = side / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)) if factor < 1 else rgb
    if quality is None:
        return small
    stored = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(stored, cv2.IMREAD_COLOR)[..., ::-1])


def table(judged: list[Judged]) -> None:
    """By size and wear: right at all, sure, right where sure, and what was stated there."""
    print(f"| longer side | wear | pictures | right | {CERTAIN:.0%} sure | right of these | stated |")
    print("|---|---|---|---|---|---|---|")
    for side in (0, *SIDES):
        rows = [one for one in judged if one.side == side]
        for quality in QUALITIES if side else (None,):
            wear = f"JPEG {quality}" if quality else "none" if side else "its own"
            _row(f"{side or 'as it is'}", wear, [one for one in rows if one.quality == quality])
    for name, rows in (
        ("all of 256 and less", [one for one in judged if one.side]),
        ("below 256", [one for one in judged if 0 < one.side < 256]),
    ):
        _row(name, "any", rows)


def _row(side: str, wear: str, rows: list[Judged]) -> None:
    sure = [one for one in rows if one.confidence >= CERTAIN]
    of_these = f"{_right(sure)} | {np.mean([one.confidence for one in sure]):.1%}" if sure else "- | -"
    print(f"| {side} | {wear} | {len(rows)} | {_right(rows)} | {len(sure)} | {of_these} |")


def _right(rows: list[Judged]) -> str:
    return f"{np.mean([one.right for one in rows]):.1%}" if rows else "-"


def calibration(title: str, judged: list[Judged]) -> None:
    """Stated against found, by what was stated."""
    print(f"\n| {title}: stated | pictures | mean stated | right | photographs called drawn |")
    print("|---|---|---|---|---|")
    for low, high in zip(BINS[:-1], BINS[1:], strict=True):
        rows = [one for one in judged if low <= one.confidence < high]
        stated = f"{np.mean([one.confidence for one in rows]):.1%}" if rows else "-"
        spoilt = sum(one.label == "photo" and not one.right for one in rows)
        print(f"| {low:.0%} to {min(high, 1):.0%} | {len(rows)} | {stated} | {_right(rows)} | {spoilt} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    looker = PictureLooker()
    judged = [one for folder in options.folders for one in judge(looker, folder)]
    table(judged)
    calibration("as it is", [one for one in judged if not one.side])
    calibration("256 and less", [one for one in judged if one.side])


if __name__ == "__main__":
    main()
