"""Pixels out of decoders: every mode as 8- or 16-bit gray or RGB with alpha, RGB order, upright, never premultiplied.

Pillow reduces 16-bit colour to 8 bits, so deep PNG goes through OpenCV and deep TIFF through tifffile.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from utils import jpeg2000
from utils.errors import InvalidImageError
from utils.image_files import has_alpha
from utils.picture import Picture

if TYPE_CHECKING:
    from PIL import Image
    from tifffile import TiffPage


def load_deep(data: bytes, kind: str, image: Image.Image) -> Picture | None:
    """16-bit pixels, where Pillow would reduce them to 8; None when no other decoder knows this colour kind."""
    if image.mode in ("I", "F"):
        return from_wide(np.asarray(image))
    if image.mode.startswith("I;16") and kind != "tiff":
        gray = np.asarray(image).astype(np.uint16)
        clear = image.info.get("transparency")
        alpha = np.where(gray == clear, 0, 65535).astype(np.uint16) if isinstance(clear, int) else None
        return Picture(gray[..., None], alpha)
    decoders = {"tiff": decode_tiff, "jpeg2000": jpeg2000.decode_deep}
    array = decoders.get(kind, _decode_png)(data)
    return None if array is None or array.dtype != np.uint16 else assemble(array)


def _decode_png(data: bytes) -> np.ndarray:
    from utils.opencv import cv2

    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise ValueError("the pixel data cannot be decoded")
    if array.ndim == 3:
        order = [2, 1, 0, 3] if array.shape[2] == 4 else [2, 1, 0]
        array = array[..., order]
        # OpenCV makes gray + alpha RGBA; equal planes are gray.
        if array.shape[2] == 4 and data[25:26] == b"\x04":
            array = array[..., [0, 3]]
    return np.ascontiguousarray(array)


def decode_tiff(data: bytes, read: Callable[[TiffPage], np.ndarray] | None = None) -> np.ndarray | None:
    """The first page as ``(H, W)`` or ``(H, W, samples)``, uint8 or uint16; None for CMYK, Lab, YCbCr, palettes.

    Args:
        read: another way from tifffile's page to its array than ``page.asarray()``.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        photometric = getattr(page.photometric, "name", "")
        if photometric not in ("RGB", "MINISBLACK", "MINISWHITE"):
            return None
        array = page.asarray() if read is None else read(page)
        if page.planarconfig == 2 and array.ndim == 3:
            array = array.transpose(1, 2, 0)
        premultiplied = tuple(page.extrasamples)[:1] == (1,) and array.ndim == 3
    if array.dtype.kind == "f":
        array = np.rint(np.clip(np.nan_to_num(array.astype(np.float32)), 0, 1) * 65535).astype(np.uint16)
    elif array.dtype == np.uint32:
        array = (array >> 16).astype(np.uint16)
    if array.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"its samples are {array.dtype}; unsigned 8, 16 or 32 bits and floats can be read")
    if photometric == "MINISWHITE":
        array = np.iinfo(array.dtype).max - array
    return _divided_by_alpha(array) if premultiplied else np.ascontiguousarray(array)


def _divided_by_alpha(array: np.ndarray) -> np.ndarray:
    top = np.iinfo(array.dtype).max
    alpha = array[..., -1:].astype(np.float64)
    color = np.rint(np.minimum(array[..., :-1] * (top / np.maximum(alpha, 1)), top)).astype(array.dtype)
    return np.concatenate([color, array[..., -1:]], axis=2)


