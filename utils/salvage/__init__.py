"""What can still be decoded of a damaged picture. Never used unless a person asked for it; only ``verify`` always is.

A damaged file is mended into one that the usual decoders take, as far as its pixels reach; what is missing is gray, or
transparent where the picture has transparency. Of an animation the frames before the damage are taken. JPEG and WebP
are decoded twice, with two different endings in place of what is gone: what differs is what the file no longer tells.
PNG is inflated up to the fault; of a TIFF every strip or tile is tried by itself.
"""

from __future__ import annotations

from dataclasses import replace

from utils.errors import InvalidImageError
from utils.picture import Picture
from utils.salvage import jpeg, moving, png, tiff, webp
from utils.salvage.base import Check, Decode, Found, Reader

HINT = "What can still be decoded of it can be saved: salvage (--salvage)."
NOTHING = "Nothing of its pixels can be decoded."
_KINDS = (jpeg, png, webp, tiff)


def verify(data: bytes, kind: str) -> None:
    """What the decoders of a kind of file do not look at though it tells damage: PNG's checksums.

    Raises:
        ValueError: it is damaged.
    """
    if kind == "png":
        png.check_pixels(data)


def may_help(data: bytes, error: InvalidImageError) -> bool:
    """Whether a file that was refused with ``error`` is of a kind whose rest can be saved: a still with a header, or an
    animation with a whole frame."""
    from_a_decoder = error.__cause__ is not None
    return (from_a_decoder and moving.mended(data) is not None) or any(
        kind.may_help(data) and (from_a_decoder or kind is png) for kind in _KINDS
    )


def openable(data: bytes) -> bytes | None:
    """The file with a header that can be read, its pixels as they are; None where the header is not the trouble."""
    if (animation := moving.mended(data)) is not None:
        return animation.data
    if png.may_help(data):
        return png.with_right_checksums(data)
    return webp.mended(data, bytes(1)) if webp.may_help(data) else None


def rescue(data: bytes, name: str, error: InvalidImageError, decode: Decode, check: Check) -> Picture:
    """What can be decoded, not turned upright yet; its metadata tell how much is missing.

    Args:
        error: why the file was refused.
        decode: the usual way to read a whole file, as it lies there, not turned.
        check: raises for a size over the limits; asked before anything is inflated.

    Raises:
        InvalidImageError: nothing can be decoded.
        ImageTooLargeError: over a limit.
    """
    if (animation := moving.mended(data)) is not None:
        return marked(decode(animation.data, None), name, animation.frames, animation.claimed)
    found: Found | None = None
    for kind in _KINDS:
        if kind.may_help(data):
            found = kind.rescue(data, decode, check)
            break
    if found is None or found.missing >= 1:
        raise InvalidImageError(f"{error} {NOTHING}") from error
    metadata = found.picture.metadata
    percent = round(100 * found.missing, 2)
    warnings = (*metadata.warnings, _sentence(name, found))
    return replace(found.picture, metadata=replace(metadata, warnings=warnings, missing_percent=percent))


def marked(picture: Picture, name: str, frames: int, claimed: int | None) -> Picture:
    """A frame of an animation of which only the first ``frames`` can be decoded; ``claimed`` as ``moving.Mended``."""
    metadata = picture.metadata
    warnings = (*metadata.warnings, moving.sentence(name, frames, claimed))
    percent = moving.missing_percent(frames, claimed)
    return replace(picture, metadata=replace(metadata, warnings=warnings, missing_percent=percent))


def _sentence(name: str, found: Found) -> str:
    share = _share(found.missing)
    if found.scan:
        return (
            f"'{name}' is damaged: it ends within scan {found.scan} of a progressive JPEG, of which {share} % is "
            "missing; the whole picture is there, but with less detail."
        )
    if found.doubtful:
        return f"'{name}' is damaged: up to {share} % of it is missing or wrong in the result."
    if not found.missing:
        return f"'{name}' is damaged, but all of its pixels could be decoded; a few may be wrong."
    return f"'{name}' is damaged: {share} % of it is missing, and gray or transparent in the result."


def _share(missing: float) -> str:
    percent = 100 * missing
    return f"{percent:.0f}" if percent >= 10 else f"{percent:.1f}" if percent >= 0.1 or not percent else "under 0.1"


__all__ = ["HINT", "NOTHING", "Reader", "marked", "may_help", "moving", "openable", "rescue", "verify"]
