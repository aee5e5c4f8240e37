"""Damaged files: what is left of their pixels comes out, and how much is missing is said; only where it is asked for."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from PIL import Image

from utils import image_io
from utils.errors import DamagedImageError, ImageTooLargeError, InvalidImageError
from utils.salvage import png

ASKED = image_io.ImageLimits(salvage=True)
WIDTH, HEIGHT = 400, 300


def scene() -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    smooth = np.stack([x * 0.6, y * 0.8, (x + y) * 0.35], -1)
    return np.clip(smooth + np.random.default_rng(0).normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def deflated_tiff(pixels: np.ndarray, compression: str | None = "deflate") -> bytes:
    """Its directory stands before the pixels."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, compression=compression, rowsperstrip=20, photometric="rgb")
    return stream.getvalue()


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes, place: int, bits: int = 0xFF) -> bytes:
    changed = bytearray(data)
    changed[place] ^= bits
    return bytes(changed)


CASES: dict[str, tuple[Callable[[], bytes], float, float]] = {
    "JPEG without its last ten bytes": (lambda: encoded(scene(), "JPEG", quality=90)[:-10], 0.05, 1),
    "JPEG half": (lambda: half(encoded(scene(), "JPEG", quality=90)), 40, 60),
    "JPEG with restarts, half": (lambda: half(encoded(scene(), "JPEG", restart_marker_rows=2)), 40, 60),
    "PNG half": (lambda: half(encoded(scene(), "PNG")), 40, 60),
    "PNG without its end": (lambda: encoded(scene(), "PNG")[:-40], 0.1, 2),
    "WebP half": (lambda: half(encoded(scene(), "WEBP", quality=80)), 40, 70),
    "WebP without its last ten bytes": (lambda: encoded(scene(), "WEBP", quality=80)[:-10], 1, 12),
    "lossless WebP half": (lambda: half(encoded(scene(), "WEBP", lossless=True)), 40, 60),
    "TIFF half": (lambda: half(deflated_tiff(scene())), 40, 60),
    "plain TIFF half": (lambda: half(deflated_tiff(scene(), None)), 40, 60),
}
"""What is damaged -> the file, and between which per cents of it are missing."""


@pytest.mark.parametrize("name", CASES)
def test_the_rest_of_a_cut_off_picture(name):
    """It is refused, with a word about what could be done; asked for, the rows that are there are right."""
    make, least, most = CASES[name]
    data = make()
    with pytest.raises(DamagedImageError, match="salvage"):
        image_io.load(data)
    picture = image_io.load(data, ASKED)
    assert picture.size == (WIDTH, HEIGHT)
    missing = picture.metadata.missing_percent
    assert missing is not None and least <= missing <= most
    assert f"{missing:.0f}" in picture.metadata.warnings[-1] or missing < 10
    there = int(HEIGHT * (1 - missing / 100)) - 20
    difference = np.abs(picture.pixels[:there].astype(int) - scene()[:there])
    assert difference.mean() < 8
    if missing > 20:
        assert np.ptp(picture.pixels[-10:].astype(int)) <= 2, "what is missing is gray"


@pytest.mark.parametrize("name", CASES)
def test_a_sound_picture_is_read_as_ever(name, tmp_path):
    whole = {"JPEG": "JPEG", "PNG": "PNG", "WebP": "WEBP", "lossless": "WEBP", "TIFF": "TIFF", "plain": "TIFF"}
    data = encoded(scene(), whole[name.split()[0]])
    plain, asked = image_io.load(data), image_io.load(data, ASKED)
    assert np.array_equal(plain.pixels, asked.pixels)
    assert asked.metadata.missing_percent is None and asked.metadata.warnings == ()


def idat_at(data: bytes) -> int:
    return data.index(b"IDAT")


