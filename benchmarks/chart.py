"""The races as a picture: one panel a network and size, a bar a contender."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

OURS, THEIRS, LIMIT = "#d9480f", "#868e96", "#1971c2"


def draw(rows: Sequence[Any], machine: str, path: Path) -> None:
    """Draw ``benchmarks.races.Row`` values into a PNG: seconds (shorter is better), with dB and ratio beside each."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    races: dict[tuple[str, tuple[int, int]], list[Any]] = {}
    for row in rows:
        if not row.problem:
            races.setdefault((row.network, row.size), []).append(row)
    if not races:
        return
    height = sum(0.9 + 0.32 * len(group) for group in races.values())
    sizes = [1 + len(group) for group in races.values()]
    figure, axes = pyplot.subplots(
        len(races), 1, figsize=(9, height), squeeze=False, height_ratios=sizes, layout="constrained"
    )
    for axis, ((network, size), group) in zip(axes[:, 0], races.items(), strict=True):
        group = sorted(group, key=lambda row: -row.seconds)
        seconds = {row.contender: row.seconds for row in group}
        base = seconds.get("original") or seconds.get("original, tiles")
        colors = [
            OURS if row.contender.startswith("this") else LIMIT if "one tensor" in row.contender else THEIRS
            for row in group
        ]
        bars = axis.barh([row.contender for row in group], [row.seconds for row in group], color=colors, height=0.72)
        notes = []
        for row in group:
            parts = [f"{row.seconds:.2f} s"]
            if base and row.seconds != base:
                parts.append(f"{base / row.seconds:.1f}x")
            if row.fidelity_db is not None:
                parts.append(f"{row.fidelity_db:.0f} dB")
            notes.append(", ".join(parts))
        axis.bar_label(bars, notes, padding=4, fontsize=9)
        axis.set_title(f"{network} x4, {size[0]}x{size[1]} in: seconds, shorter is better", loc="left", fontsize=10)
        axis.set_xlim(0, max(row.seconds for row in group) * 1.32)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=9)
    figure.suptitle(machine, fontsize=9, color="#495057")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
