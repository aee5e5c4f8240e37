"""How a result differs from its original, in plain words; and where, as a picture to lay over it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from engine.analysis.damage import blockiness
from ui.strings import Words
from ui.viewer import View
from utils import image_io
from utils.invention import STRONG, VISIBLE, Invention, colours, invention
from utils.opencv import cv2
from utils.picture import Picture
from utils.pixels import to_eight_bits
from utils.writers import SaveOptions

AT_ONCE_PIXELS = 12_000_000
"""Results up to this size are looked at when they are made, larger ones when the map is asked for."""
_NO_LIMITS = image_io.ImageLimits(10**13, 10**12, 10**13, max_pages=10**6, salvage=True)
_SHARPER, _SMOOTHER = 1.15, 0.9
_BLOCKS = 0.12
_LEAST_NOISE = 1.5
_SAME_COLOUR, _NEAR_COLOUR = 0.5, 2.0
_MOSTLY = 0.5


def look(view: View, output: Path) -> tuple[Invention, dict[str, Any]]:
    """Compare the two pictures of the stage, which are of bounded size and lie over each other.

    Args:
        output: the result itself; what it shows through is left out.

    Returns:
        Where they differ, and what of it is kept with the run.
    """
    before, after = (_pixels(Path(str(path))) for path in (view.before, view.after))
    found = invention(before, after)
    if image_io.probe(output, _NO_LIMITS).has_alpha:
        found = replace(found, levels=found.levels * _solid(output, found.levels.shape))
    size = before.shape[1], before.shape[0]
    reduced = after if after.shape[:2] == before.shape[:2] else cv2.resize(after, size, interpolation=cv2.INTER_AREA)
    green = [_green(one) for one in (before, reduced)]
    kept = {
        "visible": round(found.visible, 4),
        "block": found.block,
        "blocks_before": round(blockiness(green[0]), 3),
        "blocks_after": round(blockiness(green[1]), 3),
        **{name: round(float(getattr(found, name)), 3) for name in ("edges", "texture", "smooth")},
    }
    return found, kept


def heat_file(found: Invention, folder: Path) -> str:
    """Keep the map as a PNG with transparency, under a name that cannot be guessed."""
    rgb, opacity = colours(found)
    target = folder / "previews" / f"{secrets.token_hex(8)}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    image_io.save(Picture(rgb, alpha=opacity), target, SaveOptions("png"))
    return str(target)


def differences_html(metrics: Mapping[str, Any], words: Words) -> str:
    """What a person would notice, from what was measured; nothing where nothing was."""
    said = [words(f"differs_{key}") for key in (*_detail(metrics), *_wear(metrics), *_colour(metrics))]
    sentence = ", ".join(said)
    where = _where(metrics)
    if where:
        sentence = "; ".join(filter(None, (sentence, words(f"differs_{where}"))))
    return f"<p>{escape(sentence[:1].upper() + sentence[1:])}.</p>" if sentence else ""


def legend_html(metrics: Mapping[str, Any], words: Words) -> str:
    """What the map's colours mean."""
    block = metrics.get("differs", {}).get("block", 8)
    told = words("heat_legend", visible=f"{VISIBLE:g}", strong=f"{STRONG:g}", block=block)
    return f'<p class="calm"><span class="scale" aria-hidden="true"></span> {escape(told)}</p>'


def _detail(metrics: Mapping[str, Any]) -> list[str]:
    before, after = metrics.get("sharpness_before"), metrics.get("sharpness_after")
    if not before or after is None:
        return []
    ratio = after / before
    return ["sharper"] if ratio >= _SHARPER else ["smoother"] if ratio <= _SMOOTHER else ["as_sharp"]


def _wear(metrics: Mapping[str, Any]) -> list[str]:
    found, differs = [], metrics.get("differs", {})
    blocks, left = differs.get("blocks_before", 0.0), differs.get("blocks_after", 0.0)
    if blocks > _BLOCKS:
        found.append("blocks_gone" if left < blocks / 3 else "blocks_fewer" if left < blocks / 1.5 else "blocks_left")
    noise, rest = metrics.get("noise_before", 0.0), metrics.get("noise_after", 0.0)
    if noise >= _LEAST_NOISE:
        found.append("noise_gone" if rest < noise / 3 else "noise_less" if rest < noise / 1.3 else "noise_left")
    return found


def _colour(metrics: Mapping[str, Any]) -> list[str]:
    drift = metrics.get("color_difference_after")
    if drift is None:
        return []
    return ["colours_same" if drift <= _SAME_COLOUR else "colours_near" if drift <= _NEAR_COLOUR else "colours_other"]


def _where(metrics: Mapping[str, Any]) -> str:
    differs = metrics.get("differs", {})
    if not differs:
        return ""
    if differs["visible"] < 0.01:
        return "nowhere"
    kind = max(("edges", "texture", "smooth"), key=lambda name: float(differs[name]))
    return f"in_{kind}" if differs[kind] >= _MOSTLY else "everywhere"


def _green(pixels: np.ndarray) -> np.ndarray:
    """The middle channel of gray or RGB, which OpenCV may have left without its axis."""
    channels = pixels.reshape(*pixels.shape[:2], -1)
    return np.ascontiguousarray(channels[..., channels.shape[2] // 2])


def _pixels(path: Path) -> np.ndarray:
    return to_eight_bits(image_io.load(path, _NO_LIMITS).pixels)


def _solid(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """1 where the picture shows nothing through, else 0, on a grid of blocks."""
    alpha = image_io.load(path, _NO_LIMITS).alpha
    if alpha is None:
        return np.ones(shape, np.float32)
    share = cv2.resize(to_eight_bits(alpha), (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return (share > 250).astype(np.float32)


__all__ = ["AT_ONCE_PIXELS", "differences_html", "heat_file", "legend_html", "look"]
