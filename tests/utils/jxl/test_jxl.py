"""JPEG XL in and out: every bit, profiles, metadata, alpha, gray; what other encoders write; what damage does."""

from __future__ import annotations

import base64
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest

from tests import pictures
from utils import image_io
from utils.colorimetry import REC_709, between
from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_io import ImageLimits, SaveOptions
from utils.jxl import boxes, colors, decoder, header
from utils.jxl.bits import BitReader, BitWriter
from utils.jxl.header import Curve, read_header
from utils.jxl.profile import read_profile, write_profile
from utils.metadata import parse_exif, read_comment
from utils.picture import Metadata, Picture
from utils.radiance import tone_mapped

ADOBE = bytes(imagecodecs.cms_profile("adobergb"))
GRAY = bytes(imagecodecs.cms_profile("gray", whitepoint=(0.3127, 0.329, 1.0), gamma=2.2))
Y, X = np.mgrid[0:48, 0:60]
SLOPES = np.stack([X / 60, Y / 48, (X + Y) / 108, 0.2 + X / 100], axis=-1)
FOREIGN = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAH1anhsY/8KgUAIbxUDcmIigDAd+qaNA4rQy53HqTS5owuc6UeLaGoLL6jZrcHRUgOjpwbH"
    "Y34tYUHzkNAIREZjIzLE19y9iI4dAJnD5lx+gI94LpV9XmWSyAOgAvdEQatCZnIkFPHZDCYdf4hXkPgUloSSdUokJDp8NqFBalLILJm8IU4FJPhQYCGB"
    "ktShBAkk4sCHDSEGpJhQIMNCJjfCQSWbwWNx+CQWh/NtjErYMODBggMfEq6nk3vgX/PzWHNFxu8c4cXwEc29APW6hO/Fw0ndQIPJcNwVpJ0BgXxovzlg"
    "bOcACAQBABwESzhomMBT90hIKAiAw0WJdhiGOgBCL9IhnBVEfwXo4t/nsnqawjZHulVhCQHSQ1610KZvLvTgmLYkOOFoG9ScevtoWjHJNYUOvm0zDtPQ"
    "QpHS6ChCpGii3d2CXZSWNL6ocVyMou15XH+ikzgr4EQDeqU2oCtFggFo7KSjKlEaRF/IltkVOReXdvi/4Ij8dJJA60Tfxac9HJZM565cr92gPBDJSoL8"
    "k/bN0AHiapmPii/u/nfmaY1FuJ7ozt4RJTMXCUvRiHRsCVPxtVBrQmULKldnYAURqbHtvs8K7vVWZ/MRt8tq3zFT3A9+/MLWig7eVpgUvAoVfvbaCbW9"
    "uEAQVYQxHiMPnQk="
)
"""Noise of 9 x 8 pixels, lossless, with a profile like ``ADOBE``, by libjxl 0.11 at effort 9."""


CURVED = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAGkanhsY/8KEDAQwmXRgIS5AFIV0iMti0TmdUriL4qipV7ZOSy0CFtaQphTH8vOk0"
    "EXJR+G00aWcMeW3bEQo2taMhqNbh1O5R7eBy0BCJsxbWYC8BHnqplxmzMjZgAJ+HuRMhWfIoZxM3GRy5FyRFgQMXXSsKG3JY3L711/ivfehVyO"
    "k3dBxryBk0dOmjNo6GULUmdOuSBm5JQpwyaH2mv93gJ0ug0NI8Cp3v7773wLnDuB9gvpv//uG+q///YrAi8XCowLHfQL2/vrv//+u4NFi+HGDI"
    "psDqL0B43thVFzqH7j3wnLitrmcpOZmVwyM9Nj8DzIZDLDJTPJMZNMj5NMMtNrgOM8Vkp6zHgt1XsoM8xwXlcwk/SM8sghmT0GzxNmmGEy6b1W"
    "ps8mMsP0Xvq+/jo+ojyOH47fi2Qy7H8tX1syBo2clh8coK5LkKhsyNArFFYSrIkJ83AIBAEACAFLGIsVln6z8WaxmaIVIVEQkDSBYBMyNlNtGp"
    "vyb6/f2w/gLaile7QR3Qt4czxsvPyjU9M+ETueRMcSSy5SwE4OzWI="
)
"""Noise of 4 x 3 pixels by the same, with a profile whose curves are tables: numbers that were predicted."""


