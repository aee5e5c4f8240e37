"""EXIF and XMP for a picture that changed size: orientation reset, stale sizes and thumbnails corrected.

Nothing here raises on damaged metadata: what cannot be read is dropped.
"""

from __future__ import annotations

import re
from typing import Any

_ORIENTATION, _WIDTH, _LENGTH = 0x0112, 0x0100, 0x0101
_EXIF_IFD, _GPS_IFD, _INTEROP_IFD = 0x8769, 0x8825, 0xA005
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003
_SOFTWARE, _USER_COMMENT, _MAKER_NOTE = 0x0131, 0x9286, 0x927C
_STRIP_TAGS = (0x0103, 0x0111, 0x0116, 0x0117, 0x0144, 0x0145, 0x014A, 0x0201, 0x0202, 0x8773, 0x02BC, 0x0102, 0x0106)
"""Tags about how the input's own pixels were stored; wrong for any other file."""
SOFTWARE = "Real-ESRGAN Ultimate"


def _parse(exif: bytes | None) -> Any:
    from PIL import Image

    parsed = Image.Exif()
    if exif:
        try:
            parsed.load(exif if exif.startswith(b"Exif\x00\x00") else b"Exif\x00\x00" + exif)
        except Exception:  # damaged EXIF raises nearly anything; the picture matters more
            return Image.Exif()
    return parsed


def orientation_of(exif: bytes | None) -> int:
    """EXIF orientation, 1 to 8; 1 where it is missing or senseless."""
    value = _parse(exif).get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def clean_exif(
    exif: bytes | None, width: int, height: int, policy: str = "keep", comment: str | None = None
) -> bytes | None:
    """EXIF for a ``width`` x ``height`` output, without the ``Exif\\0\\0`` prefix; None when nothing is left.

    Orientation becomes 1, the thumbnail and storage tags go, size tags follow the output. Maker notes are kept: they
    hold offsets that some tools dislike, but also the lens and serial numbers people look for.

    Args:
        policy: "keep", "no-location" (drops GPS), or "drop" (nothing of the input's stays).
        comment: text for UserComment where the input has none; Software is set along with it.
    """
    from PIL import Image

    source = _parse(exif if policy != "drop" else None)
    result = Image.Exif()
    try:
        details = dict(source.get_ifd(_EXIF_IFD))
        location = dict(source.get_ifd(_GPS_IFD)) if policy == "keep" else {}
        for tag, value in source.items():
            if tag not in (_EXIF_IFD, _GPS_IFD, _INTEROP_IFD, *_STRIP_TAGS):
                result[tag] = value
    except Exception:  # a cyclic or cut-off directory
        details, location = {}, {}
    details.pop(_INTEROP_IFD, None)
    if policy == "no-location":
        details.pop(_MAKER_NOTE, None)  # some cameras repeat the position in it
    for tag in (_WIDTH, _LENGTH):
        if tag in result:
            result[tag] = width if tag == _WIDTH else height
    if _PIXEL_X in details or _PIXEL_Y in details:
        details[_PIXEL_X], details[_PIXEL_Y] = width, height
    if _ORIENTATION in result:
        result[_ORIENTATION] = 1
    if comment is not None:
        result[_SOFTWARE] = SOFTWARE
        details.setdefault(_USER_COMMENT, b"UNICODE\x00" + comment.encode("utf-16-be"))
    if details:
        result.get_ifd(_EXIF_IFD).update(details)
    if location:
        result.get_ifd(_GPS_IFD).update(location)
    return _serialise(result)


def _serialise(exif: Any) -> bytes | None:
    if not len(exif) and not exif.get_ifd(_EXIF_IFD):
        return None
    try:
        data: bytes = exif.tobytes()
    except Exception:  # a value of a type its tag cannot hold
        for ifd in (_EXIF_IFD, _GPS_IFD):
            exif.get_ifd(ifd).clear()
        try:
            data = exif.tobytes()
        except Exception:
            return None
    return data.removeprefix(b"Exif\x00\x00")


def read_comment(exif: bytes | None) -> str | None:
    """The text of UserComment, or None."""
    value = _parse(exif).get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    if not isinstance(value, bytes) or len(value) < 8:
        return None
    if value.startswith(b"UNICODE\x00"):
        return value[8:].decode("utf-16-be", "replace")
    return value[8:].decode("utf-8", "replace")


def clean_xmp(xmp: bytes | None, width: int, height: int, policy: str = "keep") -> bytes | None:
    """An XMP packet for the output: orientation 1, sizes corrected, thumbnails gone; None when nothing is left.

    Edited as text, since most packets are not strict XML and a rewritten tree loses what it does not understand.
    A packet with a document type is refused, for entities can grow without bound in whoever reads it.
    """
    if not xmp or policy == "drop" or b"<!DOCTYPE" in xmp[:4096].upper() or b"<!ENTITY" in xmp.upper():
        return None
    try:
        text = xmp.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "<" not in text:
        return None
    sizes = {"ImageWidth": width, "ImageLength": height, "PixelXDimension": width, "PixelYDimension": height}
    for name, value in (*sizes.items(), ("Orientation", 1)):
        text = re.sub(rf"((?:tiff|exif):{name}\s*=\s*[\"'])[^\"']*", rf"\g<1>{value}", text)
        text = re.sub(rf"(<(?:tiff|exif):{name}\s*>)[^<]*", rf"\g<1>{value}", text)
    text = re.sub(r"<xmp:Thumbnails\b.*?</xmp:Thumbnails\s*>", "", text, flags=re.DOTALL)
    if policy == "no-location":
        text = re.sub(
            r"\s(?:exif|exifEX|photoshop|Iptc4xmpCore):(?:GPS\w*|City|Country|State|Location)\s*=\s*(?:\"[^\"]*\"|'[^']*')",
            "",
            text,
        )
        text = re.sub(r"<exif:(GPS\w*)\b.*?</exif:\1\s*>", "", text, flags=re.DOTALL)
        text = re.sub(r"<(photoshop:(?:City|Country|State))\b.*?</\1\s*>", "", text, flags=re.DOTALL)
        text = re.sub(r"<(Iptc4xmpExt:Location\w*)\b.*?</\1\s*>", "", text, flags=re.DOTALL)
    return text.encode("utf-8")
