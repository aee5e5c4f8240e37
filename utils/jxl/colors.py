"""What the numbers of a JPEG XL picture mean, as an ICC profile or as light."""

from __future__ import annotations

import numpy as np

from utils.colorimetry import REC_709, Chromaticities, between
from utils.jxl.header import ColorEncoding, Curve, Space
from utils.radiance import tone_mapped

_PQ = (2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32)
"""m1, m2, c1, c2, c3 of SMPTE ST 2084."""
_HLG = (0.17883277, 0.28466892, 0.55991073)
"""a, b, c of ITU-R BT.2100's hybrid log-gamma."""
_SYSTEM_GAMMA = 1.2
_LUMINANCE = np.array((0.2126, 0.7152, 0.0722), np.float32)
_STEPS = 4096
Array = np.ndarray


def profile_for(encoding: ColorEncoding) -> bytes | None:
    """An ICC profile that says the same; None where readers take it for granted, or nothing is known."""
    if encoding.is_srgb or encoding.space == Space.UNKNOWN or encoding.curve == Curve.UNKNOWN:
        return None
    gray = encoding.space == Space.GRAY
    if encoding.curve in (None, Curve.DCI):
        return _profile(gray, encoding.primaries, gamma=1 / encoding.gamma if encoding.curve is None else 2.6)
    values = np.linspace(0, 1, _STEPS)
    light = _from_rec709(values) if encoding.curve == Curve.BT709 else srgb_to_light(values)
    return _profile(gray, encoding.primaries, curve=np.rint(light * 65535).astype(np.uint16))


def _profile(gray: bool, primaries: Chromaticities, gamma: float | None = None, curve: Array | None = None) -> bytes:
    import imagecodecs

    points = [(*primaries[place : place + 2], 1.0) for place in (0, 2, 4, 6)]
    corners = None if gray else [*points[0], *points[1], *points[2]]
    made = imagecodecs.cms_profile(
        "gray" if gray else "rgb", whitepoint=points[3], primaries=corners, gamma=gamma, transferfunction=curve
    )
    return bytes(made)


def light_profile(gray: bool) -> bytes:
    """The profile of linear light over Rec. 709's primaries."""
    return _profile(gray, REC_709, gamma=1.0)


def light_to_profile(light: Array, icc: bytes) -> Array:
    """``(H, W, 1 or 3) float32`` light as numbers of a profile, 0..1. Raises ``RuntimeError`` where it has no way."""
    return _transformed(light, light_profile(light.shape[2] == 1), icc)


def profile_to_light(values: Array, icc: bytes) -> Array:
    """Numbers of a profile, ``(H, W, 1 or 3) float32`` in 0..1, as light. Raises as ``light_to_profile``."""
    return _transformed(values, icc, light_profile(values.shape[2] == 1))


def _transformed(values: Array, source: bytes, target: bytes) -> Array:
    import imagecodecs

    kind = "gray" if values.shape[2] == 1 else "rgb"
    flat = np.ascontiguousarray(values[..., 0] if kind == "gray" else values, np.float32)
    intent = imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC
    done = imagecodecs.cms_transform(
        flat, source, target, colorspace=kind, outcolorspace=kind, outdtype=np.float32, intent=intent
    )
    return np.asarray(done).reshape(values.shape)


def shown(values: Array, encoding: ColorEncoding) -> Array:
    """Light in numbers, ``(H, W, 1 or 3) float32``, as ``uint16`` sRGB; tone-mapped where it goes beyond white.

    PQ and HLG are display light; linear numbers within 0..1 are a display's already.
    """
    values = np.nan_to_num(values, posinf=0, neginf=0)
    if encoding.curve == Curve.PQ:
        light = _from_pq(values)
    elif encoding.curve == Curve.HLG:
        light = _from_hlg(values)
    else:
        light = values
    gray = light.shape[2] == 1
    if not gray and encoding.primaries != REC_709:
        light = light @ _to_rec709(encoding.primaries)
    if encoding.curve == Curve.LINEAR and values.max(initial=0) <= 1.001:
        return np.rint(light_to_srgb(np.clip(light, 0, 1)) * 65535).astype(np.uint16)
    mapped = tone_mapped(np.repeat(light, 3, axis=2) if gray else light)
    return mapped[..., :1] if gray else mapped


def _to_rec709(primaries: Chromaticities) -> Array:
    return between(primaries, REC_709).T.astype(np.float32)


def srgb_to_light(values: Array) -> Array:
    """IEC 61966-2-1, from numbers in 0..1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def light_to_srgb(light: Array) -> Array:
    """IEC 61966-2-1, to numbers in 0..1."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _from_rec709(values: Array) -> Array:
    return np.where(values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45))


def _from_pq(values: Array) -> Array:
    m1, m2, c1, c2, c3 = _PQ
    root = np.clip(values, 0, 1) ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _from_hlg(values: Array) -> Array:
    a, b, c = _HLG
    clipped = np.clip(values, 0, 1)
    scene = np.where(clipped <= 0.5, clipped**2 / 3, (np.exp((clipped - c) / a) + b) / 12)
    luminance = scene @ _LUMINANCE if scene.shape[2] == 3 else scene[..., 0]
    return scene * (np.maximum(luminance, 1e-6) ** (_SYSTEM_GAMMA - 1))[..., None]
