"""EXIF and XMP for a picture that changed size: orientation reset, stale sizes and thumbnails corrected.

Nothing here raises on damaged metadata: what cannot be read is dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree  # nosec B405

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION, _WIDTH, _LENGTH = 0x0112, 0x0100, 0x0101
_EXIF_IFD, _GPS_IFD, _INTEROP_IFD = 0x8769, 0x8825, 0xA005
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_INCHES: dict[object, float] = {2: 1.0, 3: 2.54}
"""What EXIF calls a unit -> how many of it an inch has."""
_SOFTWARE, _USER_COMMENT, _MAKER_NOTE = 0x0131, 0x9286, 0x927C
_STRIP_TAGS = (0x0103, 0x0111, 0x0116, 0x0117, 0x0144, 0x0145, 0x014A, 0x0201, 0x0202, 0x8773, 0x02BC, 0x0102, 0x0106)
"""Tags about how the input's own pixels were stored; wrong for any other file."""
SOFTWARE = "Real-ESRGAN Ultimate"
_PLACES = re.compile(r"GPS|City|Country|State|Province|Sublocation|Location")
_LOCATION_TAGS = (0x83BB, 0x8649, 0x830E, 0x8480, 0x8482, 0x85D8, 0x87AF, 0x87B0, 0x87B1, 0xA480)
"""Tags of a TIFF that hold places: IPTC and Photoshop's block with IPTC in it (city, country), GeoTIFF, GDAL."""


def parse_exif(exif: bytes | None) -> Image.Exif:
    """Pillow's ``Exif`` of a block with or without prefix; an empty one where the block is damaged."""
    from PIL import Image

    parsed = Image.Exif()
    if exif:
        try:
            parsed.load(exif if exif.startswith(b"Exif\x00\x00") else b"Exif\x00\x00" + exif)
        except Exception:  # damaged EXIF raises nearly anything; the picture matters more
            return Image.Exif()
    return parsed


def _tag(parsed: Image.Exif, tag: int) -> object:
    try:
        return parsed.get(tag)
    except Exception:  # values are decoded when asked for
        return None


