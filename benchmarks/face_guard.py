"""Does the identity guard let good restorations through, and nobody else's face?

    python -m benchmarks.face_guard FOLDER

Faces of a folder's pictures are made small and worn. A perfect restoration is the true face; the worst one is another
person's, in the same position. Printed: how many of either the guard would show.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.face_material import detector, strangers, true_faces, wear
from engine.faces.guard import Verdict, compare

HEIGHTS = (28, 40, 64, 100, 140)


def run(folder: Path, others: int) -> None:
    """Print the table."""
    find, random = detector(), np.random.default_rng(0)
    faces = true_faces(folder, find)
    print(f"{len(faces)} faces of 140 pixels and more\n")
    print("| face height | perfect: whole | in part | likeness, least | others: whole | in part | likeness, most |")
    print("|---|---|---|---|---|---|---|")
    everything: tuple[list[Verdict], list[Verdict]] = ([], [])
    for height in HEIGHTS:
        own: list[Verdict] = []
        foreign: list[Verdict] = []
        for one in faces:
            worn = wear(one, height, find, random)
            if worn is None:
                continue
            own.append(compare(worn.crop, worn.truth, worn.alignment.scale, find.look))
            for other in strangers(faces, one, others, random):
                foreign.append(compare(worn.crop, other, worn.alignment.scale, find.look))
        _row(str(height), own, foreign)
        everything[0].extend(own)
        everything[1].extend(foreign)
    _row("all", *everything)


def _row(name: str, own: list[Verdict], foreign: list[Verdict]) -> None:
    def shares(verdicts: list[Verdict]) -> str:
        whole = np.mean([verdict.share == 1 for verdict in verdicts])
        part = np.mean([0 < verdict.share < 1 for verdict in verdicts])
        return f"{whole:.1%} of {len(verdicts)} | {part:.1%}"

    least, most = min(one.likeness for one in own), max(one.likeness for one in foreign)
    print(f"| {name} | {shares(own)} | {least:.3f} | {shares(foreign)} | {most:.3f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--others", type=int, default=3, help="other people's faces tried for each")
    options = parser.parse_args()
    run(options.folder, options.others)


if __name__ == "__main__":
    main()
