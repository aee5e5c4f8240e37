"""What kind of drawn or rendered picture it is: pixel art, screenshots and text, black-and-white line art."""

from __future__ import annotations

import numpy as np

from engine.analysis.damage import windows

LARGEST_PIXEL = 16


def pixel_art_factor(rgb: np.ndarray) -> int:
    """Side of the enlarged pixels of pixel art in ``(H, W, 3) uint8``, or 1.

    Pixel art that was enlarged without smoothing changes colour at multiples of one number only.
    """
    factors = []
    for axis in (0, 1):
        plane = rgb if axis == 1 else rgb.transpose(1, 0, 2)
        lines = plane[:: max(1, len(plane) // 64)]
        changes = (lines[:, 1:] != lines[:, :-1]).any(axis=2).sum(axis=0)
        total = int(changes.sum())
        if total < 32:
            return 1
        best = 1
        for factor in range(2, LARGEST_PIXEL + 1):
            share = max(int(changes[offset::factor].sum()) for offset in range(factor)) / total
            if share > 0.985:
                best = factor
        factors.append(best)
    return min(factors)


def flat_share(rgb: np.ndarray) -> float:
    """Share of pixels that equal both the pixel to the right and the one below: near 1 on rendered surfaces."""
    found = []
    for window in windows(rgb[..., 1], 256):
        same = (window[:-1, 1:] == window[:-1, :-1]) & (window[1:, :-1] == window[:-1, :-1])
        found.append(float(same.mean()))
    return float(np.median(found)) if found else 0.0


def text_share(gray: np.ndarray) -> float:
    """Share of the windows of ``(H, W) uint8`` that look like print: many small marks of one height in rows."""
    from utils.opencv import cv2

    hits = 0
    parts = [window for window in windows(gray, 384) if min(window.shape) >= 48]
    for window in parts:
        level, mask = cv2.threshold(window, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        dark = mask == 0
        if dark.mean() > 0.5:
            dark = ~dark
        low, high = window[dark], window[~dark]
        if not low.size or not high.size or abs(float(low.mean()) - float(high.mean())) < 50:
            continue
        # Paper and screens are even; photographed backgrounds are not.
        if float(np.mean(np.abs(high.astype(np.int16) - int(np.median(high))) < 12)) < 0.75:
            continue
        _, _, boxes, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=8)
        width, height, area = boxes[1:, 2], boxes[1:, 3], boxes[1:, 4]
        fill = area / np.maximum(1, width * height)
        letters = (height >= 5) & (height <= 48) & (width <= 2.5 * height) & (fill > 0.15) & (fill < 0.92)
        if letters.sum() < 25:
            continue
        middle = np.median(height[letters])
        alike = letters & (height > 0.55 * middle) & (height < 1.8 * middle)
        bottoms = np.sort((boxes[1:, 1] + height)[alike])
        in_rows = np.mean(np.diff(bottoms) <= 1) if bottoms.size > 1 else 0.0
        hits += int(alike.sum() >= 25 and in_rows > 0.6)
    return hits / len(parts) if parts else 0.0


def is_two_toned(gray: np.ndarray) -> bool:
    """Ink on paper: nearly everything in ``(H, W) uint8`` is close to black or to white, mostly white."""
    white, black = float((gray > 215).mean()), float((gray < 60).mean())
    return white + black > 0.86 and white > 0.5 and black > 0.01