def slopes(channels: int, dtype: type) -> np.ndarray:
    picked = SLOPES[..., {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]]
    return np.rint(np.clip(picked, 0, 1) * np.iinfo(dtype).max).astype(dtype)


def picture_of(array: np.ndarray, **metadata) -> Picture:
    alpha = np.ascontiguousarray(array[..., -1]) if array.shape[2] in (2, 4) else None
    color = array if alpha is None else np.ascontiguousarray(array[..., :-1])
    return Picture(color, alpha, Metadata(**metadata))


@pytest.fixture
def saved(tmp_path):
    def save(picture: Picture, **options) -> Picture:
        image_io.save(picture, tmp_path / "out.jxl", SaveOptions("jxl", **options))
        return image_io.load(tmp_path / "out.jxl")

    return save


@pytest.mark.parametrize("profile", [False, True], ids=["no profile", "profile"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
class TestRoundTrip:
    def test_lossless_keeps_every_bit(self, saved, tmp_path, dtype, channels, profile):
        icc = (GRAY if channels <= 2 else ADOBE) if profile else None
        noise = pictures.pattern(channels=channels, dtype=dtype)
        for options in ({"lossless": True}, {"quality": 100}):
            found = saved(picture_of(noise, icc_profile=icc), **options)
            np.testing.assert_array_equal(found.interleaved(), noise)
            assert found.metadata.icc_profile == icc and found.metadata.warnings == ()
        info = image_io.probe(tmp_path / "out.jxl")
        assert (info.format, info.width, info.height) == ("jxl", 30, 20)
        assert info.bit_depth == noise.dtype.itemsize * 8 and info.has_alpha == (channels in (2, 4))

    def test_lossy_keeps_colours_in_their_profile(self, saved, dtype, channels, profile):
        icc = (GRAY if channels <= 2 else ADOBE) if profile else None
        array = slopes(channels, dtype)
        found = saved(picture_of(array, icc_profile=icc), quality=95)
        off = np.abs(found.interleaved().astype(float) - array) / np.iinfo(dtype).max
        assert found.bit_depth == array.dtype.itemsize * 8 and off.mean() < 0.005 and off.max() < 0.12
        assert found.metadata.icc_profile == icc
        if found.alpha is not None:
            np.testing.assert_array_equal(found.alpha, array[..., -1])


def test_less_quality_is_a_smaller_file(tmp_path):
    sizes = []
    for quality in (95, 80, 40):
        image_io.save(picture_of(pictures.pattern(90, 120)), tmp_path / "out.jxl", SaveOptions("jxl", quality=quality))
        sizes.append((tmp_path / "out.jxl").stat().st_size)
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 2 * sizes[2]


@pytest.mark.parametrize("quality", [95, 100])
def test_other_programs_are_told_the_right_colours(saved, tmp_path, quality):
    """Sixteen bits are neither light to others nor in primaries that they do not know: decoded by libjxl alone."""
    array = slopes(3, np.uint16)
    saved(picture_of(array), quality=quality)
    codestream = boxes.unpacked((tmp_path / "out.jxl").read_bytes()).codestream
    found = read_header(codestream)
    assert found.color.is_srgb and (found.bits, found.is_float) == (16, False)
    assert np.abs(imagecodecs.jpegxl_decode(codestream).astype(int) - array).mean() < 300


def test_metadata_travels_and_follows_the_policy(saved):
    facts = {"exif": pictures.exif_with_everything(), "xmp": pictures.XMP, "dpi": (300.0, 300.0)}
    kept = saved(picture_of(pictures.pattern(), **facts), comment='{"scale": 4}').metadata
    exif = parse_exif(kept.exif)
    assert exif[0x010F] == "Camera maker" and exif.get(0x0112, 1) == 1 and exif.get_ifd(0x8825)
    assert read_comment(kept.exif) == '{"scale": 4}' and kept.dpi == (300.0, 300.0)
    assert kept.xmp is not None and b"Kept" in kept.xmp and b"GPSLatitude" in kept.xmp
    without = saved(picture_of(pictures.pattern(), **facts), exif="no-location").metadata
    assert not parse_exif(without.exif).get_ifd(0x8825) and b"GPSLatitude" not in (without.xmp or b"")
    dropped = saved(picture_of(pictures.pattern(), **facts), exif="drop").metadata
    assert dropped.xmp is None and 0x010F not in parse_exif(dropped.exif)


def test_packed_metadata_and_a_codestream_in_parts_are_read():
    codestream = bytes(imagecodecs.jpegxl_encode(pictures.pattern(), lossless=True, usecontainer=False))
    exif = bytes(4) + pictures.exif_with_everything()
    parts = [
        boxes._SIGNATURE + boxes._KIND,
        _box(b"brob", b"Exif" + bytes(imagecodecs.brotli_encode(exif))),
        _box(b"jxlp", bytes(4) + codestream[:50]),
        _box(b"brob", b"xml " + bytes(imagecodecs.brotli_encode(pictures.XMP))),
        _box(b"jxlp", b"\x80\0\0\1" + codestream[50:]),
    ]
    found = image_io.load(b"".join(parts))
    np.testing.assert_array_equal(found.pixels, pictures.pattern())
    assert found.metadata.xmp == pictures.XMP and parse_exif(found.metadata.exif)[0x010F] == "Camera maker"


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def test_a_profile_by_another_encoder_is_read_bit_for_bit():
    found = image_io.load(FOREIGN)
    np.testing.assert_array_equal(found.pixels, np.random.default_rng(3).integers(0, 256, (8, 9, 3), dtype=np.uint8))
    assert found.metadata.icc_profile is not None
    # But for the date on which it was made.
    assert found.metadata.icc_profile[36:] == ADOBE[36:] and len(found.metadata.icc_profile) == len(ADOBE)


def test_a_profile_of_tables_by_another_encoder_is_read_bit_for_bit():
    curve = np.rint(np.linspace(0, 1, 300) ** 1.9 * 65535).astype(np.uint16)
    corners = (0.68, 0.32, 1.0, 0.265, 0.69, 1.0, 0.15, 0.06, 1.0)
    arguments = {"whitepoint": (0.3127, 0.329, 1.0), "primaries": corners, "transferfunction": curve}
    made = bytes(imagecodecs.cms_profile("rgb", **arguments))
    found = image_io.load(CURVED)
    np.testing.assert_array_equal(found.pixels, np.random.default_rng(3).integers(0, 256, (3, 4, 3), dtype=np.uint8))
    assert found.metadata.icc_profile is not None and found.metadata.icc_profile[36:] == made[36:]


@pytest.mark.parametrize("size", [1, 50, 128, 129, 133, 700, 5000])
def test_profiles_of_all_lengths_come_back(size):
    icc = (ADOBE + np.random.default_rng(size).integers(0, 256, 5000, dtype=np.uint8).tobytes())[:size]
    bits = BitWriter()
    bits.write(5, 3)
    write_profile(bits, icc)
    reader = BitReader(bits.bytes(), 3)
    assert read_profile(reader) == icc and reader.to_byte() == len(bits.bytes())


def with_color(array: np.ndarray, *fields: tuple[int, int], **options) -> bytes:
    """A codestream whose header says another colour encoding, in bits as the standard has them."""
    codestream = boxes.unpacked(bytes(imagecodecs.jpegxl_encode(array, usecontainer=False, **options))).codestream
    found = read_header(codestream)
    old, new = BitReader(codestream), BitWriter()
    new.write(old.read(found.color_at[0]), found.color_at[0])
    for value, count in fields:
        new.write(value, count)
    old.place = found.color_at[1]
    rest = found.end - found.color_at[1]
    new.write(old.read(rest), rest)
    return new.bytes() + codestream[(found.end + 7) // 8 :]


def enum(value: int) -> tuple[int, int]:
    return (value, 2) if value < 2 else (2 | (value - 2) << 2, 6) if value < 18 else (3 | (value - 18) << 2, 8)


PLAIN = [(0, 1), (0, 1)]
"""Not the default, no profile."""
P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)


def test_display_p3_becomes_a_profile():
    array = pictures.pattern()
    data = with_color(array, *PLAIN, enum(0), enum(1), enum(11), (0, 1), enum(13), enum(1), lossless=True)
    found = image_io.load(data)
    np.testing.assert_array_equal(found.pixels, array)
    icc = found.metadata.icc_profile
    assert icc is not None
    light = colors.profile_to_light(np.ones((1, 1, 3), np.float32) * (1, 0, 0), icc)[0, 0]
    assert light == pytest.approx((1.2249, -0.0420, -0.0196), abs=2e-3)  # P3's red in Rec. 709


def test_a_plain_gamma_becomes_a_profile_of_gray():
    array = pictures.pattern(channels=1)
    fields = (*PLAIN, enum(1), enum(1), (1, 1), (round(1e7 / 2.2), 24), enum(1))
    found = image_io.load(with_color(array[..., 0], *fields, lossless=True))
    icc = found.metadata.icc_profile
    assert icc is not None and icc[16:20] == b"GRAY"
    light = colors.profile_to_light(np.full((1, 1, 1), 0.5, np.float32), icc)[0, 0, 0]
    assert light == pytest.approx(0.5**2.2, abs=1e-3)


def test_light_within_a_displays_range_is_only_curved():
    """What imagecodecs itself says of sixteen bits."""
    array = slopes(3, np.uint16)
    found = image_io.load(bytes(imagecodecs.jpegxl_encode(array, lossless=True)))
    expected = colors.light_to_srgb(array / 65535) * 65535
    assert np.abs(found.pixels - expected).max() <= 1 and found.metadata.icc_profile is None


def test_light_beyond_white_is_tone_mapped():
    light = (SLOPES[..., :3] * 30).astype(np.float32)
    found = image_io.load(bytes(imagecodecs.jpegxl_encode(light, lossless=True)))
    np.testing.assert_array_equal(found.pixels, tone_mapped(light))


@pytest.mark.parametrize(
    ("curve", "light_of"),
    [
        (
            16,
            lambda v: (
                (np.maximum(v ** (1 / 78.84375) - 0.8359375, 0) / (18.8515625 - 18.6875 * v ** (1 / 78.84375)))
                ** (1 / 0.1593017578125)
            ),
        ),
        (18, lambda v: np.where(v <= 0.5, v * v / 3, (np.exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12) ** 1.2),
    ],
    ids=["PQ", "HLG"],
)
def test_high_dynamic_range_is_tone_mapped(curve, light_of):
    gray = np.linspace(0.05, 0.95, 48 * 60).reshape(48, 60)
    array = np.repeat(np.rint(gray * 65535).astype(np.uint16)[..., None], 3, axis=2)
    data = with_color(array, *PLAIN, enum(0), enum(1), enum(9), (0, 1), enum(curve), enum(1), lossless=True)
    found = image_io.load(data).pixels.astype(int)
    expected = tone_mapped(np.repeat(light_of(gray)[..., None], 3, axis=2).astype(np.float32))
    assert np.abs(found - expected).max() < 200


def test_twelve_bits_fill_sixteen():
    twelve = slopes(3, np.uint16) >> 4
    data = with_color(twelve, (1, 1), lossless=True, bitspersample=12)
    np.testing.assert_array_equal(image_io.load(data).pixels, np.rint(twelve * (65535 / 4095)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_codestreams_orientation_is_applied_and_exifs_is_not(orientation, tmp_path):
    codestream = bytes(imagecodecs.jpegxl_encode(pictures.pattern(), lossless=True, usecontainer=False))
    found = read_header(codestream)
    old, new = BitReader(codestream), BitWriter()
    sides = found.bits_at[0] - 1  # the last bit before says that there are no extra fields
    new.write(old.read(sides), sides)
    new.write(1 | (orientation - 1) << 1, 7)  # extra fields: orientation, neither another size nor preview nor frames
    old.place += 1
    rest = found.color_at[1] - old.place
    new.write(old.read(rest), rest)
    new.write(1, 1)  # tone mapping as usual
    rest = found.end - old.place
    new.write(old.read(rest), rest)
    turned = new.bytes() + codestream[(found.end + 7) // 8 :]
    path = tmp_path / "in.jxl"
    path.write_bytes(b"".join(boxes.packed(boxes.Boxes(turned, pictures.exif_with_everything()))))
    from utils.pixels import upright

    expected = upright(Picture(pictures.pattern()), orientation)
    np.testing.assert_array_equal(image_io.load(path).pixels, expected.pixels)
    info = image_io.probe(path)
    assert (info.width, info.height) == expected.size


def test_colours_multiplied_by_alpha_are_divided():
    array = slopes(4, np.uint16)
    codestream = boxes.unpacked(bytes(imagecodecs.jpegxl_encode(array, lossless=True, usecontainer=False))).codestream
    file = decoder.opened(codestream)
    file = replace(file, header=replace(file.header, premultiplied=True, color=header.ColorEncoding()))
    found = decoder.decode(file).array
    alpha = array[..., 3:] / 65535
    expected = np.minimum(np.rint(array[..., :3] / alpha), 65535)
    assert np.abs(found[..., :3] - expected).max() <= 1


def test_a_profile_that_cannot_be_read_costs_the_profile_and_not_the_picture():
    """The codestream's profile is damaged for us, but its colours are there without it."""
    codestream = bytes(imagecodecs.jpegxl_encode(pictures.pattern(), lossless=True, usecontainer=False))
    file = decoder.opened(codestream)
    broken = replace(file, header=replace(file.header, color=header.ColorEncoding(icc=True)), icc=None, frames=None)
    found = decoder.decode(broken)
    np.testing.assert_array_equal(found.array, pictures.pattern())
    assert found.icc is None and "cannot be read" in found.notes[0]


SOUND = b"".join(
    boxes.packed(
        boxes.Boxes(
            bytes(imagecodecs.jpegxl_encode(pictures.pattern(), lossless=True, usecontainer=False)),
            pictures.exif_with_everything(),
        )
    )
)


@pytest.mark.parametrize(
    "data",
    [SOUND[:60], SOUND[:-100], SOUND[:350], b"\xff\x0a", b"\xff\x0a" + bytes(40), SOUND[:32], FOREIGN[:200]],
    ids=["boxes", "pixels", "codestream", "mark", "zeros", "nothing", "profile"],
)
def test_damage_is_named(tmp_path, data):
    (tmp_path / "in.jxl").write_bytes(data)
    with pytest.raises(InvalidImageError, match=r"'in\.jxl'"):
        image_io.load(tmp_path / "in.jxl")


def test_limits_hold_before_anything_is_decoded(tmp_path):
    (tmp_path / "in.jxl").write_bytes(SOUND)
    for read in (image_io.probe, image_io.load):
        with pytest.raises(ImageTooLargeError, match="30x20"):
            read(tmp_path / "in.jxl", ImageLimits(max_pixels=100))


def test_curves_of_light_are_each_others_inverse():
    values = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(colors.light_to_srgb(colors.srgb_to_light(values)), values, atol=1e-6)
    assert Curve.SRGB == 13


@pytest.mark.parametrize("suffix", ["jxl", "png"])
def test_pictures_are_enhanced_from_it_and_into_it(tmp_path, config, manager, suffix):
    from engine.processor import enhance_file
    from engine.types import EnhanceSettings

    source = tmp_path / "in.jxl"
    picture = picture_of(pictures.pattern(dtype=np.uint16), icc_profile=ADOBE)
    image_io.save(picture, source, SaveOptions("jxl", lossless=True))
    settings = EnhanceSettings(model="tiny-x4", scale=4, lossless=True)
    enhance_file(source, tmp_path / f"out.{suffix}", settings, manager=manager, config=config)
    info, found = image_io.probe(tmp_path / f"out.{suffix}"), image_io.load(tmp_path / f"out.{suffix}")
    assert (info.format, info.width, info.height, info.bit_depth) == (suffix, 120, 80, 16)
    assert found.metadata.icc_profile == ADOBE


def test_light_of_other_primaries_is_converted():
    values = SLOPES[..., :3].astype(np.float32)
    encoding = header.ColorEncoding(primaries=P3, curve=Curve.LINEAR)
    expected = colors.light_to_srgb(np.clip(values @ between(P3, REC_709).T, 0, 1)) * 65535
    assert np.abs(colors.shown(values, encoding) - expected).max() <= 2
