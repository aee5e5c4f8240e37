"""What every training run does alike: its rate over time, and how it is written down."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any


def cosine_rate(peak: float, last: float, share: float, step: int, warm_up: int) -> float:
    """The learning rate at ``share`` (0..1) of a run: down a cosine from ``peak`` to ``last``, after rising steps."""
    cosine = last + (peak - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    return cosine * min(1.0, (step + 1) / warm_up)


def save_run(out: Path, state: dict[str, Any], average: dict[str, Any]) -> None:
    """Write ``last.pt`` (to go on from) and ``average.safetensors`` (to use), each whole or not at all."""
    import torch
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    torch.save(state, out / "last.tmp")
    os.replace(out / "last.tmp", out / "last.pt")
    half = {key: value.half().cpu().contiguous() for key, value in average.items()}
    save_file(half, out / "average.tmp")
    os.replace(out / "average.tmp", out / "average.safetensors")
