"""How a result compares with its input, or with the truth where that is known. Everything in memory, no files written.

Without a reference nobody can say whether a result is *right*; what can be said is whether it is *faithful*: reduced
to the input's size it should be the input again. What differs there was invented or lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils import image_io
from utils.errors import InvalidImageError, InvalidSettingsError
from utils.json_types import JsonObject
from utils.noise import estimate_sigma
from utils.picture import Picture
from utils.similarity import SMALLEST_SIDE, haarpsi, ssim

BORDER = 4
"""Pixels left out at every side when comparing with a reference, as the literature does for x4."""
_MOST_PIXELS = 4_000_000
"""Larger pictures are judged by windows spread over them: the numbers settle long before that."""
_WINDOW = 512
_SAME_SHAPE = 0.02
_IDENTICAL_DB = 100.0
_VERDICTS = (
    (40.0, 0.98, "Faithful: reduced to the original's size it is practically the original."),
    (34.0, 0.95, "Faithful: reduced to the original's size, differences are hard to see."),
    (28.0, 0.88, "Mostly faithful: some structures or tones differ from the original."),
    (22.0, 0.70, "Partly invented: visible structures differ from the original. Compare before you trust details."),
)
_INVENTED = "Largely invented: this is another picture than the original."
_UNKNOWN = "The two pictures have different shapes, so they cannot be compared."


@dataclass(frozen=True)
class Faithfulness:
    """The result reduced to the original's size, against the original: PSNR in dB and SSIM (0..1) on luma."""

    psnr: float | None
    ssim: float | None
    verdict: str


@dataclass(frozen=True)
class ReferenceScores:
    """A result against the truth, on Y of BT.601 without a border of 4 pixels (the literature's protocol).

    Attributes:
        psnr: dB; identical pictures count as 100.
        ssim: Wang et al. (2004), Gaussian window of sigma 1.5.
        haarpsi: Reisenhofer et al. (2018), a perceptual similarity in 0..1.
    """

    psnr: float
    ssim: float
    haarpsi: float


def calculate_image_metrics(
    original: object, enhanced: object, reference: object = None, *, limits: image_io.ImageLimits | None = None
) -> JsonObject:
    """Compare a picture before and after.

    Args:
        original, enhanced, reference: paths, PIL pictures, ``Picture`` values or ``(H, W[, C])`` arrays (uint8,
            uint16 or float in 0..1). ``reference`` is the true picture at the enhanced one's size, where known.
        limits: for what is given as a path; ``engine.imaging.task.result_limits_of`` has those that results keep to.

    Returns:
        For people: ``original_size``, ``enhanced_size``, ``scale_factor``, ``original_filesize``,
        ``enhanced_filesize``, ``size_change``. Numbers: ``sharpness_before`` and ``sharpness_after`` (see
        ``sharpness``; before = the original plainly enlarged), ``noise_before`` and ``noise_after`` (sigma in levels of
        255), ``faithfulness_psnr_db``, ``faithfulness_ssim``, with ``verdict`` in words. With a reference also
        ``reference_psnr_db``, ``reference_ssim``, ``reference_haarpsi``.

    Raises:
        InvalidImageError: something is not a picture.
        ImageTooLargeError: a file is over a limit.
        InvalidSettingsError: the reference has another size than the enhanced picture.
    """
    before, after = (_flat(image_io.as_picture(image, limits)) for image in (original, enhanced))
    sizes = _file_size(original), _file_size(enhanced)
    plain, shown = _same_places(before, after)
    faith = faithfulness(before, after)
    metrics: JsonObject = {
        "original_size": _size_text(before),
        "enhanced_size": _size_text(after),
        "scale_factor": f"{after.shape[1] / before.shape[1]:.2f}x",
        "original_filesize": _bytes_text(sizes[0]),
        "enhanced_filesize": _bytes_text(sizes[1]),
        "size_change": _change_text(*sizes),
        "sharpness_before": round(float(np.mean([sharpness(window) for window in plain])), 2),
        "sharpness_after": round(float(np.mean([sharpness(window) for window in shown])), 2),
        "noise_before": round(estimate_sigma(_luma_bytes(before)), 2),
        "noise_after": round(estimate_sigma(_luma_bytes(after)), 2),
        "faithfulness_psnr_db": None if faith.psnr is None else round(faith.psnr, 2),
        "faithfulness_ssim": None if faith.ssim is None else round(faith.ssim, 4),
        "verdict": faith.verdict,
    }
    if reference is not None:
        scores = compare_with_reference(after, _flat(image_io.as_picture(reference, limits)))
        metrics |= {
            "reference_psnr_db": round(scores.psnr, 2),
            "reference_ssim": round(scores.ssim, 4),
            "reference_haarpsi": round(scores.haarpsi, 4),
        }
    return metrics


