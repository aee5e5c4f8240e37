"""Animations in and out, one frame at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils.errors import OutputError
from utils.image_files import ImageLimits, header_of, metadata_of, opened, orientation, read_bytes
from utils.picture import Metadata, Picture
from utils.pixels import assemble, to_eight_bits, upright
from utils.writers import SaveOptions
from utils.writers.animated import open_animation

if TYPE_CHECKING:
    from PIL import Image


def load_frames(path: Path | str, limits: ImageLimits | None = None) -> Iterator[tuple[Picture, int]]:
    """Every frame of an animation, whole (disposal and blending done), with its duration in milliseconds.

    All frames are RGB, or all RGBA when any of them is transparent anywhere. Errors as ``image_io.probe``.
    """
    limits = limits or ImageLimits()
    path = Path(path)
    data = read_bytes(path, limits)
    with opened(io.BytesIO(data), path.name) as image:
        info = header_of(image, path, path.name, len(data), limits)
        metadata = metadata_of(image, info)
        turn = orientation(image)
        mode = "RGBA" if _any_transparency(image) else "RGB"
        # An APNG may start with a still for programs that know no animation; it is not one of the frames.
        for index in range(1 if image.info.get("default_image") else 0, info.frames):
            image.seek(index)
            image.load()  # WebP tells a frame's duration only now
            duration = int(image.info.get("duration", 0) or 0)
            frame = upright(assemble(np.asarray(image.convert(mode))), turn)
            yield replace(frame, metadata=metadata), duration


def _any_transparency(image: Image.Image) -> bool:
    position = image.tell()
    try:
        for index in range(int(getattr(image, "n_frames", 1))):
            image.seek(index)
            image.load()
            if image.mode in ("RGBA", "LA", "PA", "P") and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
                return True
        return False
    finally:
        image.seek(position)


def animation_loop(path: Path | str) -> int:
    """How often an animation plays; 0 = for ever, 1 = once."""
    path = Path(path)
    with opened(io.BytesIO(read_bytes(path, ImageLimits(max_bytes=10**13))), path.name) as image:
        loop = image.info.get("loop")
        if image.format == "GIF":  # counts the repeats after the first time; says nothing for once
            return 1 if loop is None else 0 if loop == 0 else int(loop) + 1
        return int(loop or 0)


def write_animation(
    frames: Iterable[tuple[Picture, int]], path: Path | str, loop: int, options: SaveOptions, metadata: Metadata
) -> None:
    """Write frames (picture, milliseconds) as GIF, WebP or APNG, taking and encoding them one at a time.

    The first frame decides size and channels. ``loop`` is how often it plays, 0 for ever. Raises ``OutputError``;
    then no partial file remains. Whatever ``frames`` raises goes through, and leaves nothing either.
    """
    path = Path(path)
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise OutputError(f"'{path.name}' was not written: the animation has no frames.")
    size, channels = first[0].size, first[0].channels
    with open_animation(path, *size, channels, loop, metadata, options) as writer:
        writer.add(_pixels(first[0], channels), first[1])
        del first
        for picture, duration in remaining:
            if picture.size != size:
                raise OutputError(
                    f"'{path.name}' was not written: its frames differ in size "
                    f"({size[0]}x{size[1]}, then {picture.width}x{picture.height})."
                )
            writer.add(_pixels(picture, channels), duration)
        writer.commit()


def _pixels(picture: Picture, channels: int) -> np.ndarray:
    """``(H, W, channels) uint8``: gray or coloured, with or without alpha, as the first frame was."""
    color, alpha = to_eight_bits(picture.pixels), picture.alpha
    if picture.is_gray and channels >= 3:
        color = np.repeat(color, 3, axis=2)
    elif not picture.is_gray and channels <= 2:
        color = np.rint(color @ np.array([[0.299], [0.587], [0.114]])).astype(np.uint8)
    if channels in (1, 3):
        return color
    opaque = np.full(color.shape[:2], 255, np.uint8) if alpha is None else to_eight_bits(alpha)
    return np.concatenate([color, opaque[..., None]], axis=2)
