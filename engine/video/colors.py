"""Between decoded frames and RGB arrays, by the matrix and range that the video says (or that players assume)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from utils.video_files import ColorTags, VideoInfo, upright

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_SCALER_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""H.273's matrix code -> libswscale's."""
_FULL, _LIMITED = 2, 1
_MASTERING = struct.Struct("<20i2i")


def _flags() -> int:
    from av.video.reformatter import Interpolation

    # Without these, chroma is averaged over pixel pairs and rounding is biased: one level of drift a conversion.
    return int(
        Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
    )


def can_convert(color: ColorTags) -> bool:
    """Whether the matrix is one that can be undone; others (YCgCo, ICtCp) are read as BT.709."""
    return color.matrix in _SCALER_MATRIX


def to_pixels(frame: VideoFrame, info: VideoInfo) -> np.ndarray:
    """An upright ``(H, W, 3)`` RGB array: ``uint8`` for up to 8 bits a channel, else ``uint16`` over the full range.

    A frame whose size differs from the video's (some broadcasts change it) is resized to it.
    """
    width, height = (info.height, info.width) if info.turn % 2 else (info.width, info.height)
    deep = max(component.bits for component in frame.format.components) > 8
    converted = frame.reformat(
        width=width,
        height=height,
        format="rgb48le" if deep else "rgb24",
        src_colorspace=_SCALER_MATRIX.get(info.color.matrix, 1),
        src_color_range=_FULL if info.color.full_range or frame.format.is_rgb else _LIMITED,
        dst_color_range=_FULL,
        interpolation=_flags(),
    )
    pixels = upright(converted.to_ndarray(), info)
    return pixels.astype(np.uint16) * np.uint16(257) if info.bit_depth > 8 and not deep else pixels


def to_frame(pixels: np.ndarray, pixel_format: str, color: ColorTags, threads: int = 0) -> VideoFrame:
    """The inverse: ``(H, W, 3) uint8 | uint16`` RGB as a frame of ``pixel_format`` that says how to read it."""
    from av.video.frame import VideoFrame

    deep = pixels.dtype == np.uint16
    source = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb48le" if deep else "rgb24")
    frame = source.reformat(
        format=pixel_format,
        dst_colorspace=_SCALER_MATRIX.get(color.matrix, 1),
        src_color_range=_FULL,
        dst_color_range=_FULL if color.full_range else _LIMITED,
        interpolation=_flags(),
        threads=threads,
    )
    matrix = color.matrix if can_convert(color) else 1
    frame.colorspace = 9 if matrix == 10 else matrix
    frame.color_range = _FULL if color.full_range else _LIMITED
    frame.color_primaries, frame.color_trc = color.primaries, color.transfer
    return frame


def mastering_text(raw: bytes | None, *, integers: bool) -> str | None:
    """``G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)`` of FFmpeg's AVMasteringDisplayMetadata; None where it is incomplete.

    With ``integers`` in units of 0.00002 and 0.0001 cd/m2, as x265 takes them, else in their own units.
    """
    if raw is None or len(raw) < _MASTERING.size:
        return None
    *numbers, has_primaries, has_luminance = _MASTERING.unpack_from(raw)
    ratios = [top / bottom if bottom else 0.0 for top, bottom in zip(numbers[::2], numbers[1::2], strict=True)]
    if not has_primaries or not has_luminance:
        return None

    def text(value: float, unit: float) -> str:
        return str(round(value / unit)) if integers else f"{value:.5f}"

    red, green, blue, white = (ratios[index : index + 2] for index in (0, 2, 4, 6))
    points = "".join(
        f"{name}({text(x, 0.00002)},{text(y, 0.00002)})"
        for name, (x, y) in (("G", green), ("B", blue), ("R", red), ("WP", white))
    )
    return f"{points}L({text(ratios[9], 0.0001)},{text(ratios[8], 0.0001)})"


def light_text(raw: bytes | None) -> str | None:
    """``max,average`` in cd/m2 of FFmpeg's AVContentLightMetadata."""
    if raw is None or len(raw) < 8:
        return None
    return "{},{}".format(*struct.unpack_from("<2I", raw))


__all__ = ["can_convert", "light_text", "mastering_text", "to_frame", "to_pixels"]
