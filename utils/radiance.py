"""Radiance HDR pictures (Ward, Graphics Gems II, 1991) and how their brightness is brought into a display's.

A file holds light, from less than a thousandth to thousands of times what a display shows. The tone mapping is the
global operator of Reinhard et al. (SIGGRAPH 2002, eq. 4): the log-average luminance becomes middle gray (0.18), the
brightest thousandth white; then sRGB's transfer curve, 16 bits.
"""

from __future__ import annotations

import io
import re
from typing import BinaryIO

import numpy as np

_SIGNATURES = (b"#?RADIANCE", b"#?RGBE")
_SIZE = re.compile(rb"^-Y (\d{1,9}) \+X (\d{1,9})$")
_HEADER_BYTES = 64 * 1024
MIDDLE_GRAY, WHITE_SHARE = 0.18, 0.999
_BAND = 64
"""Rows that are computed with at a time."""
_LUMINANCE = np.array((0.2126, 0.7152, 0.0722), np.float32)


def is_radiance(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head.startswith(_SIGNATURES)


def size_of(stream: BinaryIO) -> tuple[int, int]:
    """Width and height, from the header.

    Raises:
        ValueError: the header has no end, the format is XYZE, or the rows run another way than top to bottom.
    """
    stream.seek(0)
    lines = stream.read(_HEADER_BYTES).split(b"\n")
    try:
        end = lines.index(b"")
        found = _SIZE.match(lines[end + 1])
    except (ValueError, IndexError):
        raise ValueError("its header has no end") from None
    if any(line.startswith(b"FORMAT=") and line != b"FORMAT=32-bit_rle_rgbe" for line in lines[:end]):
        raise ValueError("its colours are XYZ; save it as RGBE")
    if found is None:
        raise ValueError("its rows do not run from top left; turn it with the program that made it")
    return int(found[2]), int(found[1])


def decode(data: bytes) -> np.ndarray:
    """``(H, W, 3) uint16``, tone-mapped. Raises whatever the decoder does where the pixels are damaged."""
    import imagecodecs

    width, height = size_of(io.BytesIO(data))
    # Run lengths pack 127 values into two bytes at most: a file that claims more must not have room made for it.
    if width * height * 4 > 64 * len(data):
        raise ValueError("its pixels end early")
    return tone_mapped(np.asarray(imagecodecs.rgbe_decode(data)))


def tone_mapped(light: np.ndarray) -> np.ndarray:
    """``(H, W, 3) float32`` light of any range as ``(H, W, 3) uint16`` sRGB."""
    light = np.nan_to_num(light.astype(np.float32), copy=False, posinf=0, neginf=0)
    np.maximum(light, 0, out=light)
    luminance = light @ _LUMINANCE
    lit = luminance[luminance > 0]
    if not lit.size:
        return np.zeros(light.shape, np.uint16)
    factor = np.float32(MIDDLE_GRAY / np.exp(np.log(lit).mean(dtype=np.float64)))
    del lit
    white = max(float(np.quantile(luminance, WHITE_SHARE) * factor), 1.0)
    result = np.empty(light.shape, np.uint16)
    for start in range(0, len(light), _BAND):
        rows = slice(start, start + _BAND)
        result[rows] = _shown(light[rows], luminance[rows], factor, white)
    return result


def _shown(light: np.ndarray, luminance: np.ndarray, factor: np.float32, white: float) -> np.ndarray:
    scaled = luminance * factor
    shown = scaled * (1 + scaled / white**2) / (1 + scaled)
    linear = np.clip(light * (shown / np.maximum(luminance, 1e-12))[..., None], 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(curved * 65535).astype(np.uint16)