def faithfulness(original: np.ndarray, enhanced: np.ndarray) -> Faithfulness:
    """How much of the original is left in the result; both ``(H, W, 3) uint8`` RGB."""
    from utils.opencv import cv2

    height, width = original.shape[:2]
    shapes = original.shape[1] / original.shape[0], enhanced.shape[1] / enhanced.shape[0]
    if abs(shapes[0] / shapes[1] - 1) > _SAME_SHAPE:
        return Faithfulness(None, None, _UNKNOWN)
    reduces = enhanced.shape[0] >= height
    how = cv2.INTER_AREA if reduces else cv2.INTER_CUBIC
    reduced = cv2.resize(enhanced, (width, height), interpolation=how)
    pairs = [(luma(a), luma(b)) for a, b in _windows(original, reduced)]
    psnr = _psnr(pairs)
    ssim = _ssim(pairs)
    verdict = next((text for least, alike, text in _VERDICTS if psnr >= least and ssim >= alike), _INVENTED)
    return Faithfulness(psnr, ssim, verdict)


def compare_with_reference(
    result: object, reference: object, *, limits: image_io.ImageLimits | None = None
) -> ReferenceScores:
    """Score a result against the true picture of the same size. Errors as ``calculate_image_metrics``."""
    a, b = (_flat(image_io.as_picture(image, limits)) for image in (result, reference))
    if a.shape != b.shape:
        raise InvalidSettingsError(
            f"The reference is {b.shape[1]}x{b.shape[0]} pixels and the result {a.shape[1]}x{a.shape[0]}; "
            "they must have the same size."
        )
    if min(a.shape[:2]) < 2 * BORDER + 16:
        raise InvalidImageError("The pictures are too small to be compared: at least 24 pixels a side are needed.")
    inner = slice(BORDER, -BORDER)
    pairs = [(luma(x), luma(y)) for x, y in _windows(a[inner, inner], b[inner, inner])]
    return ReferenceScores(_psnr(pairs), _ssim(pairs), float(np.mean([_haarpsi(x, y) for x, y in pairs])))


def sharpness(rgb: np.ndarray) -> float:
    """Mean magnitude of the luma gradient in levels a pixel (Tenengrad with a square root); ``(H, W, 3) uint8``."""
    from utils.opencv import cv2

    plane = luma(rgb).astype(np.float32)
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3) / 8
    return float(np.hypot(across, down).mean())


def luma(rgb: np.ndarray) -> np.ndarray:
    """Y of BT.601 in 16..235 as ``float64``, of ``(H, W, 3) uint8`` RGB."""
    return np.asarray(16 + rgb.astype(np.float64) @ np.array((65.481, 128.553, 24.966)) / 255)


def get_image_info(image: object, limits: image_io.ImageLimits | None = None) -> JsonObject:
    """What a picture is: size, kind, depth, and for files also format, frames, bytes and embedded data.

    Only the header of a file is read, except for the profile and EXIF.

    Raises:
        InvalidImageError: not a picture, or damaged.
    """
    if not isinstance(image, str | Path):
        picture = image_io.as_picture(image)
        width, height = picture.size
        return {
            "width": width,
            "height": height,
            "megapixels": round(width * height / 1e6, 2),
            "gray": picture.is_gray,
            "bit_depth": picture.bit_depth,
            "alpha": picture.alpha is not None,
        }
    info = image_io.probe(image, limits)
    return {
        "name": Path(image).name,
        "format": info.format,
        "mode": info.mode,
        "width": info.width,
        "height": info.height,
        "megapixels": round(info.width * info.height / 1e6, 2),
        "bit_depth": info.bit_depth,
        "alpha": info.has_alpha,
        "frames": info.frames,
        "pages": info.pages,
        "file_bytes": info.file_bytes,
        "filesize": _bytes_text(info.file_bytes),
    }


