"""Animations in and out, one frame at a time."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils import salvage
from utils.errors import DamagedImageError, ImageTooLargeError, InvalidImageError, OutputError
from utils.image_files import ImageLimits, header_of, metadata_of, opened, orientation, read_bytes
from utils.odd_pictures import odd_frames, odd_header
from utils.picture import Metadata, Picture
from utils.pixels import assemble, to_eight_bits, upright
from utils.writers import SaveOptions
from utils.writers.moving import open_animation

if TYPE_CHECKING:
    from PIL import Image


def load_frames(path: Path | str, limits: ImageLimits | None = None) -> Iterator[tuple[Picture, int]]:
    """Every frame of an animation, whole (disposal and blending done), with its duration in milliseconds.

    All frames are RGB, or all RGBA when any of them is transparent anywhere; those of JPEG XL are as its header says,
    gray or with 16 bits too. Where the rest of a damaged file is asked for, the frames before the first one that cannot
    be decoded; their metadata tell what is missing. Errors as ``image_io.probe``.
    """
    limits = limits or ImageLimits()
    path = Path(path)
    data = read_bytes(path, limits)
    if limits.salvage:
        yield from _rescued(data, path, limits)
        return
    try:
        yield from _frames(data, path, limits)
    except ImageTooLargeError:
        raise
    except InvalidImageError as error:
        if salvage.moving.mended(data) is None and not _decodable(data, path, limits)[0]:
            raise
        raise DamagedImageError(f"{error} {salvage.HINT}") from error


def _rescued(data: bytes, path: Path, limits: ImageLimits) -> Iterator[tuple[Picture, int]]:
    found = salvage.moving.mended(data)
    whole = data if found is None else found.data
    count, claimed, error = _decodable(whole, path, limits)
    if error is None and found is None:
        yield from _frames(data, path, limits)
        return
    if not count:
        raise InvalidImageError(f"{error} {salvage.NOTHING}") from error
    if found is not None:
        claimed = found.claimed
    for picture, duration in itertools.islice(_frames(whole, path, limits, count), count):
        if picture.metadata.missing_percent is None:
            picture = salvage.marked(picture, path.name, count, claimed)
        yield picture, duration


def _decodable(data: bytes, path: Path, limits: ImageLimits) -> tuple[int, int | None, InvalidImageError | None]:
    """How many frames can be decoded from the first on, how many there are, and what the trouble is with the next."""
    count = 0
    total: int | None = None
    try:
        odd = odd_header(io.BytesIO(data), path.name, limits)
        if odd is not None and odd.motion is not None:
            total = odd.frames
            for _ in odd_frames(data, path.name, path, odd):
                count += 1
            return count, total, None
        with opened(io.BytesIO(data), path.name) as image:
            info = header_of(image, path, path.name, len(data), limits)
            salvage.verify(data, info.format)
            first = _first(image)
            total = info.frames - first
            for index in range(total):
                image.seek(first + index)
                image.load()
                count += 1
    except ImageTooLargeError:
        raise
    except InvalidImageError as error:
        return count, total, error
    return count, total, None


def _frames(data: bytes, path: Path, limits: ImageLimits, until: int | None = None) -> Iterator[tuple[Picture, int]]:
    """``until``: how many can be decoded, where they are not all."""
    if (odd := odd_header(io.BytesIO(data), path.name, limits)) is not None and odd.motion is not None:
        yield from odd_frames(data, path.name, path, odd)
        return
    with opened(io.BytesIO(data), path.name) as image:
        info = header_of(image, path, path.name, len(data), limits)
        salvage.verify(data, info.format)
        metadata = metadata_of(image, info)
        turn = orientation(image)
        first = _first(image)
        last = info.frames if until is None else first + until
        mode = "RGBA" if _any_transparency(image, last) else "RGB"
        for index in range(first, last):
            image.seek(index)
            image.load()  # WebP tells a frame's duration only now
            duration = int(image.info.get("duration", 0) or 0)
            frame = upright(assemble(np.asarray(image.convert(mode))), turn)
            yield replace(frame, metadata=metadata), duration


def _first(image: Image.Image) -> int:
    """An APNG may start with a still for programs that know no animation; it is not one of the frames."""
    return 1 if image.info.get("default_image") else 0


def _any_transparency(image: Image.Image, frames: int) -> bool:
    position = image.tell()
    try:
        for index in range(frames):
            image.seek(index)
            image.load()
            if image.mode in ("RGBA", "LA", "PA", "P") and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
                return True
        return False
    finally:
        image.seek(position)


def animation_loop(path: Path | str, *, damaged: bool = False) -> int:
    """How often an animation plays; 0 = for ever, 1 = once. ``damaged``: it may be, and its rest is asked for."""
    path = Path(path)
    limits = ImageLimits(max_bytes=10**13, max_pixels=10**12, max_animation_pixels=10**13, salvage=damaged)
    data = read_bytes(path, limits)
    if damaged and (found := salvage.moving.mended(data)) is not None:
        data = found.data
    if (odd := odd_header(io.BytesIO(data), path.name, limits)) is not None and odd.motion is not None:
        return odd.motion.loops
    with opened(io.BytesIO(data), path.name) as image:
        loop = image.info.get("loop")
        if image.format == "GIF":  # counts the repeats after the first time; says nothing for once
            return 1 if loop is None else 0 if loop == 0 else int(loop) + 1
        return int(loop or 0)


def write_animation(
    frames: Iterable[tuple[Picture, int]], path: Path | str, loop: int, options: SaveOptions, metadata: Metadata
) -> None:
    """Write frames (picture, milliseconds) as GIF, WebP, APNG or JPEG XL, taking and encoding them one at a time.

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