def orientation_of(exif: bytes | None) -> int:
    """EXIF orientation, 1 to 8; 1 where it is missing or senseless."""
    value = _tag(parse_exif(exif), _ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def resolution_of(exif: bytes | None) -> tuple[float, float] | None:
    """EXIF's resolution as dots an inch, across and down; None where it is missing or has no unit."""
    parsed = parse_exif(exif)
    inches = _INCHES.get(_tag(parsed, _RESOLUTION_UNIT))
    try:
        return None if inches is None else (parsed[_X_RESOLUTION] * inches, parsed[_Y_RESOLUTION] * inches)
    except Exception:  # missing, of another type, or divided by zero
        return None


def clean_exif(
    exif: bytes | None,
    width: int,
    height: int,
    policy: str = "keep",
    comment: str | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes | None:
    """EXIF for a ``width`` x ``height`` output, without the ``Exif\\0\\0`` prefix; None when nothing is left.

    Orientation becomes 1, the thumbnail and storage tags go, size tags follow the output. Maker notes are kept: they
    hold offsets that some tools dislike, but also the lens and serial numbers people look for. They go along with the
    position, since some cameras repeat it there.

    Args:
        policy: "keep", "no-location" (drops GPS, IPTC, GeoTIFF), or "drop" (nothing of the input's stays).
        comment: text for UserComment where the input has none; Software is set along with it.
        dpi: dots an inch to set; None leaves what the block has.
    """
    from PIL import Image

    source = parse_exif(exif if policy != "drop" else None)
    dropped = {_EXIF_IFD, _GPS_IFD, _INTEROP_IFD, *_STRIP_TAGS, *(() if policy == "keep" else _LOCATION_TAGS)}
    result = Image.Exif()
    try:
        details = dict(source.get_ifd(_EXIF_IFD))
        location = dict(source.get_ifd(_GPS_IFD)) if policy == "keep" else {}
        for tag, value in source.items():
            if tag not in dropped:
                result[tag] = value
    except Exception:  # a cyclic or cut-off directory
        details, location = {}, {}
    details.pop(_INTEROP_IFD, None)
    if policy == "no-location":
        details.pop(_MAKER_NOTE, None)
    _correct_sizes(result, details, width, height)
    if dpi is not None:
        result[_X_RESOLUTION], result[_Y_RESOLUTION], result[_RESOLUTION_UNIT] = *dpi, 2
    if comment is not None:
        result[_SOFTWARE] = SOFTWARE
        details.setdefault(_USER_COMMENT, _user_comment(comment))
    if details:
        result.get_ifd(_EXIF_IFD).update(details)
    if location:
        result.get_ifd(_GPS_IFD).update(location)
    return _serialise(result)


def _correct_sizes(result: Image.Exif, details: dict[int, object], width: int, height: int) -> None:
    for tag, value in ((_WIDTH, width), (_LENGTH, height), (_ORIENTATION, 1)):
        if tag in result:
            result[tag] = value
    if _PIXEL_X in details or _PIXEL_Y in details:
        details[_PIXEL_X], details[_PIXEL_Y] = width, height


def _user_comment(text: str) -> bytes:
    """EXIF 2.3, UserComment: eight bytes name the character code."""
    return b"ASCII\x00\x00\x00" + text.encode() if text.isascii() else b"UNICODE\x00" + text.encode("utf-16-be")


def _serialise(exif: Image.Exif) -> bytes | None:
    if not len(exif) and not exif.get_ifd(_EXIF_IFD) and not exif.get_ifd(_GPS_IFD):
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
    try:
        value = parse_exif(exif).get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    except Exception:  # a damaged directory
        return None
    if not isinstance(value, bytes) or len(value) < 8:
        return None
    if value.startswith(b"UNICODE\x00"):
        return value[8:].decode("utf-16-be", "replace")
    return value[8:].decode("utf-8", "replace")


def fitting_profile(icc: bytes | None, gray: bool) -> bytes | None:
    """The profile if it is for pixels of this kind (ICC.1, 7.2.6: bytes 16 to 20), else None: readers refuse others."""
    return icc if icc and icc[16:20] == (b"GRAY" if gray else b"RGB ") else None


def clean_xmp(xmp: bytes | None, width: int, height: int, policy: str = "keep") -> bytes | None:
    """An XMP packet for the output: orientation 1, sizes corrected, thumbnails gone; None when nothing is left.

    Edited as text, since a rewritten tree loses the packet's own prefixes and order; then read as XML, and left out if
    it is none, or if a place is still in it that was to go. A packet with a document type is refused, for entities can
    grow without bound in whoever reads it.
    """
    text = _xmp_text(xmp)
    if text is None or policy == "drop":
        return None
    sizes = {"ImageWidth": width, "ImageLength": height, "PixelXDimension": width, "PixelYDimension": height}
    for name, value in (*sizes.items(), ("Orientation", 1)):
        text = re.sub(rf"((?:tiff|exif):{name}\s*=\s*[\"'])[^\"']*", rf"\g<1>{value}", text)
        text = re.sub(rf"(<(?:tiff|exif):{name}\s*>)[^<]*", rf"\g<1>{value}", text)
    text = re.sub(r"<(xmp|xap):Thumbnails\b.*?</\1:Thumbnails\s*>", "", text, flags=re.DOTALL)
    if policy == "no-location":
        text = _without_places(text)
    try:
        packet = re.sub(r"<\?xpacket.*?\?>", "", text, flags=re.DOTALL).strip()
        root = ElementTree.fromstring(packet)  # nosec B314
    except ElementTree.ParseError:
        return None
    if policy == "no-location" and _names_a_place(root):
        return None
    return text.encode("utf-8")


def _xmp_text(xmp: bytes | None) -> str | None:
    """The packet as text, if it is UTF-8 (as every file format asks) and has no document type."""
    if not xmp:
        return None
    try:
        text = xmp.rstrip(b"\0").decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\0" in text or "<" not in text or re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        return None
    return text


def _without_places(text: str) -> str:
    name = r"[\w-]+:(?:GPS\w*|City|Country\w*|State|Province\w*|Sublocation|Location\w*)"
    text = re.sub(rf"\s{name}\s*=\s*(?:\"[^\"]*\"|'[^']*')", "", text)
    text = re.sub(rf"<{name}(?:\s[^<>]*)?/>", "", text)
    return re.sub(rf"<({name})(?:\s[^<>]*)?(?<!/)>.*?</\1\s*>", "", text, flags=re.DOTALL)


def _names_a_place(root: ElementTree.Element) -> bool:
    """Whether an element or attribute for a place is left: one nested in itself, say, or with an odd prefix."""
    for element in root.iter():
        for name in (str(element.tag), *element.attrib):
            if _PLACES.match(name.rpartition("}")[2]):
                return True
    return False
