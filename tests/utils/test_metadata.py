"""EXIF and XMP of the output speak of the output; what is damaged or was to go does not travel."""

from __future__ import annotations

import struct

import pytest
from PIL import Image, TiffImagePlugin

from tests.pictures import SRGB, XMP, exif_with_everything, pattern
from utils import image_io
from utils.metadata import (
    clean_exif,
    clean_xmp,
    fitting_profile,
    orientation_of,
    parse_exif,
    read_comment,
    resolution_of,
)
from utils.writers import SaveOptions


def test_sizes_and_orientation_speak_of_the_output():
    parsed = parse_exif(clean_exif(exif_with_everything(), 60, 40))
    assert (parsed[0x0100], parsed[0x0101], parsed[0x0112]) == (60, 40, 1)
    details = parsed.get_ifd(0x8769)
    assert (details[0xA002], details[0xA003]) == (60, 40) and details[0x829A] == pytest.approx(1 / 125)
    xmp = clean_xmp(XMP, 60, 40)
    assert b'tiff:Orientation="1"' in xmp and b'PixelXDimension="60"' in xmp and b">40<" in xmp and b"Kept" in xmp


def test_the_thumbnail_of_the_input_does_not_travel():
    # Two directories: the picture's with its orientation, then the thumbnail's with a place and a length.
    first = struct.pack("<HHHIII", 1, 0x0112, 3, 1, 6, 26)
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, 4, 0)
    with_thumbnail = b"II*\0\x08\0\0\0" + first + second + b"JPEG"
    cleaned = clean_exif(with_thumbnail, 60, 40)
    assert not parse_exif(cleaned).get_ifd(1) and b"JPEG" not in cleaned and parse_exif(cleaned)[0x0112] == 1
    thumbnails = b"<xmp:Thumbnails><rdf:Alt/></xmp:Thumbnails>"
    packet = XMP.replace(b"</rdf:Description>", thumbnails + b"</rdf:Description>")
    packet = packet.replace(b"<rdf:Description", b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/"')
    assert b"Thumbnails" not in clean_xmp(packet, 60, 40)


def test_location_or_everything_can_be_dropped():
    exif = exif_with_everything()
    parsed = Image.Exif()
    parsed.load(b"Exif\0\0" + clean_exif(exif, 60, 40, "keep"))
    assert parsed.get_ifd(0x8825)
    parsed = Image.Exif()
    parsed.load(b"Exif\0\0" + clean_exif(exif, 60, 40, "no-location"))
    assert not parsed.get_ifd(0x8825) and parsed[0x010F] == "Camera maker"
    assert clean_exif(exif, 60, 40, "drop") is None
    assert b"GPS" not in clean_xmp(XMP, 60, 40, "no-location") and clean_xmp(XMP, 60, 40, "drop") is None


@pytest.mark.parametrize(
    "broken", [b"", b"II*\0\x08\0\0\0\xff\xff", b"garbage", b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08"]
)
def test_broken_or_cyclic_exif_is_dropped_not_raised(broken):
    clean_exif(broken, 10, 10)
    assert orientation_of(broken) == 1


def test_xmp_with_entities_is_refused():
    assert clean_xmp(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x:xmpmeta/>', 1, 1) is None


def test_maker_notes_stay_unless_the_location_goes():
    exif = parse_exif(exif_with_everything())
    exif.get_ifd(0x8769)[0x927C] = b"serial number and maybe a position"
    block = exif.tobytes()
    assert 0x927C in parse_exif(clean_exif(block, 60, 40)).get_ifd(0x8769)
    assert 0x927C not in parse_exif(clean_exif(block, 60, 40, "no-location")).get_ifd(0x8769)


@pytest.mark.parametrize(
    "place",
    [
        b"<exif:GPSLatitude>52,31N</exif:GPSLatitude>",
        b'<photoshop:City xmlns:photoshop="p">Rome</photoshop:City>',
        b'<a:LocationShown xmlns:a="i"><rdf:Bag><rdf:li a:City="Rome"/></rdf:Bag></a:LocationShown>',
        b'<odd:GPSLatitude xmlns:odd="http://ns.adobe.com/exif/1.0/">52,31N</odd:GPSLatitude>',
    ],
)
def test_no_place_is_left_in_xmp_whatever_its_prefix(place):
    packet = XMP.replace(b"</rdf:Description>", place + b"</rdf:Description>")
    cleaned = clean_xmp(packet, 60, 40, "no-location")
    assert cleaned is not None and b"Kept" in cleaned
    assert not any(word in cleaned for word in (b"GPS", b"City", b"Location", b"Rome", b"52,31N"))


def test_a_place_that_cannot_be_cut_out_takes_the_packet_with_it():
    nested = XMP.replace(b"<rdf:Description ", b"<rdf:Description x:A.GPS='' ").replace(
        b"</rdf:Description>", b"<x.y:GPSPlace>Rome</x.y:GPSPlace></rdf:Description>"
    )
    nested = nested.replace(b"<rdf:Description ", b'<rdf:Description xmlns:x.y="u" ', 1)
    cleaned = clean_xmp(nested, 60, 40, "no-location")
    assert cleaned is None or b"Rome" not in cleaned


@pytest.mark.parametrize("broken", [b"<x:xmpmeta>", b"no markup", b"\xff\xfe<\0a\0/\0>\0", XMP[:-10]])
def test_broken_xmp_is_left_out(broken):
    assert clean_xmp(broken, 1, 1) is None


def test_a_packet_with_its_wrapper_and_padding_stays_as_it_is():
    wrapped = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0"?>' + XMP + b" " * 50 + b'<?xpacket end="w"?>'
    assert clean_xmp(wrapped, 60, 40).endswith(b'<?xpacket end="w"?>')


@pytest.mark.parametrize("text", ['{"scale": 2}', '{"model": "größer"}'])
def test_the_settings_used_are_readable_again(text):
    exif = clean_exif(None, 60, 40, comment=text)
    assert read_comment(exif) == text
    assert parse_exif(exif)[0x0131] == "Real-ESRGAN Ultimate"


def test_a_persons_own_comment_is_not_overwritten():
    mine = clean_exif(None, 60, 40, comment="mine")
    assert read_comment(clean_exif(mine, 60, 40, comment="settings")) == "mine"


def test_resolution_is_read_in_inches_whatever_its_unit():
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 100.0, 50.0, 3
    assert resolution_of(exif.tobytes()) == pytest.approx((254, 127))
    assert resolution_of(None) is None
    assert resolution_of(clean_exif(None, 1, 1, dpi=(300.0, 150.0))) == pytest.approx((300, 150))


def test_a_profile_for_other_pixels_is_left_out():
    assert fitting_profile(SRGB, gray=False) == SRGB
    assert fitting_profile(SRGB, gray=True) is None and fitting_profile(b"short", gray=False) is None


def test_place_names_of_a_tiff_go_with_the_location(tmp_path):
    """IPTC has city and country, GeoTIFF the position: as tags of a TIFF they would travel within EXIF."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x010F], tags[0x83BB], tags.tagtype[0x83BB] = "Camera maker", b"\x1c\x02\x5a\x00\x04Rome", 7
    tags[0x8482], tags.tagtype[0x8482] = (0.0, 0.0, 0.0, 12.48, 41.89, 0.0), 12
    Image.fromarray(pattern()).save(tmp_path / "in.tif", tiffinfo=tags)
    picture = image_io.load(tmp_path / "in.tif")
    for suffix, kind in (("jpg", "jpeg"), ("png", "png"), ("webp", "webp"), ("tif", "tiff")):
        path = tmp_path / f"out.{suffix}"
        image_io.save(picture, path, SaveOptions(kind, exif="no-location"))
        kept = parse_exif(image_io.load(path).metadata.exif)
        assert b"Rome" not in path.read_bytes() and 0x83BB not in kept and 0x8482 not in kept
        assert kept[0x010F] == "Camera maker"
    image_io.save(picture, tmp_path / "all.jpg", SaveOptions("jpeg"))
    assert b"Rome" in (tmp_path / "all.jpg").read_bytes()