# -- inside ------------------------------------------------------------------------------------------------------------


def _flat(picture: Picture) -> np.ndarray:
    """``(H, W, 3) uint8`` RGB, transparency over white."""
    pixels = _eight_bits(picture.pixels)
    if picture.alpha is not None:
        share = _eight_bits(picture.alpha)[..., None].astype(np.uint16)
        pixels = ((pixels * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _eight_bits(values: np.ndarray) -> np.ndarray:
    return values if values.dtype == np.uint8 else (values >> 8).astype(np.uint8)


def _luma_bytes(rgb: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rgb[..., 1])  # green: what cameras record most finely, and no mixing of channels


def _places(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """(left, top, width, height) of what is looked at: everything, or windows in a grid."""
    if width * height <= _MOST_PIXELS:
        return [(0, 0, width, height)]
    across, down = (min(length, _WINDOW) for length in (width, height))
    lefts = sorted({int(value) for value in np.linspace(0, width - across, 4)})
    tops = sorted({int(value) for value in np.linspace(0, height - down, 4)})
    return [(left, top, across, down) for top in tops for left in lefts]


def _windows(a: np.ndarray, b: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (a[top : top + height, left : left + width], b[top : top + height, left : left + width])
        for left, top, width, height in _places(a.shape[1], a.shape[0])
    ]


def _same_places(before: np.ndarray, after: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The same places of both pictures on the enhanced one's grid, the original plainly enlarged."""
    from utils.opencv import cv2

    across, down = before.shape[1] / after.shape[1], before.shape[0] / after.shape[0]
    plain, shown = [], []
    for left, top, width, height in _places(after.shape[1], after.shape[0]):
        x, y = int(left * across), int(top * down)
        part = before[y : y + max(1, round(height * down)), x : x + max(1, round(width * across))]
        plain.append(cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC))
        shown.append(after[top : top + height, left : left + width])
    return plain, shown


def _psnr(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    errors = [float(np.square(a - b).mean()) for a, b in pairs]
    weights = [a.size for a, _ in pairs]
    error = float(np.average(errors, weights=weights))
    return min(_IDENTICAL_DB, 10 * float(np.log10(255**2 / error))) if error else _IDENTICAL_DB


def _ssim(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    if any(min(a.shape) < SMALLEST_SIDE for a, _ in pairs):  # all that can be asked is whether they are equal
        return 1.0 if all(np.array_equal(x, y) for x, y in pairs) else 0.0
    return float(np.mean([ssim(a, b) for a, b in pairs]))


def _haarpsi(a: np.ndarray, b: np.ndarray) -> float:
    return haarpsi(*(np.clip(plane, 0, 255) for plane in (a, b)))


def _file_size(image: object) -> int | None:
    return Path(image).stat().st_size if isinstance(image, str | Path) else None


def _size_text(rgb: np.ndarray) -> str:
    return f"{rgb.shape[1]}x{rgb.shape[0]} ({rgb.shape[1] * rgb.shape[0] / 1e6:.1f} MP)"


def _bytes_text(size: int | None) -> str:
    if size is None:
        return "not a file"
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def _change_text(before: int | None, after: int | None) -> str:
    if before is None or after is None or before == 0:
        return "unknown"
    change = (after - before) / before
    return f"{change:+.0%}" if abs(change) < 10 else f"{after / before:.1f} times as large"


__all__ = [
    "Faithfulness",
    "ReferenceScores",
    "calculate_image_metrics",
    "compare_with_reference",
    "faithfulness",
    "get_image_info",
    "luma",
    "sharpness",
]