def idat_length(data: bytes) -> int:
    return int.from_bytes(data[idat_at(data) - 4 : idat_at(data)], "big")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: flipped(data, 30),  # the checksum of the header
        lambda data: flipped(data, idat_at(data) - 2),  # the length of the pixel data
        lambda data: flipped(data, data.rindex(b"IEND") - 12),  # the checksum within the pixel data, Adler-32
        lambda data: flipped(data, data.rindex(b"IEND") - 8),  # the checksum around them, a CRC
        lambda data: flipped(data, idat_at(data) + 4 + idat_length(data)),  # that of the first of several chunks
    ],
    ids=["header", "length", "pixels", "last chunk", "first chunk"],
)
def test_wrong_checksums_and_lengths_of_a_png_cost_no_pixel(damage, tmp_path):
    path = tmp_path / "in.png"
    path.write_bytes(damage(encoded(scene(), "PNG")))
    with pytest.raises(DamagedImageError):
        image_io.load(path)
    assert image_io.probe(path, ASKED).width == WIDTH
    picture = image_io.load(path, ASKED)
    assert np.array_equal(picture.pixels, scene())
    assert picture.metadata.missing_percent == 0
    assert "all of its pixels could be decoded" in picture.metadata.warnings[-1]


def test_a_damaged_place_in_a_png_costs_what_follows_it():
    data = encoded(scene(), "PNG")
    picture = image_io.load(flipped(data, len(data) // 2), ASKED)
    assert 40 < picture.metadata.missing_percent < 60
    assert np.array_equal(picture.pixels[:130], scene()[:130])


@pytest.mark.parametrize("kind", ["16 bits", "palette", "transparent", "interlaced"])
def test_a_wrong_checksum_is_seen_whatever_the_decoder(kind):
    """Not every kind of PNG is decoded by the same library, and none of them looks at it."""
    sound = {
        "16 bits": lambda: encoded(np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH), "PNG"),
        "palette": lambda: encoded(scene()[..., 0] // 16 * 16, "PNG", bits=4),
        "transparent": lambda: encoded(np.dstack([scene(), scene()[..., :1]]), "PNG"),
        "interlaced": lambda: interlaced(scene()),
    }[kind]()
    damaged = flipped(sound, sound.rindex(b"IEND") - 5)
    with pytest.raises(DamagedImageError, match="checksum of a chunk IDAT"):
        image_io.load(damaged)
    expected, picture = image_io.load(sound), image_io.load(damaged, ASKED)
    np.testing.assert_array_equal(picture.interleaved(), expected.interleaved())
    assert picture.metadata.missing_percent == 0
    assert "all of its pixels could be decoded" in picture.metadata.warnings[-1]


def test_limits_are_looked_at_before_checksums(monkeypatch):
    monkeypatch.setattr(png, "check_pixels", lambda _: pytest.fail("a file over the limit was read through"))
    with pytest.raises(ImageTooLargeError):
        image_io.load(encoded(scene(), "PNG"), image_io.ImageLimits(max_pixels=1000))


def test_checksums_are_compared_without_a_copy_of_the_file():
    body = bytes(30_000_000)
    data = png.SIGNATURE + png.chunk(b"IDAT", body) + png.chunk(b"IEND", b"")
    tracemalloc.start()
    try:
        png.check_pixels(data)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 100_000
    with pytest.raises(ValueError, match="IDAT"):
        png.check_pixels(flipped(data, 20_000_000))


def interlaced(pixels: np.ndarray) -> bytes:
    """An Adam7 PNG, which Pillow does not write."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    raw = b"".join(
        b"\0" + row.tobytes() for left, top, across, down in passes for row in pixels[top::down, left::across]
    )
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 1)),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    ]
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_an_interlaced_png_is_whole_but_coarser():
    data = interlaced(scene())
    assert np.array_equal(image_io.load(data).pixels, scene())
    picture = image_io.load(data[: len(data) * 6 // 10], ASKED)
    assert 30 < picture.metadata.missing_percent < 60
    assert np.abs(picture.pixels.astype(int) - scene()).mean() < 12
    assert np.array_equal(picture.pixels[::4, ::4], scene()[::4, ::4])


def test_a_progressive_jpeg_is_whole_but_less_sharp():
    picture = image_io.load(half(encoded(scene(), "JPEG", quality=90, progressive=True)), ASKED)
    assert "with less detail" in picture.metadata.warnings[-1]
    assert 0 < picture.metadata.missing_percent < 100
    assert np.abs(picture.pixels.astype(int) - scene()).mean() < 8


@pytest.mark.parametrize("marker", [b"\xff\xc4\xff\xff", b"\xff\xda\x00\x03", b"\xff\xc2\x00\x08"])
def test_markers_amid_a_jpegs_data_are_read_as_data(marker):
    data = encoded(scene(), "JPEG", quality=90)
    middle = len(data) // 2
    damaged = data[:middle] + marker + data[middle + len(marker) :]
    with pytest.raises(DamagedImageError):
        image_io.load(damaged)
    picture = image_io.load(damaged, ASKED)
    assert "missing or wrong" in picture.metadata.warnings[-1]
    assert 40 < picture.metadata.missing_percent < 60
    assert np.abs(picture.pixels[:120].astype(int) - scene()[:120]).mean() < 8
    assert np.ptp(picture.pixels[-30:]) > 20, "what follows is decoded too, for what it is worth"


def test_one_bad_strip_of_a_tiff_costs_that_strip():
    data = deflated_tiff(scene())
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        place = file.pages[0].dataoffsets[7] + 40
    picture = image_io.load(data[:place] + bytes(60) + data[place + 60 :], ASKED)
    assert picture.metadata.missing_percent == pytest.approx(100 * 20 / HEIGHT, abs=0.1)
    wrong = (picture.pixels != scene()).any(axis=(1, 2))
    assert wrong[140:160].all() and not wrong[:140].any() and not wrong[160:].any()


def test_transparent_deep_and_turned_pictures():
    clear = np.dstack([scene(), np.full((HEIGHT, WIDTH), 200, np.uint8)])
    picture = image_io.load(half(encoded(clear, "PNG")), ASKED)
    assert picture.alpha is not None and not picture.alpha[-10:].any() and (picture.alpha[:100] == 200).all()

    deep = np.arange(HEIGHT * WIDTH, dtype=np.uint32).reshape(HEIGHT, WIDTH) * 40503 % 65536
    picture = image_io.load(half(encoded(deep.astype(np.uint16), "PNG")), ASKED)
    assert picture.bit_depth == 16 and np.array_equal(picture.pixels[:80, :, 0], deep[:80])

    exif = Image.Exif()
    exif[0x0112] = 6
    picture = image_io.load(half(encoded(scene(), "JPEG", exif=exif)), ASKED)
    assert picture.size == (HEIGHT, WIDTH)
    assert np.ptp(picture.pixels[:, :60].astype(int)) <= 2, "turned: the rows at the end are the left columns"


def test_metadata_outlive_the_damage():
    profile = b"a profile" * 20
    picture = image_io.load(half(encoded(scene(), "WEBP", icc_profile=profile)), ASKED)
    assert picture.metadata.icc_profile == profile


@pytest.mark.parametrize("kind", ["GIF", "BMP"])
def test_other_kinds_promise_nothing(kind):
    data = half(encoded(scene(), kind))
    for limits in (image_io.ImageLimits(), ASKED):
        with pytest.raises(InvalidImageError) as caught:
            image_io.load(data, limits)
        assert not isinstance(caught.value, DamagedImageError)


def test_nothing_left_is_said():
    header = encoded(scene(), "PNG")[:40]
    with pytest.raises(InvalidImageError, match="Nothing of its pixels can be decoded"):
        image_io.load(header, ASKED)


def test_limits_hold_before_anything_is_inflated(monkeypatch):
    """Where the header's checksum is wrong, the usual decoder has not looked at its size."""
    data = flipped(encoded(scene(), "PNG"), 30)
    monkeypatch.setattr(png, "_repacked", lambda *_: pytest.fail("it was inflated"))
    with pytest.raises(ImageTooLargeError):
        image_io.load(data, image_io.ImageLimits(max_pixels=1000, salvage=True))


def test_animations_are_not_cut_down_to_a_still():
    frames = [Image.fromarray(scene()), Image.fromarray(scene()[::-1].copy())]
    stream = io.BytesIO()
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidImageError):
        image_io.load(half(stream.getvalue()), ASKED)


def test_a_file_of_a_million_senseless_chunks_is_answered_at_once():
    """Each is looked at once: a search from every one of them to the file's end would take hours."""
    start = encoded(scene(), "PNG")[:33]
    with pytest.raises(InvalidImageError):
        image_io.load(start + b"IDATIDATIDAT" * 1_000_000, ASKED)
    jpeg = encoded(scene(), "JPEG")
    with pytest.raises(InvalidImageError):
        image_io.load(jpeg[:20] + b"\xff\xe0\x00\x02" * 2_000_000, ASKED)