def from_wide(array: np.ndarray) -> Picture:
    """32-bit integer and float gray. Float in 0..1 is scaled; anything else is stretched to its own range."""
    values = np.nan_to_num(array.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if array.dtype.kind == "f" and low >= 0 and high <= 1:
        scaled = values * 65535
    elif low >= 0 and high <= 65535:
        scaled = values * (257 if array.dtype.kind == "f" and high <= 255 else 1)
    else:
        scaled = (values - low) / max(high - low, 1e-12) * 65535
    return assemble(np.rint(scaled).astype(np.uint16))


def from_eight_bit(image: Image.Image) -> Picture:
    """Any other mode, as 8-bit gray or RGB with alpha."""
    transparent = has_alpha(image)
    if image.mode in ("CMYK", "LAB", "YCbCr"):
        image = _to_srgb(image)
    elif image.mode in ("1", "L", "LA", "La"):
        image = image.convert("LA" if transparent else "L")
    else:
        image = image.convert("RGBA" if transparent else "RGB")
    return assemble(np.asarray(image))


def _to_srgb(image: Image.Image) -> Image.Image:
    """Print colours through their own profile; Pillow's plain conversion where there is none or it is broken."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    srgb = ImageCms.createProfile("sRGB")
    if profile and image.mode in ("CMYK", "LAB"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, srgb, outputMode="RGB", renderingIntent=ImageCms.Intent.PERCEPTUAL
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    if image.mode == "LAB":
        converted = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), srgb, outputMode="RGB")
        if converted is not None:
            return converted
    return image.convert("RGB")


def assemble(array: np.ndarray) -> Picture:
    """``(H, W)`` or ``(H, W, 1..4)``, uint8 or uint16, as a picture."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise ValueError(f"an array of shape {array.shape} is not a picture")
    if array.shape[2] in (1, 3):
        return Picture(np.ascontiguousarray(array))
    alpha = np.ascontiguousarray(array[..., -1])
    return Picture(np.ascontiguousarray(array[..., :-1]), alpha)


def upright(picture: Picture, orientation: int) -> Picture:
    """Apply EXIF orientation 1..8 to the pixels."""
    if orientation == 1:
        return picture
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    turn = turns[orientation]
    alpha = None if picture.alpha is None else np.ascontiguousarray(turn(picture.alpha))
    return Picture(np.ascontiguousarray(turn(picture.pixels)), alpha, picture.metadata)


def to_eight_bits(array: np.ndarray) -> np.ndarray:
    """uint16 in 0..65535 rounded to uint8 in 0..255; uint8 as it is."""
    if array.dtype == np.uint8:
        return array
    return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def most_detailed(pixels: np.ndarray, side: int) -> np.ndarray:
    """The square, among those on a grid of half its side, where a picture changes most; a copy.

    Args:
        pixels: ``(H, W, C)``.
        side: of the square, unless the picture is smaller.
    """
    height, width = pixels.shape[:2]
    side = min(side, height, width)
    gray = pixels.mean(axis=2)
    change = np.abs(np.diff(gray, axis=0))[:, :-1] + np.abs(np.diff(gray, axis=1))[:-1]
    places = [
        (top, left)
        for top in range(0, height - side + 1, max(1, side // 2))
        for left in range(0, width - side + 1, max(1, side // 2))
    ]
    top, left = max(places, key=lambda place: change[place[0] : place[0] + side, place[1] : place[1] + side].sum())
    return pixels[top : top + side, left : left + side].copy()


def from_array(array: np.ndarray) -> Picture:
    """A picture from ``(H, W)`` or ``(H, W, 1..4)``: uint8, uint16, bool, or float in 0..1; colours as RGB."""
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype.kind == "f":
        array = np.rint(np.clip(np.nan_to_num(array), 0, 1) * 255).astype(np.uint8)
    if array.dtype not in (np.uint8, np.uint16):
        raise InvalidImageError(f"An array of {array.dtype} is not a picture; use uint8, uint16, or float in 0..1.")
    if 0 in array.shape:
        raise InvalidImageError(f"An array of shape {array.shape} has no pixels.")
    try:
        return assemble(array)
    except ValueError as error:
        raise InvalidImageError(f"This is no picture: {error}.") from error


def to_pil(picture: Picture) -> Image.Image:
    """As a PIL image; 16-bit gray as ``I;16``, any other 16 bits reduced to 8."""
    from PIL import Image

    array = picture.interleaved()
    if picture.bit_depth == 16 and array.shape[2] == 1:
        return Image.fromarray(array[..., 0])
    array = to_eight_bits(array)
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
